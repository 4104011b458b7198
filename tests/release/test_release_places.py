"""Which Python tests a wheel, and what is said if there is none."""

from __future__ import annotations

from typing import Dict, List, Tuple

import pytest

from manyshim.audit.tags import PlatformTag, parse_platform
from manyshim.release.emulation import Machine, Runner
from manyshim.release.matrix import Cell
from manyshim.release.places import Place, Places, runs_here
from manyshim.release.systems import Python

HERE = Machine("x86_64", "glibc", (2, 36))
ON_LINUX = "wheels for Linux are tested on Linux"
X86, ARM = "manylinux_2_17_x86_64", "manylinux_2_17_aarch64"


def python(name: str, version: str = "3.11", arch: str = "aarch64", libc: str = "glibc") -> Python:
    return Python(f"systems/{name}", f"systems/{name}/python", version, arch, libc, "ld.so")


def tag(text: str) -> PlatformTag:
    found = parse_platform(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("platform", "runs"),
    [
        (X86, True),
        ("manylinux_2_36_x86_64", True),
        ("manylinux_2_37_x86_64", False),
        (ARM, False),
        ("manylinux_2_17_i686", False),
        ("musllinux_1_2_x86_64", False),
    ],
)
def test_what_a_machine_with_glibc_runs(platform: str, runs: bool) -> None:  # noqa: FBT001
    assert runs_here(tag(platform), HERE) is runs


def test_what_a_machine_with_musl_runs() -> None:
    here = Machine("aarch64", "musl", (1, 2))
    assert runs_here(tag("musllinux_1_2_aarch64"), here)
    assert runs_here(tag("musllinux_1_1_aarch64"), here)
    assert not runs_here(tag(ARM), here)
    assert not runs_here(tag("musllinux_1_2_aarch64"), Machine("aarch64", "musl", (1, 1)))


def choose(
    cell: Cell,
    *runners: Runner,
    here: Machine = HERE,
    pythons: Tuple[str, ...] = ("3.11",),
) -> Place:
    by_python: Dict[Python, Runner] = {one.python: one for one in runners}
    asked: List[Python] = []

    def run(one: Python) -> Runner:
        asked.append(one)
        return by_python[one]

    native = {one: f"bin/python{one}" for one in pythons}.get
    place = Places(here, native, [one.python for one in runners], run).choose(cell)
    # A Python of another machine is not even started.
    assert all(one.arch in cell.platform for one in asked)
    return place


def runs(found: Python, version: str = "3.11", libc: Tuple[int, int] = (2, 36)) -> Runner:
    return Runner(found, ("loader",), version, libc)


def test_this_machine_comes_first() -> None:
    other = runs(python("x86", arch="x86_64"))
    assert choose(Cell("3.11", X86), other) == Place("bin/python3.11")


def test_a_system_has_what_this_machine_lacks() -> None:
    other = runs(python("x86", "3.12", "x86_64"), "3.12")
    assert choose(Cell("3.12", X86), other).runner == other
    newer = runs(python("x86", arch="x86_64"), libc=(2, 41))
    assert choose(Cell("3.11", "manylinux_2_39_x86_64"), newer).runner == newer
    musl = runs(python("alpine", libc="musl", arch="x86_64"), libc=(1, 2))
    assert choose(Cell("3.11", "musllinux_1_2_x86_64"), newer, musl).runner == musl


def test_the_first_system_that_is_suitable() -> None:
    old = runs(python("old"), libc=(2, 16))
    broken = Runner(python("broken"), problem="qemu-aarch64 is not found")
    good, other = runs(python("good")), runs(python("other"))
    assert choose(Cell("3.11", ARM), old, broken, good, other).runner == good


def test_a_free_threaded_python_is_another_one() -> None:
    free = runs(python("free", "3.13"), "3.13t")
    assert choose(Cell("3.13t", ARM), free).runner == free
    assert "free is CPython 3.13t, not 3.13" in choose(Cell("3.13", ARM), free).problem
    named = runs(python("named", "3.13t"), "3.13t")
    assert choose(Cell("3.13t", ARM), named).runner == named
    assert choose(Cell("3.13", ARM), named).problem.startswith("no system of --systems has a")


@pytest.mark.parametrize(
    ("cell", "here", "said"),
    [
        (
            Cell("3.11", ARM),
            HERE,
            "this machine is x86_64 with glibc 2.36; name a folder with systems by --systems DIR",
        ),
        (
            Cell("3.12", X86),
            HERE,
            "CPython 3.12 is not found here; install it (uv python install 3.12)",
        ),
        (
            Cell("3.11", X86),
            Machine("x86_64", None, (0, 0)),
            "wheels for Linux are tested on Linux",
        ),
        (Cell("3.11", "win_amd64"), HERE, "wheels for Linux are tested on Linux"),
    ],
)
def test_without_systems(cell: Cell, here: Machine, said: str) -> None:
    assert choose(cell, here=here) == Place(problem=said)


def test_a_system_that_does_not_help_is_told() -> None:
    cell = Cell("3.11", "manylinux_2_39_aarch64")
    old, broken = runs(python("old")), Runner(python("broken"), problem="cannot be run")
    assert choose(cell, old, broken).problem == (
        "old has glibc 2.36, too old for manylinux_2_39; add a newer system; cannot be run"
    )
    assert choose(Cell("3.12", ARM), old).problem == (
        "no system of --systems has a CPython 3.12 for aarch64 with glibc; add one"
    )
