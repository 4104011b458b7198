"""The Config that the options of a command and the environment give."""

from __future__ import annotations

import argparse
import os

from manyshim.cli.screen import notice
from manyshim.config import Config, environment_platform
from manyshim.errors import ToolError, shorten
from manyshim.options import BY_KEY
from manyshim.optiontypes import renamed_kinds
from manyshim.surroundings import epoch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List


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


def refuse_file(folder: str) -> None:
    """Raise ToolError if the folder for new wheels is a file."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        what = "cannot be written: it is a file, and -w names the folder for the new wheels"
        raise ToolError(f"-w {shorten(folder)}: {what}")


def parsed(key: str, value: object) -> Any:  # noqa: ANN401 (each option has its own type)
    """Return the value of an option, parsed as in a build. Raises ConfigError."""
    option = BY_KEY[key]._replace(key=f"--{key}")
    if isinstance(value, list):
        # As in a build, each value of a repeated option may be a comma-separated list.
        value = ",".join(value)
    return option.parse(option, value)


def _print_notices(lines: List[str]) -> None:
    for line in lines:
        notice(line)
