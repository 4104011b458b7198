"""Removes what CMake and Meson keep in build folders about compilers that are gone.

Both write the paths of compilers and files into a build folder that stays, as `_skbuild`, and use
them again. Those of manyshim are in a private folder that is removed after the build, so the next
build in that folder would fail, also one without manyshim's compilers.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
from contextlib import suppress
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Tuple

from manyshim.files import open_regular

_CACHE = "CMakeCache.txt"
_CMAKE = "CMakeFiles"
_MESON = "meson-private"
_COMPILERS = os.path.join("meson-info", "intro-compilers.json")
_COMPILER = re.compile(rb"(?:^CMAKE_\w+:\w+=|\")(/[^\n\"]*/\.manyshim-\w+\.tmp)/", re.MULTILINE)
_MAX_BYTES = 1 << 24
_MAX_DEPTH = 6
_SKIPPED = frozenset(
    (".git", ".hg", ".nox", ".tox", ".venv", "node_modules", "site-packages", _CMAKE)
)


def folders(settings: Optional[Mapping[str, Any]], environ: Mapping[str, str]) -> List[str]:
    """Return the folders that contain build folders: the project, and those of the user."""
    keys = ("build-dir", "builddir", "skbuild.build-dir")
    named = [*((settings or {}).get(key) for key in keys), environ.get("SKBUILD_BUILD_DIR")]
    # scikit-build-core replaces words in braces.
    paths = [one.partition("{")[0] for one in named if isinstance(one, str)]
    here = os.getcwd()
    found = (os.path.abspath(path) for path in paths if path)
    return [here, *(path for path in found if not path.startswith(os.path.join(here, "")))]


def discard(roots: Iterable[str]) -> None:
    """Remove the state of build folders below `roots` that names a removed folder of manyshim.

    A folder that cannot be read or changed stays as it is.
    """
    for root in roots:
        for folder, names, files in _walk(root):
            if _CACHE in files and _is_stale(os.path.join(folder, _CACHE)):
                _discard_cmake(folder)
            if _MESON in names and _is_stale(os.path.join(folder, _COMPILERS)):
                shutil.rmtree(os.path.join(folder, _MESON), ignore_errors=True)


def _discard_cmake(folder: str) -> None:
    """Remove the cache, and what was found and compiled. Logs, which are files, stay."""
    with suppress(OSError):
        for entry in list(os.scandir(os.path.join(folder, _CMAKE))):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
    with suppress(OSError):
        os.remove(os.path.join(folder, _CACHE))


def _walk(root: str) -> Iterator[Tuple[str, List[str], List[str]]]:
    """Yield what os.walk yields, without the folders that are deep or not a build's."""
    base = root.rstrip(os.sep).count(os.sep)
    for folder, names, files in os.walk(root):
        yield folder, list(names), files
        deep = folder.count(os.sep) - base >= _MAX_DEPTH
        names[:] = [] if deep else [name for name in names if name not in _SKIPPED]


def _is_stale(path: str) -> bool:
    try:
        with open_regular(path) as file:
            data = file.read(_MAX_BYTES)
    except OSError:
        return False
    found = {os.fsdecode(one) for one in _COMPILER.findall(data)}
    return any(not os.path.exists(one) for one in found)


def reused_folder(backend: str, arch: str) -> List[str]:
    """Return a line if a backend uses a folder again that CMake has set up for other compilers."""
    if backend.startswith("py_build_cmake"):
        folder, below = ".py-build-cmake_cache", f"*_{arch}"
    elif backend.startswith("setuptools"):
        folder, below = "_skbuild", os.path.join(f"*{arch}*", "cmake-build")
    else:
        return []
    if not glob.glob(os.path.join(folder, below, "CMakeCache.txt")):
        return []
    line = f"{folder} has the compilers of an earlier build, and CMake uses them again: remove "
    line += "this folder, or build from the sdist (uv build, without --wheel)"
    return [line]
