"""After a repair, each file finds each library where the plan says, or where it was before."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import pytest

from manyshim.audit.facts import SHARED, ElfFile, ElfIdent, WheelFacts
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_wheel_name
from manyshim.audit.verdict import audit
from manyshim.formats.elf.edits import Patch
from manyshim.repair.closure import plan
from manyshim.repair.plan import Library, Plan, RepairRequest
from manyshim.repair.verify_loading import wrong_loading

EXT = "pkg/_x.cpython-311-x86_64-linux-gnu.so"
OTHER = "pkg/_y.cpython-311-x86_64-linux-gnu.so"
OWN = "pkg/lib/libown.so.1"
PROGRAM = "demo-1.0.data/scripts/tool"
COPY_A, COPY_B = "demo.libs/liba-01234567.so.1", "demo.libs/libb-01234567.so.2"


def elf(path: str, *needed: str, **facts: Any) -> ElfFile:
    ident = ElfIdent(64, True, 62, SHARED, 0, 0, 0)
    return ElfFile(path, ident, dynamic=True, needed=(*needed, "libc.so.6"))._replace(**facts)


def library(name: str, *needed: str, **facts: Any) -> Library:
    path = f"/usr/lib/{name}"
    found = elf(path, *needed, soname=name, **facts)
    return Library(name, path, path, "default folder", "0123456789abcdef" * 4, found)


def wheel(*elfs: ElfFile, paths: Sequence[str] = (), libc: str = "linux") -> WheelFacts:
    name = parse_wheel_name(f"demo-1.0-cp311-cp311-{libc}_x86_64.whl")
    assert name is not None
    return WheelFacts(name, "demo-1.0", (*(one.path for one in elfs), *paths), elfs=elfs)


def planned(facts: WheelFacts, *libraries: Library) -> Plan:
    known = {one.needed_name: one for one in libraries}
    request = Request()

    report = audit(facts, request)
    return plan(RepairRequest(facts, report, request, ("*",), lambda name, _: known.get(name)))


def repaired(facts: WheelFacts, done: Plan) -> WheelFacts:
    """Return the facts of the wheel that a plan gives."""
    elfs = [
        done.patches.get(one.path, Patch())
        .applied(one)
        ._replace(path=done.launchers.get(one.path, one.path))
        for one in facts.elfs
    ]
    elfs += [
        copy.patch.applied(copy.library.elf)._replace(path=copy.member) for copy in done.copies
    ]
    return wheel(*elfs, paths=[path for path in facts.paths if path in done.launchers])


def changed(facts: WheelFacts, path: str, **fields: Any) -> WheelFacts:
    """Return facts with one file changed."""
    elfs = (one._replace(**fields) if one.path == path else one for one in facts.elfs)
    return facts._replace(elfs=tuple(elfs))


FACTS = wheel(
    elf(EXT, "liba.so.1", "libown.so.1", rpath=("$ORIGIN/lib",)),
    elf(OTHER, "libown.so.1", "libm.so.6", runpath=("$ORIGIN/lib",)),
    elf(OWN, soname="libown.so.1"),
    elf(PROGRAM, "libb.so.2", interpreter="/lib64/ld-linux-x86-64.so.2", pie=True),
)
PLAN = planned(FACTS, library("liba.so.1", "libb.so.2"), library("libb.so.2", "libz.so.1"))
GOOD = repaired(FACTS, PLAN)


def wrong(after: WheelFacts, done: Plan = PLAN, before: WheelFacts = FACTS) -> List[str]:
    return wrong_loading(before, after, done, Request())


def test_a_planned_repair_loads_as_planned() -> None:
    assert {copy.member for copy in PLAN.copies} == {COPY_A, COPY_B}
    assert PLAN.launchers == {PROGRAM: "demo.scripts/tool"}
    assert wrong(GOOD) == []


def test_a_wheel_that_is_not_repaired_loads_as_before() -> None:
    assert wrong(FACTS, Plan()) == []
    pure = wheel(paths=("pkg/__init__.py",))
    assert wrong(pure, Plan(), pure) == []


NEEDED_A = "liba-01234567.so.1"
NEEDED_B = "libb-01234567.so.2"
CASES: Dict[str, Tuple[str, Dict[str, Any], str]] = {
    "the search path is lost": (
        EXT,
        {"rpath": ("$ORIGIN/lib",)},
        f"{EXT} needs {NEEDED_A}, which is on no search path ({COPY_A}), not {COPY_A}",
    ),
    "the own search path is lost": (
        EXT,
        {"rpath": ("$ORIGIN/../demo.libs",)},
        f"{EXT} needs libown.so.1: it was in {OWN}, now on no search path ({OWN})",
    ),
    "a copy has another search path": (
        COPY_A,
        {"rpath": (), "runpath": ("$ORIGIN/wrong",)},
        f"{COPY_A} needs {NEEDED_B}, which is on no search path ({COPY_B}), not {COPY_B}",
    ),
    "the old name": (
        EXT,
        {"needed": ("liba.so.1", "libown.so.1", "libc.so.6")},
        f"{EXT} asks for liba.so.1",
    ),
    "a name is lost": (
        OTHER,
        {"needed": ("libown.so.1", "libc.so.6")},
        f"{OTHER} no longer asks for libm.so.6",
    ),
    "a name is new": (
        OTHER,
        {"needed": ("libown.so.1", "libm.so.6", "libnew.so", "libc.so.6")},
        f"{OTHER} asks for libnew.so",
    ),
    "the program's search path": (
        "demo.scripts/tool",
        {"rpath": ("$ORIGIN/../wrong",)},
        f"demo.scripts/tool needs {NEEDED_B}, which is on no search path ({COPY_B})",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_found_as_planned_is_named(name: str) -> None:
    path, fields, words = CASES[name]
    found = wrong(changed(GOOD, path, **fields))
    assert any(words in one for one in found), found


@pytest.mark.parametrize("path", [EXT, OWN, COPY_A, COPY_B, PROGRAM, "demo.scripts/tool"])
def test_a_lost_file_is_named(path: str) -> None:
    elfs = tuple(one for one in GOOD.elfs if one.path != path)
    paths = tuple(one for one in GOOD.paths if one != path)
    assert f"{path} is missing" in wrong(GOOD._replace(elfs=elfs, paths=paths))


def test_all_files_lost_is_a_sentence() -> None:
    assert "no file is left that a loader accepts" in wrong(GOOD._replace(elfs=()))


def test_a_library_of_the_system_is_not_found_in_the_wheel_afterwards() -> None:
    """A new search path may lead to a file that the loader did not see before."""
    facts = wheel(
        elf(EXT, "liba.so.1", "libz.so.1"),
        elf("demo.libs/libz.so.1", soname="libz.so.1"),
    )
    done = planned(facts, library("liba.so.1"))
    after = repaired(facts, done)
    assert wrong(after, done, facts) == [
        f"{EXT} needs libz.so.1: it was outside of the wheel, now in demo.libs/libz.so.1"
    ]


def test_a_search_path_is_added_for_what_was_found_by_name_only() -> None:
    facts = wheel(elf(EXT, "libown.so.1"), elf(OWN, soname="libown.so.1"))
    done = planned(facts)
    assert done.patches[EXT].rpath == "$ORIGIN/lib"
    assert wrong(repaired(facts, done), done, facts) == []
    assert wrong(facts, Plan(), facts) == []


def test_a_removed_library_is_not_missed() -> None:
    facts = wheel(elf(EXT, "libpython3.11.so.1.0"))
    done = planned(facts)
    assert done.patches[EXT].remove_needed == ("libpython3.11.so.1.0",)
    assert wrong(repaired(facts, done), done, facts) == []
    assert wrong(facts, done, facts) == [f"{EXT} asks for libpython3.11.so.1.0"]


@pytest.mark.parametrize("field", ["filters", "auxiliary"])
def test_a_filtered_library_keeps_its_name(field: str) -> None:
    one = library("libone.so.1", **{field: ("libtwo.so.2",)})
    facts = wheel(elf(EXT, "libone.so.1"))
    done = planned(facts, one, library("libtwo.so.2"))
    after = repaired(facts, done)
    assert "demo.libs/libtwo.so.2" in after.paths
    assert wrong(after, done, facts) == []
    member = next(copy.member for copy in done.copies if "one" in copy.member)
    assert wrong(changed(after, member, rpath=(), runpath=("$ORIGIN/no",)), done, facts) != []


def test_a_musl_wheel_with_a_fixed_name_loads_as_before() -> None:
    facts = wheel(elf(EXT)._replace(needed=("libc.so",)), libc="musllinux_1_2")
    fix = Patch((("libc.so", "libc.musl-x86_64.so.1"),))
    done = Plan(patches={EXT: fix})
    after = facts._replace(elfs=tuple(map(fix.applied, facts.elfs)))
    assert wrong(after, done, facts) == []
    assert wrong(facts, done, facts) != []
