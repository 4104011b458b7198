"""The Pythons of this machine that test wheels, or install them for another system."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Optional

from manyshim.release.asking import answer
from manyshim.release.frontend import find_python


@lru_cache(maxsize=None)
def native_python(version: str, uv: Optional[str]) -> Optional[str]:
    """Return the path of a CPython of this machine; uv knows those that it has downloaded."""
    found = find_python(version)
    if found is None and uv:
        # Its own ones only: the others are found above, and some names start no Python.
        options = ("--no-project", "--no-python-downloads", "--managed-python")
        path = answer(uv, "python", "find", *options, version) or ""
        found = path if os.path.isfile(path) else None
    return found


@lru_cache(maxsize=None)
def pip_python(version: str) -> Optional[str]:
    """Return the path of a Python that has pip; one of this version if there is one.

    pip takes the version in the markers of requirements from the Python that runs it.
    """
    for path in (find_python(version.rstrip("t")), sys.executable):
        if path and answer(path, "-m", "pip", "--version") is not None:
            return path
    return None
