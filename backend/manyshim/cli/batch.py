"""Runs one command over many wheels, in several processes; keeps the given order."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from typing import Any, Callable, Dict, Iterator, List

from manyshim.cli.screen import Screen
from manyshim.errors import ManyshimError
from manyshim.formatters.json import JSON_VERSION, failure
from manyshim.formatters.text import Line
from manyshim.operations import Outcome

# For fewer bytes than this, several processes cost more than they save.
_WORTH_A_PROCESS = 8 << 20


def over_wheels(options: argparse.Namespace, work: Callable[[str], Outcome]) -> int:
    """Run `work` on each wheel, print the outcomes, and return the highest exit code."""
    wheels: List[str] = options.wheels
    screen = Screen(plain=options.json)
    code, data = 0, []
    outcomes = _outcomes(partial(_guarded, work), wheels, options.jobs)
    for outcome in screen.progress(outcomes, wheels):
        code = max(code, outcome.code)
        data.append(outcome.data)
        if not options.json:
            screen.print_lines(outcome.lines)
        elif outcome.data["error"]:
            print(f"manyshim: error: {outcome.data['error']}", file=sys.stderr)
    if options.json:
        print_json({"version": JSON_VERSION, "wheels": data})
    return code


def print_json(data: Dict[str, Any]) -> None:
    """Print data as JSON on standard output."""
    import json  # noqa: PLC0415 (only for --json)

    print(json.dumps(data, indent=1))


def _guarded(work: Callable[[str], Outcome], wheel: str) -> Outcome:
    """Return an error as an outcome, so that the other wheels are still processed."""
    try:
        return work(wheel)
    except ManyshimError as error:
        line = Line(f"manyshim: error: {error}", "failure")
        return Outcome(error.exit_code, [line], failure(os.path.basename(wheel), str(error)))


def _outcomes(work: Callable[[str], Outcome], wheels: List[str], jobs: int) -> Iterator[Outcome]:
    """Yield the outcomes in order; `jobs` is the number of processes, 0 for one per CPU."""
    size = sum(os.path.getsize(wheel) for wheel in wheels if os.path.isfile(wheel))
    jobs = min(jobs or os.cpu_count() or 1, len(wheels))
    if jobs < 2 or size < _WORTH_A_PROCESS:
        yield from map(work, wheels)
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (not for one wheel)

    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(work, wheels)
