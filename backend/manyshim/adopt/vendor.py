"""Copies of manyshim in a project's tree: their states, and the files of this installation."""

from __future__ import annotations

import os
from typing import Dict, Iterable, Tuple

import manyshim
from manyshim.adopt.facts import ABSENT, OTHER, SAME, TAKEN
from manyshim.errors import ToolError
from manyshim.files import open_regular

# The folders that `--in-tree` takes, in this order.
FOLDERS = ("backend", "_manyshim")
PACKAGE = "manyshim"


def states(project: str, more: Iterable[str]) -> Tuple[Tuple[str, str], ...]:
    """Return the state of each folder for a copy: those of FOLDERS, and `more` of the project."""
    names = dict.fromkeys((*FOLDERS, *more))
    return tuple((name, _state(os.path.join(project, name))) for name in names)


def _state(folder: str) -> str:
    copy = os.path.join(folder, PACKAGE)
    if not os.path.lexists(folder):
        return ABSENT
    if not os.path.isfile(os.path.join(copy, "backend.py")):
        return TAKEN
    return SAME if _files(copy) == own_files() else OTHER


def own_files() -> Dict[str, bytes]:
    """Return the files of this installation, by their paths in the package. Raises ToolError."""
    found = _files(os.path.dirname(os.path.abspath(manyshim.__file__ or "")))
    if "backend.py" not in found:
        raise ToolError("this installation of manyshim is no folder of files: it cannot be copied")
    return found


def _files(package: str) -> Dict[str, bytes]:
    """Return the files of a package without caches. Raises ToolError."""
    found: Dict[str, bytes] = {}
    try:
        for path, folders, names in os.walk(package):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                if not name.endswith((".pyc", ".pyo")):
                    with open_regular(os.path.join(path, name)) as file:
                        relative = os.path.relpath(os.path.join(path, name), package)
                        found[relative.replace(os.sep, "/")] = file.read()
    except OSError as error:
        raise ToolError(f"{package}: cannot be read: {error.strerror}") from error
    return found
