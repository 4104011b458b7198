"""Write the source of a man page: the macros of man(7), and texts with all signs escaped."""

from __future__ import annotations

import re
import textwrap
from typing import Iterable, Iterator, List, Tuple

_WIDTH = 78
_SIGNS = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    '"': "\\(dq",
    "~": "\\(ti",
    "^": "\\(ha",
    "`": "\\(ga",
}
# Without a sign behind it, roff takes the point for the end of a sentence.
_ABBREVIATION = re.compile(r"\b(e\.g\.|i\.e\.)")


def escape(text: str) -> str:
    """Return a text without signs that roff reads in another way."""
    return "".join(_SIGNS.get(one, one) for one in text)


def bold(text: str) -> str:
    """Return a text in bold."""
    return f"\\fB{escape(text)}\\fR"


def italic(text: str) -> str:
    """Return a text in italics, for what the user replaces."""
    return f"\\fI{escape(text)}\\fR"


def title(name: str, section: int, source: str, manual: str) -> List[str]:
    """Return the head of a page. It has no date, so that it changes with its contents only."""
    head = f'.TH {name.upper()} {section} "" "{escape(source)}" "{escape(manual)}"'
    # Lines of options and names are ugly if they are stretched.
    return [head, ".ad l"]


def section(name: str) -> List[str]:
    """Return the head of a section."""
    return [f".SH {escape(name).upper()}"]


def subsection(name: str) -> List[str]:
    """Return the head of a part of a section."""
    return [f'.SS "{escape(name)}"']


def paragraph(text: str) -> List[str]:
    """Return a paragraph. What is in backquotes is bold."""
    return list(_filled(text))


def term(name: str, text: str) -> List[str]:
    """Return a term, with its fonts, and the text about it."""
    return [".TP", name, *_filled(text)]


def listing(lines: Iterable[str]) -> List[str]:
    """Return lines that are printed as they are, indented."""
    return [".RS 4", ".EX", *map(_line, map(escape, lines)), ".EE", ".RE"]


def join(*parts: Iterable[str]) -> List[str]:
    """Return parts with the macro for a new paragraph between them, where none begins with one."""
    lines: List[str] = []
    for part in map(list, parts):
        if lines and part and not part[0].startswith((".TP", ".SS", ".SH", ".RS", ".PP")):
            lines.append(".PP")
        # Examples stay apart from the text above them.
        if lines and part and part[0].startswith(".RS"):
            lines.append(".PP")
        lines += part
    return lines


def _filled(text: str) -> Iterator[str]:
    """Yield the lines of a text: a new sentence begins on a new line."""
    for sentence in re.split(r"(?<=\.) (?=[A-Z`])", text):
        for line in textwrap.wrap(
            _fonts(sentence), _WIDTH, break_long_words=False, break_on_hyphens=False
        ):
            yield _line(line)


# The name of a file, an option, a policy or a symbol: no line ends inside of it with a hyphen.
_NAME = re.compile(r"(?<!\S)(?=\S*[/_.=]\S|\S*\\-)")


def _fonts(text: str) -> str:
    parts: List[Tuple[bool, str]] = [(at % 2 == 1, part) for at, part in enumerate(text.split("`"))]
    found = "".join(bold(part) if code else escape(part) for code, part in parts)
    return _NAME.sub(r"\\%", _ABBREVIATION.sub(r"\1\\&", found))


def _line(line: str) -> str:
    return f"\\&{line}" if line.startswith((".", "'")) else line
