"""`manyshim config`: every option of projects, with its value and where it comes from."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from manyshim import known_backends, project, pyproject
from manyshim.audit.request import Allowance
from manyshim.audit.tags import PlatformTag
from manyshim.cli.formats import print_json
from manyshim.cli.screen import Screen, notice, put
from manyshim.cli.wrongfiles import project as project_mistake
from manyshim.config import Resolution, resolve
from manyshim.errors import ConfigError, ManyshimError, printable
from manyshim.formatters.json import JSON_VERSION
from manyshim.options import OPTIONS
from manyshim.settings import COMMAND, Layer
from manyshim.values import NamedTuple

_DEFAULT = "default"
_FILE = "pyproject.toml"


class _Project(NamedTuple):
    """What was found of a project: `resolution` is None if its files cannot be read."""

    file: str
    resolution: Optional[Resolution]
    notices: Sequence[str] = ()
    errors: Sequence[ManyshimError] = ()


def run(options: SimpleNamespace) -> int:
    """List the options; return the exit code: that of an error that a build would have."""
    files = list(map(_file, options.projects))
    given = Layer(COMMAND, _settings(options.config_setting))
    several = len(files) > 1
    found = [_found(file, given, quiet=options.quiet, several=several) for file in files]
    projects = [one for one in found if one]
    if options.json:
        _print_json(projects, several=several)
    for one in projects:
        _print(one, options, several=several)
    return max((error.exit_code for one in projects for error in one.errors), default=0)


def _file(given: str) -> str:
    """Return the pyproject.toml of an argument. Raises ConfigError if there is none."""
    if os.path.basename(given) == _FILE and os.path.isfile(given):
        return given
    refused = project_mistake(given, "config")
    if refused:
        raise refused
    file = os.path.normpath(os.path.join(given, _FILE))
    if not os.path.lexists(file):
        raise ConfigError(f"{given} has no {_FILE}; name the folder of the project")
    return file


def _found(file: str, given: Layer, *, quiet: bool, several: bool) -> Optional[_Project]:
    """Return what was found of a project, None if there is nothing to report.

    Raises ConfigError if the only project cannot be read.
    """
    try:
        document = pyproject.read(_folder(file))
        if quiet and not _uses_manyshim(document):
            return None
        return _read(file, document, given)
    except ConfigError as error:
        if quiet or several:
            return _Project(file, None, (), [error])
        raise


def _folder(file: str) -> str:
    return os.path.dirname(file) or "."


def _uses_manyshim(document: Mapping[str, Any]) -> bool:
    """Whether a project states manyshim: as its backend, or as a table, also a misspelled one."""
    tools, system = document.get("tool"), document.get("build-system")
    if isinstance(system, dict) and pyproject.is_manyshim(str(system.get("build-backend"))):
        return True
    if not isinstance(tools, dict):
        return False
    return "manyshim" in tools or bool(pyproject.misnamed_tables(document))


def _read(file: str, document: Mapping[str, Any], given: Layer) -> _Project:
    """Resolve the options of a project. Raises ConfigError for what is no table."""
    folder = _folder(file)
    resolution = resolve(
        [_uv_layer(document, folder), given], os.environ, folder, document=document
    )
    errors: List[ManyshimError] = list(resolution.errors)
    config = resolution.config
    unused = _unused(document)
    notices = [*config.notices, *config.last_notices, *unused]
    try:
        # A build ends with such an error before the wrapped backend runs.
        if not unused:
            notices += _backend_lines(document, project.wrapped_backend(folder, document))
    except ManyshimError as refused:
        if refused.lines not in [one.lines for one in errors]:
            errors.append(refused)
    return _Project(file, resolution, notices, errors)


def _print(one: _Project, options: SimpleNamespace, *, several: bool) -> None:
    """Print the options of a project as a table, its lines and its errors."""
    if one.resolution and not options.json and not options.quiet:
        if several:
            put(f"{printable(one.file)}:")
        rows = [(key, _text(value), origin) for key, value, origin in _rows(one.resolution)]
        Screen().table(("option", "value", "set by"), rows)
    where = f"{printable(one.file)}: " if several or options.quiet else ""
    for line in one.notices:
        notice(f"{where}{line}")
    for error in one.errors:
        first, *more = error.lines
        put("\n".join((f"manyshim: error: {where}{first}", *more)), sys.stderr)


def _unused(document: Mapping[str, Any]) -> List[str]:
    """Return the line about a project that manyshim does not build.

    A backend of the source tree may call manyshim, so nothing is said about it.
    """
    system = pyproject.build_system(document)
    stated = system.get("build-backend")
    if "backend-path" in system or pyproject.is_manyshim(str(stated)):
        return []
    now = f'build-backend is "{stated}"' if stated else "there is no build-backend"
    return [f"{now}, so no build reads these options; `manyshim init` shows what to write"]


def _backend_lines(document: Mapping[str, Any], wrapped: project.Wrapped) -> List[str]:
    """Return the lines about the wrapped backend's name and its requirements."""
    system = pyproject.build_system(document)
    if system.get("build-backend") != "manyshim.backend":
        return []
    required = pyproject.texts(system, "requires", "build-system.requires")
    in_tree = "backend-path" in system
    return [*_wrong_name(wrapped), *_not_installed(required, wrapped.name, in_tree=in_tree)]


def _wrong_name(wrapped: project.Wrapped) -> List[str]:
    """Return the line about a name that is manyshim's, or a package's instead of its module's."""
    name = wrapped.name
    stated = f'[tool.manyshim] backend = "{name}"'
    if pyproject.is_manyshim(name):
        return [f"{stated} must not be manyshim itself; name the backend that manyshim wraps"]
    meant = known_backends.nearest(name)
    if wrapped.folders or known_backends.by_hooks(name) or meant is None:
        return []
    if not known_backends.is_name(meant, name):
        return []
    return [f'{stated} is not the module with the hooks; write backend = "{meant.hooks}"']


def _not_installed(required: Sequence[str], hooks: str, *, in_tree: bool) -> List[str]:
    """Return a line for each package that the build needs and that requires does not list.

    Frontends install nothing else, and then fail before manyshim can tell why. A copy of manyshim
    in the source tree needs no requirement.
    """
    wrapped = known_backends.by_hooks(hooks)
    names = {known_backends.requirement_name(text) for text in required}
    needed = [] if in_tree or "manyshim" in names else ["manyshim"]
    if (
        wrapped
        and wrapped.hooks != known_backends.SETUPTOOLS
        and not names & {*wrapped.requirements}
    ):
        needed += wrapped.own_requirements
    return [
        f'build-system.requires lacks "{name}", and builds install nothing else' for name in needed
    ]


def _rows(resolution: Resolution) -> List[Tuple[str, Any, str]]:
    """Return key, value and origin of each option; the values are of JSON's types."""
    rows = []
    for option in OPTIONS:
        value = _plain(getattr(resolution.config, option.field))
        if option.key == "platform" and value is None:
            value = "auto"
        rows.append((option.key, value, resolution.origins.get(option.key, _DEFAULT)))
    return rows


def _uv_layer(document: Mapping[str, Any], folder: str) -> Layer:
    """Return the settings that uv hands to the build if it runs in the folder.

    uv ignores [tool.uv] if there is a uv.toml beside it.
    """
    name = "uv.toml"
    table: Any = pyproject.read(folder, name)
    if not os.path.lexists(os.path.join(folder, name)):
        name = "[tool.uv]"
        table = pyproject.tools(document).get("uv", {})
    found = table.get("config-settings", {}) if isinstance(table, dict) else {}
    if not isinstance(found, dict):
        raise ConfigError(f"config-settings in {name} must be a table")
    return Layer(f"{name} config-settings", found)


def _settings(given: Sequence[str]) -> Dict[str, Any]:
    """Return the settings of a command line; a repeated key gives a list, as with frontends."""
    settings: Dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"-C {text}: write -C KEY=VALUE")
        if key not in settings:
            settings[key] = value
        elif isinstance(settings[key], list):
            settings[key].append(value)
        else:
            settings[key] = [settings[key], value]
    return settings


def _print_json(projects: Sequence[_Project], *, several: bool) -> None:
    """Print the project, or a list of all if several are given."""
    if several:
        listed = [{"file": one.file, **_as_dict(one)} for one in projects]
        print_json({"version": JSON_VERSION, "projects": listed})
    else:
        print_json({"version": JSON_VERSION, **(_as_dict(projects[0]) if projects else {})})


def _as_dict(one: _Project) -> Dict[str, Any]:
    rows = _rows(one.resolution) if one.resolution else []
    return {
        "options": [{"key": key, "value": value, "set_by": origin} for key, value, origin in rows],
        "notices": one.notices,
        "errors": ["\n".join(error.lines) for error in one.errors],
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 (each option has its own type)
    if isinstance(value, Allowance):
        return f"{value.kind}:{value.glob}"
    if isinstance(value, PlatformTag):
        return str(value)
    return list(map(_plain, value)) if isinstance(value, tuple) else value


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return printable(", ".join(value)) or "none"
    return "none" if value is None else printable(str(value))
