"""Writes the files of Meson and CMake for a target, and passes them to the wrapped backend."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import Any, Dict, List, Mapping, Optional

from manyshim import pyproject
from manyshim.host import host_arch
from manyshim.toolchain.systems import cmake, meson
from manyshim.toolchain.systems.machine import Machine, machine
from manyshim.toolchain.target import Target
from manyshim.values import NamedTuple

_MESON = "mesonpy"


class Tools(NamedTuple):
    """What a build environment has for the target.

    `paths` are those of CC, CXX, AR, RANLIB and STRIP; `headers` is the folder of Python.h, and
    `suffix` that of extension modules. `sysroot` is "" if there is none.
    """

    paths: Mapping[str, str]
    headers: str
    suffix: str
    sysroot: str


class Applied(NamedTuple):
    """The environment and the settings of the wrapped backend, and lines for the user."""

    environ: Dict[str, str]
    settings: Optional[Mapping[str, Any]]
    lines: List[str]


def apply(  # noqa: PLR0913, PLR0917 (what is known of a build)
    folder: str,
    target: Target,
    tools: Tools,
    backend: str,
    settings: Optional[Mapping[str, Any]],
    environ: Mapping[str, str],
) -> Applied:
    """Write a cross file and a toolchain file into a private folder, and name them to the backend.

    What the user has set comes after, and a conflict is told. Raises OSError.
    """
    here = machine(target, tools.sysroot, host_arch(), environ.get("PATH"))
    applied = Applied(dict(environ), settings, [])
    applied = _with_cmake(folder, here, tools, applied)
    if is_meson(backend):
        applied = _with_meson(folder, target, here, tools, applied)
    return applied


def is_meson(backend: str) -> bool:
    """Tell whether a backend is meson-python."""
    return backend.partition(":")[0].partition(".")[0] == _MESON


def native_conflicts(
    backend: str, settings: Optional[Mapping[str, Any]], environ: Mapping[str, str]
) -> List[str]:
    """Return a line for each file of the user that replaces the compilers of a native build."""
    if not is_meson(backend):
        return []
    given = meson.arguments(settings, _own_arguments())
    return meson.conflicts(given, None, meson.build_folder(settings), environ)


def _with_cmake(folder: str, here: Machine, tools: Tools, applied: Applied) -> Applied:
    own = cmake.own_file(applied.environ, applied.settings)
    if own:
        line = f"{own} names a toolchain file, so CMake does not get that of manyshim: it must use "
        line += "the compilers of $ENV{CC} and $ENV{CXX}"
        return applied._replace(lines=[*applied.lines, line])
    path = os.path.join(folder, "toolchain.cmake")
    text = cmake.toolchain_file(
        here,
        tools.paths,
        python=sys.executable,
        headers=tools.headers,
        suffix=tools.suffix,
        roots=_roots(tools.sysroot),
    )
    _write(path, text)
    return applied._replace(environ={**applied.environ, cmake.VARIABLE: path})


def _roots(sysroot: str) -> List[str]:
    """Return the folders below which CMake finds libraries and packages.

    Packages for the build, as pybind11, are on Python's path; a project may have its own copies.
    """
    folders = [sysroot, *sys.path, os.getcwd(), os.path.realpath(tempfile.gettempdir())]
    found = (os.path.abspath(one) for one in folders if one and os.path.isdir(one))
    return list(dict.fromkeys(found))


def _with_meson(
    folder: str, target: Target, here: Machine, tools: Tools, applied: Applied
) -> Applied:
    names = (("c", "CC"), ("cpp", "CXX"), ("ar", "AR"), ("strip", "STRIP"))
    binaries = {name: tools.paths[variable] for name, variable in names}
    binaries["python"] = sys.executable
    for name in ("pkg-config", "cmake"):
        program = shutil.which(name, path=applied.environ.get("PATH"))
        if program:
            binaries[name] = program
    environ = applied.environ
    properties: Dict[str, Any] = {
        "pkg_config_libdir": environ.get("PKG_CONFIG_LIBDIR", "").split(os.pathsep),
    }
    if tools.sysroot:
        properties["sys_root"] = tools.sysroot
    if environ.get(cmake.VARIABLE):
        # Meson asks CMake for packages, too; otherwise it would find those of this machine.
        properties["cmake_toolchain_file"] = os.path.abspath(environ[cmake.VARIABLE])
    path = os.path.join(folder, "meson.cross")
    _write(path, meson.cross_file(target, here, binaries, properties))
    own = _own_arguments()
    given = meson.arguments(applied.settings, own)
    lines = meson.conflicts(given, here, meson.build_folder(applied.settings), environ)
    settings = meson.with_cross_file(applied.settings, path, own)
    return Applied(environ, settings, [*applied.lines, *lines])


def _own_arguments() -> List[str]:
    """Return `[tool.meson-python.args] setup` of the project."""
    table: Any = pyproject.tools(pyproject.read(os.curdir))
    for key in ("meson-python", "args", "setup"):
        table = table.get(key, {}) if isinstance(table, dict) else {}
    return [str(one) for one in table] if isinstance(table, list) else []


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
