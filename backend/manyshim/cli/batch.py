"""Runs one command over many wheels, in several processes; keeps the given order."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence

from manyshim.cli.screen import Screen, put
from manyshim.errors import InternalError, InvalidWheelError, ManyshimError, printable
from manyshim.formatters.json import JSON_VERSION, failure
from manyshim.formatters.text import Line
from manyshim.operations import REPORT, Outcome, internal_error
from manyshim.values import NamedTuple

if TYPE_CHECKING:
    from manyshim.audit.patterns import Pattern

# For fewer bytes than this, several processes cost more than they save.
_WORTH_A_PROCESS = 8 << 20


class Conclusion(NamedTuple):
    """What a command says about all files together: exit code, lines, and keys of its JSON."""

    code: int
    lines: List[Line]
    data: Dict[str, Any]


def over_wheels(
    options: argparse.Namespace,
    work: Callable[[str], Outcome],
    conclude: Optional[Callable[[Sequence[str], Sequence[Outcome]], Conclusion]] = None,
) -> int:
    """Run `work` on each wheel, print the outcomes, and return the highest exit code.

    `conclude` is called with the wheels and their outcomes, after the last one.
    """
    wheels: List[str] = options.wheels
    screen = Screen(plain=options.json)
    code = 0
    done: List[Outcome] = []
    patterns: List[Pattern] = []
    outcomes = _outcomes(partial(_guarded, work), wheels, options.jobs)
    for outcome in screen.progress(outcomes, wheels):
        code = max(code, outcome.code)
        # The lines are printed, and may be many.
        done.append(outcome._replace(lines=[]))
        patterns += outcome.patterns
        failed = [line for line in outcome.lines if line.role == "failure"]
        screen.print_lines(failed if options.json else outcome.lines)
    data: Dict[str, Any] = {"version": JSON_VERSION, "wheels": [one.data for one in done]}
    if conclude:
        last = conclude(wheels, done)
        code, data = max(code, last.code), {**data, **last.data}
        screen.print_lines([] if options.json else last.lines)
    if options.json:
        print_json(data)
    if not all(one.matched for one in patterns):
        from manyshim.audit.patterns import lines  # noqa: PLC0415 (few commands have a pattern)

        for line in lines(patterns, verbose=options.verbose):
            put(printable(f"manyshim: {line}"), sys.stderr)
    return code


def print_json(data: Dict[str, Any]) -> None:
    """Print data as JSON on standard output."""
    import json  # noqa: PLC0415 (only for --json)

    # Not all at once: the names in an archive may have many megabytes.
    for piece in json.JSONEncoder(indent=1).iterencode(data):
        put(piece, end="")
    put("")


def _guarded(work: Callable[[str], Outcome], wheel: str) -> Outcome:
    """Return an error as an outcome, so that the other wheels are still processed."""
    try:
        return work(wheel)
    except ManyshimError as error:
        return _failed(error, wheel)
    except Exception as error:  # noqa: BLE001 (no failure of ours may cost another wheel its verdict)
        return _failed(internal_error(error, os.path.basename(wheel)), wheel)


def _lost(wheel: str, how: str) -> Outcome:
    """Return the outcome of a wheel whose process has ended before it was done."""
    what = f"internal error: the process that worked on it {how}"
    return _failed(InternalError(f"{os.path.basename(wheel)}: {what} ({REPORT})"), wheel)


def _failed(error: ManyshimError, wheel: str) -> Outcome:
    first, *more = error.lines
    if isinstance(error, InvalidWheelError) and printable(os.path.basename(wheel)) not in first:
        first = f"{wheel}: {first}"
    lines = [Line(line, "failure") for line in (f"manyshim: error: {first}", *more)]
    internal = isinstance(error, InternalError)
    data = failure(os.path.basename(wheel), "\n".join((first, *more)), internal=internal)
    return Outcome(error.exit_code, lines, data)


def _outcomes(work: Callable[[str], Outcome], wheels: List[str], jobs: int) -> Iterator[Outcome]:
    """Yield the outcomes in order; `jobs` is the number of processes, 0 for one per CPU."""
    size = sum(os.path.getsize(wheel) for wheel in wheels if os.path.isfile(wheel))
    jobs = min(jobs or os.cpu_count() or 1, len(wheels))
    if jobs < 2 or size < _WORTH_A_PROCESS:
        yield from map(work, wheels)
        return
    from manyshim.cli.workers import spread  # noqa: PLC0415 (not for one wheel)

    yield from spread(work, _lost, wheels, jobs)
