"""`manyshim init`: makes manyshim the build backend of a project, around its own backend."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, Dict, List, Sequence

from manyshim import operations
from manyshim.adopt import building, edit
from manyshim.adopt import run as adoption
from manyshim.adopt.changes import Change
from manyshim.adopt.files import FileChange
from manyshim.audit.request import Request
from manyshim.cli.formats import print_json
from manyshim.cli.screen import Screen
from manyshim.cli.wrongfiles import project as project_mistake
from manyshim.errors import ConfigError
from manyshim.formatters.json import JSON_VERSION
from manyshim.formatters.text import Line

_ROLES = {"+": "tag", "-": "error", "@": "info"}


def run(options: SimpleNamespace) -> int:
    """Print the change, make it if asked to; return the exit code."""
    refused = project_mistake(options.folder, "init")
    if refused:
        raise refused
    if options.undo and (options.in_tree or options.force):
        raise ConfigError("--undo takes neither --in-tree nor --force")
    if options.undo:
        prepared = adoption.undo(options.folder)
    else:
        prepared = adoption.adopt(options.folder, in_tree=options.in_tree, force=options.force)
    if options.write:
        prepared.write(options.folder)
    outcomes: List[operations.Outcome] = []
    if options.build:
        with building.wheels(options.folder, prepared) as built:
            outcomes = [operations.show(path, Request()) for path in built]
    if options.json:
        print_json(_data(prepared, options, outcomes))
        return 0
    screen = Screen()
    screen.print_lines(_lines(prepared, options))
    for outcome in outcomes:
        screen.print_lines(outcome.lines)
    return 0


def _lines(prepared: adoption.Prepared, options: SimpleNamespace) -> List[Line]:
    lines = [Line(f"{_name(change)}: {change.reason}", "") for change in prepared.plan.changes]
    files = "this version of manyshim"
    if prepared.copy:
        lines.append(Line(f"{prepared.copy}/manyshim: a copy of {files}", ""))
    if prepared.remove:
        lines.append(Line(f"{prepared.remove}/manyshim: removed; it is {files}", ""))
    for change in prepared.files:
        lines += [Line(line.rstrip("\r"), _role(line)) for line in adoption.diff(change)]
    lines += [Line(f"note: {note}", "warning") for note in prepared.plan.notes]
    if prepared.plan.status == "change":
        names = ", ".join(change.name for change in prepared.files)
        again = " --undo" if options.undo else " --in-tree" if options.in_tree else ""
        end = f"wrote {names}" if options.write else f"nothing is written yet: add{again} --write"
        lines.append(Line(end, "title"))
    return lines


def _name(change: Change) -> str:
    return f"[{'.'.join(change.table)}] {change.key}"


def _role(line: str) -> str:
    return "title" if line.startswith(("---", "+++")) else _ROLES.get(line[:1], "dim")


def _data(
    prepared: adoption.Prepared,
    options: SimpleNamespace,
    outcomes: Sequence[operations.Outcome],
) -> Dict[str, Any]:
    def of_file(change: FileChange) -> Dict[str, str]:
        return {"path": change.name, "diff": "\n".join(adoption.diff(change))}

    return {
        "version": JSON_VERSION,
        "project": os.path.basename(os.path.abspath(options.folder)),
        "status": prepared.plan.status,
        "backend": prepared.plan.backend,
        "written": bool(options.write and prepared.plan.status == "change"),
        "changes": [
            {"key": _name(change), "text": text, "reason": change.reason}
            for change, text in zip(prepared.plan.changes, edit.by_hand(prepared.plan.changes))
        ],
        "files": [of_file(change) for change in prepared.files],
        "copy": prepared.copy or None,
        "removed": prepared.remove or None,
        "notes": list(prepared.plan.notes),
        "wheels": [outcome.data for outcome in outcomes],
    }
