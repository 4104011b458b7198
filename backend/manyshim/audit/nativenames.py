"""Whether a library may come with another project that the wheel requires."""

from __future__ import annotations

import re
from typing import Dict, Iterable, Mapping

from manyshim.values import NamedTuple

# Parts of names of projects that tell nothing about a library.
_COMMON = frozenset(("python", "library", "binary", "wheel", "extensions", "tools", "utils"))
_SHORTEST = 3


class Words(NamedTuple):
    """The words of the names of required projects, and the project that each is from."""

    projects: Mapping[str, str]

    def project_for(self, libraries: Iterable[str]) -> str:
        """Return the first project with a word that occurs in a name; empty if none has.

        A file that needs one library of another project often needs more of it, under other names:
        so pass all libraries that a file lacks.
        """
        names = [library.lower() for library in libraries]
        found = (
            project
            for word, project in self.projects.items()
            if any(word in name for name in names)
        )
        return next(found, "")


def words(requires: Iterable[str]) -> Words:
    """Return the words of names: `mlx-metal` has `mlx` and `metal`."""
    projects: Dict[str, str] = {}
    for name in requires:
        for word in re.split(r"[-_.]+", name.lower()):
            if len(word) >= _SHORTEST and not word.isdigit() and word not in _COMMON:
                projects.setdefault(word, name)
    return Words(projects)
