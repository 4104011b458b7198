"""The order in which the wheels of a release are built, and which builds a wheel makes needless."""

from __future__ import annotations

from typing import List, Optional, Sequence, Set

from manyshim.audit.targets import Target
from manyshim.release.matrix import Cell, covered
from manyshim.release.table import python_key
from manyshim.values import NamedTuple


class Accepted(NamedTuple):
    """Whether a wheel counts, and the cells that need no wheel of their own because of it.

    A wheel that does not count is built again by `instead`.
    """

    covered: List[Cell]
    instead: Optional[Cell] = None


class Queue:
    """The cells that wait. One build of each platform goes first, until one has succeeded.

    Its wheel may be for other Pythons, too (abi3), or for all. Then it is the one that the oldest
    of these Pythons builds, so that each machine and each run gives the same bytes.
    """

    def __init__(self, todo: Sequence[Cell], matrix: Sequence[Cell]) -> None:
        self._waiting: List[Cell] = list(todo)
        self._matrix = matrix
        self._running: List[Cell] = []
        self._failed: Set[Cell] = set()
        # The platforms whose wheels are for one Python each.
        self._open: Set[str] = set()

    def take(self) -> Optional[Cell]:
        """Return a cell to build now; None if there is none, or none yet."""
        busy = {one.platform for one in self._running}
        for cell in self._waiting:
            if cell.platform in self._open or cell.platform not in busy:
                self._waiting.remove(cell)
                self._running.append(cell)
                return cell
        return None

    def fail(self, cell: Cell) -> None:
        """Note that a build has failed."""
        self._running.remove(cell)
        self._failed.add(cell)

    def finish(self, cell: Cell, wheel: Sequence[Target]) -> Accepted:
        """Note that a build has given a wheel for these targets."""
        self._running.remove(cell)
        older = [one for one in self._matrix if _is_older(one, cell) and covered(wheel, one, cell)]
        first = next((one for one in older if one not in self._failed), None)
        if first is not None:
            others = [one for one in self._waiting if one != first]
            self._waiting = [first, cell, *others]
            return Accepted([], first)
        self._open.add(cell.platform)
        found = [one for one in self._waiting if covered(wheel, one, cell)]
        self._waiting = [one for one in self._waiting if one not in found]
        return Accepted(found)


def _is_older(one: Cell, cell: Cell) -> bool:
    same = one.platform == cell.platform
    return same and python_key(one.python) < python_key(cell.python)
