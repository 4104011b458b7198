"""`manyshim check`: verifies the files of a release before the upload, alone and together."""

from __future__ import annotations

import argparse
import os
from functools import partial
from typing import Any, Dict, List, Optional, Sequence, Tuple

from manyshim import checking
from manyshim.audit.request import Request
from manyshim.cli.arguments import add_wheels, audit_config
from manyshim.cli.batch import Conclusion, over_wheels
from manyshim.cli.inputs import expand, names_of
from manyshim.formatters.text import Line, summary_line
from manyshim.operations import Outcome


def add_arguments(parser: argparse.ArgumentParser, _given: Sequence[str]) -> None:
    """Add the command's options."""
    add_wheels(parser, "FILE")
    parser.add_argument(
        "--like",
        metavar="SET",
        help="a folder of files, or a text file with one name a line: the files must be for the "
        "same Pythons and platforms",
    )


def run(options: argparse.Namespace) -> int:
    """Check each file, then the files of each project together; return the exit code."""
    request = audit_config(options).request
    like = names_of(options.like) if options.like is not None else None
    given: List[str] = options.wheels
    options.wheels = expand(given)
    # Who checks one file asks about that file.
    together = options.wheels != given or len(given) > 1 or like is not None
    work = partial(checking.check, request=request, verbose=options.verbose)
    return over_wheels(options, work, partial(_conclude, request, like, together=together))


def _conclude(
    request: Request,
    like: Optional[Sequence[str]],
    paths: Sequence[str],
    outcomes: Sequence[Outcome],
    *,
    together: bool,
) -> Conclusion:
    """Judge the files of each project together, and count the files."""
    names = [os.path.basename(path) for path in paths]
    sets = checking.check_sets(names, like, request) if together else []
    wheels, sdists = _sorted(paths, outcomes)
    refused = sum(outcome.code == 1 for outcome in outcomes)
    unreadable = sum(outcome.code > 1 for outcome in outcomes)
    lines: List[Line] = [line for one in sets for line in one.lines]
    if len(paths) > 1:
        lines.append(summary_line(len(wheels), len(sdists), refused, unreadable))
    counts = {"wheels": len(wheels), "sdists": len(sdists)}
    data: Dict[str, Any] = {
        "wheels": wheels,
        "sdists": sdists,
        "sets": [one.data for one in sets],
        "summary": {**counts, "refused": refused, "unreadable": unreadable},
    }
    return Conclusion(max([0, *(one.code for one in sets)]), lines, data)


def _sorted(
    paths: Sequence[str], outcomes: Sequence[Outcome]
) -> Tuple[List[Dict[str, Any]], List[Dict[str, Any]]]:
    """Return the data of the wheels, and of the sdists; also of those that cannot be read."""
    wheels: List[Dict[str, Any]] = []
    sdists: List[Dict[str, Any]] = []
    for path, outcome in zip(paths, outcomes):
        data = outcome.data
        if not checking.is_sdist(path):
            wheels.append(data)
        elif "sdist" in data:
            sdists.append(data)
        else:
            keys = ("findings", "error", "internal")
            sdists.append({"sdist": data["wheel"], **{key: data[key] for key in keys}})
    return wheels, sdists
