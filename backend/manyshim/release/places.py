"""Chooses where a wheel is tested: with a Python of this machine, or with one of a system."""

from __future__ import annotations

from typing import Callable, List, Optional, Sequence

from manyshim.audit.tags import PlatformTag, parse_platform
from manyshim.release.emulation import Machine, Runner
from manyshim.release.matrix import Cell
from manyshim.release.systems import Python
from manyshim.release.table import python_key
from manyshim.values import NamedTuple


class Place(NamedTuple):
    """Where a wheel is tested: `native` is the path of a Python of this machine.

    `problem` tells why it cannot be tested, and what helps.
    """

    native: str = ""
    runner: Optional[Runner] = None
    problem: str = ""


class Places:
    """The Pythons of this machine and of the systems of the user.

    `native` returns the path of a Python of this machine, `run` how a Python of a system is run.
    """

    def __init__(
        self,
        machine: Machine,
        native: Callable[[str], Optional[str]],
        systems: Sequence[Python],
        run: Callable[[Python], Runner],
    ) -> None:
        self._machine = machine
        self._native = native
        self._systems = systems
        self._run = run

    def choose(self, cell: Cell) -> Place:
        """Return where the wheel of a cell is tested."""
        tag = parse_platform(cell.platform)
        if tag is None or self._machine.libc is None:
            return Place(problem="wheels for Linux are tested on Linux")
        runs = runs_here(tag, self._machine)
        path = self._native(cell.python) if runs else None
        if path:
            return Place(path)
        problems: List[str] = []
        for python in self._systems:
            if _may_run(python, tag, cell):
                runner = self._run(python)
                problem = runner.problem or _unsuitable(runner, tag, cell)
                if not problem:
                    return Place(runner=runner)
                problems.append(problem)
        return Place(problem="; ".join(problems) or self._missing(tag, cell, runs=runs))

    def _missing(self, tag: PlatformTag, cell: Cell, *, runs: bool) -> str:
        if runs:
            which = f"CPython {cell.python}"
            return f"{which} is not found here; install it (uv python install {cell.python})"
        if self._systems:
            which = f"CPython {cell.python} for {tag.arch} with {tag.libc}"
            return f"no system of --systems has a {which}; add one"
        own = f"{self._machine.arch} with {_libc(self._machine)}"
        return f"this machine is {own}; name a folder with systems by --systems DIR"


def runs_here(tag: PlatformTag, machine: Machine) -> bool:
    """Whether a machine runs the wheels of a platform without an emulator."""
    same = (tag.arch, tag.libc) == (machine.arch, machine.libc)
    return same and tag.version <= machine.version


def _libc(machine: Machine) -> str:
    return f"{machine.libc} {'.'.join(map(str, machine.version))}"


def _may_run(python: Python, tag: PlatformTag, cell: Cell) -> bool:
    """Whether a Python is one for a cell, as far as its file tells.

    Some free-threaded ones have names without a `t`.
    """
    minor, free = python_key(python.version)
    wanted, wanted_free = python_key(cell.python)
    named = minor == wanted and (wanted_free or not free)
    return named and (python.arch, python.libc) == (tag.arch, tag.libc)


def _unsuitable(runner: Runner, tag: PlatformTag, cell: Cell) -> str:
    """Return why a Python that runs is not one for a cell; "" if it is."""
    system = runner.python.system
    if runner.version != cell.python:
        return f"the Python of {system} is CPython {runner.version}, not {cell.python}"
    if runner.libc_version < tag.version:
        has = ".".join(map(str, runner.libc_version))
        return f"{system} has {tag.libc} {has}, too old for {tag.without_arch}; add a newer system"
    return ""
