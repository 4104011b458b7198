"""The options that several commands share, and the Config that they give."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, List

from manyshim.cli.screen import put
from manyshim.config import Config, environment_platform
from manyshim.errors import printable
from manyshim.options import BY_KEY
from manyshim.optiontypes import renamed_kinds
from manyshim.surroundings import epoch


def add_wheels(parser: argparse.ArgumentParser) -> None:
    """Add the wheels, and the options of their audit."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL")
    add_audit(parser)


def add_audit(parser: argparse.ArgumentParser) -> None:
    """Add the options of an audit."""
    parser.add_argument("--platform", metavar="POLICY", help=meaning("platform"))
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help=meaning("exclude")
    )
    parser.add_argument(
        "--allow", action="append", default=[], metavar="KIND:GLOB", help=meaning("allow")
    )
    parser.add_argument(
        "--naming", choices=("listed", "exact"), default="listed", help=meaning("naming")
    )
    strict = BY_KEY["strict"]
    parser.add_argument("--strict", action="store_true", help=f"{strict.meaning}; {strict.details}")
    parser.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="number of processes; 0: one per CPU"
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="also show informational findings"
    )


def add_writing(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    """Add the folder for the wheels, and the options that change them.

    `needed` makes the folder a required option.
    """
    parser.add_argument(
        "-w", "--wheel-dir", metavar="DIR", required=needed, help="the folder for the new wheels"
    )
    parser.add_argument("--fix", action="append", default=[], metavar="NAME", help=meaning("fix"))
    parser.add_argument(
        "--strip", choices=("none", "debug", "all"), default="none", help=meaning("strip")
    )
    parser.add_argument(
        "--no-trial",
        action="store_true",
        help="do not load changed libraries, for wheels that you do not trust; without this "
        "option, `repair`, --fix and --strip run code of the wheel on this machine",
    )
    parser.add_argument(
        "--compression-level", default="6", metavar="0-9", help=meaning("compression-level")
    )
    parser.add_argument(
        "--rebuild-record",
        action="store_true",
        help="write RECORD anew from the archive, even if it states other hashes",
    )


def meaning(key: str) -> str:
    """Return the meaning of an option for the help, without Markdown."""
    return BY_KEY[key].meaning.replace("`", "")


def audit_config(options: argparse.Namespace) -> Config:
    """Return the configuration of an audit, which reads no environment. Raises ConfigError."""
    _print_notices(renamed_kinds(BY_KEY["allow"], options.allow))
    return Config(
        platform=parsed("platform", "auto" if options.platform is None else options.platform),
        exclude=parsed("exclude", options.exclude),
        allow=parsed("allow", options.allow),
        strict=options.strict,
        naming=options.naming,
    )


def writing_config(options: argparse.Namespace) -> Config:
    """Return the configuration of a command that writes wheels. Raises ConfigError.

    Without --platform, MANYSHIM_PLATFORM or AUDITWHEEL_PLAT suggests the platform. The date comes
    from SOURCE_DATE_EPOCH.
    """
    notices: List[str] = []
    config = audit_config(options)._replace(
        fix=parsed("fix", options.fix),
        strip=options.strip,
        trial=not options.no_trial,
        compression_level=parsed("compression-level", options.compression_level),
        epoch=epoch(os.environ),
        suggested=None
        if options.platform is not None
        else environment_platform(os.environ, notices),
    )
    _print_notices(notices)
    return config


def parsed(key: str, value: object) -> Any:  # noqa: ANN401 (each option has its own type)
    """Return the value of an option, parsed as in a build. Raises ConfigError."""
    option = BY_KEY[key]
    if isinstance(value, list):
        # As in a build, each value of a repeated option may be a comma-separated list.
        value = ",".join(value)
    return option.parse(option, value)


def _print_notices(lines: List[str]) -> None:
    for line in lines:
        put(printable(f"manyshim: {line}"), sys.stderr)
