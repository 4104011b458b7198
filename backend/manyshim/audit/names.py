"""Predicates that several rules share, and that a repair asks too."""

from __future__ import annotations

import posixpath
import re
from typing import FrozenSet

from manyshim.audit.facts import ElfFile, install_path

# libpython3.so, libpython3.11.so.1.0, libpython3.13t.so.1.0, libpython2.7u.so.1.0, libpypy3.10-c.so
_LIBPYTHON = r"libpython\d(?:\.\d+)?[a-z]*\.so(?:\.\d+)*|libpypy[\d.]*-c\.so(?:\.\d+)*"


def is_libpython(name: str) -> bool:
    """Whether a NEEDED name is an interpreter's own library."""
    return name.startswith("libpy") and re.fullmatch(_LIBPYTHON, name) is not None


def escapes_wheel(elf: ElfFile, entry: str, distribution: str) -> str:
    """Say how an RPATH entry leads out of the wheel as it lies after installation; "" if not."""
    if not entry:
        return "empty: the current folder"
    if entry.startswith("/"):
        return "absolute"
    origin = re.match(r"\$(?:ORIGIN|\{ORIGIN\})(?=/|$)", entry)
    if "$" in (entry[origin.end() :] if origin else entry):
        return "differs from system to system"
    if not origin:
        return "relative to the current folder"
    folder = posixpath.dirname(install_path(elf.path, distribution).path)
    reached = posixpath.normpath(posixpath.join(folder, entry[origin.end() :].lstrip("/")))
    return "leaves the wheel" if reached.split("/")[0] == ".." else ""


def imported_names(elf: ElfFile) -> FrozenSet[str]:
    """Collect the strong names that a file needs of others, without those of the interpreter."""
    names = (*elf.undefined, *elf.strong_versioned)
    return frozenset(name for name in names if not name.startswith(("Py", "_Py")))
