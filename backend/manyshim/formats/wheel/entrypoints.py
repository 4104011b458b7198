"""entry_points.txt, as configparser reads it (entry points specification); only for `check`."""

from __future__ import annotations

import configparser
import io
from typing import List, Tuple

from manyshim.audit.gate.facts import EntryPoints

# In bytes. The largest of 423 wheels has 40 KiB.
MAX_SIZE = 4 << 20
_SCRIPTS = ("console_scripts", "gui_scripts")
_MAX_ERROR = 200


def read(data: bytes) -> EntryPoints:
    """Read the scripts of entry_points.txt."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return EntryPoints(error=f"it is not UTF-8: {error.reason} at byte {error.start}")
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    # Names of entry points are case-sensitive.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_file(io.StringIO(text), "entry_points.txt")
    except configparser.Error as error:
        return EntryPoints(error=" ".join(str(error).split())[:_MAX_ERROR])
    scripts: List[Tuple[str, str, str]] = [
        (group, name, value or "")
        for group in _SCRIPTS
        if parser.has_section(group)
        for name, value in parser.items(group, raw=True)
    ]
    semicolon = any(line.lstrip().startswith(";") for line in text.splitlines())
    return EntryPoints(tuple(scripts), semicolon)
