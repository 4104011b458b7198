"""The options that several commands share, and the configuration that they come down to."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from manyshim.config import Config, epoch
from manyshim.options import BY_KEY, renamed_kinds


def add_wheels(parser: argparse.ArgumentParser) -> None:
    """Add the wheels, and what is asked of their audit."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL")
    parser.add_argument("--platform", default="auto", metavar="P", help="the policy asked for")
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB",
        help="a library that the wheel's environment provides",
    )  # fmt: skip
    parser.add_argument(
        "--allow", action="append", default=[], metavar="KIND:GLOB", help="an accepted error"
    )
    parser.add_argument(
        "--naming", choices=("listed", "exact"), default="listed", help="policies to choose from"
    )
    parser.add_argument("--strict", action="store_true", help="take likely crashes for errors")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes at once")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is mere information")


def add_writing(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    """Add where wheels are written and what is changed in them; `needed` asks for the folder."""
    parser.add_argument("-w", "--wheel-dir", metavar="DIR", required=needed, help="where to write")
    parser.add_argument(
        "--fix", action="append", default=[], metavar="NAME",
        help="mend ELF files: execstack, rpath, musl-soname",
    )  # fmt: skip
    parser.add_argument(
        "--strip", choices=("none", "debug", "all"), default="none", help="strip the ELF files"
    )
    parser.add_argument(
        "--compression-level", default="6", metavar="0-9", help="for the members that change"
    )


def audit_config(options: argparse.Namespace) -> Config:
    """Return the configuration of an audit. Raises ConfigError."""
    for line in renamed_kinds(BY_KEY["allow"], options.allow):
        print(f"manyshim: {line}", file=sys.stderr)
    return Config(
        platform=parsed("platform", options.platform),
        exclude=parsed("exclude", options.exclude),
        allow=parsed("allow", options.allow),
        strict=options.strict,
        naming=options.naming,
        epoch=epoch(os.environ),
    )


def writing_config(options: argparse.Namespace) -> Config:
    """Return the configuration of a command that writes wheels. Raises ConfigError."""
    return audit_config(options)._replace(
        fix=parsed("fix", options.fix),
        strip=options.strip,
        compression_level=parsed("compression-level", options.compression_level),
    )


def parsed(key: str, value: object) -> Any:  # noqa: ANN401 (what the option holds)
    """Parse the value of an option as in a configuration. Raises ConfigError."""
    option = BY_KEY[key]
    return option.parse(option, value)
