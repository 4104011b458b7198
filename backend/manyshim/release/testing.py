"""Tests the wheels of a release, each in a fresh environment, as far as this machine can."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
import time
from contextlib import suppress
from typing import Callable, Mapping, Optional, Tuple

from manyshim.audit.tags import parse_platform
from manyshim.errors import ToolError, bounded
from manyshim.release import environments
from manyshim.release.children import Children, Ended
from manyshim.release.environments import Environment
from manyshim.release.ledger import Ledger
from manyshim.release.matrix import Cell
from manyshim.release.places import Place, Places
from manyshim.release.table import Tests
from manyshim.values import NamedTuple
from manyshim.workspace import subfolder

PASSED, FAILED, NOT_TESTED = "passed", "failed", "not tested"

_MAX_LINES = 12
# How shells tell that a signal has ended a command: its number, and this one added to it.
_SIGNALLED = 128


class Tested(NamedTuple):
    """What became of the tests of a wheel on a Python, with lines about a failure.

    `system` is the one whose Python ran them, "" for this machine. `earlier` tells that they have
    passed in an earlier run, and were not repeated.
    """

    status: str
    reason: Tuple[str, ...] = ()
    seconds: float = 0.0
    system: str = ""
    earlier: bool = False


class Setup(NamedTuple):
    """What the tests of all wheels share.

    `pip` returns the path of a Python that has pip, and prefers one of a version. `content` is a
    hash of the sdist's content, which may have the tests.
    """

    tests: Tests
    project: str
    private: str
    environ: Mapping[str, str]
    places: Places
    uv: Optional[str]
    pip: Callable[[str], Optional[str]]
    content: str = ""


class Tester:
    """Tests wheels. It can be called by several threads."""

    def __init__(self, setup: Setup, children: Children, ledger: Ledger) -> None:
        self._setup = setup
        self._children = children
        self._ledger = ledger
        self._lock = threading.Lock()
        self._recipe = recipe(setup.tests, setup.content)

    def test(self, wheel: str, cell: Cell) -> Tested:
        """Test the wheel of a path for a cell. Raises StoppedError if the release is ending."""
        name = os.path.basename(wheel)
        with self._lock:
            if self._ledger.has_passed(cell.name, name, self._recipe):
                return Tested(PASSED, earlier=True)
        place = self._setup.places.choose(cell)
        if place.problem:
            return Tested(NOT_TESTED, (place.problem,))
        folder = subfolder(self._setup.private, f"test-{cell.name}")
        began = time.monotonic()
        try:
            status, reason = self._run(os.path.abspath(wheel), cell, place, folder)
        except ToolError as error:
            status, reason = NOT_TESTED, tuple(map(str, error.args))
        except OSError as error:
            status, reason = NOT_TESTED, (str(error),)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if status == PASSED:
            with self._lock:
                self._ledger.note_passed(cell.name, name, self._recipe)
        system = place.runner.python.system if place.runner else ""
        return Tested(status, reason, time.monotonic() - began, system)

    def _run(
        self, wheel: str, cell: Cell, place: Place, folder: str
    ) -> Tuple[str, Tuple[str, ...]]:
        """Return a status, and lines about it. Raises ToolError if there is no environment."""
        environment = self._environment(cell, place, os.path.join(folder, "env"))
        log = os.path.join(folder, "log")
        own = environments.variables(self._setup.environ, environment)
        # The folder is empty, so that the sources of the project are not imported.
        work = subfolder(folder, "work")
        if environment.create is not None:
            made = self._child(environment.create, log, work, own)
            if made.code:
                what = "an environment cannot be made:"
                return NOT_TESTED, (what, *self._reason(made, log))
        command = (*environment.install, wheel, *self._setup.tests.requires)
        # uv reads the project's own index there. With `-m`, Python would import from the folder.
        done = self._child(command, log, self._setup.project if self._setup.uv else work, own)
        if done.code:
            lines = self._reason(done, log)
            if place.runner is None:
                return FAILED, ("it cannot be installed with test-requires:", *lines)
            what = "it cannot be installed from wheels only, with test-requires:"
            return NOT_TESTED, (what, *lines)
        environments.link_scripts(environment)
        with suppress(OSError):
            os.unlink(log)
        command = ("/bin/sh", "-c", filled(self._setup.tests.command, self._setup.project, wheel))
        done = self._child(command, log, work, own)
        return (FAILED, self._reason(done, log)) if done.code else (PASSED, ())

    def _environment(self, cell: Cell, place: Place, folder: str) -> Environment:
        uv = self._setup.uv
        if place.runner is None:
            return environments.native(folder, place.native, uv)
        tag = parse_platform(cell.platform)
        assert tag is not None  # noqa: S101 (no other cell has a place)
        pip = self._setup.pip(cell.python)
        return environments.foreign(folder, place.runner, tag, uv, pip)

    def _child(
        self, command: Tuple[str, ...], log: str, folder: str, environ: Mapping[str, str]
    ) -> Ended:
        return self._children.run(command, log, folder, environ, self._setup.tests.seconds)

    def _reason(self, ended: Ended, log: str) -> Tuple[str, ...]:
        """Return the last lines of a failed command, and how it ended."""
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = [bounded(line.rstrip()) for line in file if line.strip()]
        seconds = self._setup.tests.seconds
        return (*lines[-_MAX_LINES:], ending(ended, seconds))


def recipe(tests: Tests, content: str) -> str:
    """Return a hash of all that shapes the outcome of a test, beside the wheel and the cell."""
    text = json.dumps([tests.command, tests.requires, content])
    return hashlib.sha256(text.encode()).hexdigest()


def filled(command: str, project: str, wheel: str) -> str:
    """Return a test's command with its paths, as cibuildwheel names them."""
    paths = {"{project}": project, "{package}": project, "{wheel}": wheel}
    for name, path in paths.items():
        command = command.replace(name, path)
    return command


def ending(ended: Ended, seconds: int) -> str:
    """Return how a failed command has ended."""
    if ended.late:
        return f"ended after {seconds} s (test-timeout)"
    code = ended.code if ended.code < 0 else _SIGNALLED - ended.code
    if code < 0:
        with suppress(ValueError):
            return f"ended by {signal.Signals(-code).name}"
    return f"exit code {ended.code}"
