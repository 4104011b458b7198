"""Read the target's file system as its kernel and loader do: links and configured folders.

Sources: path_resolution(7); glibc elf/ldconfig.c; musl ldso/dynlink.c.
"""

from __future__ import annotations

import os
import posixpath
import re
from fnmatch import fnmatchcase
from typing import BinaryIO, Dict, List, Optional, Set, Tuple

from manyshim.errors import ToolError
from manyshim.files import open_regular
from manyshim.repair.links import resolve

# No real system comes near these limits. A larger configuration is refused, not read for hours.
_MAX_LINES = 10_000
_MAX_NAMES = 200_000
_MAX_BYTES = 1 << 20
# Before Python 3.9, the time of fnmatch grows exponentially with the number of stars.
_MAX_STARS = 3

_CONFIGURATION = "/etc/ld.so.conf"


class System:
    """The files below a folder of the host; `root` is "" for the host itself.

    Paths are absolute paths in this system. With `root` in front they are paths of the host.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._folders: Dict[str, Optional[str]] = {}
        self._names = 0

    def resolve(self, path: str) -> str:
        """Follow all links; as under chroot(2), they cannot leave the root.

        Raises OSError if the path does not exist or its links form a loop.
        """
        return resolve(self.root, path)

    def folder(self, path: str) -> Optional[str]:
        """Return a folder's path with all links resolved; None if there is no folder."""
        if path not in self._folders:
            try:
                found = self.resolve(path)
            except OSError:
                self._folders[path] = None
            else:
                is_folder = os.path.isdir(f"{self.root}{found}/")
                self._folders[path] = found if is_folder else None
        return self._folders[path]

    def exists(self, path: str) -> bool:
        """Return whether a path exists, also as a dead link; its folder must be resolved."""
        try:
            return os.path.lexists(self.root + path)
        except ValueError:  # this machine's encoding cannot express the name
            return False

    def open(self, resolved: str) -> BinaryIO:
        """Open a regular file by its resolved path. Raises OSError for anything else."""
        return open_regular(self.root + resolved)

    def configured(self) -> Tuple[str, ...]:
        """Return the folders of ld.so.conf in order. Raises ToolError if it exceeds the limits."""
        folders: Dict[str, None] = {}
        read: Set[str] = set()
        # Lines, and whole files (line None), that are not processed yet; the next one is last.
        pending: List[Tuple[str, Optional[str]]] = [(_CONFIGURATION, None)]
        for _ in range(_MAX_LINES):
            if not pending:
                return tuple(folders)
            path, line = pending.pop()
            if line is None:
                pending += [(path, one) for one in self._lines(path, read)[::-1]]
                continue
            include = re.match(r"include[ \t](.*)", line)
            if include:
                for pattern in include.group(1).split()[::-1]:
                    whole = posixpath.join(posixpath.dirname(path), pattern)
                    pending += [(found, None) for found in self._matching(whole)[::-1]]
            elif line.startswith("/"):
                # Files from libc5's time may say `/folder=libc4`. `hwcap` lines name no folder.
                folders[line.partition("=")[0].rstrip("/ \t")] = None
        raise self._limit_error(f"it has more than {_MAX_LINES} lines with its includes")

    def configured_musl(self, name: str) -> Optional[Tuple[str, ...]]:
        """Return the folders of /etc/`name`, as musl reads it; None if the file is missing."""
        try:
            text = self._text(f"/etc/{name}")
        except FileNotFoundError:
            return None
        except OSError:
            return ()  # musl then searches no folder
        folders = re.split("[:\n]", text.partition("\0")[0])
        return tuple(folder.rstrip("/") for folder in folders if folder.startswith("/"))

    def _lines(self, path: str, read: Set[str]) -> List[str]:
        """Return a file's lines without comments; nothing if it was read before."""
        try:
            resolved = self.resolve(path)
            if resolved in read:
                return []
            read.add(resolved)
            text = self._text(resolved)
        except OSError:
            return []
        return [line.partition("#")[0].strip() for line in text.split("\n")]

    def _text(self, path: str) -> str:
        with self.open(self.resolve(path)) as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise self._limit_error(f"{path} has more than {_MAX_BYTES} bytes")
        return os.fsdecode(data)

    def _matching(self, pattern: str) -> List[str]:
        """Return the paths that match a glob pattern, sorted; without wildcards, the pattern."""
        if pattern.count("*") > _MAX_STARS:
            raise self._limit_error(f"{pattern} has more than {_MAX_STARS} stars")
        self._count(1)
        found = [""]
        for step in filter(None, pattern.split("/")):
            if re.search(r"[*?[]", step):
                found = [f"{path}/{name}" for path in found for name in self._listed(path, step)]
            else:
                found = [f"{path}/{step}" for path in found]
        return found

    def _listed(self, path: str, step: str) -> List[str]:
        folder = self.folder(path)
        try:
            names = [] if folder is None else os.listdir(f"{self.root}{folder}/")
        except OSError:
            return []
        self._count(len(names))
        # A wildcard does not match hidden files (glob(7)).
        hidden = step.startswith(".")
        return sorted(
            name for name in names if name.startswith(".") == hidden and fnmatchcase(name, step)
        )

    def _count(self, names: int) -> None:
        self._names += names
        if self._names > _MAX_NAMES:
            raise self._limit_error(f"its includes name or search more than {_MAX_NAMES} files")

    def _limit_error(self, what: str) -> ToolError:
        return ToolError(
            f"{self.root}{_CONFIGURATION}: {what}; shorten it, or give a sysroot without it"
        )
