"""`manyshim check`: verifies the files of a release before the upload, and that none is missing."""

from __future__ import annotations

import argparse
import os
from functools import partial
from typing import Sequence

from manyshim import checking
from manyshim.cli.arguments import add_audit, audit_config
from manyshim.cli.batch import kinds_of, over_files, print_hint, print_json
from manyshim.cli.inputs import other_names, release_files
from manyshim.cli.screen import Screen
from manyshim.formatters.release import (
    release_dict,
    set_lines,
    summary,
    summary_line,
    unrendered_lines,
)


def add_arguments(parser: argparse.ArgumentParser, _given: Sequence[str]) -> None:
    """Add the command's options."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a wheel, an sdist, a folder of them, or a pattern such as dist/*.whl",
    )
    parser.add_argument(
        "--like",
        metavar="OTHER",
        help="a folder, or a text file with one file name on each line: the files must be for the "
        "same Pythons and platforms as these, and more are accepted",
    )
    add_audit(parser)


def run(options: argparse.Namespace) -> int:
    """Check each file, then the set of them; return the exit code."""
    request = audit_config(options).request
    like = None if options.like is None else other_names(options.like)
    files, several = release_files(options.files)
    screen = Screen(plain=options.json)
    work = partial(checking.check, request=request, verbose=options.verbose)
    done = over_files(options, files, work, screen)
    names = [os.path.basename(file) for file in files]
    judged = several or like is not None
    sets = checking.check_set(names, like, request) if judged else []
    numbers = summary(names, done.codes, sets)
    if options.json:
        print_json(release_dict(done.data, sets, numbers))
    else:
        of_sets = set_lines(sets, verbose=options.verbose)
        screen.print_lines(of_sets)
        screen.print_lines(unrendered_lines(done.data))
        screen.print_lines([summary_line(numbers)] if len(files) > 1 else [])
        print_hint(list(dict.fromkeys((*done.kinds, *kinds_of(of_sets)))))
    return max(*done.codes, *(int(bool(one.errors)) for one in sets), 0)
