"""Finds a zig that is known to work, and the folder for what it compiles once for all builds."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from importlib.util import find_spec
from typing import FrozenSet, Iterator, List, Mapping

from manyshim.errors import ToolError
from manyshim.process import first_good, run
from manyshim.values import NamedTuple

# The releases that the filter of arguments was measured with; the requirement names the same.
_KNOWN = "0.17."
REQUIREMENT = "ziglang>=0.17,<0.18"
_VERSION_SECONDS = 60.0


class Zig(NamedTuple):
    """A zig that is known to work."""

    path: str
    version: str


def find(environ: Mapping[str, str]) -> Zig:
    """Find zig: the one of PyPI's ziglang in this environment, then the one on PATH.

    Raises ToolError, about the first one, where none is known to work.
    """

    def judge(path: str) -> Zig:
        version = run([path, "version"], environ, _VERSION_SECONDS).strip()
        if version.startswith(_KNOWN):
            return Zig(path, version)
        raise ToolError(
            f"{path} is zig {version[:40]}; manyshim knows how to call {_KNOWN}x, which comes "
            f"with: pip install '{REQUIREMENT}'"
        )

    return first_good(
        _candidates(environ),
        judge,
        "zig is found neither as the package ziglang nor on PATH; compiler = zig needs it: "
        f"pip install '{REQUIREMENT}'",
    )


def missing_requirements(environ: Mapping[str, str]) -> List[str]:
    """List the requirement that brings a zig, where `find` would find none."""
    try:
        find(environ)
    except ToolError:
        return [REQUIREMENT]
    return []


def glibc_names(zig: Zig, environ: Mapping[str, str]) -> FrozenSet[str]:
    """Read the names that any release of glibc defines. Raises ToolError.

    zig links against stubs that it makes from this list; a name that the target's glibc does not
    have is left open, and looks like one of any other library.
    """
    output = run([zig.path, "env"], environ, _VERSION_SECONDS)
    found = re.search(r'\blib_dir\W+"([^"]+)"', output)
    path = os.path.join(found.group(1) if found else "", "libc", "glibc", "abilists")
    try:
        with open(path, "rb") as file:
            listed = file.read()
    except OSError as error:
        raise ToolError(f"{path}: zig's list of glibc's names cannot be read: {error}") from error
    names = re.findall(rb"[A-Za-z_][A-Za-z0-9_]*(?=\0)", listed)
    return frozenset(name.decode("ascii") for name in names)


def _candidates(environ: Mapping[str, str]) -> Iterator[str]:
    spec = find_spec("ziglang")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = os.path.join(folder, "zig")
        if os.access(path, os.X_OK):
            yield path
    on_path = shutil.which("zig", path=environ.get("PATH", ""))
    if on_path:
        yield on_path


def cache_folder(environ: Mapping[str, str]) -> str:
    """Name zig's cache, as zig itself would, and see that it can be written to.

    It is shared by all builds of a user, and lies outside of a build's own environment, in which
    every build would compile the C library anew. Raises ToolError where it cannot be used: zig
    tells that late, or waits.
    """
    for variable, below in (
        ("ZIG_GLOBAL_CACHE_DIR", ""),
        ("XDG_CACHE_HOME", "zig"),
        ("HOME", os.path.join(".cache", "zig")),
    ):
        base = environ.get(variable)
        if base:
            folder = os.path.abspath(os.path.join(base, below))
            break
    else:
        raise ToolError(
            "zig needs a folder for what it compiles once, and none of ZIG_GLOBAL_CACHE_DIR, "
            "XDG_CACHE_HOME and HOME is set; set ZIG_GLOBAL_CACHE_DIR to one that stays"
        )
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ToolError(
            f"zig's cache {folder} (from {variable}) cannot be written: {error.strerror}; "
            "set ZIG_GLOBAL_CACHE_DIR to a folder that can, and that stays"
        ) from error
    return folder
