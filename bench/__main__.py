"""The command: download the wheels, run the contenders in turn, print the table."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from bench import debug, graft, large, plot, report, run, wheels
from bench.contenders import CONTENDERS
from bench.report import Measured
from bench.rows import DEBUG, GRAFT, LARGE, PROJECT, ROWS, applies
from bench.run import Outcome

_PROJECT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), PROJECT)


class Work(NamedTuple):
    """One set of rounds: the contenders of a group on one subject."""

    group: str
    subject: str
    path: str
    contenders: tuple[str, ...]
    rounds: int


def main() -> int:
    """Measure, or read the data of an earlier run, and print it; return the exit code."""
    options = _options()
    if options.replay:
        with open(options.replay, encoding="utf-8") as file:
            measured = report.from_dict(json.load(file))
    else:
        os.makedirs(options.cache, exist_ok=True)
        with run.scratch(options.cache) as folder:
            measured = _measure(options, folder)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(json.dumps(report.to_dict(measured), indent=1) + "\n")
    for line in report.text(measured):
        print(line)
    if options.plot:
        try:
            plot.draw(measured, options.plot)
        except ImportError as error:
            print(f"bench: no plot: {error}", file=sys.stderr)
            return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure manyshim and its peers on published wheels: CPU time of whole "
        "processes that run in turn, as ratios of the pairs, and peak memory.",
    )
    parser.add_argument("--pairs", type=int, default=5, metavar="N", help="rounds; default 5")
    parser.add_argument(
        "--budget", type=float, default=60, metavar="S",
        help="CPU seconds of one program on one wheel after which two rounds are enough",
    )  # fmt: skip
    parser.add_argument(
        "--only", default="*", metavar="PATTERN",
        help="run only this, a glob in GROUP/WHEEL, such as numpy, retag/* or audit/py*",
    )  # fmt: skip
    parser.add_argument(
        "--cache",
        default=wheels.default_cache(),
        metavar="DIR",
        help="folder that keeps the wheels",
    )
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the cost against the size")
    parser.add_argument("--replay", metavar="FILE", help="print what --json wrote, run nothing")
    return parser.parse_args()


def _measure(options: argparse.Namespace, folder: str) -> Measured:
    measured = Measured(report.versions(), {}, {}, {})
    runs: dict[tuple[str, str, str], Outcome] = {}
    started: set[str] = set()
    for work in _planned(options.only, options.cache, folder, measured):
        contenders = [CONTENDERS[name] for name in work.contenders]
        run.warm(work.path)
        for contender in contenders:
            if contender.name not in started:
                # The first run compiles bytecode and reads libraries; it does not count.
                run.in_turn([contender], work.path, folder, 1, options.budget)
                started.add(contender.name)
        rounds = options.pairs * work.rounds
        print(f"{work.group}/{work.subject}", file=sys.stderr)
        outcomes = run.in_turn(contenders, work.path, folder, rounds, options.budget)
        for name, outcome in outcomes.items():
            runs[work.group, work.subject, name] = outcome
            if outcome.failure:
                print(f"bench: {name}, {work.subject}: {outcome.failure}", file=sys.stderr)
    return measured._replace(runs=runs)


def _planned(only: str, cache: str, folder: str, measured: Measured) -> Iterator[Work]:
    """Yield what to run; record the size of each wheel, or why it is absent, in `measured`."""

    def wanted(group: str, subject: str) -> bool:
        return fnmatchcase(f"{group}/{subject}", f"*{only}*")

    groups = tuple(dict.fromkeys(row.group for row in ROWS))
    for sample in wheels.SAMPLES:
        chosen = [group for group in groups if wanted(group, sample.project)]
        if not chosen:
            continue
        try:
            path = wheels.fetch(sample, cache)
        except wheels.Absent as error:
            measured.absent[sample.project] = f"{sample.version}: {error}"
            continue
        size = os.path.getsize(path) / 1e6
        measured.sizes[sample.project] = size
        for group in chosen:
            yield from _work(group, sample.project, path, size)
    made: dict[str, Callable[[], str]] = {
        DEBUG: lambda: debug.build(folder),
        GRAFT: lambda: graft.build(folder),
        LARGE: lambda: large.build(folder),
        PROJECT: lambda: _PROJECT,
    }
    for subject, make in made.items():
        chosen = [group for group in groups if wanted(group, subject)]
        try:
            path = make() if chosen else ""
        except (OSError, subprocess.CalledProcessError) as error:
            measured.absent[subject] = str(error)
            continue
        for group in chosen:
            yield from _work(group, subject, path, None)


def _work(group: str, subject: str, path: str, size: float | None) -> Iterator[Work]:
    rows = [row for row in ROWS if row.group == group and applies(row, subject, size)]
    names = (name for row in rows for name in (row.contender, row.peer) if name)
    contenders = tuple(dict.fromkeys(names))
    if contenders:
        yield Work(group, subject, path, contenders, max(row.rounds for row in rows))


if __name__ == "__main__":
    sys.exit(main())
