"""Show that two checkouts of manyshim behave the same: `compare_behaviour.py OTHER_CHECKOUT`.

The first checkout is the one that this script is in. Each command runs in a fresh process, on
both sides with the same paths, on published wheels, on the wheels that the tests write, on wheels
compiled here that need a repair, and on those in given folders. The exit code is 1 if anything
differs, and 2 if a wheel or a checkout is not available.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import compared
import compared_grafts
from compared import Subject, Unavailable
from compared_runs import Command, Comparison, Side, compare, make_side, package_path

_HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_SETS = ("published", "own", "grafts")
# Larger wheels are not patched or stripped: that takes long, and what it does is the same.
_SMALL = 3 << 20
_FIX = ("--fix", "execstack", "--fix", "rpath", "--fix", "musl-soname")
_COMMANDS = (
    Command("show", ("show", "--json")),
    Command("show", ("show", "-v")),
    Command("show", ("show", "--json", "--strict", "--naming", "exact")),
    Command("check", ("check", "--json")),
    Command("check", ("check", "-v")),
    Command("retag", ("retag", "-w", "out")),
    Command("retag", ("retag", "-w", "out", "--json", *_FIX), _SMALL),
    Command("retag", ("retag", "-w", "out", "--json", "--strip", "debug"), _SMALL),
    Command("repair", ("repair", "-w", "out"), _SMALL),
    Command("repair", ("repair", "--dry-run", "--json"), _SMALL),
)
_GRAFT_COMMANDS = (
    *_COMMANDS,
    Command("repair", ("repair", "-w", "out", "--library-path", "{libs}")),
    Command("repair", ("repair", "-w", "out", "--json", "--strip", "all", *_FIX)),
    Command(
        "repair",
        (
            *("repair", "-w", "out", "--no-sbom", "--compression-level", "9"),
            *("--library-path", "{libs}", "--bundle", "lib*"),
        ),
    ),
)
_BRIEF_COMMANDS = (
    Command("show", ("show", "--json")),
    Command("check", ("check", "--json")),
    Command("retag", ("retag", "-w", "out")),
)
_COMMANDS_OF = {"wheel": _COMMANDS, "graft": _GRAFT_COMMANDS, "brief": _BRIEF_COMMANDS}
_GROUPS = tuple(dict.fromkeys(command.group for command in _COMMANDS))


class _Pair(NamedTuple):
    """The two sides, where they work, and how they are compared."""

    first: Side
    second: Side
    scratch: str
    commands: Sequence[str]
    renames: Mapping[str, str] | None


class _Compared(NamedTuple):
    """What came out for one command on one wheel."""

    command: Command
    arguments: str
    result: Comparison


def main() -> int:
    """Compare the two checkouts; return the exit code."""
    options = _options()
    began = time.monotonic()
    os.makedirs(options.cache, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="manyshim-compare-") as scratch:
        try:
            pair = _pair(options, scratch)
            subjects = _subjects(options, scratch)
        except Unavailable as error:
            print(f"compare_behaviour: error: {error}", file=sys.stderr)
            return 2
        differs = _compare_all(pair, subjects, options.jobs)
    print(f"{time.monotonic() - began:.0f} seconds")
    return 1 if differs else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", metavar="OTHER_CHECKOUT", help="the checkout to compare with")
    parser.add_argument("--wheels", nargs="+", default=[], metavar="DIR", help="more wheels")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument(
        "--sets", nargs="*", choices=_SETS, default=_SETS, help="default: all of them"
    )
    parser.add_argument(
        "--commands", nargs="+", choices=_GROUPS, default=_GROUPS, help="default: all of them"
    )
    parser.add_argument(
        "--only-facts", action="store_true",
        help="compare exit codes, files and the facts in JSON output, but no sentences",
    )  # fmt: skip
    parser.add_argument(
        "--rename", action="append", default=[], metavar="OLD=NEW", type=_rename,
        help="a kind of finding: OLD in OTHER_CHECKOUT, NEW in this one; needs --only-facts",
    )  # fmt: skip
    parser.add_argument("--cache", default=compared.default_cache(), metavar="DIR")
    options = parser.parse_args()
    if options.rename and not options.only_facts:
        parser.error("--rename needs --only-facts: sentences and their order contain the name too")
    return options


def _rename(text: str) -> tuple[str, str]:
    old, separator, new = text.partition("=")
    if not (old and separator and new):
        raise argparse.ArgumentTypeError(f"{text!r} is not OLD=NEW")
    return old, new


def _pair(options: argparse.Namespace, scratch: str) -> _Pair:
    """Return the two sides. Raises Unavailable if a side would run another manyshim."""
    sides = []
    for number, checkout in enumerate((_HERE, os.path.realpath(options.other))):
        bytecode = os.path.join(scratch, f"bytecode-{number}")
        side = make_side(checkout, bytecode, scratch)
        found = package_path(side)
        if not found.startswith(os.path.join(checkout, "backend", "")):
            raise Unavailable(f"{checkout}: manyshim is imported from {found}")
        sides.append(side)
    renames = dict(options.rename) if options.only_facts else None
    return _Pair(sides[0], sides[1], scratch, options.commands, renames)


def _subjects(options: argparse.Namespace, scratch: str) -> list[Subject]:
    """Return all the wheels, and say which cannot be made on this machine."""
    subjects: list[Subject] = []
    if "published" in options.sets:
        subjects += compared.published(_HERE, options.cache, options.jobs)
    if "own" in options.sets:
        subjects += compared.own(_HERE, options.cache, options.jobs)
    if "grafts" in options.sets:
        folder = os.path.join(scratch, "grafts")
        os.makedirs(folder)
        built, reasons = compared_grafts.build(folder)
        subjects += built
        for reason in reasons:
            print(reason)
    return subjects + compared.given(options.wheels)


def _compare_all(pair: _Pair, subjects: Sequence[Subject], jobs: int) -> bool:
    """Compare all commands on all wheels, print the differences; return whether there are any."""
    runs: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    wrote: Counter[str] = Counter()
    crashes: list[str] = []
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(partial(_compare_one, pair), range(len(subjects)), subjects)
        for subject, compared_commands in zip(subjects, results):
            for command, arguments, result in compared_commands:
                runs[command.group] += 1
                wrote[command.group] += bool(result.wrote)
                if result.crashed:
                    crashes.append(f"{subject.label}: {arguments}: ends with a traceback")
                if result.difference:
                    differing[command.group] += 1
                    print(f"{subject.label}: {arguments}")
                    print("\n".join(f"  {line}" for line in result.difference), flush=True)
    for line in crashes:
        print(line)
    print(_summary(len(subjects), runs, differing, wrote))
    return bool(differing) or not runs


def _compare_one(pair: _Pair, number: int, subject: Subject) -> list[_Compared]:
    """Run each command on a wheel, in a folder of its own."""
    folder = os.path.join(pair.scratch, f"wheel-{number}")
    os.makedirs(folder)
    size = os.path.getsize(subject.path)
    compared_commands = []
    for command in _COMMANDS_OF[subject.role]:
        if command.group in pair.commands and size <= command.largest:
            arguments = [one.format(libs=subject.libraries) for one in command.arguments]
            result = compare(
                [*arguments, subject.path], pair.first, pair.second, folder, pair.renames
            )
            compared_commands.append(_Compared(command, " ".join(arguments), result))
    return compared_commands


def _summary(
    number: int, runs: Mapping[str, int], differing: Mapping[str, int], wrote: Mapping[str, int]
) -> str:
    """Return the last line: for each group whether it is equal, and how much was compared."""
    parts = []
    for group, count in runs.items():
        said = f"{differing[group]} differ" if differing[group] else "equal"
        written = f", {wrote[group]} wrote files" if wrote[group] else ""
        parts.append(f"{group} {said} ({count} runs{written})")
    return f"{number} wheels: {', '.join(parts)}"


if __name__ == "__main__":
    sys.exit(main())
