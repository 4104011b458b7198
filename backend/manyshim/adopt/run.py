"""From a project's folder to the changed files: what `manyshim init` does."""

from __future__ import annotations

import difflib
from typing import List, Tuple

from manyshim import pyproject
from manyshim.adopt import edit, plan, sdist, vendor
from manyshim.adopt.changes import OWN_TABLE
from manyshim.adopt.facts import OTHER, SAME, Project
from manyshim.adopt.files import FileChange, write
from manyshim.adopt.plan import NO_FILE, Plan
from manyshim.adopt.project import read
from manyshim.adopt.undo import undo as undo_plan
from manyshim.errors import ConfigError
from manyshim.known_backends import LEGACY, SETUPTOOLS
from manyshim.values import NamedTuple


class Prepared(NamedTuple):
    """A plan with the texts of the files. `copy` and `remove` are folders for manyshim."""

    plan: Plan
    files: Tuple[FileChange, ...] = ()
    copy: str = ""
    remove: str = ""

    def write(self, folder: str) -> None:
        """Write the files of the project in a folder. Raises ToolError; then nothing is changed."""
        write(folder, self.files, copy=self.copy, remove=self.remove)


def adopt(folder: str, *, in_tree: bool = False, force: bool = False) -> Prepared:
    """Prepare the change with which manyshim wraps the backend. Raises ConfigError, ToolError."""
    project, text = _read(folder)
    wanted = _folder(project) if in_tree else ""
    made = plan.adopt(project, folder=wanted, force=force)
    if made.status != "change":
        return Prepared(made)
    files: List[FileChange] = []
    if made.folder:
        changes, notes = sdist.included(project, made.backend, made.folder)
        made = made._replace(changes=(*made.changes, *changes), notes=(*made.notes, *notes))
        if _makes_sdists_with_setuptools(project, made.backend):
            manifest = sdist.manifest(project.manifest, made.folder)
            files.append(FileChange("MANIFEST.in", project.manifest, manifest))
    after = edit.apply(text, made.changes)
    if not _returns(project, text, after, made.folder):
        line = "`manyshim init --undo` will give the same settings, in another form"
        made = made._replace(notes=(*made.notes, line))
    files.append(FileChange("pyproject.toml", text if project.has_pyproject else None, after))
    return Prepared(made, _changed(files), copy=made.folder)


def _makes_sdists_with_setuptools(project: Project, backend: str) -> bool:
    """Whether MANIFEST.in counts: a backend in the project's tree mostly calls setuptools, too."""
    if backend in (SETUPTOOLS, LEGACY):
        return True
    lies_here = bool(project.backend_path or project.own.get("backend-path"))
    return lies_here and ("setuptools" in project.required or "setup.py" in project.names)


def undo(folder: str) -> Prepared:
    """Prepare the reverse of `adopt`. Raises ConfigError, ToolError."""
    project, text = _read(folder)
    made = undo_plan(project)
    if made.status != "change":
        return Prepared(made)
    after = edit.apply(text, made.changes)
    left = after or (None if project.hint == NO_FILE else "")
    files = [FileChange("pyproject.toml", text, left)]
    remove = made.folder
    if remove:
        if project.manifest is not None:
            manifest = sdist.without_manifest(project.manifest, remove)
            files.append(FileChange("MANIFEST.in", project.manifest, manifest or None))
        state = dict(project.copies)[remove]
        if state == OTHER:
            line = f"{remove}/manyshim differs from this manyshim, so it stays: remove it yourself"
            made = made._replace(notes=(*made.notes, line))
        remove = remove if state == SAME else ""
    return Prepared(made, _changed(files), remove=remove)


def diff(change: FileChange) -> List[str]:
    """Return the lines of a unified diff of a file, without line feeds."""
    before, after = _lines(change.before), _lines(change.after)
    source = f"a/{change.name}" if change.before is not None else "/dev/null"
    target = f"b/{change.name}" if change.after is not None else "/dev/null"
    lines: List[str] = []
    for line in difflib.unified_diff(before, after, source, target):
        if line.endswith("\n"):
            lines.append(line[:-1])
        else:
            lines += [line, "\\ No newline at end of file"]
    return lines


def _lines(text: str | None) -> List[str]:
    # Other characters that str.splitlines knows are no line ends in these files.
    return (
        []
        if not text
        else [f"{line}\n" for line in text.split("\n")[:-1]]
        + ([] if text.endswith("\n") else [text.rpartition("\n")[2]])
    )


def _read(folder: str) -> Tuple[Project, str]:
    project, text = read(folder)
    return project._replace(copies=vendor.states(folder, project.backend_path)), text


def _folder(project: Project) -> str:
    held = [path for path in project.backend_path if dict(project.copies).get(path) == SAME]
    if held:
        return held[0]
    return sdist.choose_folder(project, project.build_backend or LEGACY)


def _returns(project: Project, text: str, after: str, folder: str) -> bool:
    """Whether `undo` gives the very text back."""
    hint = edit.comment_of(after, OWN_TABLE, "backend")
    document = pyproject.parse(after.lstrip("\ufeff"))
    copies = tuple({**dict(project.copies), folder: SAME}.items()) if folder else project.copies
    changed = project._replace(document=document, hint=hint, copies=copies, has_pyproject=True)
    try:
        return edit.apply(after, undo_plan(changed).changes) == text
    except ConfigError:
        return False


def _changed(files: List[FileChange]) -> Tuple[FileChange, ...]:
    return tuple(one for one in files if one.before != one.after)
