"""The DLLs that Windows has, by architecture, and those of Python and Visual C++."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import FrozenSet, Mapping, Optional, Tuple

from manyshim.audit.policy import read_data, records
from manyshim.values import NamedTuple

# Sets of names that Windows itself resolves.
_API_SETS = ("api-ms-", "ext-ms-")
# Some Windows have these names for DLLs of their own, which are not what a wheel means, or which
# editions without a desktop lack.
_NOT_MEANT = re.compile(r"libcrypto\.dll|msvcp60\.dll|mfc4[02]u?\.dll|.*_clr0400\.dll")
# Of arm64, where a package of the system adds it; it is in no list.
_ADDED = {"arm64": frozenset(("opengl32.dll",))}

_PYTHON = re.compile(r"python(\d)(\d*)(t?)(_d)?\.dll")
_OTHER_PYTHONS = re.compile(r"libpypy[\d.]*-c\.dll|python-native\.dll")
_DEBUG = re.compile(
    r"(?:vcruntime140(?:_1|_threads)?d|msvcp140(?:_[12]d|d(?:_\w+)?)|ucrtbased|mfcm?140u?d"
    r"|(?:concrt|vcomp|vcamp|vccorlib)140d|(?:msvcr|msvcp|vcomp)(?:90|100|110|120)d"
    r"|mfcm?(?:90|100|110|120)u?d)\.dll"
)
# CPython brings these, or Windows has them.
_RUNTIME = frozenset(("vcruntime140.dll", "ucrtbase.dll", "msvcrt.dll"))
_RUNTIME_1 = "vcruntime140_1.dll"
_FIRST_RUNTIME_1 = (3, 9)
_VISUAL_C = re.compile(
    r"(?:msvcp140.*|concrt140|vcomp140|vcamp140|mfcm?140.*|vccorlib140|vcruntime140_(?:1|threads)"
    r"|(?:msvcr|msvcp|vcomp|mfc)(?:90|100|110|120)u?)\.dll"
)


class PythonDll(NamedTuple):
    """The version in the name of Python's DLL; without a minor version it is the stable ABI's."""

    major: int
    minor: Optional[int]
    free_threaded: bool
    debug: bool


def parse_python(name: str) -> Optional[PythonDll]:
    """Parse `python311.dll`, `python314t.dll`, `python3.dll` or `python311_d.dll`."""
    match = _PYTHON.fullmatch(name.lower())
    if not match or len(match[2]) > 3:
        return None
    minor = int(match[2]) if match[2] else None
    return PythonDll(int(match[1]), minor, bool(match[3]), bool(match[4]))


def of_other_python(name: str) -> bool:
    """Whether a name is the library of PyPy or GraalPy."""
    return _OTHER_PYTHONS.fullmatch(name.lower()) is not None


def is_debug_runtime(name: str) -> bool:
    """Whether a name is that of a debug runtime, which only Visual Studio installs."""
    python = parse_python(name)
    return _DEBUG.fullmatch(name.lower()) is not None or bool(python and python.debug)


def is_visual_c(name: str) -> bool:
    """Whether a name is that of a Visual C++ runtime that CPython does not bring."""
    return _VISUAL_C.fullmatch(name.lower()) is not None and not is_debug_runtime(name)


def is_there(name: str, machine: str, python: Optional[Tuple[int, int]]) -> bool:
    """Whether CPython or Windows has a DLL on a machine; `python` is the oldest of the tags."""
    lower = name.lower()
    if lower.startswith(_API_SETS) or lower in _RUNTIME or lower.endswith(".cpl"):
        return True
    if lower == _RUNTIME_1 and machine in ("amd64", "arm64"):
        return python is None or python >= _FIRST_RUNTIME_1
    if _NOT_MEANT.fullmatch(lower):
        return False
    added = _ADDED.get(machine, frozenset())
    return lower in added or machine in _system_dlls().get(lower, ())


def some_windows_has(name: str) -> bool:
    """Whether some other version or architecture of Windows has a DLL."""
    lower = name.lower()
    return lower in _system_dlls() and not _NOT_MEANT.fullmatch(lower)


@lru_cache(maxsize=None)
def _system_dlls() -> Mapping[str, FrozenSet[str]]:
    """Return the DLLs of Windows with the architectures on which Windows 10 and 11 have them."""
    found = {}
    for line in records(read_data("windows-dlls.txt")):
        arches, *names = line.split()
        found.update(dict.fromkeys(names, frozenset(arches.split(","))))
    return found
