"""`manyshim check`: verifies the files of a release before the upload, and that none is missing."""

from __future__ import annotations

import os
from functools import partial
from types import SimpleNamespace
from typing import Any, Dict

from manyshim import checking
from manyshim.cli.arguments import TEXT
from manyshim.cli.batch import over_files
from manyshim.cli.formats import explains, format_of, print_data
from manyshim.cli.hint import kinds_of, print_hint
from manyshim.cli.requests import audit_request
from manyshim.cli.screen import Screen
from manyshim.formatters.release import (
    release_dict,
    set_lines,
    summary,
    summary_line,
    unrendered_lines,
)
from manyshim.inputs import other_names, release_files
from manyshim.values import NamedTuple


def run(options: SimpleNamespace) -> int:
    """Check each file, then the set of them; return the exit code."""
    checked = verify(options)
    if format_of(options) != TEXT:
        print_data(options, checked.data, checked.code)
    return checked.code


class Checked(NamedTuple):
    """The exit code, and what was found, for machines."""

    code: int
    data: Dict[str, Any]


def verify(options: SimpleNamespace, *, complete: bool = True) -> Checked:
    """Check each file, then the set of them, and print what was found unless it is for machines.

    Without `complete`, the files are a part of a release.
    """
    request = audit_request(options)
    like = None if options.like is None else other_names(options.like)
    machine = format_of(options) != TEXT
    files, several = release_files(options.files)
    screen = Screen(plain=machine)
    work = partial(
        checking.check, request=request, verbose=options.verbose, explain=explains(options)
    )
    done = over_files(options, files, work, screen)
    names = [os.path.basename(file) for file in files]
    sets = checking.check_set(files, like, request, several=several and complete)
    numbers = summary(names, done.codes, sets)
    if not machine:
        of_sets = set_lines(sets, verbose=options.verbose)
        screen.print_lines(of_sets)
        screen.print_lines(unrendered_lines(done.data))
        screen.print_lines([summary_line(numbers)] if len(files) > 1 else [])
        print_hint(list(dict.fromkeys((*done.kinds, *kinds_of(of_sets)))))
    code = checking.exit_code(done.codes, sets)
    return Checked(code, release_dict(done.data, sets, numbers))
