"""No Mach-O or PE file makes the audit raise, hang, or use much memory."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

import fuzz
import machowriter as m
import nativeseeds
import pewriter
from manyshim import operations
from manyshim.audit.decision import choose
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report
from manyshim.errors import InvalidWheelError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.json import to_dict
from manyshim.formatters.text import show_lines
from wheelwriter import save, wheel, wheel_name

MAC, WINDOWS = "cp311-abi3-macosx_10_9_universal2", "cp311-abi3-win_amd64"
SO, PYD = "demo/_x.abi3.so", "demo/_x.pyd"


def seeds() -> List[Tuple[str, str, bytes]]:
    """Return a tag, a member and a good file for each form of both formats."""
    files = [(MAC, SO, data) for data in nativeseeds.mach_o()]
    return [*files, *((WINDOWS, PYD, data) for data in nativeseeds.portable())]


def audited(path: Path) -> Report:
    with Wheel(str(path)) as opened:
        report = operations.inspect(opened, Request(strict=True))
    decision = choose(report, Request())
    assert to_dict(report, decision)["findings"] is not None
    assert all(line.text.isprintable() for line in show_lines(report, decision, verbose=True))
    return report


def run(count: int, seed: int, folder: Path) -> Tuple[Counter[str], float]:
    """Audit damaged files; return how many were read, and the longest time."""
    chance = random.Random(seed)  # noqa: S311 (reproducible, not secret)
    files, slowest = seeds(), 0.0
    kinds: Counter[str] = Counter()
    for _ in range(count):
        tag, member, data = chance.choice(files)
        members = {
            member: fuzz.mutated(data, chance),
            "demo/libdemo.dylib": chance.choice(files)[2],
        }
        path = save(
            folder, wheel(members, tag=tag, compress=chance.random() < 0.5), wheel_name(tag=tag)
        )
        start = time.perf_counter()
        corrupt = any(one.kind == "CODE_CORRUPT" for one in audited(path).findings)
        slowest = max(slowest, time.perf_counter() - start)
        kinds["corrupt" if corrupt else "judged"] += 1
    return kinds, slowest


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_gives_a_report(seed: int, tmp_path: Path) -> None:
    kinds, slowest = run(400, seed, tmp_path)
    assert set(kinds) == {"judged", "corrupt"}
    assert slowest < 2


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
