"""Runs one command over many wheels, in several processes; keeps the given order."""

from __future__ import annotations

import argparse
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List

from manyshim.cli.screen import Screen, notice, put
from manyshim.errors import InternalError, InvalidWheelError, ManyshimError, printable
from manyshim.formatters.json import JSON_VERSION, failure
from manyshim.formatters.text import Line
from manyshim.operations import REPORT, Outcome, internal_error
from manyshim.values import NamedTuple

if TYPE_CHECKING:
    from manyshim.audit.patterns import Pattern

# For fewer bytes than this, several processes cost more than they save.
_WORTH_A_PROCESS = 8 << 20


class Run(NamedTuple):
    """What a command made of its files: the exit code of each, and its data for JSON."""

    codes: List[int]
    data: List[Dict[str, Any]]


def over_wheels(options: argparse.Namespace, work: Callable[[str], Outcome]) -> int:
    """Run `work` on each wheel, print the outcomes, and return the highest exit code."""
    run = over_files(options, options.wheels, work, Screen(plain=options.json))
    if options.json:
        print_json({"version": JSON_VERSION, "wheels": run.data})
    return max(run.codes)


def over_files(
    options: argparse.Namespace, files: List[str], work: Callable[[str], Outcome], screen: Screen
) -> Run:
    """Run `work` on each file, and print the lines of each; with `--json`, only failures."""
    run = Run([], [])
    patterns: List[Pattern] = []
    outcomes = _outcomes(partial(_guarded, work, options.command), files, options.jobs)
    for outcome in screen.progress(outcomes, files):
        run.codes.append(outcome.code)
        run.data.append(outcome.data)
        patterns += outcome.patterns
        failed = [line for line in outcome.lines if line.role == "failure"]
        screen.print_lines(failed if options.json else outcome.lines)
    if not all(one.matched for one in patterns):
        from manyshim.audit.patterns import lines  # noqa: PLC0415 (few commands have a pattern)

        for line in lines(patterns, verbose=options.verbose):
            notice(line)
    return run


def print_json(data: Dict[str, Any]) -> None:
    """Print data as JSON on standard output."""
    import json  # noqa: PLC0415 (only for --json)

    # Not all at once: the names in an archive may have many megabytes.
    for piece in json.JSONEncoder(indent=1).iterencode(data):
        put(piece, end="")
    put("")


def _guarded(work: Callable[[str], Outcome], command: str, wheel: str) -> Outcome:
    """Return an error as an outcome, so that the other wheels are still processed."""
    try:
        return work(wheel)
    except InvalidWheelError as error:
        from manyshim.cli.wrongfiles import mistake  # noqa: PLC0415 (only after an error)

        return _failed(mistake(wheel, command) or error, wheel)
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
