"""The formats for machines: how `show` and `check` print the JSON object of a run."""

from __future__ import annotations

import os
from types import SimpleNamespace

from manyshim import __version__
from manyshim.cli.arguments import GITHUB, JSON, JUNIT, SARIF, TEXT
from manyshim.cli.screen import put
from manyshim.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict


def format_of(options: SimpleNamespace) -> str:
    """Return the format that the options ask for; `--json` is short for `--format json`.

    Raises ConfigError if they ask for two.
    """
    asked = getattr(options, "format", None)
    if options.json and asked not in (None, JSON):
        raise ConfigError(f"--json and --format {asked} ask for two formats; give one of them")
    return JSON if options.json else asked or TEXT


def explains(options: SimpleNamespace) -> bool:
    """Whether to search source lines, which takes a further pass over libraries."""
    wanted: str = options.explain
    return wanted == "always" or (wanted == "auto" and format_of(options) in (GITHUB, SARIF))


def print_data(options: SimpleNamespace, data: Dict[str, Any], code: int) -> None:
    """Print the results of all files in a format for machines; `code` is the exit code."""
    asked = format_of(options)
    if asked == GITHUB:
        from manyshim import github_actions  # noqa: PLC0415 (only for this format)

        for line in github_actions.annotate(data, os.environ):
            put(line)
    elif asked == SARIF:
        from manyshim.formatters import sarif  # noqa: PLC0415
        from manyshim.repository import Repository  # noqa: PLC0415

        locate = Repository.around(os.environ).locate
        print_json(sarif.to_sarif(data, options.command, code, locate, __version__))
    elif asked == JUNIT:
        from manyshim.formatters import junit  # noqa: PLC0415

        put(junit.to_junit(data, options.command))
    else:
        print_json(data)


def print_json(data: Dict[str, Any]) -> None:
    """Print data as JSON on standard output."""
    import json  # noqa: PLC0415 (only for machines)

    # Not all at once: the names in an archive may have many megabytes.
    for piece in json.JSONEncoder(indent=1).iterencode(data):
        put(piece, end="")
    put("")
