"""Find a zig of a supported release, and the folder of its cache."""

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

# The releases that the translation of arguments was tested with. The requirement names the same.
_SUPPORTED = "0.17."
REQUIREMENT = "ziglang>=0.17,<0.18"
_VERSION_SECONDS = 60.0


class Zig(NamedTuple):
    """A zig of a supported release."""

    path: str
    version: str


def find(environ: Mapping[str, str]) -> Zig:
    """Find zig: first in the ziglang package of this environment, then on PATH.

    Raises ToolError if no zig of a supported release is found; the error is about the first one.
    """

    def check(path: str) -> Zig:
        version = run([path, "version"], environ, _VERSION_SECONDS).strip()
        if version.startswith(_SUPPORTED):
            return Zig(path, version)
        raise ToolError(
            f"{path} is zig {version[:40]}, and manyshim supports {_SUPPORTED}x; install it with: "
            f"pip install '{REQUIREMENT}'"
        )

    return first_good(
        _candidates(environ),
        check,
        "compiler = zig needs zig, which is found neither as the package ziglang nor on PATH; "
        f"install it with: pip install '{REQUIREMENT}'",
    )


def missing_requirements(environ: Mapping[str, str]) -> List[str]:
    """List the requirement that installs zig, if `find` finds none."""
    try:
        find(environ)
    except ToolError:
        return [REQUIREMENT]
    return []


def glibc_names(zig: Zig, environ: Mapping[str, str]) -> FrozenSet[str]:
    """Read the names of all symbols that any release of glibc defines.

    zig links against stubs that it generates from this list. A symbol that the target's glibc lacks
    stays undefined, and then looks like a symbol of any other library. Raises ToolError if the list
    cannot be read.
    """
    output = run([zig.path, "env"], environ, _VERSION_SECONDS)
    found = re.search(r'\blib_dir\W+"([^"]+)"', output)
    path = os.path.join(found.group(1) if found else "", "libc", "glibc", "abilists")
    try:
        with open(path, "rb") as file:
            listed = file.read()
    except OSError as error:
        raise ToolError(f"{path}: zig's list of glibc symbols cannot be read: {error}") from error
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
    """Return the folder of zig's cache, chosen as zig chooses it, after a test that it is writable.

    All builds of a user share it. In a build's own environment, each build would compile the C
    library again. Raises ToolError if the folder cannot be used: zig reports that late, or hangs.
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
            "zig needs a cache folder, and none of ZIG_GLOBAL_CACHE_DIR, XDG_CACHE_HOME and HOME "
            "is set; set ZIG_GLOBAL_CACHE_DIR to a permanent folder"
        )
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ToolError(
            f"zig's cache {folder} (from {variable}) cannot be written: {error.strerror}; "
            "set ZIG_GLOBAL_CACHE_DIR to a permanent folder that is writable"
        ) from error
    return folder
