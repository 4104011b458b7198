"""Finds the Pythons of other systems: each folder below --systems is the root of one."""

from __future__ import annotations

import glob
import os
import re
from typing import Dict, Iterator, List, Optional, Tuple

from manyshim.audit.identity import family, identify
from manyshim.errors import ConfigError, InvalidWheelError
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.reader import is_elf, read
from manyshim.formats.zip.window import MemberError, Window
from manyshim.values import NamedTuple

# The folders of programs: bin, usr/bin, usr/local/bin, python/bin, opt/_internal/cpython-3.13/bin.
_BINS = ("bin", "*/bin", "*/*/bin", "*/*/*/bin")
_LIBRARIES = ("usr/local/lib", "lib", "usr/lib", "lib64", "usr/lib64", "lib32", "usr/lib32")
_PYTHON = re.compile(r"python3\.(\d{1,2})(t?)", re.ASCII)
# As many as Linux follows (path_resolution(7)).
_MAX_LINKS = 40

_RECIPES = "docs/release.md shows how to make one"


class Python(NamedTuple):
    """A Python of a system. `version` is the one of its name, and `interpreter` its loader.

    `root` is the folder of the system, `path` that of the program without links.
    """

    root: str
    path: str
    version: str
    arch: str
    libc: str
    interpreter: str

    @property
    def system(self) -> str:
        """The name of its system."""
        return os.path.basename(self.root)

    @property
    def loader(self) -> Optional[str]:
        """The path of its loader; None if the system has none."""
        base = os.path.basename(self.interpreter)
        places = [self.interpreter, f"usr/{self.interpreter}"]
        places += [f"{folder}/{base}" for folder in _LIBRARIES]
        return next(filter(None, (resolve(self.root, one) for one in places)), None)

    @property
    def libraries(self) -> List[str]:
        """The folders with the libraries of its system, and its own one first."""
        places = [os.path.join(os.path.dirname(os.path.dirname(self.path)), "lib")]
        for folder in _LIBRARIES:
            found = resolve(self.root, folder)
            if found:
                # Debian has a folder for each architecture.
                places += [*sorted(glob.glob(f"{glob.escape(found)}/*-linux-*")), found]
        return list(dict.fromkeys(one for one in places if os.path.isdir(one)))


def find(folder: str) -> List[Python]:
    """Return the Pythons of all systems in a folder. Raises ConfigError if there are none."""
    if not os.path.isdir(folder):
        raise ConfigError(f"--systems {folder}: no such folder; {_RECIPES}")
    top = os.path.realpath(folder)
    own = list(_pythons(top))
    if own and all(one.loader for one in own):
        return own  # the folder is itself a system
    roots = [os.path.join(top, name) for name in sorted(os.listdir(top))]
    found = [one for root in roots if os.path.isdir(root) for one in _pythons(root)]
    if not found:
        raise ConfigError(
            f"--systems {folder}: no Python for Linux is found in the systems of this folder, for "
            f"example SYSTEM/usr/bin/python3.13; {_RECIPES}"
        )
    return found


def resolve(root: str, path: str) -> Optional[str]:
    """Return where a path of a system is, its links followed below the root; None if nowhere."""
    todo = [part for part in path.split("/") if part][::-1]
    done: List[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part in (".", ".."):
            del done[len(done) - (part == "..") :]
            continue
        here = os.path.join(root, *done, part)
        if not os.path.islink(here):
            done.append(part)
            continue
        links += 1
        if links > _MAX_LINKS:
            return None
        target = os.readlink(here)
        if target.startswith("/"):
            done = []
        todo += [one for one in target.split("/") if one][::-1]
    found = os.path.join(root, *done)
    return found if os.path.exists(found) else None


def _pythons(root: str) -> Iterator[Python]:
    known: Dict[Tuple[str, str], bool] = {}
    for pattern in _BINS:
        for place in sorted(glob.glob(f"{glob.escape(root)}/{pattern}/python3.*")):
            name = _PYTHON.fullmatch(os.path.basename(place))
            path = resolve(root, place[len(root) :]) if name else None
            if name is None or path is None or (path, name[0]) in known:
                continue
            known[path, name[0]] = True
            found = _read(root, path, f"3.{name[1]}{name[2]}")
            if found is not None:
                yield found


def _read(root: str, path: str, version: str) -> Optional[Python]:
    """Return a Python by its ELF file; None if it is no dynamic program for Linux."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not is_elf(file.read(4)):
                return None
            facts = read(path, Window(file, 0, size, size, 0)).facts
    except (OSError, ElfError, MemberError, InvalidWheelError):
        return None
    libc = family(facts)
    if not facts.interpreter or libc is None:
        return None
    arch = identify(facts.ident).arch
    return Python(root, path, version, arch, libc, facts.interpreter) if arch else None
