"""What users tell CMake through a backend: variables, and a toolchain file of their own.

Source: the documentation of scikit-build-core, scikit-build and py-build-cmake.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from manyshim.toolchain.systems.settings import texts
from manyshim.values import NamedTuple

VARIABLE = "CMAKE_TOOLCHAIN_FILE"
# CMake reads the variable of the environment since this version.
SINCE = (3, 21)

# Variables of the environment with arguments for CMake, and those with a list of definitions.
_ARGUMENTS = ("CMAKE_ARGS", "SKBUILD_CMAKE_ARGS", "SKBUILD_CONFIGURE_OPTIONS")
_DEFINITIONS = ("SKBUILD_CMAKE_DEFINE",)
_FILES = (VARIABLE, "SKBUILD_CMAKE_TOOLCHAIN_FILE")
_TABLES = ("scikit-build", "py-build-cmake")
# py-build-cmake reads these files of a project, and those that these settings name.
_OWN_FILES = ("py-build-cmake.local.toml", "py-build-cmake.cross.toml")
_FILE_SETTINGS = ("cross", "local")
_OVERRIDES = ("o", "override")
_OTHER_SYSTEMS = ("windows", "mac", "pyodide")

_OPTION = re.compile(
    r"(?:^|[\s;\"'])(?:-D\s*(?P<name>\w+)(?=[:=])|(?P<file>--toolchain)(?=[\s=]|$))"
)
_OVERRIDDEN = re.compile(r"\boptions\.(?P<name>\w+)|\b(?P<file>toolchain_file)\b")
_DEFINED = re.compile(r"(?:^|;)\s*(?P<name>\w+)(?P<file>)(?=[:=])")

# What manyshim sets for the target's compilers.
_OURS = frozenset(
    (
        *("CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "CMAKE_ASM_COMPILER"),
        *("CMAKE_AR", "CMAKE_RANLIB", "CMAKE_SYSTEM_NAME", "CMAKE_SYSTEM_PROCESSOR"),
    )
)


class Definition(NamedTuple):
    """The name of a variable of CMake that the user sets, and the place where."""

    name: str
    place: str


Read = Callable[[str], Mapping[str, Any]]


def definitions(
    environ: Mapping[str, str],
    settings: Optional[Mapping[str, Any]],
    tools: Mapping[str, Any],
    read: Read,
) -> Iterator[Definition]:
    """Yield the variables that the user sets.

    `tools` are the tables below `tool` in pyproject.toml. `read` returns the document of a TOML
    file; an empty one for a file that is missing or has errors, which the backend reports.
    Conditional tables of scikit-build-core are not read.
    """
    yield from _of_environment(environ)
    for key, value in (settings or {}).items():
        yield from _of_setting(key, value, read)
    for name in _TABLES:
        yield from _of_table(tools.get(name), f"tool.{name}", "pyproject.toml")
    for file in _OWN_FILES if "py-build-cmake" in tools else ():
        yield from _of_table(read(file), "", file)


def own_file(given: List[Definition]) -> Optional[str]:
    """Return the place where the user names a toolchain file; None if there is none."""
    return next((one.place for one in given if one.name == VARIABLE), None)


def conflicts(given: List[Definition]) -> List[str]:
    """Return a line for each definition that replaces one of manyshim's."""
    return [
        f"{one.place} sets {one.name}, which replaces what manyshim has set for the target"
        for one in dict.fromkeys(given)
        if one.name in _OURS
    ]


def with_file(environ: Mapping[str, str], path: str, version: Tuple[int, ...]) -> Dict[str, str]:
    """Return the environment that names a toolchain file to a CMake of a version, if known.

    An older CMake reads no variable of the environment, but most backends pass CMAKE_ARGS on.
    """
    result = {**environ, VARIABLE: path}
    if version and version < SINCE:
        # scikit-build reads CMAKE_ARGS only without the other variable.
        options = "SKBUILD_CONFIGURE_OPTIONS"
        for name in ("CMAKE_ARGS", *((options,) if options in environ else ())):
            result[name] = f"-D{VARIABLE}={path} {environ.get(name, '')}".strip()
    return result


def _of_environment(environ: Mapping[str, str]) -> Iterator[Definition]:
    for name in _FILES:
        if environ.get(name):
            yield Definition(VARIABLE, f"{name} of the environment")
    for names, pattern in ((_ARGUMENTS, _OPTION), (_DEFINITIONS, _DEFINED)):
        for name in names:
            yield from _in_text(pattern, environ.get(name, ""), f"{name} of the environment")


def _of_setting(key: str, value: Any, read: Read) -> Iterator[Definition]:  # noqa: ANN401
    place = f"the setting {key}"
    plain = key[len("skbuild.") :] if key.startswith("skbuild.") else key
    section, _, name = plain.rpartition(".")
    if section == "cmake.define":
        yield Definition(name, place)
    elif plain.replace("_", "-") == "cmake.toolchain-file":
        yield Definition(VARIABLE, place)
    elif plain.lstrip("-") in _FILE_SETTINGS:
        for path in texts(value):
            yield from _of_table(read(path), "", path)
    elif plain.lstrip("-") in _OVERRIDES:
        for text in texts(value):
            yield from _in_text(_OVERRIDDEN, text, place)
    elif plain == "cmake.args" or plain.endswith("-option"):
        yield from _in_text(_OPTION, " ".join(texts(value)), place)


def _of_table(value: Any, path: str, file: str) -> Iterator[Definition]:  # noqa: ANN401
    """Yield the definitions of a table and of the tables in it."""
    if not isinstance(value, Mapping):
        return
    defines = path.rpartition(".")[2] in ("define", "options")
    for key, inner in value.items():
        inside = f"{path}.{key}".lstrip(".")
        place = f"{inside} of {file}"
        if defines and not key.endswith("-file"):
            yield Definition(key.partition(":")[0], place)
        elif key in ("toolchain-file", "toolchain_file") and inner:
            yield Definition(VARIABLE, place)
        elif key in ("args", "cmake_args"):
            yield from _in_text(_OPTION, " ".join(texts(inner)), place)
        elif key not in _OTHER_SYSTEMS:
            yield from _of_table(inner, inside, file)


def _in_text(pattern: re.Pattern[str], text: str, place: str) -> Iterator[Definition]:
    for found in pattern.finditer(text):
        yield Definition(VARIABLE if found["file"] else found["name"], place)
