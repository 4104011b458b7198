"""The machines that Meson and CMake are told: whether this one runs their programs."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence, Tuple

import pytest

from manyshim.audit.tags import PlatformTag
from manyshim.toolchain.systems.machine import loader_path, machine
from manyshim.toolchain.target import Target

ARM64 = Target(PlatformTag("glibc", 2, 17, "aarch64"))
LOADER = "lib/ld-linux-aarch64.so.1"
MUSL_LOADER = "lib/ld-musl-aarch64.so.1"


def program(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).touch(mode=0o755)


@pytest.mark.parametrize(
    ("libc", "programs", "loaders", "expected"),
    [
        ("glibc", ["qemu-aarch64-static"], [LOADER], "qemu-aarch64-static"),
        ("glibc", ["qemu-aarch64"], [LOADER], "qemu-aarch64"),
        ("glibc", ["qemu-aarch64", "qemu-aarch64-static"], [LOADER], "qemu-aarch64-static"),
        ("glibc", ["qemu-arm-static"], [LOADER], None),
        ("glibc", [], [LOADER], None),
        ("musl", ["qemu-aarch64-static"], [MUSL_LOADER], "qemu-aarch64-static"),
        ("musl", ["qemu-aarch64-static"], [LOADER], None),
        ("musl", ["qemu-aarch64-static"], [], None),
    ],
)
def test_an_emulator_needs_a_loader(
    libc: str,
    programs: Sequence[str],
    loaders: Sequence[str],
    expected: Optional[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "bin").mkdir()
    for name in programs:
        program(tmp_path / "bin", name)
    root = tmp_path / "root"
    (root / "lib").mkdir(parents=True)
    for name in loaders:
        (root / name).touch()
    target = Target(ARM64.tag._replace(libc=libc, major=1, minor=2))
    found = machine(target, f"{root}/", "x86_64", str(tmp_path / "bin"))
    command: Optional[Tuple[str, ...]] = None
    if expected:
        command = (str(tmp_path / "bin" / expected), "-L", f"{root}/")
    assert found.emulator == command


def test_programs_for_this_architecture_run_if_their_loader_is_here() -> None:
    target = Target(PlatformTag("musl", 1, 2, "x86_64"))
    here = Path("/lib/ld-musl-x86_64.so.1").exists()
    assert machine(target, "", "x86_64").emulator == (() if here else None)


@pytest.mark.parametrize(
    ("libc", "arch", "loader"),
    [
        ("glibc", "x86_64", "/lib64/ld-linux-x86-64.so.2"),
        ("glibc", "armv7l", "/lib/ld-linux-armhf.so.3"),
        ("musl", "x86_64", "/lib/ld-musl-x86_64.so.1"),
        ("musl", "i686", "/lib/ld-musl-i386.so.1"),
        ("musl", "armv7l", "/lib/ld-musl-armhf.so.1"),
        ("musl", "ppc64le", "/lib/ld-musl-powerpc64le.so.1"),
    ],
)
def test_the_path_of_the_loader(libc: str, arch: str, loader: str) -> None:
    assert loader_path(Target(PlatformTag(libc, 2, 36, arch))) == loader
