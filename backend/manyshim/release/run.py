"""Builds the wheels of a release: side by side, each one published when it is complete."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from manyshim.audit.tags import parse_wheel_name
from manyshim.audit.targets import Target, targets
from manyshim.errors import ManyshimError, ToolError
from manyshim.release.children import Children, Ended, StoppedError
from manyshim.release.frontend import Frontend, reason
from manyshim.release.ledger import Entry, Ledger, Made
from manyshim.release.matrix import Cell, covered, is_for
from manyshim.release.queue import Queue
from manyshim.release.sdist import Sdist, digest
from manyshim.release.table import Settings
from manyshim.release.testing import Tested
from manyshim.values import NamedTuple
from manyshim.workspace import publish, subfolder

BUILT, KEPT, COVERED, FAILED, ELSEWHERE = "built", "kept", "covered", "failed", "elsewhere"


class Result(NamedTuple):
    """What became of a cell. `wheel` is a file name; `seconds` and `cpu` are what the build took.

    `reason` are lines about a failure.
    """

    cell: Cell
    status: str
    wheel: str = ""
    seconds: float = 0.0
    cpu: Optional[float] = None
    reason: Tuple[str, ...] = ()
    test: Optional[Tested] = None

    @property
    def has_failed(self) -> bool:
        """Whether there is no wheel, or its tests failed."""
        return self.status == FAILED or (self.test is not None and self.test.status == FAILED)


class Work(NamedTuple):
    """What all builds share: folders, the sdist, and how a cell's settings are made.

    `refuse` returns why a platform cannot be built, "" if nothing is known against it.
    """

    project: str
    out: str
    private: str
    sdist: Sdist
    frontend: Frontend
    environ: Mapping[str, str]
    settings: Callable[[Cell], Settings]
    recipe: Callable[[Cell], str]
    refuse: Callable[[Cell], str]


# Called at the begin of a build with its cell, and with each result.
Watch = Callable[[Cell, Optional[Result]], None]
# Tests the wheel of a path for a cell.
Test = Callable[[str, Cell], Tested]


class _Built(NamedTuple):
    """A wheel in a private folder, and what its build took."""

    path: str
    seconds: float
    cpu: Optional[float]


class Release:
    """One run over the cells of a release."""

    def __init__(self, work: Work, ledger: Ledger, children: Children, watch: Watch) -> None:
        self._work = work
        self._ledger = ledger
        self._children = children
        self._watch = watch
        self._results: Dict[Cell, Result] = {}
        # By file name, the cell whose build gave the file in this run.
        self._given: Dict[str, Cell] = {}
        # What the last build of a cell took.
        self._ended: Dict[Cell, Ended] = {}

    def run(self, cells: Sequence[Cell], matrix: Sequence[Cell], jobs: int) -> List[Result]:
        """Build what is missing; return the results of the cells, in their order.

        `matrix` has all cells of the release. Raises ToolError if the folder cannot be written.
        """
        missing = [one for one in cells if not self._is_known(one)]
        todo = [one for one in missing if not self._is_covered(one)]
        there = {one.cell: _targets(one.wheel) for one in self._results.values() if one.wheel}
        queue = Queue(todo, matrix, there)
        with ThreadPoolExecutor(jobs) as pool:
            try:
                self._build_all(queue, pool, jobs)
            except BaseException:
                self._children.end_all()
                raise
        names = dict.fromkeys((*cells, *self._results))
        return [self._results[one] for one in names if one in self._results]

    def test(self, results: Sequence[Result], test: Test, jobs: int) -> List[Result]:
        """Test the wheel of each cell; return the results with what became of it."""

        def tested(one: Result) -> Result:
            if not one.wheel:
                return one
            self._watch(one.cell, None)
            result = one._replace(test=test(os.path.join(self._work.out, one.wheel), one.cell))
            self._watch(one.cell, result)
            return result

        with ThreadPoolExecutor(jobs) as pool:
            try:
                return list(pool.map(tested, results))
            except BaseException:
                self._children.end_all()
                raise

    def _is_known(self, cell: Cell) -> bool:
        """Note the result of a cell that needs no build, or cannot have one here."""
        if not cell.is_linux:
            self._note(Result(cell, ELSEWHERE))
            return True
        refused = self._work.refuse(cell)
        if refused:
            self._note(Result(cell, FAILED, reason=(refused,)))
            return True
        wheel = self._ledger.kept(cell.name, self._work.sdist.content, self._work.recipe(cell))
        if wheel:
            self._note(Result(cell, KEPT, wheel))
        return wheel is not None

    def _is_covered(self, cell: Cell) -> bool:
        """Note whether a wheel that is there is for this cell, too: that of a new Python."""
        for other in list(self._results.values()):
            if other.status == KEPT and covered(_targets(other.wheel), cell, other.cell):
                self._cover(cell, other.wheel, self._ledger.files[other.wheel])
                return True
        return False

    def _note(self, result: Result) -> None:
        self._results[result.cell] = result
        self._watch(result.cell, result)

    def _build_all(self, queue: Queue, pool: ThreadPoolExecutor, jobs: int) -> None:
        running: Dict[Future[Any], Cell] = {}
        while True:
            while len(running) < jobs:
                cell = queue.take()
                if cell is None:
                    break
                self._watch(cell, None)
                running[pool.submit(self._build, cell)] = cell
            if not running:
                return
            # A limit, so that a signal is handled soon.
            ended, _ = wait(running, timeout=1, return_when=FIRST_COMPLETED)
            for one in ended:
                self._end(running.pop(one), one, queue)

    def _end(self, cell: Cell, build: Future[Any], queue: Queue) -> None:
        """Publish the wheel of a build that has ended, or note its failure."""
        try:
            covered_by = self._accept(cell, build.result(), queue)
        except StoppedError:
            queue.fail(cell)
        except ManyshimError as error:
            queue.fail(cell)
            ended = self._ended.get(cell)
            took = (ended.seconds, ended.cpu) if ended is not None else ()
            lines = tuple(map(str, error.args))
            self._note(Result(cell, FAILED, "", *took)._replace(reason=lines))
        else:
            for one, name in covered_by:
                self._cover(one, name, self._ledger.files[name])

    def _accept(self, cell: Cell, built: _Built, queue: Queue) -> List[Tuple[Cell, str]]:
        """Publish a wheel; return the cells that need none of their own, with a file name."""
        name = os.path.basename(built.path)
        own = _targets(name)
        if not is_for(own, cell):
            raise ToolError(f"the build gave {name}, which is no wheel for {cell.name}")
        older = queue.older(cell, own)
        if older is not None:
            is_built = queue.leave(cell, own, older)
            return [(cell, self._results[older].wheel)] if is_built else []
        other = self._given.get(name)
        hashed = digest(built.path)
        if other is not None and self._ledger.files[name].digest != hashed:
            raise ToolError(
                f"the builds for {other.name} and {cell.name} gave {name} with different contents"
            )
        # The ledger first: a run that is killed in between leaves no file that nobody has built.
        entry = Entry(hashed, self._work.sdist.content)
        self._ledger.add(cell.name, Made(name, self._work.recipe(cell)), entry)
        publish(built.path, os.path.join(self._work.out, name))
        self._given[name] = cell
        self._note(Result(cell, BUILT, name, built.seconds, built.cpu))
        return [(one, name) for one in queue.finish(cell, own)]

    def _cover(self, cell: Cell, name: str, entry: Entry) -> None:
        self._ledger.add(cell.name, Made(name, self._work.recipe(cell)), entry)
        self._note(Result(cell, COVERED, name))

    def _build(self, cell: Cell) -> _Built:
        """Build a wheel into a private folder. Raises ToolError with the reason if it fails."""
        work = self._work
        folder = subfolder(work.private, cell.name)
        log = os.path.join(folder, "log")
        command = work.frontend.wheel(
            work.sdist.path,
            cell.python,
            work.settings(cell),
            subfolder(folder, "out"),
            subfolder(folder, "source"),
        )
        ended = self._children.run(command, log, work.project, work.environ)
        self._ended[cell] = ended
        if ended.code:
            with open(log, encoding="utf-8", errors="replace") as file:
                lines = reason(file.read())
            raise ToolError(*(lines or [f"{command[0]} failed with exit code {ended.code}"]))
        wheels = [one for one in os.listdir(os.path.join(folder, "out")) if one.endswith(".whl")]
        if len(wheels) != 1:
            raise ToolError(f"the build for {cell.name} gave {len(wheels)} wheels")
        return _Built(os.path.join(folder, "out", wheels[0]), ended.seconds, ended.cpu)


def _targets(wheel: str) -> Tuple[Target, ...]:
    """Return what the wheel of a file name is for; nothing if the name is none."""
    name = parse_wheel_name(wheel)
    return tuple(targets(name)) if name else ()
