"""Decide what takes back the changes of `plan`. It is pure."""

from __future__ import annotations

from typing import Any, List, Tuple

from manyshim.adopt.changes import BUILD_SYSTEM, OWN_TABLE, Add, Change, Drop, Move, Put, Remove
from manyshim.adopt.facts import Project
from manyshim.adopt.plan import NO_BACKEND, NO_FILE, NO_SYSTEM, SHIM, TOMLI, Plan
from manyshim.adopt.sdist import removed
from manyshim.errors import ConfigError
from manyshim.known_backends import LEGACY, SETUPTOOLS, by_hooks, requirement_name


def undo(project: Project) -> Plan:
    """Return the changes that take `adopt` back. Raises ConfigError."""
    if project.build_backend != SHIM:
        backend = project.build_backend or LEGACY
        return Plan("done", backend, (), ("manyshim is not the backend: nothing to take back",))
    backend = project.wrapped or SETUPTOOLS
    in_tree = dict(project.copies)
    folder = next((path for path in project.backend_path if in_tree.get(path, "")), "")
    changes: List[Change] = removed(project, folder) if folder else []
    if project.hint in (NO_SYSTEM, NO_FILE) and _is_as_written(project, folder):
        reason = "there was no [build-system]"
        # The last table that was written is the first that goes.
        changes.append(Drop(OWN_TABLE, "backend", reason))
        changes += [Drop(BUILD_SYSTEM, key, reason) for key in project.system]
        return Plan("change", backend, tuple(changes), _left(project), folder)
    removals = len(changes)
    changes += [
        Remove(BUILD_SYSTEM, "requires", entry, "the build does not need it any more")
        for entry in project.requires
        if requirement_name(entry) == "manyshim" or (folder and entry == TOMLI)
    ]
    known = None if project.own.get("backend-path") else by_hooks(backend)
    if known and project.requires and len(changes) - removals == len(project.requires):
        # An empty list would leave the build without its backend, which manyshim brought.
        reason = f"{known.name} builds the project"
        changes += [Add(BUILD_SYSTEM, "requires", one, reason) for one in known.own_requirements]
    if folder:
        changes.append(Drop(BUILD_SYSTEM, "backend-path", "the copy of manyshim was there"))
    changes += _unwrap(project, folder)
    return Plan("change", backend, tuple(changes), _left(project), folder)


def _is_as_written(project: Project, folder: str) -> bool:
    """Whether [build-system] has only what `init` writes where there was none."""
    if project.wrapped != LEGACY:
        return False
    keys = {"requires", "build-backend", *(("backend-path",) if folder else ())}
    entries = (one for one in project.requires if requirement_name(one) != "manyshim")
    return keys.issuperset(project.system) and {"setuptools", TOMLI}.issuperset(entries)


def _unwrap(project: Project, folder: str) -> List[Change]:
    changes: List[Change] = []
    why = "frontends call the project's backend again"
    own: List[Any] = list(project.own)
    first = "backend-path" in own and own.index("backend-path") < (
        own.index("backend") if "backend" in own else len(own)
    )
    if project.hint in (NO_BACKEND, NO_SYSTEM, NO_FILE) and project.wrapped == LEGACY:
        changes.append(Drop(BUILD_SYSTEM, "build-backend", why))
        changes.append(Drop(OWN_TABLE, "backend", why))
    elif project.wrapped is None:
        changes.append(Put(BUILD_SYSTEM, "build-backend", SETUPTOOLS, why))
    else:
        changes.append(Move(OWN_TABLE, "backend", BUILD_SYSTEM, "build-backend", "", why))
    if "backend-path" in own:
        before = "build-backend" if first else ""
        if project.backend_path and not folder:
            raise ConfigError("both build-system and [tool.manyshim] have backend-path")
        reason = "it is the path of the project's own backend"
        changes.append(
            Move(OWN_TABLE, "backend-path", BUILD_SYSTEM, "backend-path", "", reason, before)
        )
    return changes


def _left(project: Project) -> Tuple[str, ...]:
    others = sorted(set(project.own) - {"backend", "backend-path"})
    if not others:
        return ()
    return (f"[tool.manyshim] keeps {', '.join(others)}, which `init` did not write",)
