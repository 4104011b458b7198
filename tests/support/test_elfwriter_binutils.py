"""The ELF writer's files, read by readelf of the binutils."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

import needs
from elfsamples import MACHINES, SYMBOLS, described
from elfwriter import TARGETS, write

if TYPE_CHECKING:
    from pathlib import Path


def readelf(*arguments: str) -> str:
    """Run readelf, which prints warnings to stderr and continues."""
    tool = needs.tool("readelf", "binutils")
    run = subprocess.run(
        [tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
    )
    complaints = re.findall(r"(?im)^.*(?:\berror\b|warning|corrupt|<unknown).*$", run.stdout)
    assert (run.returncode, complaints) == (0, [])
    return run.stdout


@pytest.mark.parametrize("tables_last", [False, True])
@pytest.mark.parametrize("arch", MACHINES)
def test_readelf_has_no_complaint(
    tmp_path: Path,
    arch: str,
    tables_last: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "demo.so"
    path.write_bytes(write(TARGETS[arch]))
    readelf("-hlSdVn", "--dyn-syms", "-W", str(path))
    path.write_bytes(write(described(arch, tables_last=tables_last, relocations=".rela.dyn")))
    output = readelf("-hlSdVnrI", "--dyn-syms", "-W", str(path))
    for expected in ("gettid@GLIBC_2.30", "demo_new@@DEMO_2", "[libm.so.6]", "[$ORIGIN/../libs]"):
        assert expected in output


@pytest.mark.parametrize("gnu_hash", [False, True])
@pytest.mark.parametrize("arch", MACHINES)
def test_readelf_counts_symbols_by_the_hash_table(
    tmp_path: Path,
    arch: str,
    gnu_hash: bool,  # noqa: FBT001
) -> None:
    elf = described(arch, sections=False, gnu_hash=gnu_hash, sysv_hash=not gnu_hash)
    path = tmp_path / "demo.so"
    path.write_bytes(write(elf))
    output = readelf("-D", "-s", "-W", str(path))
    for symbol in SYMBOLS:
        assert re.search(rf" {symbol.name!s}\b", output)
