"""GCC arguments as zig gets them."""

from __future__ import annotations

from typing import Sequence

QUIET = ["-g0", "-fno-sanitize=all", "-Wno-error=date-time"]
MAP = "-ffile-prefix-map=/build/me=."


def name_the_arguments(notes: Sequence[str], named: Sequence[str]) -> bool:
    """Tell whether there is a whole sentence for each."""
    whole = all(not note.endswith(".") and "\n" not in note for note in notes)
    return whole and len(notes) == len(named) and all(map(str.__contains__, notes, named))
