"""Runs one command over many wheels, in several processes; keeps the given order."""

from __future__ import annotations

import os
import sys
from functools import partial
from types import SimpleNamespace

from manyshim.cli.arguments import TEXT
from manyshim.cli.formats import format_of, print_data
from manyshim.cli.hint import kinds_of, print_hint
from manyshim.cli.screen import Screen, notice, put
from manyshim.errors import InvalidWheelError, ToolError
from manyshim.operations import Outcome, guarded, lost
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional

    from manyshim.audit.patterns import Pattern

# For fewer bytes than this, several processes cost more than they save.
_WORTH_A_PROCESS = 8 << 20


class Run(NamedTuple):
    """What a command made of its files: the exit code of each, and its data for JSON.

    `kinds` are those of the findings that were printed, in their order.
    """

    codes: List[int]
    data: List[Dict[str, Any]]
    kinds: List[str]


def over_wheels(options: SimpleNamespace, work: Callable[[str], Outcome]) -> int:
    """Run `work` on each wheel, print the outcomes, and return the highest exit code."""
    machine = format_of(options) != TEXT
    run = over_files(options, options.wheels, work, Screen(plain=machine))
    code = max(*run.codes, *(error.exit_code for error in _replaced(run, options.wheels)), 0)
    if machine:
        from manyshim.formatters.json import JSON_VERSION  # noqa: PLC0415 (only for machines)

        print_data(options, {"version": JSON_VERSION, "wheels": run.data}, code)
    print_hint(run.kinds)
    return code


def _replaced(run: Run, wheels: List[str]) -> List[ToolError]:
    """Print an error for each written wheel that a later, different one of the run has replaced.

    Two wheels get one name if only their platform tags differed, or their folders.
    """
    errors: List[ToolError] = []
    written = {index: one for index, one in enumerate(run.data) if one.get("written")}
    last = {one["written"]: index for index, one in written.items()}
    for index, one in written.items():
        other = last[one["written"]]
        if other == index or _equal(wheels[index], wheels[other]):
            continue
        what = f"both were written as {one['written']}, so only the second is there"
        names = f"{one['file']} and {run.data[other]['file']}"
        errors.append(ToolError(f"{names}: {what}; use two folders"))
        one["written"] = None
    for error in errors:
        put("\n".join(f"manyshim: error: {line}" for line in error.lines), sys.stderr)
    return errors


def _equal(path: str, other: str) -> bool:
    from manyshim.inputs import equal  # noqa: PLC0415 (only for two wheels of one name)

    return equal(path, other)


def over_files(
    options: SimpleNamespace, files: List[str], work: Callable[[str], Outcome], screen: Screen
) -> Run:
    """Run `work` on each file, and print the lines of each; for machines, only failures."""
    run = Run([], [], [])
    patterns: List[Pattern] = []
    machine = format_of(options) != TEXT
    judge = partial(guarded, work, refine=partial(_mistake, options.command))
    outcomes = _outcomes(judge, files, options.jobs)
    for path, outcome in zip(files, screen.progress(outcomes, files)):
        run.codes.append(outcome.code)
        run.data.append(_with_file(outcome.data, path))
        patterns += outcome.patterns
        failed = [line for line in outcome.lines if line.role == "failure"]
        screen.print_lines(failed if machine else outcome.lines)
        if not machine:
            run.kinds.extend(kind for kind in kinds_of(outcome.lines) if kind not in run.kinds)
    if not all(one.matched for one in patterns):
        from manyshim.audit.patterns import lines  # noqa: PLC0415 (few commands have a pattern)

        for line in lines(patterns, verbose=options.verbose):
            notice(line)
    return run


def _with_file(data: Dict[str, Any], path: str) -> Dict[str, Any]:
    """Return the data of an outcome with the path that was given; those for people have none."""
    if not data:
        return data
    from manyshim.formatters.json import with_file  # noqa: PLC0415 (not for lines of text)

    return with_file(data, path)


def _mistake(command: str, path: str) -> Optional[InvalidWheelError]:
    """Return the error for a path that cannot be a wheel, with the fix."""
    from manyshim.cli.wrongfiles import mistake  # noqa: PLC0415 (only after an error)

    return mistake(path, command)


def _outcomes(work: Callable[[str], Outcome], wheels: List[str], jobs: int) -> Iterator[Outcome]:
    """Yield the outcomes in order; `jobs` is the number of processes, 0 for one per CPU."""
    size = sum(os.path.getsize(wheel) for wheel in wheels if os.path.isfile(wheel))
    jobs = min(jobs or os.cpu_count() or 1, len(wheels))
    if jobs < 2 or size < _WORTH_A_PROCESS:
        yield from map(work, wheels)
        return
    from manyshim.cli.workers import spread  # noqa: PLC0415 (not for one wheel)

    yield from spread(work, lost, wheels, jobs)
