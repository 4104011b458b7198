"""The ELF writer's files, loaded by glibc's loader and run by the kernel."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

import pytest

from elfwriter import Elf, Symbol, write

if TYPE_CHECKING:
    from pathlib import Path

requires_x86_64 = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.maxsize < 2**32 or platform.system() != "Linux",
    reason="the machine code is for 64-bit x86 Linux",
)
requires_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the written files need glibc"
)
# mov eax, 42; ret
ANSWER = b"\xb8\x2a\0\0\0\xc3"
# mov eax, 60 (exit); mov edi, 42; syscall
EXIT = b"\xb8\x3c\0\0\0\xbf\x2a\0\0\0\x0f\x05"
LOADABLE = Elf(
    soname="libanswer.so",
    needed=("libc.so.6",),
    symbols=(
        Symbol("malloc", "libc.so.6", "GLIBC_2.2.5"),
        Symbol("absent", weak=True),
        Symbol("answer", defined=True),
    ),
    code=ANSWER,
)


def loaded(path: Path, elf: Elf) -> Tuple[Optional[int], str]:
    """Load a library in a child process, which may crash, and call ``answer`` there."""
    path.write_bytes(write(elf))
    script = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).answer())"
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=False, stderr=subprocess.PIPE, text=True
    )
    return run.returncode, run.stderr


@requires_x86_64
@requires_glibc
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sysv_hash": True, "gnu_hash": False},
        {"sections": False, "padding": 0x54321},
        {"tables_last": True, "page_align": 0x10000},
        {"relocations": ".rela.dyn"},
        {"versions_defined": ("ANSWER_1",), "rpath": "/nowhere", "tls_size": 8},
        {"version_needs": (("libc.so.6", "GLIBC_9.9"),)},
        {"isa": 1, "notes": ((b"GNU", 3, b"1234"),)},
    ],
)
def test_glibc_loads_the_library(tmp_path: Path, changes: Dict[str, Any]) -> None:
    weak = frozenset({("libc.so.6", "GLIBC_9.9")})
    elf = replace(LOADABLE, weak_versions=weak, **changes)
    assert loaded(tmp_path / "libanswer.so", elf) == (42, "")


@requires_x86_64
@requires_glibc
def test_glibc_checks_the_version_needs(tmp_path: Path) -> None:
    elf = replace(LOADABLE, version_needs=(("libc.so.6", "GLIBC_9.9"),))
    status, message = loaded(tmp_path / "libanswer.so", elf)
    assert status == 1
    assert "version `GLIBC_9.9' not found" in message


@requires_x86_64
@pytest.mark.parametrize(
    "elf",
    [
        Elf(type=2, dynamic=False),
        Elf(type=2, dynamic=False, sections=False, padding=0x2345),
        pytest.param(Elf(type=2, interp="", needed=("libc.so.6",)), marks=requires_glibc),
        pytest.param(
            Elf(interp="", needed=("libc.so.6",), dt_flags_1=0x08000000), marks=requires_glibc
        ),
    ],
    ids=["static", "static without sections", "dynamic", "position-independent"],
)
def test_executables_run(tmp_path: Path, elf: Elf) -> None:
    path = tmp_path / "program"
    if elf.interp is not None:
        elf = replace(elf, interp="/lib64/ld-linux-x86-64.so.2")
    path.write_bytes(write(replace(elf, code=EXIT)))
    path.chmod(0o755)
    assert subprocess.run([str(path)], check=False).returncode == 42
