"""No Mach-O or PE file makes the audit raise, hang, or use much memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from typing import Dict

import pytest

import machowriter as m
import pewriter
from manyshim.errors import InvalidWheelError
from nativebuilding import Builder
from nativefuzz import MAC, PYD, SO, WINDOWS, Seed, audited, run
from wheelwriter import save, wheel, wheel_name


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_gives_a_report(seed: int, tmp_path: Path) -> None:
    kinds, slowest = run(400, seed, tmp_path)
    assert set(kinds) == {"judged", "corrupt"}
    assert slowest < 2


def test_damaged_files_of_a_compiler_give_a_report(tmp_path: Path) -> None:
    made = Builder(tmp_path)
    arm, intel = made.macho("a.so", "aarch64-macos.11.0"), made.macho("b.so", "x86_64-macos.10.13")
    files = [Seed(MAC, SO, data) for data in (arm, intel, made.lipo("c.so", "a.so", "b.so"))]
    files.append(Seed(WINDOWS, PYD, made.pe("d.pyd", "amd64", "KERNEL32.dll", "python3.dll")))
    tracemalloc.start()
    kinds, slowest = run(400, 7, tmp_path, files)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {"judged", "corrupt"} <= set(kinds)
    assert slowest < 5
    assert peak < 64 << 20


@pytest.mark.full
def test_many_more(tmp_path: Path) -> None:
    kinds, slowest = run(20_000, 1000, tmp_path)
    assert min(kinds.values()) > 1000
    assert slowest < 2


def many_paths() -> Dict[str, bytes]:
    """Return files with as many names and search paths as are read, which all load each other."""
    names = [m.dylib(f"@rpath/f{number}.dylib") for number in range(1000)]
    paths = [m.rpath(f"@loader_path/{number}") for number in range(900)]
    data = m.thin(m.build(1, 11), *names, *paths, m.extent(m.SIGNATURE, 0, 16))
    return {f"demo/f{number}.dylib": data for number in range(100)}


def chain() -> Dict[str, bytes]:
    """Return a module, and libraries that each load the next by the module's search path."""
    files = {}
    for number in range(1500):
        commands = [m.build(1, 11), m.dylib(f"@rpath/f{number + 1}.dylib")]
        rpath = [m.rpath("@loader_path")] if number == 0 else []
        name = "demo/_x.so" if number == 0 else f"demo/f{number}.dylib"
        files[name] = m.thin(*commands, *rpath, m.extent(m.SIGNATURE, 0, 16))
    return files


def long_commands() -> Dict[str, bytes]:
    """Return fat files with as many and as long slices as there may be."""
    data = m.fat([m.thin(*[m.plain(2)] * 16_000) for _ in range(16)], align=4)
    return {f"demo/{number}.so": data for number in range(30)}


def many_imports() -> Dict[str, bytes]:
    """Return files with as many DLLs as are read."""
    imports = {f"x{number}.dll": () for number in range(1000)}
    data = pewriter.write(imports)
    return {f"demo/{number}.pyd": data for number in range(150)}


def many_names() -> Dict[str, bytes]:
    names = [f"Py{number}" for number in range(19_000)]
    data = pewriter.write({"python3.dll": names})
    return {f"demo/{number}.pyd": data for number in range(10)}


HOSTILE = {
    "many paths": (MAC, many_paths),
    "a chain": (MAC, chain),
    "long commands": (MAC, long_commands),
    "many imports": (WINDOWS, many_imports),
    "many names": (WINDOWS, many_names),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_take_bounded_time(name: str, tmp_path: Path) -> None:
    tag, make = HOSTILE[name]
    requires = "".join(f"Requires-Dist: word{number}\n" for number in range(400)).encode()
    metadata = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n" + requires
    files = {**make(), "demo-1.0.dist-info/METADATA": metadata}
    path = save(tmp_path, wheel(files, tag=tag), wheel_name(tag=tag))
    start = time.perf_counter()
    try:
        audited(path)
    except InvalidWheelError as error:
        assert "more than 300000 load commands and imports" in str(error)  # noqa: PT017 (either is right)
    assert time.perf_counter() - start < 10
