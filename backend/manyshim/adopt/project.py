"""Read a project: pyproject.toml, setup.py, the backend in its tree, sources that are compiled."""

from __future__ import annotations

import os
import re
from typing import Iterator, List, Optional, Tuple

from manyshim import pyproject
from manyshim.adopt.changes import OWN_TABLE
from manyshim.adopt.edit import comment_of
from manyshim.adopt.facts import Project
from manyshim.errors import ConfigError, ToolError
from manyshim.files import open_regular

# Sources that some compiler makes machine code of, and machine code itself. Templates of sources
# and libraries with a version have one more ending.
_COMPILED = re.compile(
    r"\.(c|cc|cpp|cxx|c\+\+|cu|pyx|rs|go|zig|sip|s|asm|mm|nim|f|for|ftn|f77|f90|f95|f03|f08|pyf|d"
    r"|so|a|o|dylib|dll|pyd)(\.in|\.src|\.tp|\.j2|\.jinja2?|\.mako|(\.\d+)+)?$",
    re.IGNORECASE,
)
_MAX_SOURCES = 3
# A bigger tree is not searched to its end. The answer is then the cautious one.
_MAX_FOLDERS = 5000
_SKIPPED = {"build", "dist", "node_modules", "__pycache__", "venv"}
_MAX_TEXT = 4 << 20


def read(folder: str) -> Tuple[Project, str]:
    """Read the project in a folder; return it with the text of its pyproject.toml.

    Raises ConfigError for a folder without a project and for a broken pyproject.toml, ToolError
    for a file that cannot be read.
    """
    names = _names(folder)
    raw = _text(folder, "pyproject.toml")
    text = "" if raw is None else raw
    document = pyproject.parse(text.lstrip("\ufeff"))
    project = Project(
        document,
        has_pyproject=raw is not None,
        names=frozenset(names),
        setup_py=_text(folder, "setup.py") or "",
        setup_cfg=_text(folder, "setup.cfg") or "",
        manifest=_text(folder, "MANIFEST.in"),
    )
    _refuse_no_project(folder, project)
    return (
        project._replace(
            compiled=_compiled(folder),
            own_backend=_own_backend(folder, project),
            hint=comment_of(text, OWN_TABLE, "backend"),
        ),
        text,
    )


def _names(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except NotADirectoryError:
        raise ConfigError(f"{folder}: not a folder: name the folder of the project") from None
    except FileNotFoundError:
        raise ConfigError(f"{folder}: no such folder") from None
    except (OSError, ValueError) as error:
        raise ToolError(f"{folder}: cannot be read: {error}") from error


def _refuse_no_project(folder: str, project: Project) -> None:
    # Reading these raises ConfigError for tables that are none.
    _ = project.own, project.requires, project.backend_path
    if {"setup.py", "setup.cfg"} & project.names:
        return
    if not project.has_pyproject:
        raise ConfigError(f"{folder}: no project: pyproject.toml and setup.py are missing")
    if not {"build-system", "project"} & set(project.document):
        raise ConfigError(
            f"{folder}: no project that can be built: pyproject.toml has neither [build-system] "
            "nor [project], and there is no setup.py"
        )


def _text(folder: str, name: str) -> Optional[str]:
    """Return the text of a file, with its line ends; None if there is no such file."""
    path = os.path.join(folder, name)
    if not os.path.lexists(path):
        return None
    try:
        with open_regular(path) as file:
            data = file.read(_MAX_TEXT + 1)
    except OSError as error:
        raise ToolError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_TEXT:
        raise ToolError(f"{path}: too large: more than {_MAX_TEXT} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if name == "pyproject.toml":
            raise ConfigError(f"pyproject.toml cannot be read: {error}") from error
        return data.decode("latin-1")


def _own_backend(folder: str, project: Project) -> str:
    """Return the text of the in-tree backend's module, empty if there is none."""
    module = (project.build_backend or "").partition(":")[0]
    for path in project.backend_path:
        for name in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
            text = _text(folder, os.path.join(path, name)) if module else None
            if text is not None:
                return text
    return ""


def _compiled(folder: str) -> Tuple[str, ...]:
    """Return a few sources of compiled languages; "..." in a tree that is too large."""
    found: List[str] = []
    for number, (path, names) in enumerate(_walk(folder)):
        if number >= _MAX_FOLDERS:
            return (*found, "...")
        for name in sorted(names):
            if _COMPILED.search(name):
                found.append(os.path.relpath(os.path.join(path, name), folder))
                if len(found) == _MAX_SOURCES:
                    return tuple(found)
    return tuple(found)


def _walk(folder: str) -> Iterator[Tuple[str, List[str]]]:
    for path, folders, names in os.walk(folder):
        folders[:] = [
            name
            for name in sorted(folders)
            if name not in _SKIPPED
            and not name.startswith(".")
            and not name.endswith(".egg-info")
            and not os.path.exists(os.path.join(path, name, "pyvenv.cfg"))
        ]
        yield path, names
