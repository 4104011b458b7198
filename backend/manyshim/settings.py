"""Collects the options from all places where they are set: `-C`, environment, [tool.manyshim]."""

from __future__ import annotations

import os

from manyshim import pyproject, spelling
from manyshim.audit.tags import PlatformTag
from manyshim.errors import ConfigError
from manyshim.host import host_arch
from manyshim.options import BY_KEY, OPTIONS
from manyshim.optiontypes import Option, as_written, nearest, renamed_kinds
from manyshim.spelling import PREFIX, VARIABLE_PREFIX
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, TypeAlias

Settings: TypeAlias = "Optional[Mapping[str, Any]]"

TABLE = "[tool.manyshim]"
ENVIRONMENT = "the environment"
COMMAND = "-C"

# Tables in the table; no build reads them.
SUBTABLES = ("release",)

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

    @property
    def can_be_void(self) -> bool:
        """Whether this has an effect only in the build of the project that it was given to."""
        if self.in_sdist or self.option.key == "project":
            return False
        return self.is_release or (self.option.key == "platform" and self.value is not None)


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
    if "UV" in environ:
        layers = [_without_uv(layer, _settings_of_uv(document), notices) for layer in layers]
    for place, pairs in _sources(document, environ, layers):
        for key, value in pairs.items():
            try:
                given.append(_parsed(key, value, place))
                if key == "allow":
                    notices += renamed_kinds(BY_KEY[key], value)
            except ConfigError as error:
                errors.append(error)
    backend = next((one.value for one in given if one.option.key == "backend"), None)
    notices += pyproject.misnamed_tables(document)
    notices += [*_unknown_variables(environ), *spelling.in_environment(environ)]
    for layer in layers:
        notices += spelling.in_settings(layer.settings or {}, backend or BY_KEY["backend"].default)
    return Gathered(tuple(given), tuple(notices), tuple(errors))


def void_lines(ignored: Sequence[Given], void: str) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Return the notice about release keys without effect, and the line for the end, if any."""
    if not ignored:
        return (), ()
    keys = ", ".join(sorted({f"{one.option.key} ({one.origin})" for one in ignored}))
    notice = f"release keys have no effect in this build: {keys}; {void}"
    promised = sorted({one.option.key for one in ignored} & {"strict", "platform"})
    if not promised:
        return (notice,), ()
    return (notice,), (f"{' and '.join(promised)} had no effect on this wheel: {void}",)


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
    own = pyproject.own_table(document)
    yield TABLE, {key: value for key, value in own.items() if key not in SUBTABLES}
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
        own[key] = value
        if option and value and isinstance(value, (list, tuple)):
            if isinstance(option.default, tuple):
                # Each value of a repeated key may be a comma-separated list.
                own[key] = ",".join(map(str, value))
            elif all(one == value[0] for one in value):
                own[key] = value[0]
    return own


def _without_uv(layer: Layer, table: Mapping[str, Any], notices: List[str]) -> Layer:
    """Return a layer without the values that uv appends, and with one value for most options.

    uv appends the values of config-settings in pyproject.toml or uv.toml to those of `-C`, although
    `-C` has precedence. It passes both to dependencies, too. `table` is that of the project which
    is built.
    """
    settings: Dict[str, Any] = {}
    for name, value in (layer.settings or {}).items():
        settings[name] = value
        option = BY_KEY.get(name[len(PREFIX) :]) if name.startswith(PREFIX) else None
        if option is None or not isinstance(value, list):
            continue
        given = settings[name] = _without_added(value, table.get(name))
        if not isinstance(option.default, tuple) and any(one != given[0] for one in given):
            listed = ", ".join(map(str, given))
            notices.append(f"{name} has several values: {listed}; the first one is used")
            settings[name] = given[0]
    return Layer(layer.place, settings)


def _settings_of_uv(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return [tool.uv] config-settings, empty if uv would refuse it."""
    table = pyproject.tools(document).get("uv", {})
    found = table.get("config-settings", {}) if isinstance(table, dict) else {}
    return found if isinstance(found, dict) else {}


def _without_added(values: Sequence[Any], of_uv: Any) -> List[Any]:  # noqa: ANN401 (TOML)
    """Return the values that `-C` gives, or all if none are.

    uv appends `of_uv`, the key's value in pyproject.toml, although `-C` has precedence.
    """
    added = of_uv if isinstance(of_uv, list) else [of_uv]
    count = len(values) - len(added)
    return list(values[:count] if added and count > 0 and values[count:] == added else values)


def _parsed(key: str, value: Any, place: str) -> Given:  # noqa: ANN401 (any value of TOML)
    """Parse an option; raise ConfigError for a wrong key or value, or the wrong place."""
    option = BY_KEY.get(key)
    where = f"{TABLE} {key}" if place == TABLE else f"{place} {PREFIX}{key}"
    if option is None:
        word = key.lower().replace("_", "-")
        hint = _ELSEWHERE.get(word) or nearest(word, list(BY_KEY))
        raise ConfigError(f"{where} is not an option of manyshim; {hint}")
    several = isinstance(value, list) and len(value) > 1
    if place != TABLE and several and not isinstance(option.default, tuple):
        raise ConfigError(f"{where} has several values: {', '.join(map(str, value))}; give it one")
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
        text = f"/path/to/{value}"
    what = f"{option.key} = {as_written(value)} in {TABLE}"
    why = "would affect everyone who builds from your sdist"
    if option.key == "project":
        why = "has no use: it tells which project your release keys are for"
    return ConfigError(
        f"{what} {why}. Set it for your own builds with uv:",
        "",
        "    [tool.uv]",
        f'    config-settings = {{ "{PREFIX}{option.key}" = "{text}" }}',
        "",
        f"or for one build: -C {PREFIX}{option.key}={text}, or {option.variable}={text} in the "
        "environment",
    )


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    known = [option.variable for option in OPTIONS]
    for name in sorted(environ):
        if name.startswith(VARIABLE_PREFIX) and name not in (*known, _DEBUG):
            yield f"the environment variable {name} is not an option; {nearest(name, known)}"
