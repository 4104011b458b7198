"""Arguments that zig always gets, and a check of notes."""

from __future__ import annotations

from typing import Sequence

QUIET = ["-g0", "-fno-sanitize=all", "-Wno-error=date-time"]
MAP = "-ffile-prefix-map=/build/project=."


def name_the_arguments(notes: Sequence[str], named: Sequence[str]) -> bool:
    """Return whether each note is one line without a full stop, and names its argument."""
    single_lines = all(not note.endswith(".") and "\n" not in note for note in notes)
    return single_lines and len(notes) == len(named) and all(map(str.__contains__, notes, named))
