"""The actions of GitHub that a workflow uses, each pinned to the commit of a release."""

from __future__ import annotations

import os
import re
from typing import Dict, Mapping, Tuple

from manyshim.values import NamedTuple

_FILE = os.path.join(os.path.dirname(__file__), "data", "actions.txt")

# How a workflow pins an action: the commit, and the release in a comment.
PIN = re.compile(r"([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # (v[0-9][\w.]*)", re.ASCII)


class Action(NamedTuple):
    """An action: its repository, the tag of a release, and the commit of that."""

    name: str
    version: str
    commit: str

    @property
    def pin(self) -> str:
        """What follows `uses:`."""
        return f"{self.name}@{self.commit} # {self.version}"

    @property
    def key(self) -> Tuple[int, ...]:
        """The numbers of the version, to compare it with others."""
        return tuple(map(int, re.findall(r"\d+", self.version)))


def known() -> Dict[str, Action]:
    """Return the actions of the data, by their names."""
    with open(_FILE, encoding="utf-8") as file:
        rows = [line.split() for line in file if not line.startswith("#")]
    return {row[0]: Action(*row) for row in rows if row}


def newest(own: Mapping[str, Action], text: str) -> Dict[str, Action]:
    """Return the actions, or those of a workflow where it pins a newer release."""
    found = dict(own)
    for match in PIN.finditer(text):
        other = Action(match[1], match[3], match[2])
        if other.name in found and other.key > found[other.name].key:
            found[other.name] = other
    return found
