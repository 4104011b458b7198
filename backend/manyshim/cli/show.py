"""`manyshim show`: the tag that is proved for each wheel, and what rules out older ones."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Sequence

from manyshim import operations
from manyshim.cli.arguments import add_wheels, audit_config
from manyshim.cli.batch import over_wheels
from manyshim.cli.formats import add_format, explains


def add_arguments(parser: argparse.ArgumentParser, _given: Sequence[str]) -> None:
    """Add the command's options."""
    add_wheels(parser)
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Audit each wheel; return the exit code."""
    request = audit_config(options).request
    work = partial(
        operations.show, request=request, verbose=options.verbose, explain=explains(options)
    )
    return over_wheels(options, work)
