"""Finds the source files that debug information names in the repository of a project.

Build frontends compile in private copies, for example of an unpacked sdist. So debug information
often has the path of such a copy, which may no longer exist.
"""

from __future__ import annotations

import filecmp
import os
from contextlib import suppress
from itertools import takewhile
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

# What lies below these folders, and below those that begin with a dot, is no source.
_SKIPPED = frozenset(
    ("__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv")
)
_VIRTUAL_ENVIRONMENT = "pyvenv.cfg"
_PROJECT = "pyproject.toml"
# The sources of compilers, libraries and Rust's packages are in no repository of a project.
_FOREIGN = ("/rustc/", "/usr/include/", "/usr/lib/", "/usr/local/include/", "/usr/local/lib/")
_FOREIGN_PARTS = ("/.cargo/", "/site-packages/", "/dist-packages/", "/include/python")
# PATH_MAX of Linux. Debug information may have any text.
_MAX_PATH = 4096
# A larger folder is not searched. What is found by its path alone needs no search.
_MAX_FILES = 100_000
# A shorter end of a path may be equal by accident.
_MIN_PARTS = 2


class Repository:
    """A folder with the sources of a project.

    The folder is searched at most once, when a path is not found otherwise.
    """

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._located: Dict[str, Optional[str]] = {}
        self._by_name: Optional[Dict[str, List[str]]] = None
        # The folder of a private copy of a project, and the folder of the project.
        self._copy: Optional[Tuple[str, str]] = None

    @classmethod
    def around(cls, environ: Mapping[str, str]) -> Repository:
        """Return the repository of a workflow on GitHub, or the one of the current folder."""
        folder = os.path.realpath(os.curdir)
        root = environ.get("GITHUB_WORKSPACE")
        if root and os.path.isdir(root):
            return cls(root)
        while not os.path.exists(os.path.join(folder, ".git")):
            parent = os.path.dirname(folder)
            if parent == folder:
                return cls(os.curdir)
            folder = parent
        return cls(folder)

    def has_project(self, folder: str) -> bool:
        """Whether a folder with a pyproject.toml, or one that it is a copy of, is below the root.

        Frontends build in the unpacked sdist. A dependency that is built from its own sdist is not
        of the repository.
        """
        below = self._relative(os.path.realpath(folder))
        # A cache or a folder for temporary files below the root has copies, too.
        if below is not None and not any(part.startswith(".") for part in below.split("/")):
            return True
        for path in self._named(_PROJECT):
            with suppress(OSError):
                own = os.path.join(self._root, path)
                if filecmp.cmp(os.path.join(folder, _PROJECT), own, shallow=False):
                    copy = os.path.join(os.path.abspath(folder), "")
                    self._copy = (copy, os.path.dirname(own))
                    return True
        return False

    def locate(self, file: str) -> Optional[str]:
        """Return the path of a file relative to the root, with slashes; None if it is not there.

        Relative paths count from the current folder. The path of a private copy stands for the file
        below the root whose path has the longest equal end. A link that leads out of the root is
        not followed.
        """
        if len(file) > _MAX_PATH:
            return None
        if file not in self._located:
            self._located[file] = self._locate(file)
        return self._located[file]

    def _locate(self, file: str) -> Optional[str]:
        path = os.path.abspath(file)
        found = self._below_root(path)
        if not found and self._copy and path.startswith(self._copy[0]):
            own = os.path.join(self._copy[1], path[len(self._copy[0]) :])
            found = self._below_root(own, copy=file)
        if found or _is_foreign(file):
            return found
        parts = _parts(file)
        for start in range(len(parts) - _MIN_PARTS + 1):
            found = self._below_root(os.path.join(self._root, *parts[start:]), copy=file)
            if found:
                return found
        return self._nearest(parts, file) if parts else None

    def _nearest(self, parts: Tuple[str, ...], copy: str) -> Optional[str]:
        """Return the one file of the name whose path has the longest equal end."""
        paths = self._named(parts[-1])
        equal = [_equal_parts(_parts(path), parts) for path in paths]
        most = max(equal, default=0)
        # Of several files, the one whose folder is equal, too. Else it could be any of them.
        if equal.count(most) != 1:
            return None
        path = paths[equal.index(most)]
        return self._below_root(os.path.join(self._root, path), copy=copy)

    def _below_root(self, path: str, copy: str = "") -> Optional[str]:
        """Return the relative path of a file, if all that it links to is below the root.

        A `copy` that still exists must have the same content. Else it is another file, as a header
        of the system.
        """
        if not os.path.isfile(path):
            return None
        real = os.path.realpath(path)
        below = self._relative(real)
        if not below:
            return None
        try:
            if copy and os.path.isfile(copy) and not filecmp.cmp(copy, real, shallow=False):
                return None
        except OSError:
            return None
        return below

    def _relative(self, real: str) -> Optional[str]:
        """Return a real path relative to the root, with slashes; None if it is not below it.

        os.path.relpath cannot tell on Windows: the path may be on another drive.
        """
        root, path = os.path.join(self._root, ""), os.path.join(real, "")
        if not path.startswith(root):
            return None
        return path[len(root) :].rstrip(os.sep).replace(os.sep, "/")

    def _named(self, name: str) -> List[str]:
        """Return the relative paths of the files with a name."""
        if self._by_name is None:
            self._by_name = _by_name(self._root)
        return self._by_name.get(name, [])


def _is_foreign(file: str) -> bool:
    return file.startswith(_FOREIGN) or any(part in file for part in _FOREIGN_PARTS)


def _parts(path: str) -> Tuple[str, ...]:
    """Return the components of a path, without those that lead out of its folder."""
    parts = os.path.normpath(path).replace(os.sep, "/").split("/") if path else []
    return tuple(part for part in parts if part not in ("", ".", ".."))


def _equal_parts(one: Tuple[str, ...], other: Tuple[str, ...]) -> int:
    """Return the number of components at the end in which two paths are equal."""
    pairs = zip(reversed(one), reversed(other))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _by_name(root: str) -> Dict[str, List[str]]:
    """Return the relative paths of a folder's files by their names; none if there are too many."""
    found: Dict[str, List[str]] = {}
    for position, path in enumerate(_files(root)):
        if position == _MAX_FILES:
            return {}
        found.setdefault(os.path.basename(path), []).append(path)
    return found


def _files(root: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        if folder != root and _VIRTUAL_ENVIRONMENT in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not _is_skipped(name))
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)


def _is_skipped(folder: str) -> bool:
    return folder.startswith(".") or folder in _SKIPPED or folder.endswith(".egg-info")
