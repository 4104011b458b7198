"""Know what brings a copy of manyshim into each backend's sdist. It is pure."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Tuple

from manyshim.adopt.changes import Add, Change, Drop, Remove, Table
from manyshim.adopt.facts import ABSENT, SAME, Project
from manyshim.errors import ConfigError
from manyshim.known_backends import SETUPTOOLS, by_hooks
from manyshim.values import NamedTuple

_MANIFEST_COMMENT = "# manyshim, the build backend, belongs to the sdist."
_REASON = "the sdist needs the copy of manyshim"


class Listed(NamedTuple):
    """A list of a backend's table: what it names is in the sdist. `entry` holds `{}`, the folder.

    `always` is false where the backend takes the whole tree, unless this list is there.
    """

    table: Table
    key: str
    entry: Any
    always: bool = True


# As the backends' manuals say; the builds of the tests show it for those that they have.
LISTS: Dict[str, Tuple[Listed, ...]] = {
    "hatchling": tuple(
        Listed(("tool", "hatch", "build", *more), key, "/{}", always=False)
        for more in ((), ("targets", "sdist"))
        for key in ("include", "only-include")
    ),
    "poetry-core": (
        Listed(("tool", "poetry"), "include", {"path": "{}/**/*", "format": "sdist"}),
    ),
    "pdm-backend": (Listed(("tool", "pdm", "build"), "source-includes", "{}"),),
    "flit": (Listed(("tool", "flit", "sdist"), "include", "{}/"),),
    "maturin": (Listed(("tool", "maturin"), "include", {"path": "{}/**/*", "format": "sdist"}),),
    "uv_build": (Listed(("tool", "uv", "build-backend"), "source-include", "{}/**"),),
    "py-build-cmake": (
        Listed(("tool", "py-build-cmake", "sdist"), "include", "{}/**"),
    ),
}  # fmt: skip


def choose_folder(project: Project, backend: str) -> str:
    """Return the folder for a copy of manyshim. Raises ConfigError if no name is free."""
    states = dict(project.copies)
    # setuptools' automatic discovery takes `backend` for a package, and no name with `_`.
    names = [name for name in states if name.startswith("_") or not _discovers(project, backend)]
    for name in names:
        if states[name] in (ABSENT, SAME):
            return name
    raise ConfigError(
        f"no folder is free for the copy of manyshim: {', '.join(names)} exist already"
    )


def _discovers(project: Project, backend: str) -> bool:
    """Whether setuptools looks for the packages itself, in the project's folder."""
    known = by_hooks(backend)
    if known is None or known.hooks != SETUPTOOLS or "src" in project.names:
        return False
    table = project.table("setuptools")
    listed = {"packages", "py-modules"} & set(table)
    return not listed and not re.search(
        r"\b(packages|py_modules)\b", project.setup_py + project.setup_cfg
    )


def included(project: Project, backend: str, folder: str) -> Tuple[List[Change], List[str]]:
    """Return the changes with which the copy comes into the sdist, and lines for the user."""
    known = by_hooks(backend)
    name = known.name if known else ""
    changes: List[Change] = []
    notes: List[str] = []
    for row in LISTS.get(name, ()):
        entry = _filled(row.entry, folder)
        present = project.table(".".join(row.table[1:])).get(row.key)
        if present is not None and not isinstance(present, list):
            raise ConfigError(f"{'.'.join(row.table)}.{row.key} in pyproject.toml must be a list")
        if (row.always or present) and entry not in (present or ()):
            changes.append(Add(row.table, row.key, entry, _REASON))
    if known and known.hooks == SETUPTOOLS:
        changes += _excluded(project, folder)
        if "find_namespace" in project.setup_py + project.setup_cfg:
            notes.append(f"exclude {folder}* where find_namespace lists the packages")
    if name == "meson-python":
        notes.append(f"Meson takes committed files only: git add {folder} pyproject.toml, commit")
    elif name not in (*LISTS, "setuptools", "scikit-build-core"):
        notes.append(f"check that the sdist has {folder}/manyshim")
    return changes, notes


def _excluded(project: Project, folder: str) -> List[Change]:
    find = project.table("setuptools.packages.find")
    searched = "find" in project.table("setuptools.packages")
    where = find.get("where", ["."])
    if not searched or "." not in where or "include" in find or find.get("namespaces") is False:
        return []
    reason = "the copy of manyshim is no package of the project"
    return [Add(("tool", "setuptools", "packages", "find"), "exclude", f"{folder}*", reason)]


def removed(project: Project, folder: str) -> List[Change]:
    """Return the reverse of `included`."""
    rows = [row for rows in LISTS.values() for row in rows]
    rows.append(Listed(("tool", "setuptools", "packages", "find"), "exclude", "{}*"))
    changes: List[Change] = []
    for row in rows:
        entry = _filled(row.entry, folder)
        present = project.table(".".join(row.table[1:])).get(row.key)
        if not isinstance(present, list) or entry not in present:
            continue
        reason = "the copy of manyshim is removed"
        if len(present) == 1:
            changes.append(Drop(row.table, row.key, reason))
        else:
            changes.append(Remove(row.table, row.key, entry, reason))
    return changes


def _filled(entry: Any, folder: str) -> Any:  # noqa: ANN401 (a text or a table of texts)
    if isinstance(entry, dict):
        return {key: value.format(folder) for key, value in entry.items()}
    return entry.format(folder)


def manifest(text: Optional[str], folder: str) -> str:
    """Return MANIFEST.in with the lines that put the copy into setuptools' sdist."""
    text = text or ""
    if _block(folder, "\n") in text.replace("\r\n", "\n"):
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    block = _block(folder, newline)
    if text and not text.endswith("\n"):
        return text + newline + block
    return text + block + newline


def without_manifest(text: str, folder: str) -> str:
    """Return MANIFEST.in without the lines of `manifest`."""
    newline = "\r\n" if "\r\n" in text else "\n"
    block = _block(folder, newline)
    for lines in (block + newline, newline + block):
        if lines in text:
            return text.replace(lines, "")
    return text.replace(block, "")


def _block(folder: str, newline: str) -> str:
    return newline.join((_MANIFEST_COMMENT, f"graft {folder}", "global-exclude *.py[cod]"))
