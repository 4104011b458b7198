"""`manyshim check`: verifies the files of a release before the upload, and that none is missing."""

from __future__ import annotations

import argparse
import os
from functools import partial

from manyshim import checking
from manyshim.cli.batch import over_files, print_json
from manyshim.cli.inputs import other_names, release_files
from manyshim.cli.requests import audit_config
from manyshim.cli.screen import Screen
from manyshim.formatters.release import (
    release_dict,
    set_lines,
    summary,
    summary_line,
    unrendered_lines,
)


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
        screen.print_lines(set_lines(sets, verbose=options.verbose))
        screen.print_lines(unrendered_lines(done.data))
        screen.print_lines([summary_line(numbers)] if len(files) > 1 else [])
    return max(*done.codes, *(int(bool(one.errors)) for one in sets), 0)
