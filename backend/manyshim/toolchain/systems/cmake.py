"""The toolchain file of CMake for a target.

Source: cmake-toolchains(7), and FindPython for what it asks of a Python of the target.
"""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Optional, Sequence

from manyshim.toolchain.systems.machine import Machine

VARIABLE = "CMAKE_TOOLCHAIN_FILE"
_PYTHONS = ("Python", "Python3")


def toolchain_file(  # noqa: PLR0913 (each is a place of its own)
    machine: Machine,
    tools: Mapping[str, str],
    *,
    python: str,
    headers: str,
    suffix: str,
    roots: Sequence[str],
) -> str:
    """Return the text of a toolchain file.

    `tools` are the paths of CC, CXX, AR and RANLIB. `python` is the interpreter of the build,
    `headers` the folder of the target's Python.h, and `suffix` that of the target's extension
    modules. Libraries and packages are searched below `roots` only.
    """
    values = {
        "CMAKE_SYSTEM_NAME": "Linux",
        "CMAKE_SYSTEM_PROCESSOR": machine.arch,
        "CMAKE_C_COMPILER": tools["CC"],
        "CMAKE_CXX_COMPILER": tools["CXX"],
        "CMAKE_ASM_COMPILER": tools["CC"],
        "CMAKE_AR": tools["AR"],
        "CMAKE_RANLIB": tools["RANLIB"],
        "CMAKE_STRIP": tools["STRIP"],
        # clang's scanner for C++ modules is no part of zig.
        "CMAKE_CXX_SCAN_FOR_MODULES": "OFF",
        "CMAKE_FIND_ROOT_PATH": ";".join(roots),
        "CMAKE_FIND_ROOT_PATH_MODE_PROGRAM": "NEVER",
        "CMAKE_FIND_ROOT_PATH_MODE_LIBRARY": "ONLY",
        "CMAKE_FIND_ROOT_PATH_MODE_INCLUDE": "ONLY",
        "CMAKE_FIND_ROOT_PATH_MODE_PACKAGE": "ONLY",
    }
    if machine.emulator:
        values["CMAKE_CROSSCOMPILING_EMULATOR"] = ";".join(machine.emulator)
    cached = {"PYTHON_MODULE_EXTENSION": suffix}
    soabi = suffix[1:].rpartition(".")[0]
    for name in _PYTHONS:
        cached[f"{name}_EXECUTABLE"] = python
        cached[f"{name}_INCLUDE_DIR"] = headers
        cached[f"{name}_SOABI"] = soabi
    cached.update(PYTHON_EXECUTABLE=python, PYTHON_INCLUDE_DIR=headers)
    lines = [f"set({name} {_quoted(value)})" for name, value in values.items()]
    # The project's own settings, as those of scikit-build-core, are in the cache before.
    lines += [f'set({name} {_quoted(value)} CACHE STRING "")' for name, value in cached.items()]
    return "\n".join((*lines, ""))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def own_file(environ: Mapping[str, str], settings: Optional[Mapping[str, Any]]) -> Optional[str]:
    """Return where the user names a toolchain file; None if nowhere."""
    if environ.get(VARIABLE):
        return f"{VARIABLE} of the environment"
    for name, value in (settings or {}).items():
        if name.endswith(f"cmake.define.{VARIABLE}"):
            return f"the setting {name}"
        if name.endswith("cmake.args") and any(map(_names_file, _texts(value))):
            return f"the setting {name}"
    for name in ("CMAKE_ARGS", "SKBUILD_CMAKE_ARGS", "SKBUILD_CONFIGURE_OPTIONS"):
        if _names_file(environ.get(name, "")):
            return f"{name} of the environment"
    return None


def _names_file(text: str) -> bool:
    return f"-D{VARIABLE}" in text.replace(" ", "") or "--toolchain" in text


def _texts(value: Any) -> List[str]:  # noqa: ANN401 (a value of config_settings)
    found: Iterable[Any] = [value] if isinstance(value, str) else value or ()
    return list(map(str, found))
