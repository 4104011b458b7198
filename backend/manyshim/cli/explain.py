"""`manyshim explain`: what a kind of finding means, why it matters, and how to fix it."""

from __future__ import annotations

import shutil
import sys
from types import SimpleNamespace
from typing import List

from manyshim.audit.findings import KINDS
from manyshim.cli.formats import print_json
from manyshim.cli.screen import Screen
from manyshim.errors import ConfigError, shorten
from manyshim.formatters.explain import explanation_dict, explanation_lines, list_lines
from manyshim.formatters.json import JSON_VERSION
from manyshim.formatters.text import Line
from manyshim.optiontypes import closest, known_kind

# Longer lines are hard to read.
_MAX_WIDTH = 100


def run(options: SimpleNamespace) -> int:
    """Explain each kind, or list all; return the exit code."""
    kinds = list(dict.fromkeys(map(_kind, options.kinds)))
    if options.json:
        rows = [explanation_dict(kind) for kind in kinds or KINDS]
        print_json({"version": JSON_VERSION, "kinds": rows})
        return 0
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    width = width if sys.stdout.isatty() else _MAX_WIDTH
    lines: List[Line] = []
    for kind in kinds:
        lines += [*([Line("")] if lines else []), *explanation_lines(kind, width)]
    Screen().print_lines(lines or list_lines(width))
    return 0


def _kind(word: str) -> str:
    """Return the kind that a word of the command line names. Raises ConfigError."""
    kind = known_kind(word)
    if kind is None:
        close = closest(word.upper().replace("-", "_"), tuple(KINDS))
        hint = f"did you mean {close!r}?" if close else "`manyshim explain` lists all kinds"
        raise ConfigError(f"{shorten(word) or repr(word)} is not a kind of finding; {hint}")
    return kind
