"""Reads [tool.manyshim.release]: the Pythons and platforms of a release, and its tests."""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional, Tuple, Union

from manyshim import pyproject
from manyshim.audit.policy import policies_of
from manyshim.audit.tags import parse_platform
from manyshim.errors import ConfigError
from manyshim.optiontypes import as_written, nearest
from manyshim.values import NamedTuple

TABLE = "[tool.manyshim.release]"
KEYS = ("platforms", "pythons", "config-settings", "test-command", "test-requires", "test-timeout")

_DEFAULT_SECONDS = 600
_MAX_SECONDS = 86_400
_OLDEST_MINOR, _NEWEST_MINOR = 8, 99

_PYTHON = re.compile(r"3\.(\d{1,2})(t?)", re.ASCII)
_MAC = re.compile(r"macosx_\d{1,2}_\d{1,2}_(?:arm64|x86_64|universal2)", re.ASCII)
_WINDOWS = ("win32", "win_amd64", "win_arm64")

# What most releases have; a wrong word is compared with these.
_COMMON = (
    *("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "manylinux_2_28_x86_64"),
    *("manylinux_2_28_aarch64", "manylinux_2_39_riscv64", "musllinux_1_2_x86_64"),
    *("musllinux_1_2_aarch64", "macosx_11_0_arm64", "macosx_10_13_x86_64", *_WINDOWS),
)

_EXAMPLE = (
    "",
    f"    {TABLE}",
    '    platforms = ["manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "musllinux_1_2_x86_64"]',
    '    pythons = ["3.11", "3.12", "3.13"]',
)


# By name, a value or several of a setting for builds: -C is then given for each.
Settings = Mapping[str, Union[str, Tuple[str, ...]]]


class Tests(NamedTuple):
    """How each wheel is tested: a command of the shell, what it imports, and its seconds."""

    command: str
    requires: Tuple[str, ...] = ()
    seconds: int = _DEFAULT_SECONDS


class Table(NamedTuple):
    """The release as the project describes it.

    `pythons` are versions of CPython in rising order, `3.13t` for a free-threaded one. `settings`
    are passed to each build of a wheel, after those of manyshim.
    """

    platforms: Tuple[str, ...]
    pythons: Tuple[str, ...]
    settings: Settings
    tests: Optional[Tests] = None


def read(document: Mapping[str, Any]) -> Table:
    """Return the table of a pyproject.toml. Raises ConfigError if it is missing or has errors."""
    own = pyproject.own_table(document)
    if "release" not in own:
        raise ConfigError(f"pyproject.toml has no {TABLE}. Write for example:", *_EXAMPLE)
    table = own["release"]
    if not isinstance(table, dict):
        raise ConfigError(f"release in [tool.manyshim] must be a table; write {TABLE}")
    for key in table:
        if key not in KEYS:
            raise _error(f"has no key {key!r}; {nearest(key, KEYS)}")
    platforms = tuple(map(_platform, _texts(table, "platforms")))
    pythons = sorted(map(_python, _texts(table, "pythons")))
    for key, found in (("platforms", platforms), ("pythons", pythons)):
        if not found:
            raise ConfigError(f"{TABLE} names no {key}. Write for example:", *_EXAMPLE)
    names = (f"3.{minor}{'t' if free else ''}" for minor, free in pythons)
    once = tuple(dict.fromkeys(platforms)), tuple(dict.fromkeys(names))
    return Table(*once, _settings(table), _tests(table))


def python_key(version: str) -> Tuple[int, bool]:
    """Return the minor version of a CPython, and whether it is free-threaded; `3.13t`."""
    return int(version[2:].rstrip("t")), version.endswith("t")


def _python(text: str) -> Tuple[int, bool]:
    found = _PYTHON.fullmatch(text)
    if found is None or not _OLDEST_MINOR <= int(found[1]) <= _NEWEST_MINOR:
        raise _error(
            f"pythons: {as_written(text)} is no CPython from 3.{_OLDEST_MINOR} on; write "
            '"3.13", or "3.13t" for the free-threaded one'
        )
    if found[2] and int(found[1]) < 13:
        raise _error(f"pythons: {as_written(text)}: free-threaded builds begin with 3.13t")
    return int(found[1]), bool(found[2])


def _platform(text: str) -> str:
    if _MAC.fullmatch(text) or text in _WINDOWS:
        return text
    tag = parse_platform(text) if text == text.lower() else None
    if tag is None or not tag.arch or not policies_of(tag.libc, tag.arch).listed:
        raise _error(f"platforms: {as_written(text)} is no platform; {nearest(text, _COMMON)}")
    return str(tag)


def values(setting: Union[str, Tuple[str, ...]]) -> Tuple[str, ...]:
    """Return the values of a setting."""
    return (setting,) if isinstance(setting, str) else setting


def _settings(table: Mapping[str, Any]) -> Settings:
    found = table.get("config-settings", {})
    if not isinstance(found, dict) or not all(map(_is_setting, found.values())):
        raise _error(
            "config-settings must be a table of texts or lists of them; put each key in quotes"
        )
    return {key: tuple(one) if isinstance(one, list) else one for key, one in found.items()}


def _is_setting(value: object) -> bool:
    several = value if isinstance(value, list) else [value]
    return all(isinstance(one, str) for one in several)


def _tests(table: Mapping[str, Any]) -> Optional[Tests]:
    command = table.get("test-command", "")
    seconds = table.get("test-timeout", _DEFAULT_SECONDS)
    if not isinstance(command, str):
        raise _error('test-command must be a text, for example "python -m pytest {project}/tests"')
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= _MAX_SECONDS:
        raise _error(f"test-timeout = {as_written(seconds)} must be seconds, 1 to {_MAX_SECONDS}")
    requires = tuple(_texts(table, "test-requires"))
    if not command.strip():
        if requires or "test-timeout" in table:
            raise _error("test-requires and test-timeout have no effect without test-command")
        return None
    return Tests(command, requires, seconds)


def _texts(table: Mapping[str, Any], key: str) -> Tuple[str, ...]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _error(f"{key} must be a list of texts")
    return tuple(found)


def _error(sentence: str) -> ConfigError:
    return ConfigError(f"{TABLE} in pyproject.toml: {sentence}")
