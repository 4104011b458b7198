"""What earlier runs have built: a file in the folder of the release.

Its name begins with a dot, so that clients do not upload it.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional

from manyshim.release.sdist import digest
from manyshim.values import NamedTuple
from manyshim.workspace import write_whole

NAME = ".manyshim-release.json"
_VERSION = 1


class Entry(NamedTuple):
    """A wheel that was built: its hash, that of the sdist's content, and what else shaped it."""

    digest: str
    content: str
    recipe: str


class Ledger:
    """The wheels of a folder by cell, and those files by name."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, NAME)
        self._folder = folder
        self.files: Dict[str, Entry] = {}
        self.cells: Dict[str, str] = {}
        self._read()

    def _read(self) -> None:
        """Read the file; one that is damaged counts as missing, and each wheel is built anew."""
        try:
            with open(self._path, encoding="utf-8") as file:
                data: Any = json.load(file)
            if data["version"] != _VERSION:
                return
            files = {str(name): Entry(*map(str, one)) for name, one in data["files"].items()}
            cells = {str(cell): str(name) for cell, name in data["cells"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return
        self.files = {name: one for name, one in files.items() if name == os.path.basename(name)}
        self.cells = {cell: name for cell, name in cells.items() if name in self.files}

    def kept(self, cell: str, content: str, recipe: str) -> Optional[str]:
        """Return the file name of a cell's wheel if it is there, unchanged, and of this sdist."""
        name = self.cells.get(cell, "")
        entry = self.files.get(name)
        path = os.path.join(self._folder, name)
        if entry is None or entry[1:] != (content, recipe) or not os.path.isfile(path):
            return None
        return name if digest(path) == entry.digest else None

    def outdated(self, content: str) -> List[str]:
        """Return the names of files that were built from another sdist, and are unchanged."""
        return [
            name
            for name, entry in self.files.items()
            if entry.content != content and self._is_unchanged(name, entry)
        ]

    def _is_unchanged(self, name: str, entry: Entry) -> bool:
        path = os.path.join(self._folder, name)
        return os.path.isfile(path) and digest(path) == entry.digest

    def add(self, cell: str, name: str, entry: Entry) -> None:
        """Note the wheel of a cell, and write the file. Raises ToolError."""
        self.files[name] = entry
        self.cells[cell] = name
        self._write()

    def forget(self, name: str) -> None:
        """Forget a file, and write. Raises ToolError."""
        self.files.pop(name, None)
        self.cells = {cell: one for cell, one in self.cells.items() if one != name}
        self._write()

    def _write(self) -> None:
        data: Mapping[str, Any] = {
            "version": _VERSION,
            "files": {name: list(entry) for name, entry in sorted(self.files.items())},
            "cells": dict(sorted(self.cells.items())),
        }
        write_whole(json.dumps(data, indent=1) + "\n", self._path)
