"""The Pythons of this machine that test wheels, or install them for another system."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from typing import Optional, Sequence

from manyshim.release.frontend import find_python

_SECONDS = 60


@lru_cache(maxsize=None)
def native_python(version: str, uv: Optional[str]) -> Optional[str]:
    """Return the path of a CPython of this machine; uv knows those that it has downloaded."""
    found = find_python(version)
    if found is None and uv:
        # Its own ones only: the others are found above, and some names start no Python.
        options = ("--no-project", "--no-python-downloads", "--managed-python")
        path = (_answer((uv, "python", "find", *options, version)) or "").strip()
        found = path if os.path.isfile(path) else None
    return found


@lru_cache(maxsize=None)
def pip_python(version: str) -> Optional[str]:
    """Return the path of a Python that has pip; one of this version if there is one.

    pip takes the version in the markers of requirements from the Python that runs it.
    """
    for path in (find_python(version.rstrip("t")), sys.executable):
        if path and _answer((path, "-m", "pip", "--version")) is not None:
            return path
    return None


def _answer(command: Sequence[str]) -> Optional[str]:
    """Return what a command prints; None if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 (uv, or a Python that the user has)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.decode(errors="replace")
