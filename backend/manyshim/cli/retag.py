"""`manyshim retag`: writes each wheel under the tag that is proved for it."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Sequence

from manyshim import retagging
from manyshim.cli.arguments import add_wheels, add_writing, writing_config
from manyshim.cli.batch import over_wheels


def add_arguments(parser: argparse.ArgumentParser, _given: Sequence[str]) -> None:
    """Add the command's options."""
    add_wheels(parser)
    add_writing(parser, needed=True)


def run(options: argparse.Namespace) -> int:
    """Retag each wheel; return the exit code."""
    config = writing_config(options)
    asked = retagging.Options(verbose=options.verbose, rebuild=options.rebuild_record)
    work = partial(retagging.retag, folder=options.wheel_dir, config=config, options=asked)
    return over_wheels(options, work)
