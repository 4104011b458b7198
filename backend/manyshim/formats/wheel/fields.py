"""The fields of WHEEL and METADATA, as Python's email parser reads them (PEP 427, RFC 5322)."""

from __future__ import annotations

from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Tuple


class Field(NamedTuple):
    """One field: its name and value, and the lines that it has in the file.

    The value is unfolded: its lines are joined by spaces.
    """

    name: str
    value: str
    lines: Tuple[str, ...]


def parse(text: str) -> List[Field]:
    """Return the fields of a text, up to the first line that is empty or not a field.

    Only CR and LF end a line. The email parser does not split at other line separators, such as
    U+2028.
    """
    groups: List[List[str]] = []
    # What continues a line that is not a field belongs to no field.
    current: List[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line.startswith((" ", "\t")):
            current.append(line)
            continue
        name, colon, _ = line.partition(":")
        if not line.startswith("From ") and not (colon and _is_name(name)):
            break
        current = [line]
        if name and colon and not line.startswith("From "):
            groups.append(current)
    return [_field(lines) for lines in groups]


def _is_name(text: str) -> bool:
    """Whether a text is a field's name: printable ASCII without spaces."""
    return all("!" <= character <= "~" for character in text)


def _field(lines: List[str]) -> Field:
    name, _, begin = lines[0].partition(":")
    parts = (part.strip() for part in (begin, *lines[1:]))
    return Field(name, " ".join(filter(None, parts)), tuple(lines))
