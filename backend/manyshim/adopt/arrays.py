"""Add and remove entries of a TOML array, with its form and its comments kept."""

from __future__ import annotations

import re
from typing import Iterator, List, Optional

from manyshim.values import NamedTuple

# A comment, a text (the two forms of several lines first), a bracket, a comma, or anything else.
_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}'
    r'|"(?:\\.|[^"\\])*"|\'[^\']*\'|(?P<open>[\[{])|(?P<close>[\]}])|(?P<comma>,)|[^\s,\[\]{}#"\']+',
    re.DOTALL,
)


class _Part(NamedTuple):
    kind: str  # "entry", "comma" or "comment"
    start: int
    end: int


def with_entry(array: str, entry: str, newline: str) -> str:
    """Return an array's text with one more entry at the end; `entry` is TOML."""
    parts = list(_parts(array))
    entries = [at for at, part in enumerate(parts) if part.kind == "entry"]
    if not entries:
        return f"[{entry}{array[1:]}"
    last = entries[-1]
    gap = _gap(array, parts, last, newline)
    comma = next((part for part in parts[last + 1 :] if part.kind == "comma"), None)
    end = comma.end if comma else parts[last].end
    place = _after_comment(array, parts, end) if "\n" in gap else end
    head = array[:end] if comma else f"{array[:end]},"
    return f"{head}{array[end:place]}{gap}{entry}{',' if comma else ''}{array[place:]}"


def without_entry(array: str, at: int) -> str:
    """Return an array's text without the entry number `at`; the reverse of `with_entry`."""
    parts = list(_parts(array))
    entries = [number for number, part in enumerate(parts) if part.kind == "entry"]
    here = entries[at]
    comma = next((part for part in parts[here + 1 :] if part.kind == "comma"), None)
    if at + 1 < len(entries):
        return array[: parts[here].start] + array[parts[entries[at + 1]].start :]
    end = comma.end if comma else parts[here].end
    if at == 0:
        return array[: parts[here].start] + array[end:]
    before = array[: parts[here - 1].end]
    if comma is None:
        previous = max(part.start for part in parts[:here] if part.kind == "comma")
        before = before[:previous] + before[previous + 1 :]
    return before + array[end:]


def quoted(text: str, like: Optional[str]) -> str:
    """Return a text as TOML, with the quotes of `like` if that is possible."""
    if like is not None and like.startswith("'") and "'" not in text:
        return f"'{text}'"
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))


def last_entry(array: str) -> Optional[str]:
    """Return the TOML of the last entry, None for an empty array."""
    entries = [part for part in _parts(array) if part.kind == "entry"]
    return array[entries[-1].start : entries[-1].end] if entries else None


def _parts(array: str) -> Iterator[_Part]:
    """Yield the entries, commas and comments of an array, without those of arrays in it."""
    depth, start = 0, 0
    for token in _TOKEN.finditer(array):
        if token["open"]:
            depth += 1
            start = token.start() if depth == 2 else start
        elif token["close"]:
            depth -= 1
            if depth == 1:
                yield _Part("entry", start, token.end())
        elif depth == 1:
            kind = "comment" if token["comment"] else "comma" if token["comma"] else "entry"
            # A carriage return before the line's end belongs to the end.
            end = token.start() + len(token[0].rstrip("\r"))
            yield _Part(kind, token.start(), end)


def _gap(array: str, parts: List[_Part], last: int, newline: str) -> str:
    """Return the white space for a new entry: that before the last one."""
    start = parts[last - 1].end if last else 1
    space = array[start : parts[last].start]
    if "\n" in space:
        return newline + space.rpartition("\n")[2]
    return " "


def _after_comment(array: str, parts: List[_Part], end: int) -> int:
    """Return the end of the comment that follows on the same line, else `end`."""
    for part in parts:
        if part.start >= end and part.kind == "comment" and "\n" not in array[end : part.start]:
            return part.end
    return end
