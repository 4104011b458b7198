"""What `manyshim release` prints: a line for each wheel, the failures, and the times."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, Iterator, List, Optional, Sequence

from manyshim.cli.screen import Screen
from manyshim.errors import shorten
from manyshim.formatters.json import JSON_VERSION
from manyshim.formatters.text import Line
from manyshim.release.matrix import Cell
from manyshim.release.run import BUILT, COVERED, ELSEWHERE, FAILED, KEPT, Result
from manyshim.release.sdist import Sdist
from manyshim.release.testing import NOT_TESTED, PASSED, Tested

_MINUTE = 60


def duration(seconds: float) -> str:
    """Return a time as people say it: `9.1 s`, `2 min 5 s`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s"


def result_line(result: Result) -> Line:
    """Return the line about a cell."""
    name, wheel = result.cell.name, shorten(result.wheel)
    if result.test is not None:
        return _test_line(name, result.test)
    if result.status == BUILT:
        cpu = f", {duration(result.cpu)} of CPU" if result.cpu is not None else ""
        return Line(f"built    {wheel}: {duration(result.seconds)}{cpu}", "tag")
    if result.status == KEPT:
        return Line(f"kept     {wheel}", "")
    if result.status == COVERED:
        return Line(f"covered  {name}: {wheel} is for it, too", "dim")
    if result.status == ELSEWHERE:
        return Line(f"not here {name}: build it on its own system", "warning")
    return Line(f"failed   {name}", "error")


def _test_line(name: str, test: Tested) -> Line:
    """Return the line about the test of a wheel for a cell."""
    if test.status == NOT_TESTED:
        return Line(f"untested {name}", "warning")
    place = f" on {test.system}" if test.system else ""
    if test.status == PASSED:
        took = "in an earlier run" if test.earlier else f"{duration(test.seconds)}{place}"
        return Line(f"passed   {name}: {took}", "tag")
    return Line(f"failed   the tests of {name}: {duration(test.seconds)}{place}", "error")


def failure_lines(results: Sequence[Result]) -> Iterator[Line]:
    """Yield why builds and tests have failed. Cells with the same reason share it."""
    reasons: Dict[Any, List[str]] = {}
    for one in results:
        if one.status == FAILED:
            reasons.setdefault(one.reason, []).append(one.cell.name)
    for lines, names in reasons.items():
        yield Line(f"{', '.join(names)} failed:", "error")
        for line in lines:
            yield Line(f"  {line}", "")
    for one in results:
        if one.test is not None and one.test.status == FAILED:
            yield Line(f"the tests of {one.cell.name} failed ({shorten(one.wheel)}):", "error")
            for line in one.test.reason:
                yield Line(f"  {line}", "")


def untested_lines(results: Sequence[Result]) -> Iterator[Line]:
    """Yield the wheels that were not tested, with the reason."""
    reasons: Dict[str, List[str]] = {}
    for one in results:
        if one.test is not None and one.test.status == NOT_TESTED:
            reasons.setdefault(" ".join(one.test.reason), []).append(one.cell.name)
    for reason, names in reasons.items():
        yield Line(f"not tested: {', '.join(names)}: {reason}", "warning")


def summary_line(results: Sequence[Result], seconds: float) -> Line:
    """Return the numbers of builds, and the times: `4 built, 1 failed in 61.0 s (...)`."""
    words = (BUILT, KEPT, COVERED, FAILED)
    counts = [(sum(one.status == word for one in results), word) for word in words]
    said = ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing to build"
    said += _test_counts(results)
    cpu = sum(one.cpu or 0 for one in results)
    spent = f" ({duration(cpu)} of CPU)" if cpu else ""
    role = "error" if any(one.has_failed for one in results) else "title"
    return Line(f"{said} in {duration(seconds)}{spent}", role)


def unfinished_lines(results: Sequence[Result]) -> Iterator[Line]:
    """Yield the last line of a release that has failures: `check` has seen only what is there."""
    builds = sum(one.status == FAILED for one in results)
    tests = sum(one.has_failed for one in results) - builds
    counts = [
        (builds, "wheel was not built", "wheels were not built"),
        (tests, "wheel has failed its tests", "wheels have failed their tests"),
    ]
    said = [f"{count} {one if count == 1 else more}" for count, one, more in counts if count]
    if said:
        yield Line(f"the release is not ready: {' and '.join(said)}; see above", "error")


def _test_counts(results: Sequence[Result]) -> str:
    """Return the numbers of tests: `; tests: 4 passed, 2 not tested`; "" if there are none."""
    found = [one.test.status for one in results if one.test is not None]
    counts = [(found.count(word), word) for word in (PASSED, FAILED, NOT_TESTED)]
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"; tests: {said}" if said else ""


def release_data(sdist: Sdist, results: Sequence[Result], seconds: float) -> Dict[str, Any]:
    """Return the object for machines, without what `check` finds."""
    return {
        "version": JSON_VERSION,
        "sdist": {"file": os.path.basename(sdist.path), "sha256": sdist.digest},
        "seconds": round(seconds, 3),
        "builds": [_result(one) for one in results],
    }


def _result(one: Result) -> Dict[str, Any]:
    test = one.test
    return {
        "cell": one.cell.name,
        "python": one.cell.python,
        "platform": one.cell.platform,
        "status": one.status,
        "file": one.wheel or None,
        "seconds": round(one.seconds, 3),
        "cpu_seconds": None if one.cpu is None else round(one.cpu, 3),
        "reason": list(one.reason),
        "test": None
        if test is None
        else {
            "status": test.status,
            "seconds": round(test.seconds, 3),
            "system": test.system or None,
            "earlier": test.earlier,
            "reason": list(test.reason),
        },
    }


class Progress:
    """Prints a line for each result, and on a terminal what is running."""

    def __init__(self, screen: Screen, total: int, *, plain: bool) -> None:
        self._screen = screen
        self._plain = plain
        self._done = 0
        self._running: List[str] = []
        self._bar: Any = screen.bar(total)

    def __enter__(self) -> Progress:
        """Show the bar."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()

    def watch(self, cell: Cell, result: Optional[Result]) -> None:
        """Take the begin of a build, or a result."""
        if result is None:
            self._running.append(cell.name)
        else:
            self._done += 1
            if cell.name in self._running:
                self._running.remove(cell.name)
            if not self._plain:
                self._screen.print_lines([result_line(result)])
                sys.stdout.flush()
        if self._bar is not None:
            self._bar.update(0, completed=self._done, description=", ".join(self._running[:3]))
