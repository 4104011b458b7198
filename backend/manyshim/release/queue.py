"""The order in which the wheels of a release are built, and which builds a wheel makes needless."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Set

from manyshim.audit.targets import Target
from manyshim.release.matrix import Cell, covered
from manyshim.release.table import python_key


class Queue:
    """The cells that wait. One build of each platform goes first, until one has succeeded.

    Its wheel may be for other Pythons, too (abi3), or for all. Then it is the one that the oldest
    of these Pythons builds, so that each machine and each run gives the same bytes. `there` has
    the wheels of earlier runs.
    """

    def __init__(
        self,
        todo: Sequence[Cell],
        matrix: Sequence[Cell],
        there: Mapping[Cell, Sequence[Target]],
    ) -> None:
        self._waiting: List[Cell] = list(todo)
        self._matrix = matrix
        self._finished: Dict[Cell, Sequence[Target]] = dict(there)
        self._running: List[Cell] = []
        self._failed: Set[Cell] = set()
        # The older Python whose wheel a cell waits for.
        self._awaited: Dict[Cell, Cell] = {}
        # The platforms whose wheels are for one Python each.
        self._open: Set[str] = set()

    def take(self) -> Optional[Cell]:
        """Return a cell to build now; None if there is none, or none yet."""
        busy = {one.platform for one in self._running}
        for cell in self._waiting:
            awaited = self._awaited.get(cell)
            if awaited in self._running or awaited in self._waiting:
                continue
            if cell.platform in self._open or cell.platform not in busy:
                self._waiting.remove(cell)
                self._running.append(cell)
                return cell
        return None

    def fail(self, cell: Cell) -> None:
        """Note that a build has failed."""
        self._running.remove(cell)
        self._failed.add(cell)

    def older(self, cell: Cell, wheel: Sequence[Target]) -> Optional[Cell]:
        """Return the oldest Python that builds the wheel of a cell; None if it is its own."""
        found = (one for one in self._matrix if _is_older(one, cell) and covered(wheel, one, cell))
        return next((one for one in found if self._may_cover(one, cell)), None)

    def _may_cover(self, older: Cell, cell: Cell) -> bool:
        """Whether the wheel of an older Python is for a cell, too, as far as that is known."""
        wheel = self._finished.get(older)
        if wheel is not None:
            return covered(wheel, cell, older)
        return older not in self._failed

    def leave(self, cell: Cell, wheel: Sequence[Target], older: Cell) -> bool:
        """Leave the wheel of a cell to an older Python; return whether that has built it.

        Others that the wheel is for wait, too.
        """
        self._running.remove(cell)
        if older in self._finished:
            return True
        self._waiting.insert(0, cell)
        for one in self._waiting:
            if one != older and covered(wheel, one, cell):
                self._awaited[one] = older
        if older not in self._running:
            self._waiting = [older, *(one for one in self._waiting if one != older)]
        return False

    def finish(self, cell: Cell, wheel: Sequence[Target]) -> List[Cell]:
        """Note that a cell has its wheel; return those that need none because of it."""
        self._running.remove(cell)
        self._finished[cell] = wheel
        self._open.add(cell.platform)
        found = [one for one in self._waiting if covered(wheel, one, cell)]
        self._waiting = [one for one in self._waiting if one not in found]
        return found


def _is_older(one: Cell, cell: Cell) -> bool:
    same = one.platform == cell.platform
    return same and python_key(one.python) < python_key(cell.python)
