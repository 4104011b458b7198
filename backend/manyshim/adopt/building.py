"""Build a wheel once, in a copy of the project that has the change."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Iterator, List

from manyshim import process
from manyshim.adopt.files import text_of
from manyshim.adopt.run import Prepared
from manyshim.errors import ToolError
from manyshim.workspace import private_folder

_SECONDS = 3600.0
# Build trees and environments of other interpreters; .git stays, for versions taken from it.
_LEFT_OUT = shutil.ignore_patterns(
    *(".venv", "venv", "node_modules", "__pycache__", ".tox", ".nox", ".mypy_cache"),
    *("dist", "*.egg-info", ".manyshim-*.tmp", "target"),
)


@contextmanager
def wheels(folder: str, prepared: Prepared) -> Iterator[List[str]]:
    """Build the wheels of a project with the prepared change; they exist within the block.

    Raises ToolError without uv and build, and if the build fails.
    """
    project = os.path.realpath(folder)
    # Beside the project, relative paths to its neighbours hold in the copy, too.
    above = os.path.dirname(project)
    parent = above if os.access(above, os.W_OK) else tempfile.gettempdir()
    # The wheels lie in no private folder: a build into one looks like a backend that wraps itself.
    with private_folder(parent) as copy, tempfile.TemporaryDirectory() as out:
        try:
            _copy(project, copy)
        except (OSError, shutil.Error) as error:
            raise ToolError(f"{folder}: cannot be copied for the build: {error}") from error
        if prepared.plan.status == "change" and not _is_written(project, prepared):
            prepared.write(copy)
        process.run(_command(copy, out), os.environ, _SECONDS)
        yield sorted(os.path.join(out, name) for name in os.listdir(out) if name.endswith(".whl"))


def _is_written(project: str, prepared: Prepared) -> bool:
    return all(
        text_of(os.path.join(project, change.name)) == change.after for change in prepared.files
    )


def _copy(project: str, copy: str) -> None:
    for name in os.listdir(project):
        if name in _LEFT_OUT(project, [name]):
            continue
        source, target = os.path.join(project, name), os.path.join(copy, name)
        if os.path.isdir(source) and not os.path.islink(source):
            shutil.copytree(source, target, symlinks=True, ignore=_LEFT_OUT)
        else:
            shutil.copy2(source, target, follow_symlinks=False)


def _command(project: str, out: str) -> List[str]:
    uv = shutil.which("uv")
    if uv:
        return [uv, "build", "--wheel", "--out-dir", out, project]
    if find_spec("build") is None:
        raise ToolError("--build needs uv or build: pip install uv")
    return [sys.executable, "-m", "build", "--wheel", "--outdir", out, project]
