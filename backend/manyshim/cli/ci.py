"""`manyshim ci`: prints or writes the workflow of a release for a CI service."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, Mapping, Optional, Tuple

from manyshim import __version__, pyproject
from manyshim.cli.accepted import accepted
from manyshim.cli.formats import print_json
from manyshim.cli.screen import Screen, notice, put
from manyshim.cli.wrongfiles import project as project_mistake
from manyshim.errors import ConfigError, ToolError
from manyshim.formatters.json import JSON_VERSION
from manyshim.formatters.text import Line
from manyshim.release import ci, matrix, prepare, table
from manyshim.workspace import write_whole


def run(options: SimpleNamespace) -> int:
    """Print a workflow, or write it; return the exit code."""
    refused = project_mistake(options.folder, "ci")
    if refused:
        raise refused
    document = pyproject.read(options.folder)
    wanted = table.read(document)
    given = ci.Project(wanted, __version__, _check_options(document, wanted))
    prepare.verify_backend(document)
    target = os.path.join(options.folder, *ci.PATHS[options.service].split("/"))
    existing = _read(target)
    if options.write:
        _verify_place(options.folder)
        if existing is not None:
            ci.verify_replaceable(existing, ci.PATHS[options.service])
    made = ci.generate(options.service, given, existing)
    changed = made.text != existing
    if options.write and changed:
        _write(made.text, target)
    if options.json:
        written = bool(options.write and changed)
        data = {"path": made.path, "text": made.text, "written": written, "notes": [*made.notes]}
        print_json({"version": JSON_VERSION, **data})
        return 0
    for note in made.notes:
        notice(note)
    if options.write:
        end = f"wrote {made.path}" if changed else f"{made.path} is current"
        Screen().print_lines([Line(end, "title")])
    else:
        put(made.text, end="")
    return 0


def _check_options(document: Mapping[str, Any], wanted: table.Table) -> Tuple[str, ...]:
    """Return the options of `check` in a workflow. Raises ConfigError for one that no line has."""
    found = accepted(document, wanted, matrix.cells(wanted))
    for one in found:
        if not one.isprintable():
            raise ConfigError(f"{one!r} of the project's settings cannot be in a workflow")
    return tuple(found)


def _read(path: str) -> Optional[str]:
    """Return the text of an existing workflow; None if there is none. Raises ToolError."""
    if not os.path.lexists(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        raise ToolError(f"{path}: is not UTF-8; save it as UTF-8, or rename it") from None
    except OSError as error:
        raise ToolError(f"{path}: cannot be read: {error.strerror}") from error


def _verify_place(folder: str) -> None:
    """Verify that a folder is no part of a repository: services read the file at its root only."""
    below = os.path.realpath(folder)
    above = os.path.dirname(below)
    if os.path.exists(os.path.join(below, ".git")):
        return
    while above != below:
        if os.path.exists(os.path.join(above, ".git")):
            raise ConfigError(
                f"{folder}: is inside of a repository, and services read workflows at its root "
                "only; print the workflow without --write, and adapt its paths"
            )
        above, below = os.path.dirname(above), above


def _write(text: str, path: str) -> None:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise ToolError(f"{path}: the workflow cannot be written: {error.strerror}") from error
    write_whole(text, path, "workflow")
