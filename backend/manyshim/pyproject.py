"""Read pyproject.toml: the build system, and the tables of tools."""

from __future__ import annotations

import os
import sys

from manyshim.errors import ConfigError
from manyshim.files import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping

# What people write between the words of a name.
SEPARATORS = dict.fromkeys(map(ord, "-_. "))


def read(folder: str, name: str = "pyproject.toml") -> Dict[str, Any]:
    """Read pyproject.toml of the source tree `folder`; a missing file counts as empty.

    `name` is another file of TOML in the folder. Raises ConfigError for a file that cannot be read
    or is no TOML.
    """
    path = os.path.join(folder, name)
    try:
        with open_regular(path) as file:
            data = file.read()
        if data.startswith(b"\xef\xbb\xbf"):
            raise ConfigError(f"{name} begins with a byte order mark; save it as UTF-8 without BOM")
        document: Dict[str, Any] = _toml().loads(data.decode())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError, OSError) as error:
        raise ConfigError(f"{name} cannot be read: {_reason(error)}") from error
    return document


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        return f"line {line} is not UTF-8; save the file as UTF-8"
    # The text of an OSError has its number and the path, which the line has already.
    return (error.strerror if isinstance(error, OSError) else "") or str(error)


def parse(text: str) -> Dict[str, Any]:
    """Return the data of a text of TOML. Raises ConfigError for one that is no TOML."""
    try:
        document: Dict[str, Any] = _toml().loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"pyproject.toml cannot be read: {error}") from error
    return document


def tools(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return [tool]. Raises ConfigError if it is no table."""
    return _table(document, "tool")


def own_table(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return [tool.manyshim]. Raises ConfigError if it is no table."""
    return _table(tools(document), "tool.manyshim", "; write [tool.manyshim], in single brackets")


def build_system(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return [build-system]. Raises ConfigError if it is no table."""
    return _table(document, "build-system")


def _table(above: Mapping[str, Any], name: str, hint: str = "") -> Mapping[str, Any]:
    """Return the table with the dotted `name` out of the one above it."""
    found = above.get(name.rpartition(".")[2], {})
    if not isinstance(found, dict):
        raise ConfigError(f"{name} in pyproject.toml must be a table{hint}")
    return found


def misnamed_tables(document: Mapping[str, Any]) -> List[str]:
    """Return a line for each table that is meant for manyshim, but not read."""
    tools = document.get("tool", {})
    names = [f"tool.{name}" for name in tools if name != "manyshim" and _is_name(name)]
    names += [name for name in document if _is_name(name)]
    others = {name: table for name, table in document.items() if name != "tool"}
    for outer, table in {**others, "tool.uv": tools.get("uv")}.items():
        if isinstance(table, dict):
            inner = (key for key, value in table.items() if isinstance(value, dict))
            names += [f"{outer}.{name}" for name in inner if _is_name(name)]
    lines = [f"[{name}] in pyproject.toml is not read; write [tool.manyshim]" for name in names]
    return [*lines, *_unquoted(tools)]


def _unquoted(tools: Mapping[str, Any]) -> List[str]:
    """Return the line about a key that TOML reads as a table; uv ignores all of [tool.uv] then."""
    table = tools.get("uv")
    settings = table.get("config-settings") if isinstance(table, dict) else None
    keys = settings.get("manyshim") if isinstance(settings, dict) else None
    if not isinstance(keys, dict):
        return []
    right = ", ".join(f'"manyshim.{key}"' for key in keys)
    return [f"[tool.uv] config-settings is not read; write the key in quotes: {right}"]


def _is_name(word: str) -> bool:
    return word.translate(SEPARATORS).lower() in ("manyshim", "manyshimbackend")


def is_manyshim(backend: str) -> bool:
    """Whether a backend's name, `module[:object]`, is the package manyshim or a module of it."""
    return backend.replace(":", ".").partition(".")[0] == "manyshim"


def frontend_path(document: Mapping[str, Any], folder: str) -> List[str]:
    """Return the absolute folders of build-system.backend-path (PEP 517). Raises ConfigError."""
    listed = texts(build_system(document), "backend-path", "build-system.backend-path")
    return [os.path.abspath(os.path.join(folder, path)) for path in listed]


def texts(table: Mapping[str, Any], key: str, name: str) -> List[str]:
    """Return a list of texts of a table, empty if the key is missing.

    Raises ConfigError, which calls the key `name`, if it is something else.
    """
    listed = table.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise ConfigError(f"{name} in pyproject.toml must be a list of texts")
    return listed


def _toml() -> Any:  # noqa: ANN401 (tomllib and tomli have the same functions)
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415

        return tomllib
    try:
        import tomli  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "before Python 3.11, manyshim needs tomli to read pyproject.toml. List it for an "
            "in-tree copy of manyshim: "
            'requires = ["setuptools", "tomli; python_version < \'3.11\'"]'
        ) from error
    return tomli
