"""ELF files whose names no path can have: every command reports them and repairs nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, List

import pytest

from commandline import run
from elfwriter import Elf, Symbol, write
from wheelwriter import save, wheel, wheel_name

ELF = write(
    Elf(needed=("libc.so.6",), symbols=(Symbol("PyInit__x", defined=True),), runpath="/opt/lib")
)
NAME = "demo/byQz.so"
WHEEL = wheel({"demo/_x.abi3.so": ELF, NAME: ELF}).replace(b"yQz", b"y\0z")
PLAIN: Dict[str, bytes] = {f"demo/a{number:05}yQz.py": b"" for number in range(1100)}
# More names are wrong than a report lists; the ELF file is the last of them.
CROWDED = wheel({**PLAIN, "demo/_x.abi3.so": ELF, NAME: ELF}).replace(b"yQz", b"y\0z")

# Replaced by a folder of the test.
OUT = "OUT"
COMMANDS: Dict[str, List[str]] = {
    "show": ["show"],
    "check": ["check"],
    "retag": ["retag", "-w", OUT],
    "strip": ["retag", "--strip", "debug", "-w", OUT],
    "strip all": ["retag", "--strip", "all", "-w", OUT],
    "fix": ["retag", "--fix", "rpath", "--fix", "execstack", "-w", OUT],
    "repair": ["repair", "-w", OUT],
    "repair and strip": ["repair", "--strip", "all", "-w", OUT],
    "allowed": ["repair", "--strip", "all", "--allow", "BAD_PATH:*", "-w", OUT],
    "dry run": ["repair", "--dry-run", "--strip", "all", "-w", OUT],
}


@pytest.mark.parametrize(
    ("data", "jobs"), [(WHEEL, "1"), (WHEEL, "2"), (CROWDED, "1")], ids=["one", "jobs", "many"]
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_nul_in_the_name_of_an_elf_file(
    command: str, data: bytes, jobs: str, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    first = save(tmp_path, data, wheel_name())
    second = save(tmp_path / "second", data, wheel_name())
    out = tmp_path / "out"
    options = [str(out) if one == OUT else one for one in COMMANDS[command]]
    done = run(*options, "--jobs", jobs, first, second)
    assert done.returncode in (0, 1)
    assert done.stderr == ""
    if command != "dry run":
        assert done.stdout.count("[BAD_PATH]") >= 2
    written = os.listdir(out) if out.exists() else []
    assert len(written) == (command == "allowed")
    if command == "allowed":
        assert "not repaired: the path of a file is not valid" in done.stdout
