"""The dynamic loaders of several systems, each with its libc, to load written files."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Dict, NamedTuple, Tuple

import pytest

from debian import cache, debian
from elfwriter import Elf, write

# The suite and the package of each libc, and its loader.
_SYSTEMS: Dict[str, Tuple[str, str, str]] = {
    "glibc 2.31": ("bullseye", "libc6", "lib/x86_64-linux-gnu/ld-2.31.so"),
    "glibc 2.36": ("bookworm", "libc6", "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
    "glibc 2.41": ("trixie", "libc6", "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
    "musl 1.2.3": ("bookworm", "musl", "lib/ld-musl-x86_64.so.1"),
}
GLIBC = tuple(name for name in _SYSTEMS if name.startswith("glibc"))
MUSL = tuple(name for name in _SYSTEMS if name.startswith("musl"))
# mov eax, 60 (exit); mov edi, 42; syscall
_EXIT = b"\xb8\x3c\0\0\0\xbf\x2a\0\0\0\x0f\x05"
PROGRAM = Elf(interp="/nowhere", code=_EXIT, sections=False)


class Result(NamedTuple):
    """Whether a program was started, and the loader's message otherwise."""

    started: bool
    message: str


def start(loader: str, folder: Path, program: str) -> Result:
    """Start a written program with a loader, in its folder."""
    if platform.machine() != "x86_64":
        pytest.skip("the machine code is for 64-bit x86 Linux")
    suite, package, path = _SYSTEMS[loader]
    root = debian(cache(f"loader-{loader.replace(' ', '-')}"), "amd64", (package,), suite)
    done = subprocess.run(
        [str(root / path), f"./{program}"],
        cwd=str(folder),
        check=False,
        capture_output=True,
        text=True,
        env={},
    )
    assert done.returncode in (1, 42, 127), done
    return Result(done.returncode == 42, done.stderr)


def put(folder: Path, files: Dict[str, Elf]) -> None:
    """Write files into a folder. PROGRAM describes a program."""
    for name, elf in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write(elf))
        path.chmod(0o755)
