"""Collects the options from all places where they are set: `-C`, environment, [tool.manyshim]."""

from __future__ import annotations

import os
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from manyshim import pyproject, spelling
from manyshim.audit.tags import PlatformTag
from manyshim.errors import ConfigError
from manyshim.host import host_arch
from manyshim.options import BY_KEY, OPTIONS
from manyshim.optiontypes import Option, as_written, nearest, renamed_kinds
from manyshim.spelling import PREFIX, VARIABLE_PREFIX
from manyshim.values import NamedTuple

Settings = Optional[Mapping[str, Any]]

TABLE = "[tool.manyshim]"
ENVIRONMENT = "the environment"
COMMAND = "-C"

# Keys of other tables that people write into manyshim's.
_ELSEWHERE = {
    "requires": "the key belongs to [build-system]",
    "build-requires": "write requires in [build-system]",
    "config-settings": "the key belongs to [tool.uv]",
    "manyshim": f"write the key alone, without {PREFIX[:-1]!r} and the dot",
}

# It adds the traceback to an internal error, and is no option.
_DEBUG = "MANYSHIM_DEBUG"


class Layer(NamedTuple):
    """Settings that a frontend passes to hooks, and the words for the place they come from."""

    place: str
    settings: Settings


class Given(NamedTuple):
    """An option that is set: its parsed value, and the words for where.

    `in_sdist` is true for [tool.manyshim], which everyone has who builds from the sdist.
    """

    option: Option
    value: Any
    origin: str
    in_sdist: bool

    @property
    def is_release(self) -> bool:
        """Whether this is a release key with a value that changes the build."""
        return self.value != self.option.default and _is_release(self.option, self.value)


class Gathered(NamedTuple):
    """All options that are set, of rising precedence, with lines for the user and errors."""

    given: Tuple[Given, ...]
    notices: Tuple[str, ...]
    errors: Tuple[ConfigError, ...]


def gather(
    document: Mapping[str, Any], environ: Mapping[str, str], layers: Sequence[Layer]
) -> Gathered:
    """Collect the options; `layers` have rising precedence, above the environment.

    Each error is about one option. The others are collected all the same.
    """
    given: List[Given] = []
    notices: List[str] = []
    errors: List[ConfigError] = []
    for place, pairs in _sources(document, environ, layers):
        for key, value in pairs.items():
            try:
                given.append(_parsed(key, value, place))
                if key == "allow":
                    notices += renamed_kinds(BY_KEY[key], value)
            except ConfigError as error:
                errors.append(error)
    backend = next((one.value for one in given if one.option.key == "backend"), None)
    notices += spelling.in_document(document)
    notices += [*_unknown_variables(environ), *spelling.in_environment(environ)]
    for layer in layers:
        notices += spelling.in_settings(layer.settings or {}, backend or BY_KEY["backend"].default)
    return Gathered(tuple(given), tuple(notices), tuple(errors))


def without_own(settings: Settings) -> Settings:
    """Return the settings without manyshim's own, which the wrapped backend may refuse.

    Settings with a misspelled name of manyshim are left out too.
    """
    if settings is None:
        return None
    return {key: value for key, value in settings.items() if not spelling.is_ours(key)}


def _sources(
    document: Mapping[str, Any], environ: Mapping[str, str], layers: Sequence[Layer]
) -> Iterator[Tuple[str, Mapping[str, Any]]]:
    yield TABLE, pyproject.own_table(document)
    variables = {option.key: option.variable for option in OPTIONS}
    yield ENVIRONMENT, {key: environ[one] for key, one in variables.items() if one in environ}
    for layer in layers:
        yield layer.place, _own_settings(layer.settings)


def _own_settings(settings: Settings) -> Dict[str, Any]:
    own: Dict[str, Any] = {}
    for name, value in (settings or {}).items():
        if not name.startswith(PREFIX):
            continue
        key = name[len(PREFIX) :]
        option = BY_KEY.get(key)
        repeated = option and isinstance(value, (list, tuple)) and isinstance(option.default, tuple)
        # A repeated key gives a list, and each of its values may be a comma-separated list.
        own[key] = ",".join(map(str, value)) if repeated else value
    return own


def _parsed(key: str, value: Any, place: str) -> Given:  # noqa: ANN401 (any value of TOML)
    """Parse an option; raise ConfigError for a wrong key or value, or the wrong place."""
    option = BY_KEY.get(key)
    where = f"{TABLE} {key}" if place == TABLE else f"{place} {PREFIX}{key}"
    if option is None:
        word = key.lower().replace("_", "-")
        hint = _ELSEWHERE.get(word) or nearest(word, list(BY_KEY))
        raise ConfigError(f"{where} is not an option of manyshim; {hint}")
    origin = option.variable if place == ENVIRONMENT else place
    if option.table_only and place != TABLE:
        written = where if origin == place else f"{origin} in {place}"
        raise ConfigError(
            f"{written} has no effect: {option.key} is read from {TABLE} only, because frontends "
            "ask for the wrapped backend's hooks before they pass settings. Write in "
            "pyproject.toml:",
            "",
            f"    {TABLE}",
            f'    {option.key} = "{value}"',
        )
    try:
        parsed = option.parse(option, value)
    except ConfigError as error:
        raise ConfigError(f"{where if place == COMMAND else origin}: {error}") from None
    if place == TABLE and _is_release(option, parsed):
        raise _misplaced(option, value)
    return Given(option, parsed, origin, place == TABLE)


def _is_release(option: Option, parsed: Any) -> bool:  # noqa: ANN401
    foreign = isinstance(parsed, PlatformTag) and parsed.arch not in ("", host_arch())
    return foreign or option.release(parsed)


def _misplaced(option: Option, value: Any) -> ConfigError:  # noqa: ANN401
    """Return the error for a release key in the table."""
    text = str(value).lower() if isinstance(value, bool) else value
    if option.key == "report" and not os.path.isabs(str(value)):
        text = f"/tmp/{value}"  # noqa: S108 (an example)
    what = f"{option.key} = {as_written(value)} in {TABLE}"
    why = "would affect everyone who builds from your sdist"
    if option.key == "project":
        why = "has no use: it tells which project your release keys are for"
    return ConfigError(
        f"{what} {why}. Set it for your release builds only:",
        "",
        "    [tool.uv]",
        f'    config-settings = {{ "{PREFIX}{option.key}" = "{text}" }}',
        "",
        f"or -C {PREFIX}{option.key}={text}, or {option.variable}={text} in the environment",
    )


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    known = [option.variable for option in OPTIONS]
    for name in sorted(environ):
        if name.startswith(VARIABLE_PREFIX) and name not in (*known, _DEBUG):
            yield f"the environment variable {name} is not an option; {nearest(name, known)}"
