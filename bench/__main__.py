"""The command: download the wheels, run the contenders in turn, print the table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping

from bench import instructions, plan, plot, report, run, subjects, wheels
from bench.contenders import CONTENDERS
from bench.places import OTHER, THIS, Places
from bench.plan import Work
from bench.report import Measured
from bench.run import Outcome, Run
from bench.table import COUNTED, COUNTED_OTHER, INSTRUCTIONS


def main() -> int:
    """Measure, or read the data of an earlier run, and print it; return the exit code."""
    options = _options()
    works = list(plan.planned(options.only or ["*"]))
    if options.list:
        for line in _listed(works, options.cache):
            print(line)
        return 0
    if options.replay:
        with open(options.replay, encoding="utf-8") as file:
            measured = report.from_dict(json.load(file))
    else:
        os.makedirs(options.cache, exist_ok=True)
        with run.scratch(options.cache) as folder:
            measured = _measure(works, options, folder)
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
        help="seconds of one program on one wheel after which two rounds are enough",
    )  # fmt: skip
    parser.add_argument(
        "--only", action="append", metavar="PATTERN",
        help="run only this, a glob in GROUP/SUBJECT, such as numpy, retag/* or audit/py*; may be "
        "repeated; nothing is downloaded for other rows",
    )  # fmt: skip
    parser.add_argument(
        "--list", action="store_true",
        help="list what would run, and the wheels that would be downloaded; run nothing",
    )  # fmt: skip
    parser.add_argument(
        "--against", metavar="CHECKOUT",
        help="compare the shim and the instructions with this checkout or wheel of manyshim",
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


def _listed(works: Iterable[Work], cache: str) -> Iterator[str]:
    wanted: dict[wheels.Sample, None] = {}
    for work in works:
        yield f"{work.group}/{work.subject}: {', '.join(work.contenders)}"
        wanted.update(dict.fromkeys(work.needs))
    for sample in wanted:
        where = "in the cache" if wheels.is_there(sample, cache) else "to be downloaded"
        yield f"wheel {sample.project} {sample.version}, {sample.size} MB: {where}"


def _measure(works: Iterable[Work], options: argparse.Namespace, folder: str) -> Measured:
    measured = Measured(report.versions(), {}, {}, {})
    places = Places(options.cache, folder, options.against)
    paths: dict[str, str] = {}
    started: set[str] = set()
    cases = []
    for work in works:
        if work.group == INSTRUCTIONS:
            cases.append(work.subject)
            continue
        if work.subject in measured.absent:
            continue
        if work.subject not in paths:
            try:
                path = subjects.path(work.subject, options.cache, folder)
            except subjects.FAILURES as error:
                measured.absent[work.subject] = str(error)
                continue
            paths[work.subject] = path
            if os.path.isfile(path):
                measured.sizes[work.subject] = os.path.getsize(path) / 1e6
        rounds = run.Rounds(folder, places, options.pairs * work.rounds, options.budget)
        outcomes = _run(work, paths[work.subject], rounds, started)
        measured.runs.update(
            ((work.group, work.subject, name), outcome) for name, outcome in outcomes.items()
        )
    measured.runs.update(_counted(cases, options, folder))
    return measured


def _run(work: Work, path: str, rounds: run.Rounds, started: set[str]) -> Mapping[str, Outcome]:
    """Run the contenders in turn; those that are not in `started` run once before."""
    contenders = [CONTENDERS[name] for name in work.contenders]
    print(f"{work.group}/{work.subject}", file=sys.stderr)
    run.warm(path)
    for contender in contenders:
        if contender.name not in started:
            # The first run compiles bytecode and reads libraries; it does not count.
            run.in_turn([contender], path, rounds._replace(pairs=1))
            started.add(contender.name)
    outcomes = run.in_turn(contenders, path, rounds)
    for name, outcome in outcomes.items():
        if outcome.failure:
            print(f"bench: {name}, {work.subject}: {outcome.failure}", file=sys.stderr)
    return outcomes


def _counted(
    cases: list[str], options: argparse.Namespace, parent: str
) -> dict[tuple[str, str, str], Outcome]:
    """Count the instructions of each case; where that is impossible, each row says why."""
    names = {THIS: COUNTED, OTHER: COUNTED_OTHER}
    missing = {} if options.against else {OTHER: "no --against CHECKOUT"}
    found: dict[tuple[str, str], Outcome] = {}
    try:
        with run.scratch(parent) as folder:
            if cases:
                counts = instructions.measure(cases, options.cache, folder, options.against)
                for case, side, number in counts:
                    if isinstance(number, str):
                        found[case, side] = Outcome([], number)
                    else:
                        found[case, side] = Outcome([Run(number, 0)])
    except instructions.FAILURES as error:
        print(f"bench: {INSTRUCTIONS}: {error}", file=sys.stderr)
        missing = dict.fromkeys(names, str(error))
    return {
        (INSTRUCTIONS, case, name): found.get((case, side), Outcome([], missing.get(side, "")))
        for case in cases
        for side, name in names.items()
    }


if __name__ == "__main__":
    sys.exit(main())
