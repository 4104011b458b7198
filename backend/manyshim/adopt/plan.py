"""Decide what must change in a project so that manyshim wraps its backend. It is pure."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from manyshim.adopt import pure
from manyshim.adopt.changes import BUILD_SYSTEM, OWN_TABLE, Add, Change, Move, Put
from manyshim.adopt.facts import Project
from manyshim.errors import ConfigError
from manyshim.known_backends import (
    BACKENDS,
    LEGACY,
    SETUPTOOLS,
    Backend,
    by_hooks,
    means_manyshim,
    normalized,
    other_than_setuptools,
    requirement_name,
)
from manyshim.pyproject import is_manyshim
from manyshim.values import NamedTuple

SHIM = "manyshim.backend"
TOMLI = "tomli; python_version < '3.11'"

# What stands beside the wrapped backend's name, if it was not written before. --undo reads it.
NO_BACKEND = "the default without build-backend"
NO_SYSTEM = "the default without [build-system]"
NO_FILE = "the default without pyproject.toml"

# manyshim's own bounds, by the distribution.
_BOUNDS = {"setuptools": (40, 8), "wheel": (0, 32)}
_UPPER = re.compile(r"(==|<=|<|~=)\s*(\d+(?:\.\d+)*)(\.\*)?")


class Plan(NamedTuple):
    """What `init` will do.

    `status` is "change", "done" (manyshim is the backend already, or is not with --undo) or "pure".
    `backend` is the backend that builds. `notes` are lines for the user. `folder` is the folder
    that holds manyshim in the tree, if it is to be made or removed.
    """

    status: str
    backend: str
    changes: Tuple[Change, ...] = ()
    notes: Tuple[str, ...] = ()
    folder: str = ""


def adopt(project: Project, *, folder: str = "", force: bool = False) -> Plan:
    """Return the changes with which manyshim wraps the project's backend.

    `folder` is the folder for a copy of manyshim, if there will be one. `force` also wraps the
    backend of a pure project. Raises ConfigError for a project that cannot be changed.
    """
    if _is_manyshim(project):
        return _completed(project, folder)
    if _imports_manyshim(project):
        line = f"{project.build_backend} imports manyshim: nothing is changed"
        return Plan("done", str(project.build_backend), (), (line,))
    backend = _current(project)
    answer = pure.judge(project, backend)
    if answer.pure and not force:
        return Plan("pure", backend, (), (f"nothing to do: {answer.reason}",))
    _refuse_bounds(project, folder)
    notes = list(_notes(project, backend))
    if answer.pure is None:
        notes.append(
            f"it cannot be told whether this project compiles anything: {answer.reason}. "
            "A pure wheel passes unchanged"
        )
    changes = [*_required(project, backend, folder), *_wrap(project, backend, folder)]
    return Plan("change", backend, tuple(changes), tuple(notes), folder)


def _is_manyshim(project: Project) -> bool:
    """Whether `build-backend` means manyshim, rightly or with a wrong name."""
    stated = project.build_backend or ""
    if stated.partition(":")[0].partition(".")[0] == "manyshim":
        return True
    return means_manyshim(stated) and not project.own_backend


def _imports_manyshim(project: Project) -> bool:
    """Whether the project's own backend uses manyshim's hooks."""
    return bool(re.search(r"^\s*(from|import)\s+manyshim\b", project.own_backend, re.MULTILINE))


def _current(project: Project) -> str:
    """Return the backend that builds today. Raises ConfigError if that is not clear."""
    named = project.build_backend
    if named is not None:
        return named
    other = _suspect(project)
    if other is None:
        # PEP 517: what applies without `build-backend`.
        return LEGACY
    raise ConfigError(
        f"pyproject.toml names no build-backend, but looks like a project of {other.name}. "
        "Frontends would build it with setuptools. First write:",
        "",
        "    [build-system]",
        f"    requires = {_listed(other.own_requirements)}",
        f'    build-backend = "{other.hooks}"',
    )


def _listed(entries: Tuple[str, ...]) -> str:
    return "[{}]".format(", ".join(f'"{entry}"' for entry in entries))


def _suspect(project: Project) -> Optional[Backend]:
    """Return the backend other than setuptools that the project looks like, None for setuptools."""
    found = other_than_setuptools(project.requires, project.tools, project.names)
    return found.backend if found else None


def _required(project: Project, backend: str, folder: str) -> List[Change]:
    """Return the entries that `requires` needs."""
    changes: List[Change] = []
    # A backend with a backend-path lies in the project (PEP 517).
    known = None if project.backend_path else by_hooks(backend)
    if not project.requires and known is not None:
        reason = f"{known.name} builds the project"
        changes += [Add(BUILD_SYSTEM, "requires", one, reason) for one in known.own_requirements]
    if not folder and "manyshim" not in project.required:
        reason = "frontends install manyshim for the build"
        changes.append(Add(BUILD_SYSTEM, "requires", "manyshim", reason))
    if folder and "tomli" not in project.required:
        reason = "manyshim reads pyproject.toml with it before Python 3.11"
        changes.append(Add(BUILD_SYSTEM, "requires", TOMLI, reason))
    return changes


def _wrap(project: Project, backend: str, folder: str) -> List[Change]:
    """Return the changes of build-backend and backend-path."""
    changes: List[Change] = []
    why = f"manyshim calls {backend}, then audits the wheel and writes its tag"
    if project.build_backend is None:
        changes.append(Put(BUILD_SYSTEM, "build-backend", SHIM, why))
        hint = NO_BACKEND if "build-system" in project.document else NO_SYSTEM
        hint = hint if project.has_pyproject else NO_FILE
        reason = "what PEP 517 says for a project without build-backend"
        changes.append(Put(OWN_TABLE, "backend", backend, reason, hint))
    elif backend == SETUPTOOLS and not project.backend_path and _suspect(project) is None:
        # It is the default, so no line is needed.
        changes.append(Put(BUILD_SYSTEM, "build-backend", SHIM, why))
    else:
        reason = f"{why}; [tool.manyshim] backend names what builds"
        changes.append(Move(BUILD_SYSTEM, "build-backend", OWN_TABLE, "backend", SHIM, reason))
    if project.backend_path:
        keys = list(project.system)
        named = "build-backend" in keys
        first = named and keys.index("backend-path") < keys.index("build-backend")
        reason = "the project's own backend lies there; build-system.backend-path is manyshim's"
        changes.append(
            Move(
                BUILD_SYSTEM, "backend-path", OWN_TABLE, "backend-path", "", reason,
                "backend" if first else "",
            )
        )  # fmt: skip
    if folder:
        reason = "the copy of manyshim is there"
        changes.append(Put(BUILD_SYSTEM, "backend-path", [folder], reason))
    return changes


def _completed(project: Project, folder: str) -> Plan:
    """Return what is missing in a project that uses manyshim already."""
    changes: List[Change] = []
    notes: List[str] = []
    in_tree = dict(project.copies)
    held = any(in_tree.get(path) in ("same", "other") for path in project.backend_path)
    if project.build_backend != SHIM:
        changes.append(
            Put(BUILD_SYSTEM, "build-backend", SHIM, "manyshim's hooks are in this module")
        )
    if folder and not held:
        raise ConfigError(
            "this project uses manyshim from the index. Take that back first: "
            "manyshim init --undo --write"
        )
    if project.backend_path and not held:
        changes.append(_moved_path(project))
    if not held and "manyshim" not in project.required:
        reason = "frontends install manyshim for the build"
        changes.append(Add(BUILD_SYSTEM, "requires", "manyshim", reason))
    backend = project.wrapped
    right = _right_backend(project)
    if right is not None:
        reason = f"{right.name} builds it; setuptools would build the project otherwise"
        if backend:
            reason = f"the hooks of {right.name} are in the module {right.hooks}"
        changes.append(Put(OWN_TABLE, "backend", right.hooks, reason))
    # A backend with a backend-path lies in the project (PEP 517).
    lies_here = project.own.get("backend-path")
    known = right or (None if lies_here else by_hooks(backend or SETUPTOOLS))
    own = known.own_requirements if known else ()
    required = project.required
    if known and not required.intersection(known.requirements) and not held:
        # manyshim itself brings setuptools.
        missing = [one for one in own if known.hooks != SETUPTOOLS]
        reason = f"{known.name} builds the project"
        changes += [Add(BUILD_SYSTEM, "requires", one, reason) for one in missing]
    name = right.hooks if right else backend or SETUPTOOLS
    if held and "same" not in in_tree.values():
        notes.append(
            "the copy of manyshim is another version: take it back (--undo --write), then add the "
            "new one (--in-tree --write)"
        )
    if not changes:
        notes.append(f"manyshim is the backend already, and wraps {name}: nothing to do")
    return Plan("change" if changes else "done", name, tuple(changes), tuple(notes))


def _moved_path(project: Project) -> Change:
    """Return the change of a backend-path that does not hold manyshim."""
    if not project.wrapped:
        listed = _listed(tuple(project.backend_path))
        raise ConfigError(
            f"build-system.backend-path = {listed} does not hold manyshim, and [tool.manyshim] "
            "names no backend that it can be for. `manyshim config` shows what to write"
        )
    reason = "build-system.backend-path does not hold manyshim; pip and build need that"
    return Move(BUILD_SYSTEM, "backend-path", OWN_TABLE, "backend-path", "", reason)


def _right_backend(project: Project) -> Optional[Backend]:
    """Return the backend that [tool.manyshim] should name, None if what it says is right."""
    named = project.wrapped
    if named is None:
        return _suspect(project)
    if is_manyshim(named):
        return _suspect(project) or by_hooks(SETUPTOOLS)
    if by_hooks(named) is not None or project.own.get("backend-path"):
        return None
    # The name of the distribution instead of the module with the hooks, for example. Names that are
    # merely similar may be right: flit_scm is a backend, too.
    return next(
        (one for one in BACKENDS if normalized(named) in (normalized(one.name), *one.requirements)),
        None,
    )


def _refuse_bounds(project: Project, folder: str) -> None:
    """Raise ConfigError if the project pins what manyshim needs a newer version of."""
    if folder:
        return
    for entry in project.requires:
        name = requirement_name(entry)
        bound = _BOUNDS.get(name)
        for sign, version, star in _UPPER.findall(entry.partition(";")[0]) if bound else ():
            if bound and _is_older(sign, version, bound, any_patch=bool(star)):
                least = ".".join(map(str, bound))
                raise ConfigError(
                    f"requires has {entry!r}, and manyshim needs {name}>={least}: raise that "
                    "bound, or keep a copy of manyshim in the project (--in-tree)"
                )


def _is_older(sign: str, version: str, bound: Tuple[int, int], *, any_patch: bool) -> bool:
    """Whether all versions that a specifier allows are older than `bound`."""
    parts = tuple(map(int, version.split(".")))
    if sign == "~=" or any_patch:
        prefix = parts[:-1] if sign == "~=" else parts
        return prefix < bound[: len(prefix)]
    return parts <= bound if sign == "<" else parts < bound


def _notes(project: Project, backend: str) -> List[str]:
    notes: List[str] = []
    if backend == "maturin":
        notes.append(
            "maturin audits in `maturin build` only, not as a build backend: manyshim adds the "
            "audit and the tag to `uv build`, `python -m build` and `pip wheel`"
        )
    if not project.requires and "setup.py" in project.names:
        found = re.findall(
            r"^\s*(?:import|from)\s+(numpy|Cython|pybind11|cffi|setuptools_rust|skbuild|torch)\b",
            project.setup_py,
            re.MULTILINE,
        )
        names = ", ".join(sorted(set(found)))
        if names:
            notes.append(
                f"setup.py imports {names}. Isolated builds have what requires lists only: "
                "if the build fails, add it there"
            )
    if "build-system" not in project.document and "project" in project.document:
        notes.append("with [build-system], `uv sync` builds and installs the project")
    return notes
