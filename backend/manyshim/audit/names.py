"""Predicates on names that several rules and the repair share."""

from __future__ import annotations

import posixpath

from manyshim.audit.facts import ElfFile, install_path, is_too_long
from manyshim.audit.findings import Evidence
from manyshim.audit.suffixes import parse_module_suffix
from manyshim.audit.tags import WheelName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

_HEXADECIMAL = "0123456789abcdef"
# libpython3.so, libpython3.11.so.1.0, libpython3.13t.so.1.0, libpython2.7u.so.1.0, libpypy3.10-c.so
_LIBPYTHON = r"libpython\d(?:\.\d+)?[a-z]*\.so(?:\.\d+)*|libpypy[\d.]*-c\.so(?:\.\d+)*"


def is_copy(path: str) -> bool:
    """Whether a member is a library that a repair copied into the wheel, by its name.

    auditwheel and manyshim call it `NAME.libs/libfoo-1a2b3c4d.so.1`, with a hash of the file.
    """
    folder, _, name = path.rpartition("/")
    digest = name.partition(".")[0].rpartition("-")[2]
    return folder.endswith(".libs") and len(digest) == 8 and set(digest) <= set(_HEXADECIMAL)


def bad_path(path: str) -> Optional[Evidence]:
    """Return why a member's path is not valid in a wheel; None if it is."""
    if path.startswith("/"):
        return Evidence.ABSOLUTE_PATH
    if ".." in path and ".." in path.replace("\\", "/").split("/"):
        return Evidence.PARENT_FOLDER
    if path[1:2] == ":" and path[0].isascii() and path[0].isalpha():
        return Evidence.DRIVE
    if is_too_long(path):
        return Evidence.TOO_LONG
    return None if path.isprintable() else _unprintable(path)


def _unprintable(path: str) -> Optional[Evidence]:
    if any("\ud800" <= character <= "\udfff" for character in path):
        return Evidence.NOT_UTF8
    control = any(character < " " or character == "\x7f" for character in path)
    return Evidence.CONTROL_CHARACTERS if control else None


def is_libpython(name: str) -> bool:
    """Whether a NEEDED name is the library of a Python interpreter."""
    if not name.startswith("libpy"):
        return False
    import re  # noqa: PLC0415 (few files need a library with such a name)

    return re.fullmatch(_LIBPYTHON, name) is not None


def matches(name: str, glob: str) -> bool:
    """Whether a name matches a glob, as fnmatchcase says. No glob matches a name that is too long.

    Before Python 3.9, the time of fnmatchcase grows with the length of the name to the power of the
    number of stars. This takes at most the product of both lengths.
    """
    if is_too_long(name):
        return False
    steps = _steps(glob)
    position = step = 0
    star, resume = -1, 0
    while position < len(name):
        if step < len(steps) and steps[step] == "*":
            star, resume = step, position
            step += 1
        elif step < len(steps) and _fits(name[position], steps[step]):
            position, step = position + 1, step + 1
        elif star >= 0:
            # The last star takes one more character. Those before it need no second try.
            resume += 1
            position, step = resume, star + 1
        else:
            return False
    return all(rest == "*" for rest in steps[step:])


def _fits(character: str, step: str) -> bool:
    if step in (character, "?"):
        return True
    if len(step) < 2:
        return False
    from fnmatch import fnmatchcase  # noqa: PLC0415 (few globs have brackets)

    return fnmatchcase(character, step)


def _steps(glob: str) -> List[str]:
    """Split a glob into stars, question marks, sets in brackets and plain characters."""
    steps: List[str] = []
    position = 0
    while position < len(glob):
        end = position + 1
        if glob[position] == "[":
            # A bracket that closes a set cannot be its first character.
            first = position + 2 if glob[position + 1 : position + 2] == "!" else position + 1
            end = glob.find("]", first + 1) + 1 or end
        steps.append(glob[position:end])
        position = end
    return steps


def escapes_wheel(elf: ElfFile, entry: str, distribution: str) -> Optional[Evidence]:
    """Return how a search path entry leads out of the installed wheel; None if it does not."""
    if not entry:
        return Evidence.EMPTY_ENTRY
    if entry.startswith("/"):
        return Evidence.ABSOLUTE_ENTRY
    first, _, rest = entry.partition("/")
    origin = first in ("$ORIGIN", "${ORIGIN}")
    if "$" in (rest if origin else entry):
        return Evidence.VARIABLE_ENTRY
    if not origin:
        return Evidence.RELATIVE_ENTRY
    folder = posixpath.dirname(install_path(elf.path, distribution).path)
    reached = posixpath.normpath(posixpath.join(folder, rest.lstrip("/")))
    return Evidence.ESCAPING_ENTRY if reached.split("/")[0] == ".." else None


_SYSTEMS = {
    "macosx": "macOS",
    "win": "Windows",
    "win32": "Windows",
    "android": "Android",
    "ios": "iOS",
    "pyodide": "Emscripten",
    "pyemscripten": "Emscripten",
    "emscripten": "Emscripten",
    "wasi": "WASI",
    "freebsd": "FreeBSD",
    "openbsd": "OpenBSD",
    "netbsd": "NetBSD",
    "dragonfly": "DragonFly BSD",
    "cygwin": "Cygwin",
    "msys": "MSYS2",
    "mingw": "MSYS2",
    "sunos": "Solaris",
    "solaris": "Solaris",
    "aix": "AIX",
    "haiku": "Haiku",
}


def system_name(platform: str) -> str:
    """Return the name of the system that a platform tag is for; the tag itself if unknown."""
    return _SYSTEMS.get(platform.partition("_")[0].lower(), platform)


# PyPy and GraalPy export names for extension modules that CPython does not have. The prefixes are
# those of libpypy3.9-c.so, and of GraalPy's headers. The key begins a Python tag or a suffix.
_INTERPRETERS = {
    "pp": ("pypy_", "_pypy_", "rpython_", "vmprof_"),
    "pypy": ("pypy_", "_pypy_", "rpython_", "vmprof_"),
    "graalpy": ("GraalPy", "_GraalPy"),
}


def interpreter_prefixes(wheel: WheelName, elf: ElfFile) -> Tuple[str, ...]:
    """Return how the names begin that the interpreter of a file has beside those of CPython.

    They depend on the wheel's Python tag, and on the suffix of a module: a wheel with the tag py3
    may have modules for each interpreter. In a wheel for CPython alone, nothing defines the names
    of PyPy.
    """
    suffix = parse_module_suffix(elf.name)
    stated = (*map(str.lower, wheel.pythons), suffix.implementation if suffix else "")
    found = [
        prefixes
        for begin, prefixes in _INTERPRETERS.items()
        if any(one.startswith(begin) for one in stated)
    ]
    return sum(found, ())
