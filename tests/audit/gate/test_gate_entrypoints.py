"""The gate on entry_points.txt: tables over hand-made facts."""

from __future__ import annotations

from typing import List, Optional

import pytest

from manyshim.audit.findings import ERROR
from manyshim.audit.gate.entrypoints import EntryPointProblem as P
from manyshim.audit.gate.entrypoints import entry_points
from manyshim.audit.gate.facts import EntryPoint, EntryPointFacts


def problems(name: str, reference: str) -> List[object]:
    script = EntryPoint("console_scripts", name, reference)
    found = list(entry_points(EntryPointFacts((script,))))
    assert {(one.kind, one.severity) for one in found} <= {("ENTRY_POINTS", ERROR)}
    return [one.problem for one in found]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # Taken by uv, pip and installer.
        ("a a.b a-b_c é python2 python30 pypy3.10 pyodide python.exe python3.11.1 pythonx", None),
        ("python Python pythonw python3 PYTHON3 python3.11 python3.13t pypy pypy3", P.INTERPRETER),
        ("graalpy", P.INTERPRETER),
        ("../evil /evil a/b a\\b .. .", P.CLIMBS),
        ("a$ a:b a@b", P.NAME),
    ],
)
def test_names(names: str, expected: Optional[P]) -> None:
    for name in names.split():
        assert problems(name, "a:b") == [expected] * (expected is not None), name
    assert problems("a b", "a:b") == [P.NAME]


@pytest.mark.parametrize(
    ("reference", "taken"),
    [
        *(("a:b", True), ("a.b:C.d", True), ("a : b", True), ("a:b [x]", True), ("a:b[x,y]", True)),
        *(("a:class", True), ("a", False), ("", False), ("a:b-c", False), ("a b:c", False)),
        *(("a:b [x", False), ("a:b ; c", False), ("a:b:c", False), ("a:" + "b" * 9999, False)),
    ],
)
def test_references(reference: str, *, taken: bool) -> None:
    assert problems("x", reference) == ([] if taken else [P.REFERENCE])


def test_scripts_that_are_there_twice() -> None:
    both = tuple(EntryPoint(f"{one}_scripts", "a", "b:c") for one in ("console", "gui"))
    (found,) = entry_points(EntryPointFacts(both))
    assert (found.problem, found.details) == (P.BOTH_GROUPS, ("a",))
    (found,) = entry_points(EntryPointFacts(both[:1]), {"a", "b"})
    assert (found.problem, found.details) == (P.ALSO_A_FILE, ("a",))
    assert list(entry_points(EntryPointFacts(both[:1]), {"b"})) == []


def test_whole_file() -> None:
    assert list(entry_points(None)) == []
    (found,) = entry_points(EntryPointFacts(problem="no section"))
    assert (found.problem, found.details) == (P.UNREADABLE, ("no section",))
    many = tuple(EntryPoint("gui_scripts", "/x", "") for _ in range(5000))
    assert len(list(entry_points(EntryPointFacts(many)))) == 1000


@pytest.mark.parametrize("problem", list(P))
def test_each_problem_has_a_fix(problem: P) -> None:
    assert problem.value.fix
