"""DT_FILTER and DT_AUXILIARY, shown by the real loaders, and as the audit simulates them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from elfwriter import Elf
from loaders import GLIBC, MUSL, PROGRAM, put, start
from manyshim.audit.loader.search import BY_NAME_ONLY, INTERNAL, SYSTEM, Edge, simulate
from rulefacts import NEAR, elf

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = Elf(sections=False)
STARTER = replace(PROGRAM, needed=("liba.so",), runpath="$ORIGIN")
# It shows that it was loaded, because it needs a library that does not exist.
TELLTALE = replace(LIBRARY, needed=("libnone.so",))
FILTER = replace(LIBRARY, filters=("libf.so",))
AUXILIARY = replace(LIBRARY, auxiliary=("libf.so",))


@pytest.mark.parametrize("loader", [*GLIBC, *MUSL])
def test_both_kinds_are_found_in_the_library_s_own_folders(loader: str, tmp_path: Path) -> None:
    for number, library in enumerate((FILTER, AUXILIARY)):
        folder = tmp_path / str(number)
        put(folder, {"program": STARTER, "liba.so": replace(library, runpath="$ORIGIN/f")})
        put(folder, {"f/libf.so": TELLTALE})
        result = start(loader, folder, "program")
        if loader in GLIBC:
            assert not result.started
            assert "libnone.so: cannot open shared object file" in result.message
        else:
            assert result.started


@pytest.mark.parametrize("loader", [*GLIBC, *MUSL])
def test_a_missing_library_is_an_error_for_a_filter_only(loader: str, tmp_path: Path) -> None:
    put(tmp_path, {"program": STARTER, "liba.so": FILTER})
    result = start(loader, tmp_path, "program")
    if loader in GLIBC:
        assert "libf.so: cannot open shared object file" in result.message
    assert result.started is (loader in MUSL)
    put(tmp_path, {"liba.so": AUXILIARY})
    assert start(loader, tmp_path, "program").started


@pytest.mark.parametrize("loader", GLIBC)
def test_the_runpath_of_the_program_does_not_count_for_them(loader: str, tmp_path: Path) -> None:
    """It does count for the RPATH of the program, as for DT_NEEDED."""
    files = {"liba.so": FILTER, "libf.so": LIBRARY}
    put(tmp_path, {"program": STARTER, **files})
    assert not start(loader, tmp_path, "program").started
    put(tmp_path, {"program": replace(STARTER, runpath=None, rpath="$ORIGIN")})
    assert start(loader, tmp_path, "program").started


ROOT = "p/_m.abi3.so"


def test_a_filter_is_searched_like_a_needed_library() -> None:
    root = elf(ROOT, filters=("libf.so", "libg.so.1", "libh.so"), rpath=NEAR)
    near, elsewhere = elf("p/libf.so", "libz.so.1"), elf("q/libh.so")
    loading = simulate([root, near, elsewhere], "glibc", "x86_64", "d-1.0")
    assert loading.provider(ROOT, "libf.so") == Edge(INTERNAL, "p/libf.so")
    assert loading.provider(ROOT, "libh.so").kind == BY_NAME_ONLY
    assert loading.provider(ROOT, "libg.so.1").kind == SYSTEM
    (process, *others) = loading.processes
    assert process.members == (ROOT, "p/libf.so")
    assert process.outside == {"libg.so.1", "libh.so", "libz.so.1"}
    assert [one.root for one in others] == ["q/libh.so"]


def test_an_auxiliary_library_is_loaded_if_it_is_found() -> None:
    root = elf(ROOT, auxiliary=("libf.so", "libg.so.1", "libh.so"), rpath=NEAR)
    near, elsewhere = elf("p/libf.so", "libz.so.1"), elf("q/libh.so")
    loading = simulate([root, near, elsewhere], "glibc", "x86_64", "d-1.0")
    assert loading.provider(ROOT, "libf.so") == Edge(INTERNAL, "p/libf.so")
    assert {name for path, name in loading.edges if path == ROOT} == {"libf.so"}
    assert loading.processes[0].members == (ROOT, "p/libf.so")
    assert loading.processes[0].outside == {"libz.so.1"}


def test_the_libraries_of_a_filter_see_the_files_that_loaded_it() -> None:
    """The filter's needs are searched in the RPATH of the module, as by the loader."""
    root = elf(ROOT, auxiliary=("libf.so",), rpath=("$ORIGIN", "$ORIGIN/deep"))
    found = [elf("p/libf.so", "libz.so"), elf("p/deep/libz.so")]
    loading = simulate([root, *found], "glibc", "x86_64", "d-1.0")
    assert loading.provider("p/libf.so", "libz.so") == Edge(INTERNAL, "p/deep/libz.so")


def test_musl_reads_neither() -> None:
    root = elf(ROOT, filters=("libf.so",), auxiliary=("libg.so",), rpath=NEAR)
    others = [elf("p/libf.so"), elf("p/libg.so")]
    loading = simulate([root, *others], "musl", "x86_64", "d-1.0")
    assert loading.edges == {}
    assert {one.members for one in loading.processes} == {(ROOT,), ("p/libf.so",), ("p/libg.so",)}
