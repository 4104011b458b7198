"""What earlier runs have built: a file in the folder of the release.

Its name begins with a dot, so that clients do not upload it.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

from manyshim.release.sdist import digest
from manyshim.values import NamedTuple
from manyshim.workspace import write_whole

NAME = ".manyshim-release.json"
_VERSION = 1


class Entry(NamedTuple):
    """A file that was built: its hash, and that of the sdist's content."""

    digest: str
    content: str


class Made(NamedTuple):
    """The wheel of a cell: its file name, and a hash of what shaped it beside the sdist."""

    name: str
    recipe: str


class Ledger:
    """The files of a folder that were built, by name, the wheels of cells, and passed tests.

    `tests` has for each cell the hash of the wheel that passed, and the recipe of the test.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, NAME)
        self._folder = folder
        self.files: Dict[str, Entry] = {}
        self.cells: Dict[str, Made] = {}
        self.tests: Dict[str, Tuple[str, str]] = {}
        self._read()

    def _read(self) -> None:
        """Read the file; one that is damaged counts as missing, and each wheel is built anew."""
        try:
            with open(self._path, encoding="utf-8") as file:
                data: Any = json.load(file)
            if data["version"] != _VERSION:
                return
            files = {str(name): Entry(*map(str, one)) for name, one in data["files"].items()}
            cells = {str(cell): Made(*map(str, one)) for cell, one in data["cells"].items()}
            tests = data.get("tests", {}).items()
            passed = {str(cell): (str(one), str(recipe)) for cell, (one, recipe) in tests}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return
        self.files = {name: one for name, one in files.items() if name == os.path.basename(name)}
        self.cells = {cell: one for cell, one in cells.items() if one.name in self.files}
        self.tests = passed

    def kept(self, cell: str, content: str, recipe: str) -> Optional[str]:
        """Return the file name of a cell's wheel if it is there, unchanged, and of this sdist."""
        made = self.cells.get(cell)
        if made is None or made.recipe != recipe or self.files[made.name].content != content:
            return None
        return made.name if self.is_unchanged(made.name) else None

    def outdated(self, content: str) -> List[str]:
        """Return the names of files that were built from another sdist, and are unchanged."""
        old = [name for name, entry in self.files.items() if entry.content != content]
        return [name for name in old if self.is_unchanged(name)]

    def is_unchanged(self, name: str) -> bool:
        """Whether a file of the ledger is there, with the bytes that were built."""
        path = os.path.join(self._folder, name)
        return os.path.isfile(path) and digest(path) == self.files[name].digest

    def add(self, cell: str, made: Made, entry: Entry) -> None:
        """Note the file of a cell, and write. Raises ToolError."""
        self.files[made.name] = entry
        self.cells[cell] = made
        self._write()

    def has_passed(self, cell: str, name: str, recipe: str) -> bool:
        """Whether a wheel, as it is, has passed a test for a cell."""
        entry = self.files.get(name)
        return entry is not None and self.tests.get(cell) == (entry.digest, recipe)

    def note_passed(self, cell: str, name: str, recipe: str) -> None:
        """Note that a wheel has passed a test for a cell, and write the file. Raises ToolError."""
        self.tests[cell] = (self.files[name].digest, recipe)
        self._write()

    def forget(self, name: str) -> None:
        """Forget a file, and write. Raises ToolError."""
        self.files.pop(name, None)
        self.cells = {cell: one for cell, one in self.cells.items() if one.name != name}
        self._write()

    def _write(self) -> None:
        data: Mapping[str, Any] = {
            "version": _VERSION,
            "files": {name: list(entry) for name, entry in sorted(self.files.items())},
            "cells": {cell: list(made) for cell, made in sorted(self.cells.items())},
            "tests": dict(sorted(self.tests.items())),
        }
        write_whole(json.dumps(data, indent=1) + "\n", self._path, "record of the release")
