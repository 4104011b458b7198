"""Which backend a source tree wraps, where it lies, and whether another one was forgotten."""

from __future__ import annotations

import os

from manyshim import config, pyproject
from manyshim.errors import ConfigError
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Optional, Sequence, Tuple

_OWN = "manyshim.backend"
# Every project may have these requirements. `known_backends` is not imported for them.
_NEUTRAL = r"(?i)\s*(manyshim|setuptools|wheel|tomli)\s*([\[<>=!~;@(]|$)"


class Wrapped(NamedTuple):
    """The wrapped backend's name, and the absolute folders that it must lie in, if any."""

    name: str
    folders: Tuple[str, ...]


class Forgotten(NamedTuple):
    """A backend that the project seems to use: its names, and the sign that tells so."""

    name: str
    hooks: str
    missing_requirements: Tuple[str, ...]
    sign: str


def wrapped_backend(folder: str = ".", document: Optional[Mapping[str, Any]] = None) -> Wrapped:
    """Return the backend that the source tree `folder` wraps.

    `document` is its pyproject.toml, if the caller has read it. Raises ConfigError if it
    names no backend but shows another one than setuptools, or if a folder of [tool.manyshim]
    backend-path or build-system.backend-path is wrong.
    """
    if document is None:
        document = pyproject.read(folder)
    name = config.table_value(document, "backend")
    listed = config.table_value(document, "backend-path")
    stated = "backend" in pyproject.own_table(document)
    _check_frontend(document, folder, name)
    if listed and not stated:
        raise ConfigError(
            "[tool.manyshim] backend-path names the folders of an in-tree backend; add backend, "
            'for example backend = "hooks"'
        )
    if not stated:
        forgotten = forgotten_backend(document, folder)
        if forgotten:
            raise _forgotten_error(forgotten, pyproject.misnamed_tables(document))
    return Wrapped(name, tuple(_folder(folder, path) for path in listed))


def forgotten_backend(document: Mapping[str, Any], folder: str) -> Optional[Forgotten]:
    """Return the backend other than setuptools that a project without `backend` seems to use."""
    system = pyproject.build_system(document)
    requires = pyproject.texts(system, "requires", "build-system.requires")
    tools = pyproject.tools(document)

    def exists(name: str) -> bool:
        return os.path.isfile(os.path.join(folder, name))

    import re  # noqa: PLC0415 (no project that states its backend needs it)

    neutral = [re.match(_NEUTRAL, text) for text in requires]
    required = any(match and match[1].lower() == "setuptools" for match in neutral)
    if all(neutral) and (required or exists("setup.py") or "setuptools" in tools):
        return None
    from manyshim import known_backends  # noqa: PLC0415 (not for the usual project of setuptools)

    looked_for = {name for one in known_backends.BACKENDS for name in one.files}
    names = set(filter(exists, looked_for))
    other = known_backends.other_than_setuptools(requires, tools, names)
    if other is None:
        return None
    present = set(map(known_backends.requirement_name, requires))
    found = other.backend
    missing = () if present.intersection(found.requirements) else found.own_requirements
    return Forgotten(found.name, found.hooks, missing, other.sign)


def _forgotten_error(found: Forgotten, misspelled: Sequence[str]) -> ConfigError:
    """Return the error; `misspelled` are lines about tables that may hold the backend's name."""
    missing = ", ".join(f'"{text}"' for text in found.missing_requirements)
    added = ["    [build-system]", f"    requires = [..., {missing}]", ""] if missing else []
    return ConfigError(
        f"{found.name} seems to build this project ({found.sign}), but setuptools would build it "
        "now, without its modules. Name the backend in pyproject.toml:",
        "",
        *added,
        "    [tool.manyshim]",
        f'    backend = "{found.hooks}"',
        "",
        'If setuptools does build it, write backend = "setuptools.build_meta" there instead.',
        *misspelled,
    )


def _check_frontend(document: Mapping[str, Any], folder: str, wrapped: str) -> None:
    """Refuse what build-system says wrongly about manyshim."""
    system = pyproject.build_system(document)
    stated = system.get("build-backend")
    if not isinstance(stated, str):
        return
    if not pyproject.is_manyshim(stated):
        if stated == wrapped:
            raise ConfigError(
                f'[tool.manyshim] backend = "{wrapped}" is also build-backend, so it would wrap '
                "itself; name the backend that it calls"
            )
        return
    if stated != _OWN:
        raise ConfigError(f'write build-backend = "{_OWN}" instead of "{stated}"')
    folders = pyproject.frontend_path(document, folder)
    if folders and not any(
        os.path.isfile(os.path.join(path, "manyshim", "backend.py")) for path in folders
    ):
        named = "backend" in pyproject.own_table(document)
        raise _path_error(system["backend-path"], folder, stated=named)


def _path_error(paths: Sequence[str], folder: str, *, stated: bool) -> ConfigError:
    """Return the error for a build-system.backend-path that does not hold manyshim."""
    listed = ", ".join(f'"{path}"' for path in paths)
    problem = f"build-system.backend-path = [{listed}] does not hold manyshim"
    near = [os.path.normpath(f"{path}/{name}") for path in paths for name in ("..", "manyshim")]
    for place in near:
        if place.startswith(".."):
            continue
        if os.path.isfile(os.path.join(folder, place, "manyshim", "backend.py")):
            return ConfigError(f'{problem}; write backend-path = ["{place}"], where its copy is')
    own = [] if stated else ['    backend = "MODULE"  # the name of your backend']
    return ConfigError(
        f"{problem}, so pip and build cannot build this project. Your own backend has a key of its "
        "own; move the line:",
        "",
        "    [tool.manyshim]",
        *own,
        f"    backend-path = [{listed}]",
    )


def _folder(root: str, path: str) -> str:
    """Return a folder of [tool.manyshim] backend-path as an absolute path."""
    found = os.path.abspath(os.path.join(root, path))
    real, inside = os.path.realpath(found), os.path.realpath(root)
    # The source tree of an sdist has another name.
    by_name = os.path.normpath(path).split(os.sep)[0] == os.pardir
    outside = not os.path.join(real, "").startswith(os.path.join(inside, ""))
    if os.path.isabs(path) or by_name or outside:
        raise ConfigError(
            f"[tool.manyshim] backend-path: {path!r} must be a relative path inside the source tree"
        )
    if os.path.isfile(found):
        raise ConfigError(
            f"[tool.manyshim] backend-path: {path!r} is a file; name the folder that it is in"
        )
    if not os.path.isdir(found):
        raise ConfigError(
            f"[tool.manyshim] backend-path: there is no folder {path!r} in the source tree; if "
            "this is an unpacked sdist, it lacks the backend's files"
        )
    return found
