"""`manyshim repair`: copies external libraries into each wheel, and retags it."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Sequence

from manyshim import retagging
from manyshim.cli.arguments import add_wheels, add_writing, meaning, parsed, writing_config
from manyshim.cli.batch import over_wheels


def add_arguments(parser: argparse.ArgumentParser, given: Sequence[str]) -> None:
    """Add the command's options; a dry run does not need the folder."""
    add_wheels(parser)
    add_writing(parser, needed="--dry-run" not in given)
    parser.add_argument("--bundle", action="append", metavar="GLOB", help=meaning("bundle"))
    parser.add_argument(
        "--library-path", action="append", default=[], metavar="DIR", help=meaning("library-path")
    )
    parser.add_argument("--sysroot", metavar="DIR", help=meaning("sysroot"))
    parser.add_argument(
        "--no-sbom", action="store_true", help="do not write an SBOM of what the repair copied"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")


def run(options: argparse.Namespace) -> int:
    """Repair each wheel; return the exit code."""
    bundle = ("*",) if options.bundle is None else parsed("bundle", options.bundle)
    config = writing_config(options)._replace(
        mode="repair",
        bundle=bundle,
        library_path=parsed("library-path", options.library_path),
        sysroot=options.sysroot,
        sbom=not options.no_sbom,
    )
    asked = retagging.Options(options.dry_run, options.verbose, options.rebuild_record)
    work = partial(retagging.retag, folder=options.wheel_dir, config=config, options=asked)
    return over_wheels(options, work)
