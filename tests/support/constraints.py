"""Read the pinned versions of pyproject.toml, for the frontends that tests start."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping

from paths import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib as tomli
else:
    import tomli

PYPROJECT = REPOSITORY / "pyproject.toml"


def pinned(key: str) -> List[str]:
    """Return one of the two lists of `[tool.uv]`, one requirement per row."""
    with PYPROJECT.open("rb") as file:
        table: Dict[str, Any] = tomli.load(file)["tool"]["uv"]
    return list(table[key])


@lru_cache(maxsize=None)
def constraint_variables() -> Dict[str, str]:
    """Return the environment variables that pass the pins to uv and to pip.

    Older releases of pip use PIP_CONSTRAINT also for isolated builds. Newer ones use
    PIP_BUILD_CONSTRAINT there.
    """
    folder = Path(tempfile.mkdtemp(prefix="manyshim-constraints-"))
    atexit.register(shutil.rmtree, str(folder), ignore_errors=True)
    installs, builds = str(folder / "installs.txt"), str(folder / "builds.txt")
    for path, key in (
        (installs, "constraint-dependencies"),
        (builds, "build-constraint-dependencies"),
    ):
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{row}\n" for row in pinned(key))
    return {
        "PIP_BUILD_CONSTRAINT": builds,
        "PIP_CONSTRAINT": installs,
        "UV_BUILD_CONSTRAINT": builds,
        "UV_CONSTRAINT": installs,
    }


def without_constraints(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return an environment for a build that requires other versions than the pins."""
    return {name: environ[name] for name in environ if name not in constraint_variables()}
