"""entry_points.txt, read as the index reads it (PyPA specification "Entry points")."""

from __future__ import annotations

import configparser
import re
from typing import List, Optional

from manyshim.audit.gate.facts import EntryPoint, EntryPointFacts
from manyshim.formats.wheel.wheel import Wheel

# In bytes. The longest of 578 wheels has 1,364.
_MAX_SIZE = 1 << 20
_MAX_SCRIPTS = 10_000
GROUPS = ("console_scripts", "gui_scripts")


def read(wheel: Wheel) -> Optional[EntryPointFacts]:
    """Read entry_points.txt; None without one. Raises InvalidWheelError if it is damaged."""
    data = wheel.dist_info_data("entry_points.txt", _MAX_SIZE)
    return None if data is None else parse(data)


def parse(data: bytes) -> EntryPointFacts:
    """Read the bytes of entry_points.txt."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return EntryPointFacts(problem=f"it is not UTF-8: {error.reason}")
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    # Names of entry points are case-sensitive.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        # Long runs of spaces take quadratic time, and their length has no meaning.
        parser.read_string(re.sub(r"(?<=\S)[^\S\n]{2,}(?=\S)", " ", text))
    except configparser.Error as error:
        return EntryPointFacts(problem=" ".join(str(error).split()))
    found: List[EntryPoint] = []
    for group in GROUPS:
        if parser.has_section(group):
            found += [EntryPoint(group, *pair) for pair in parser.items(group)]
    semicolon = any(line.lstrip().startswith(";") for line in text.splitlines())
    return EntryPointFacts(tuple(found[:_MAX_SCRIPTS]), semicolon=semicolon)
