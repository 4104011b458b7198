"""The lines that use a symbol, in linked libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, Set

import pytest

from debugsources import CPP_SOURCE, FCNTL64, PIDFD_OPEN, clang, line, needs_gxx, run
from elfbuilding import needs_gcc
from manyshim.audit.facts import SourceLine
from manyshim.formats.elf.debuginfo import uses_in_library

Library = Callable[..., Path]


@pytest.fixture
def library(project: Path) -> Library:
    def link(*flags: str, source: str = "src/_x.c", compiler: str = "gcc") -> Path:
        target = project / "_x.so"
        run(project, compiler, *flags, "-shared", "-fPIC", source, "-o", target.name)
        return target

    return link


def calls(target: Path) -> Dict[str, Set[SourceLine]]:
    places = uses_in_library(str(target), ["pidfd_open@GLIBC_2.36", "fcntl64"], str(target.parent))
    with target.open("rb") as file:
        again = uses_in_library(file, ["pidfd_open@GLIBC_2.36", "fcntl64"], str(target.parent))
    assert places == again
    return {name: set(lines) for name, lines in places.items()}


LIBRARY_FLAGS = ["", "-gdwarf-4", "-gdwarf-5", "-gdwarf-4 -gstrict-dwarf", "-gz", "-flto"]


@needs_gcc
@pytest.mark.parametrize("level", ["-O2", "-O3"])
@pytest.mark.parametrize("flags", LIBRARY_FLAGS)
def test_the_calls_in_a_linked_library(library: Library, level: str, flags: str) -> None:
    places = calls(library(level, "-g", *flags.split()))
    if "strict" in flags:
        assert places == {}, "DWARF 4 has call sites only as a GNU extension"
        return
    assert places["fcntl64"] == set(FCNTL64)
    pointer = next(use for use in PIDFD_OPEN if use.function == "pointer")
    assert places["pidfd_open@GLIBC_2.36"] == set(PIDFD_OPEN) - {pointer}


@needs_gcc
def test_libraries_that_describe_no_calls(library: Library) -> None:
    assert calls(library("-O2")) == {}
    assert calls(library("-O0", "-g")) == {}
    assert calls(library("-O2", "-g", "-s")) == {}
    assert uses_in_library(str(library("-O2", "-g")), ["fcntl64"], seconds=0) == {}


@needs_gxx
def test_a_linked_cpp_library(library: Library) -> None:
    places = calls(library("-O2", "-g", source="src/_y.cpp", compiler="g++"))
    lines = {use.line for use in places["pidfd_open@GLIBC_2.36"]}
    tags = ("hidden", "method", "template", "plain")
    assert lines == {line(CPP_SOURCE, tag) for tag in tags}
    assert SourceLine("src/_y.cpp", line(CPP_SOURCE, "plain"), "plain") in set(
        places["pidfd_open@GLIBC_2.36"]
    )


def test_a_library_by_clang(library: Library) -> None:
    first, *others = clang()
    target = ["-target", "x86_64-linux-gnu", "-nostdlib"] if others else ["-nostdlib"]
    places = calls(library(*others, *target, "-O2", "-g", compiler=first))
    assert places["fcntl64"] == set(FCNTL64)
    assert PIDFD_OPEN[0] in places["pidfd_open@GLIBC_2.36"]


@needs_gcc
def test_a_damaged_library_is_ignored(library: Library) -> None:
    target = library("-O2", "-g")
    whole = target.read_bytes()
    tables = int.from_bytes(whole[40:48], "little")
    for place in [*range(64), *range(tables, len(whole), 97), *range(0x2000, tables, 397)]:
        target.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        uses_in_library(str(target), ["fcntl64"])
    for length in range(0, len(whole), 2501):
        target.write_bytes(whole[:length])
        uses_in_library(str(target), ["fcntl64"])
    assert uses_in_library(str(target.parent / "missing.so"), ["fcntl64"]) == {}
