"""`manyshim check`: verifies each wheel's tags, and that the package index accepts it."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Sequence

from manyshim import checking
from manyshim.cli.arguments import add_wheels, audit_config
from manyshim.cli.batch import over_wheels


def add_arguments(parser: argparse.ArgumentParser, _given: Sequence[str]) -> None:
    """Add the command's options."""
    add_wheels(parser)


def run(options: argparse.Namespace) -> int:
    """Check each wheel; return the exit code."""
    request = audit_config(options).request
    work = partial(checking.check, request=request, verbose=options.verbose)
    return over_wheels(options, work)
