"""Whether a library may come with another project that the wheel requires."""

from __future__ import annotations

import re
from typing import Dict, Iterable, Iterator, Mapping

from manyshim.values import NamedTuple

# Parts of names of projects that tell nothing about a library.
_COMMON = frozenset(("python", "library", "binary", "wheel", "extensions", "tools", "utils", "py"))
# In a longer name, a word of this length says little: it must be a part of its own (`libz3`).
_SHORT = 2


class Words(NamedTuple):
    """The words of the names of required projects, and the project that each is from."""

    projects: Mapping[str, str]

    def project_for(self, libraries: Iterable[str]) -> str:
        """Return the first project with a word that occurs in a file name; empty if none has.

        A file that needs one library of another project often needs more of it, under other names:
        so pass all libraries that a file lacks.
        """
        names = [library.lower().rpartition("/")[2] for library in libraries]
        parts = {part for name in names for part in _parts(name)}
        # One search for all names: a hostile file has many. No word has a line end.
        text = "\n".join(names)
        found = (
            project
            for word, project in self.projects.items()
            if word in parts or (len(word) > _SHORT and word in text)
        )
        return next(found, "")


def words(requires: Iterable[str]) -> Words:
    """Return the words of names: `mlx-metal` has `mlx` and `metal`."""
    projects: Dict[str, str] = {}
    for name in requires:
        for word in re.split(r"[-_.]+", name.lower()):
            if len(word) >= _SHORT and not word.isdigit() and word not in _COMMON:
                projects.setdefault(word, name)
    return Words(projects)


def _parts(name: str) -> Iterator[str]:
    for part in re.split(r"[^a-z0-9]+", name):
        yield part
        if part.startswith("lib"):
            yield part[len("lib") :]
