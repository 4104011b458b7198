"""The folders that a contender gets on PYTHONPATH; each is made when it is first asked for.

`plain` hides what the extra `fast` brings, even if the bench's environment has it. `fast` has it,
and isal for a comparison. Every contender gets one of the two, so that both cost the same searches.
`this` and `that` are copies of the package of this checkout, and of the one to compare with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable

from packaging.requirements import Requirement

from manyshim import pyproject

# Both copies have names of the same length, because a longer path takes more instructions.
PLAIN, FAST, THIS, OTHER = "plain", "fast", "this", "that"

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# The dependency group whose projects the folder `fast` has, in the versions of `[tool.uv]`.
_GROUP = "bench-fast"

# The modules of these projects.
HIDDEN = ("deflate", "isal", "zlib_ng")

_HIDDEN = "raise ImportError('hidden by the bench')\n"


class MissingError(Exception):
    """A folder cannot be made; the message says what is missing."""


class Places:
    """Makes the folders below `folder`, except for `fast`, which `cache` keeps between runs."""

    def __init__(self, cache: str, folder: str, against: str | None = None) -> None:
        self._cache, self._folder, self._against = cache, folder, against
        self._made: dict[str, str | MissingError] = {}

    def path(self, name: str) -> str:
        """Return the path of a folder. Raises MissingError, each time with the same message."""
        if name not in self._made:
            makers: dict[str, Callable[[], str]] = {
                PLAIN: self._plain,
                FAST: self._fast,
                THIS: lambda: self._copied(THIS, CHECKOUT),
                OTHER: self._other,
            }
            try:
                self._made[name] = makers[name]()
            except (OSError, MissingError, zipfile.BadZipFile) as error:
                self._made[name] = MissingError(str(error))
        made = self._made[name]
        if isinstance(made, MissingError):
            raise made
        return made

    def _plain(self) -> str:
        path = os.path.join(self._folder, PLAIN)
        os.makedirs(path)
        for name in HIDDEN:
            with open(os.path.join(path, f"{name}.py"), "w", encoding="utf-8") as file:
                file.write(_HIDDEN)
        return path

    def _fast(self) -> str:
        versions = pinned()
        wanted = [f"{name}=={version}" for name, version in versions.items()]
        named = (f"{name}-{version}" for name, version in versions.items())
        tag = sys.implementation.cache_tag or "python"
        path = os.path.join(self._cache, "-".join(("fast", tag, *named)))
        if not os.path.isdir(path):
            part = f"{path}.part"
            shutil.rmtree(part, ignore_errors=True)
            command = [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
                *("--only-binary", ":all:", "--target", part, *wanted),
            ]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                shutil.rmtree(part, ignore_errors=True)
                errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
                raise MissingError((errors or ["pip installed nothing"])[-1])
            os.replace(part, path)
        return path

    def _other(self) -> str:
        if self._against is None:
            raise MissingError("no --against CHECKOUT")
        return self._copied(OTHER, self._against)

    def _copied(self, name: str, source: str) -> str:
        """Copy the package of a checkout or of a wheel, so that no bytecode is written into it."""
        target = os.path.join(self._folder, name)
        copy_package(source, target)
        return target


def copy_package(source: str, target: str) -> None:
    """Copy the package `manyshim` of a checkout or a wheel into the folder `target`.

    Raises MissingError if `source` is neither, OSError or zipfile.BadZipFile if it is unreadable.
    """
    package = os.path.join(source, "backend", "manyshim")
    if os.path.isdir(package):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(package, os.path.join(target, "manyshim"), ignore=ignore)
    elif source.endswith(".whl"):
        with zipfile.ZipFile(source) as archive:
            archive.extractall(target)
    else:
        raise MissingError(f"{source} is no checkout of manyshim: it has no backend/manyshim")


def pinned() -> dict[str, str]:
    """Return the version of each project of the group, as pyproject.toml pins it."""
    table = pyproject.read(CHECKOUT)
    names = [Requirement(one).name for one in table["dependency-groups"][_GROUP]]
    rows = map(Requirement, table["tool"]["uv"]["constraint-dependencies"])
    return {
        row.name: str(row.specifier).lstrip("=")
        for row in rows
        if row.name in names and (row.marker is None or row.marker.evaluate())
    }
