"""The line after the findings of a run: which command says more about their kinds."""

from __future__ import annotations

import sys

from manyshim.audit.findings import KINDS
from manyshim.cli.screen import Screen
from manyshim.formatters.text import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List

_MAX_KINDS_NAMED = 3


def kinds_of(lines: Iterable[Line]) -> List[str]:
    """Return the kinds of the findings that lines are about, each once."""
    # A line about a finding ends with its kind.
    found = (line.text.rpartition(" [")[2] for line in lines if line.text.endswith("]"))
    return list(dict.fromkeys(word[:-1] for word in found if word[:-1] in KINDS))


def print_hint(kinds: List[str]) -> None:
    """Print which command says more about the kinds of findings, on a terminal only."""
    if kinds and sys.stdout.isatty():
        named = " ".join(kinds[:_MAX_KINDS_NAMED])
        Screen().print_lines([Line(f"to learn more: manyshim explain {named}", "dim")])
