"""`manyshim config`: every option of a project, with its value and where it comes from."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from manyshim import known_backends, project, pyproject
from manyshim.audit.request import Allowance
from manyshim.audit.tags import PlatformTag
from manyshim.cli.batch import print_json
from manyshim.cli.screen import Screen, notice, put
from manyshim.cli.wrongfiles import project as project_mistake
from manyshim.config import Resolution, resolve
from manyshim.errors import ConfigError, ManyshimError, printable
from manyshim.formatters.json import JSON_VERSION
from manyshim.options import OPTIONS
from manyshim.settings import COMMAND, Layer

_DEFAULT = "default"


def run(options: argparse.Namespace) -> int:
    """List the options; return the exit code: that of an error that a build would have."""
    folder = options.folder
    refused = project_mistake(folder, "config")
    if refused:
        raise refused
    if not os.path.lexists(os.path.join(folder, "pyproject.toml")):
        what = "has no pyproject.toml; name the folder of the project"
        raise ConfigError(f"{folder} {what}")
    document = pyproject.read(folder)
    layers = [_uv_layer(document, folder), Layer(COMMAND, _settings(options.config_setting))]
    resolution = resolve(layers, os.environ, folder, document=document)
    errors: List[ManyshimError] = list(resolution.errors)
    config = resolution.config
    notices = [*config.notices, *config.last_notices, *_unused(document)]
    # A build ends with such an error before the wrapped backend runs.
    try:
        notices += _backend_lines(document, project.wrapped_backend(folder, document))
    except ManyshimError as refused:
        if refused.lines not in [one.lines for one in errors]:
            errors.append(refused)
    if options.json:
        _print_json(resolution, notices, errors)
    else:
        rows = [(key, _text(value), origin) for key, value, origin in _rows(resolution)]
        Screen().table(("option", "value", "set by"), rows)
    for line in notices:
        notice(line)
    for error in errors:
        first, *more = error.lines
        put("\n".join((f"manyshim: error: {first}", *more)), sys.stderr)
    return max((error.exit_code for error in errors), default=0)


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


def _print_json(
    resolution: Resolution, notices: Sequence[str], errors: Sequence[ManyshimError]
) -> None:
    rows = _rows(resolution)
    print_json(
        {
            "version": JSON_VERSION,
            "options": [
                {"key": key, "value": value, "set_by": origin} for key, value, origin in rows
            ],
            "notices": notices,
            "errors": ["\n".join(error.lines) for error in errors],
        }
    )


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
