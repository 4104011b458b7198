"""What stays outside of a wheel is found in a trial where the original found it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Dict, Tuple

import pytest

from elfbuilding import needs_gcc
from manyshim.formats.elf.edits import Patch
from manyshim.host import host_arch
from manyshim.repair.outside import Outside, find_outside
from manyshim.repair.plan import Copy, Library, Plan
from manyshim.repair.search import Search
from repairing import WAYS, RepairProject, facts, members, shared
from trying import attempt

pytestmark = needs_gcc

DEEP = "int deep(void) { return 3; }"
DRIVER = "int driver(void) { return 4; }"
TOP = "int deep(void); int driver(void); int top(void) { return deep() + driver(); }"


@pytest.fixture
def project(tmp_path: Path) -> RepairProject:
    return RepairProject(tmp_path / "project")


def pack(project: RepairProject, driver: Path, *options: str) -> None:
    """Pack a library that needs one library to copy, and one that stays outside."""
    shared(project.libs / "libdeep.so.1", DEEP)
    top = shared(
        project.folder / "top" / "libtop.so",
        TOP,
        *("-Wl,--no-as-needed", f"-L{project.libs}", "-l:libdeep.so.1"),
        *(f"-L{driver.parent}", f"-l:{driver.name}", f"-Wl,-rpath-link,{driver.parent}", *options),
    )
    project.pack({"demo/libtop.so": top})


PLACES = pytest.mark.parametrize("place", ["RUNPATH", "RPATH", "environment", "library-path"])


def linked_to(place: str, folder: Path) -> Tuple[Tuple[str, ...], Dict[str, str]]:
    """Return the linker's options and the environment that lead to a folder."""
    tags = {"RUNPATH": "-Wl,--enable-new-dtags", "RPATH": "-Wl,--disable-new-dtags"}
    options = (tags[place], f"-Wl,-rpath,{folder}") if place in tags else ()
    return options, {"LD_LIBRARY_PATH": str(folder)} if place == "environment" else {}


@WAYS
@PLACES
def test_an_excluded_library_is_found_where_the_original_found_it(
    project: RepairProject, way: str, place: str
) -> None:
    away = project.libs if place == "library-path" else project.folder / "away"
    driver = shared(away / "libdriver.so.1", DRIVER)
    options, environ = linked_to(place, away)
    pack(project, driver, *options)
    done = project.run(way, {"exclude": ["libdriver.so.*"], "fix": ["rpath"]}, environ=environ)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "not loaded" not in output
    assert "not repaired" not in output
    (name,) = project.wheels()
    assert "manylinux" in name
    assert any(one.startswith("demo.libs/libdeep-") for one in members(project.dist / name))


@WAYS
def test_an_excluded_library_that_is_nowhere_is_a_note(project: RepairProject, way: str) -> None:
    driver = shared(project.folder / "away" / "libdriver.so.1", DRIVER)
    pack(project, driver)
    finished, output = project.repaired(way, {"exclude": ["libdriver.so.*"]})
    assert "manylinux" in finished.name
    line = "not loaded: demo/libtop.so: libdriver.so.1, which it needs, was not found on this"
    assert line in output
    assert ".manyshim-" not in output


@WAYS
def test_a_fix_without_copies(project: RepairProject, way: str) -> None:
    """The wheel gets no tag, but its search path is fixed."""
    away = project.folder / "away"
    driver = shared(away / "libdriver.so.1", DRIVER, "-Wl,-rpath,$ORIGIN")
    pack(project, driver, f"-Wl,-rpath,{away}:{project.libs}")
    settings = {"mode": ["retag"], "fix": ["rpath"], "exclude": ["lib*.so.1"]}
    done = project.run(way, settings)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "fixed demo/libtop.so: search path removed" in output
    assert "not loaded" not in output
    assert "not repaired" not in output


def test_what_a_library_outside_needs(tmp_path: Path) -> None:
    """The link to it would lead $ORIGIN elsewhere."""
    away = tmp_path / "away"
    shared(away / "inner" / "libinner.so.1", "int inner(void) { return 1; }")
    driver = shared(
        away / "libdriver.so.1",
        "int inner(void); int driver(void) { return inner(); }",
        *(f"-L{away}/inner", "-l:libinner.so.1", "-Wl,-rpath,$ORIGIN/inner"),
    )
    options = (f"-L{away}", "-l:libdriver.so.1", f"-Wl,-rpath-link,{away}/inner")
    text = "int driver(void); int top(void) { return driver(); }"
    original = shared(tmp_path / "before" / "top.so", text, *options, f"-Wl,-rpath,{away}")
    patched = shared(tmp_path / "after" / "top.so", text, *options)
    outside = find_outside([facts(original)], Plan(), search())
    assert outside.places == {
        "libdriver.so.1": str(driver),
        "libinner.so.1": str(away / "inner" / "libinner.so.1"),
    }
    assert {"libdriver.so.1", "libinner.so.1"} <= outside.names
    found = attempt([(str(original), str(patched))], outside=outside)
    assert (found.failures, found.not_loaded) == ({}, {})
    (away / "inner" / "libinner.so.1").unlink()
    outside = find_outside([facts(original)], Plan(), search())
    found = attempt([(str(original), str(patched))], outside=outside)
    assert not found.failures
    assert "libinner.so.1, which it needs, was not found" in found.not_loaded[str(patched)]


def search(**environ: str) -> Search:
    return Search(host_arch(), "glibc", native=True, environ=environ)


def plan_with_copy(source: Path, member: str, how: str, user: str) -> Plan:
    name = os.path.basename(member)
    library = Library(source.name, str(source), str(source), how, "", facts(source))
    copy = Copy(library, member, (source.name,), (user,), Patch(soname=name))
    return Plan((copy,), {user: Patch(replace_needed=((source.name, name),), rpath="$ORIGIN")})


@pytest.mark.parametrize("how", ["LD_LIBRARY_PATH", "library-path", "RUNPATH of a file", "sysroot"])
def test_a_broken_graft_is_not_hidden_by_the_original(tmp_path: Path, how: str) -> None:
    """The folder of the library outside has the original of the copy, too."""
    away = tmp_path / "away"
    deep = shared(away / "libdeep.so.1", DEEP)
    driver = shared(
        away / "libdriver.so.1",
        "int deep(void); int driver(void) { return deep(); }",
        *(f"-L{away}", "-l:libdeep.so.1", f"-Wl,-rpath,{away}"),
    )
    links = (f"-L{away}", "-l:libdriver.so.1", f"-Wl,-rpath-link,{away}")
    original = shared(tmp_path / "before" / "top.so", TOP, *links, "-l:libdeep.so.1")
    copy = shared(tmp_path / "copy" / "libdeep-0123.so.1", DEEP)
    plan = plan_with_copy(deep, "libdeep-0123.so.1", how, "top.so")
    outside = find_outside([facts(original)], plan, search(LD_LIBRARY_PATH=str(away)))
    assert outside.places == {"libdriver.so.1": str(driver)}
    assert outside.originals == {"libdeep.so.1": str(deep)}
    good = (*links, f"-L{copy.parent}", "-l:libdeep-0123.so.1")
    patched = shared(tmp_path / "after" / "top.so", TOP, *good, "-Wl,-rpath,$ORIGIN")
    pair = (str(original), str(patched))
    found = attempt([pair], outside=outside)
    assert "libdeep-0123.so.1: cannot open" in found.failures[str(patched)]
    shutil.copy(copy, patched.parent)
    found = attempt([pair], outside=outside)
    assert (found.failures, found.not_loaded) == ({}, {})
    shared(patched, TOP, *good)
    found = attempt([pair], outside=outside)
    assert "libdeep-0123.so.1: cannot open" in found.failures[str(patched)]
    # The file needs the original still.
    shared(patched, TOP, f"-L{away}", "-l:libdeep.so.1", "-l:libdriver.so.1")
    driver.unlink()
    shared(driver, DRIVER)
    outside = find_outside([facts(original)], plan, search(LD_LIBRARY_PATH=str(away)))
    found = attempt([pair], outside=outside)
    assert "libdeep.so.1: cannot open" in found.failures[str(patched)]


def test_originals_that_the_loader_finds_itself_get_no_link(tmp_path: Path) -> None:
    deep = shared(tmp_path / "libdeep.so.1", DEEP)
    original = shared(tmp_path / "top.so", "int top;", f"-L{tmp_path}")
    for how in ("ld.so.conf", "default folder", "ld-musl-x86_64.path"):
        plan = plan_with_copy(deep, "libdeep-0123.so.1", how, "top.so")
        assert find_outside([facts(original)], plan, search()).originals == {}


def test_a_library_of_the_wheel_is_never_taken_from_outside(tmp_path: Path) -> None:
    away = shared(tmp_path / "away" / "libdeep.so.1", DEEP)
    options = (f"-L{away.parent}", "-l:libdeep.so.1")
    original = shared(
        tmp_path / "before" / "top.so", "int deep(void); int (*p)(void) = deep;", *options,
        "-Wl,-rpath,$ORIGIN",
    )  # fmt: skip
    shutil.copy(away, original.parent)
    elfs = [facts(original), facts(original.parent / "libdeep.so.1")]
    outside = find_outside(elfs, Plan(), search(LD_LIBRARY_PATH=str(away.parent)))
    assert outside.places == {}
    assert "libdeep.so.1" not in outside.names
    patched = shared(
        tmp_path / "after" / "top.so",
        "int deep(void);",
        *options,
        "-Wl,--no-as-needed",
        "-l:libdeep.so.1",
    )
    shutil.copy(away, patched.parent)
    found = attempt([(str(original), str(patched))], outside=outside)
    assert "libdeep.so.1: cannot open" in found.failures[str(patched)]


def test_strange_names_in_needed(tmp_path: Path) -> None:
    shared(tmp_path / "x.so", "int x;")
    elf = facts(tmp_path / "x.so")
    names = ("", ".", "..", "a/b", "n" * 5000, "\udcff\n", "libc.so.6")
    found = find_outside([elf._replace(needed=names)], Plan(), search(LD_LIBRARY_PATH="/"))
    assert found.places == {}
    assert found.names == frozenset(names[1:])


def test_a_search_path_that_is_too_long_finds_nothing(tmp_path: Path) -> None:
    shared(tmp_path / "x.so", "int x;")
    folders = tuple(f"/nowhere/{i}" for i in range(2000))
    elf = facts(tmp_path / "x.so")._replace(needed=("liby.so",), rpath=folders)
    assert find_outside([elf], Plan(), search()) == Outside(frozenset({"liby.so"}))
