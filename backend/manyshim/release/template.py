"""Fills the templates of workflows: values, lists of lines, and parts that a release may need.

- `<<name>>` is a value. A line that has nothing else may be replaced by several lines, or by none.
- `<<uses NAME>>` is the pin of an action, and `<<yours NAME: MEANING>>` a block of the user.
- The lines from `<<if NAME>>` to `<<end>>` stay if the value has lines or text.
"""

from __future__ import annotations

import os
import re
from typing import Iterator, List, Mapping, Sequence, Union

from manyshim.release import blocks
from manyshim.release.actions import Action

Value = Union[str, Sequence[str]]

_FOLDER = os.path.join(os.path.dirname(__file__), "templates")
_WORD = re.compile(r"<<(?:(uses|if|yours) )?([\w/.-]+)(?:: ([^>]*))?>>")


def read(name: str) -> str:
    """Return the text of a template."""
    with open(os.path.join(_FOLDER, name), encoding="utf-8") as file:
        return file.read()


def fill(template: str, values: Mapping[str, Value], actions: Mapping[str, Action]) -> str:
    """Return the text of a template with its values. Raises KeyError for one that is missing."""
    lines: List[str] = []
    # Whether the lines inside of each part that has begun stay.
    stay: List[bool] = []
    for line in template.split("\n"):
        whole = _WORD.fullmatch(line.strip())
        if line.strip() == "<<end>>":
            stay.pop()
        elif whole and whole[1] == "if":
            stay.append(bool(values[whole[2]]))
        elif all(stay):
            lines += _lines(line, values, actions)
    return "\n".join(lines)


def _lines(line: str, values: Mapping[str, Value], actions: Mapping[str, Action]) -> Iterator[str]:
    indent = line[: len(line) - len(line.lstrip())]
    whole = _WORD.fullmatch(line.strip())
    if whole and whole[1] == "yours":
        yield indent + blocks.begin(whole[2], whole[3])
        yield indent + blocks.end(whole[2])
        return
    if whole and whole[1] is None and not isinstance(values[whole[2]], str):
        for one in values[whole[2]]:
            yield indent + one if one else ""
        return

    def value(match: re.Match[str]) -> str:
        found = actions[match[2]].pin if match[1] == "uses" else values[match[2]]
        assert isinstance(found, str)  # noqa: S101 (a list stands on a line of its own)
        return found

    yield _WORD.sub(value, line)
