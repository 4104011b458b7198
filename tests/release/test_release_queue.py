"""The order of the builds of a release."""

from __future__ import annotations

from typing import List, Mapping, Sequence, Union

import pytest

from manyshim.audit.tags import parse_wheel_name
from manyshim.audit.targets import Target, targets
from manyshim.release.matrix import Cell, cells
from manyshim.release.queue import Queue
from manyshim.release.table import Table

A, B = "manylinux_2_17_x86_64", "manylinux_2_17_aarch64"
PYTHONS = ("3.10", "3.11", "3.13t")
MATRIX = cells(Table((A, B), PYTHONS, {}))


def wheel(cell: Cell, kind: str) -> Sequence[Target]:
    tags = {
        "own": f"{cell.python_tag}-{cell.abi}-{cell.platform}",
        "abi3": f"cp310-abi3-{cell.platform}",
        "platform": f"py3-none-{cell.platform}",
        "pure": "py3-none-any",
    }
    name = parse_wheel_name(f"x-1-{tags[kind]}.whl")
    assert name is not None
    return targets(name)


def kind_of(cell: Cell, kind: str) -> str:
    return "own" if kind == "abi3" and cell.python.endswith("t") else kind


def builds(
    todo: Sequence[Cell],
    kinds: Union[str, Mapping[str, str]],
    *,
    failing: Sequence[Cell] = (),
    last_first: bool = False,
    matrix: Sequence[Cell] = MATRIX,
) -> List[str]:
    """Build all, two at a time; return the names of the builds in their order.

    `kinds` are by Python. With `last_first`, a build that began later ends first.
    """
    queue = Queue(todo, matrix, {})
    order: List[str] = []
    running: List[Cell] = []
    while True:
        while len(running) < 2:
            cell = queue.take()
            if cell is None:
                break
            running.append(cell)
            order.append(cell.name)
        if not running:
            return order
        assert len(order) < 20, order
        ended = running.pop(-1 if last_first else 0)
        if ended in failing:
            queue.fail(ended)
            continue
        kind = kinds if isinstance(kinds, str) else kinds[ended.python]
        own = wheel(ended, kind_of(ended, kind))
        older = queue.older(ended, own)
        if older is None:
            queue.finish(ended, own)
        else:
            queue.leave(ended, own, older)


def test_each_python_has_its_wheel() -> None:
    assert builds(MATRIX, "own") == [
        *(f"cp310-{A}", f"cp310-{B}", f"cp311-{A}", f"cp313t-{A}", f"cp311-{B}", f"cp313t-{B}"),
    ]


def test_an_abi3_wheel_is_built_once_for_a_platform() -> None:
    assert builds(MATRIX, "abi3") == [f"cp310-{A}", f"cp310-{B}", f"cp313t-{A}", f"cp313t-{B}"]


@pytest.mark.parametrize("kind", ["platform", "pure"])
def test_a_wheel_for_all_pythons_is_built_once(kind: str) -> None:
    assert builds(MATRIX, kind) == [f"cp310-{A}", f"cp310-{B}"]


def test_the_oldest_python_builds_an_abi3_wheel_on_each_machine() -> None:
    """A part has Python 3.11 only, but its wheel is the one that a whole run gives."""
    assert builds([Cell("3.11", A)], "abi3") == [f"cp311-{A}", f"cp310-{A}"]


def test_the_oldest_python_fails() -> None:
    """The next one builds the wheel then, and nothing is tried for ever."""
    failing = [Cell("3.10", A)]
    order = builds([Cell("3.11", A)], "abi3", failing=failing)
    assert order == [f"cp311-{A}", f"cp310-{A}", f"cp311-{A}"]
    assert builds(MATRIX[:3], "abi3", failing=failing) == [
        f"cp310-{A}",
        f"cp311-{A}",
        f"cp313t-{A}",
    ]


def test_what_is_covered_is_told() -> None:
    queue = Queue(MATRIX, MATRIX, {})
    first = queue.take()
    assert first is not None
    assert queue.older(first, wheel(first, "abi3")) is None
    assert queue.finish(first, wheel(first, "abi3")) == [Cell("3.11", A)]


MIXED = {"3.9": "own", "3.10": "abi3", "3.11": "abi3", "3.12": "abi3"}
MIXED_MATRIX = cells(Table((A,), tuple(MIXED), {}))


@pytest.mark.parametrize("last_first", [False, True])
def test_stable_abi_from_some_python_on(*, last_first: bool) -> None:
    """Two Pythons are built at once whose wheel is the same: the older one's counts."""
    order = builds(MIXED_MATRIX, MIXED, last_first=last_first, matrix=MIXED_MATRIX)
    assert order == [f"cp39-{A}", f"cp310-{A}", f"cp311-{A}"]


def test_an_awaited_python_fails() -> None:
    order = builds(
        MIXED_MATRIX, MIXED, failing=[Cell("3.10", A)], last_first=True, matrix=MIXED_MATRIX
    )
    assert order == [f"cp39-{A}", f"cp310-{A}", f"cp311-{A}", f"cp311-{A}", f"cp312-{A}"]


def test_an_older_python_with_a_wheel_of_its_own() -> None:
    """The wheel of 3.11 would be for 3.10, too, but that builds another one; nothing loops."""
    kinds = {"3.10": "own", "3.11": "abi3"}
    matrix = MATRIX[:2]
    assert builds(matrix, kinds, matrix=matrix) == [f"cp310-{A}", f"cp311-{A}"]
    order = builds(matrix[1:], kinds, matrix=matrix)
    assert order == [f"cp311-{A}", f"cp310-{A}", f"cp311-{A}"]
    queue = Queue(matrix[1:], matrix, {matrix[0]: wheel(matrix[0], "own")})
    assert queue.take() == matrix[1]
    assert queue.older(matrix[1], wheel(matrix[1], "abi3")) is None


def test_all_fail() -> None:
    assert len(builds(MATRIX, "own", failing=MATRIX)) == len(MATRIX)
