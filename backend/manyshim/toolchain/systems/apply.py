"""Writes the files of Meson and CMake for a target, and passes them to the wrapped backend."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from manyshim import process, pyproject
from manyshim.audit.tags import MUSL
from manyshim.errors import ConfigError, ToolError
from manyshim.files import open_regular
from manyshim.host import host_arch
from manyshim.toolchain.systems import cmake, meson
from manyshim.toolchain.systems.cmake_settings import (
    SINCE,
    VARIABLE,
    conflicts,
    definitions,
    own_file,
    with_file,
)
from manyshim.toolchain.systems.machine import Machine, machine
from manyshim.toolchain.systems.stale import reused_folder
from manyshim.toolchain.target import Target
from manyshim.values import NamedTuple

_MESON = "mesonpy"
_MESON_PYTHON = re.compile(r"\s*meson[-_.]python(?![-\w.])", re.IGNORECASE)
_NOT_MESON = ("setuptools", "scikit_build_core", "py_build_cmake", "hatchling", "maturin")
_EMPTY_ARCHIVE = "!<arch>\n"
# How long `cmake --version` may take.
_SECONDS = 60
_LIBC_PARTS = ("dl", "m", "pthread", "rt", "util")


class Tools(NamedTuple):
    """What a build environment has for the target.

    `paths` are those of CC, CXX, AR, RANLIB and STRIP; `headers` is the folder of Python.h, and
    `suffix` that of extension modules. `sysroot` is "" if there is none. `native` tells that the
    target's programs run on this machine as its own do.
    """

    paths: Mapping[str, str]
    headers: str
    suffix: str
    sysroot: str
    native: bool = False


class Applied(NamedTuple):
    """The environment and the settings of the wrapped backend, and lines for the user."""

    environ: Dict[str, str]
    settings: Optional[Mapping[str, Any]]
    lines: List[str]


class _Project(NamedTuple):
    """The wrapped backend's name, and the project's pyproject.toml."""

    backend: str
    document: Mapping[str, Any]


def apply(  # noqa: PLR0913, PLR0917 (what is known of a build)
    folder: str,
    target: Target,
    tools: Tools,
    backend: str,
    settings: Optional[Mapping[str, Any]],
    environ: Mapping[str, str],
) -> Applied:
    """Write a cross file and a toolchain file into a private folder, and name them to the backend.

    What the user has set comes after, and a conflict is reported. Raises OSError.
    """
    here = machine(target, tools.sysroot, host_arch(), environ.get("PATH"))
    project = _Project(backend, pyproject.read(os.curdir))
    applied = Applied(dict(environ), settings, [])
    applied = _with_cmake(folder, target, here, tools, project, applied)
    if not is_meson(*project):
        return applied
    own = _own_arguments(project.document)
    if tools.native:
        return applied._replace(lines=[*applied.lines, *_native_conflicts(own, applied)])
    return _with_meson(folder, target, here, tools, own, applied)


def is_meson(backend: str, document: Mapping[str, Any]) -> bool:
    """Tell whether a backend is meson-python, or one of the project that calls it.

    `document` is pyproject.toml.
    """
    name = backend.partition(":")[0].partition(".")[0]
    if name in _NOT_MESON:
        return False
    requires = pyproject.build_system(document).get("requires")
    texts = map(str, requires) if isinstance(requires, list) else ()
    return name == _MESON or any(map(_MESON_PYTHON.match, texts))


def _native_conflicts(own: Sequence[str], applied: Applied) -> List[str]:
    """Return a line for each file of the user that replaces the compilers of a native build."""
    given = meson.arguments(applied.settings, own)
    folder = meson.build_folder(applied.settings)
    return meson.conflicts(given, None, folder, applied.environ)


def _with_cmake(  # noqa: PLR0913, PLR0917 (what is known of a build)
    folder: str, target: Target, here: Machine, tools: Tools, project: _Project, applied: Applied
) -> Applied:
    backend, document = project
    if tools.native and tools.sysroot == "/":
        return applied  # all of this machine may be found
    given = list(definitions(applied.environ, applied.settings, pyproject.tools(document), _toml))
    reported = _may_use_cmake(project)
    if reported:
        lines = [*applied.lines, *conflicts(given), *reused_folder(backend, target.tag.arch)]
        applied = applied._replace(lines=lines)
    own = own_file(given)
    if own:
        line = f"{own} names a toolchain file, so CMake does not get that of manyshim: it must use "
        line += "the compilers of $ENV{CC} and $ENV{CXX}"
        return applied._replace(lines=[*applied.lines, *([line] if reported else [])])
    path = os.path.join(folder, "toolchain.cmake")
    modules = os.path.join(folder, "cmake")
    os.mkdir(modules)
    for name, text in cmake.modules().items():
        _write(os.path.join(modules, name), text)
    python = cmake.Python(
        sys.executable,
        tools.headers,
        tools.suffix,
        _library(folder),
        hasattr(sys, "gettotalrefcount"),
    )
    multiarch = "" if target.tag.libc == MUSL else target.triplet
    roots = [_libc(folder), *_roots(tools.sysroot)]
    places = cmake.Places(roots, modules, multiarch)
    _write(path, cmake.toolchain_file(here, tools.paths, python, places, native=tools.native))
    version = _cmake_version(applied.environ)
    environ = with_file(applied.environ, path, version)
    lines = applied.lines
    if version and version < SINCE and backend.startswith("py_build_cmake"):
        line = (
            "CMake {}.{} does not get the toolchain file of manyshim from py-build-cmake; use 3.21"
        )
        lines = [*lines, line.format(*version)]
    return applied._replace(environ=environ, lines=lines)


def _may_use_cmake(project: _Project) -> bool:
    """Tell whether a project shows a sign of CMake, or has a backend that may use it.

    An environment, as that of conda-build, may have settings for CMake in each build.
    """
    if not (is_meson(*project) or project.backend.startswith("setuptools.")):
        return True
    requires = str(pyproject.build_system(project.document).get("requires"))
    if os.path.exists("CMakeLists.txt") or re.search("cmake|scikit.build", requires, re.IGNORECASE):
        return True
    return any(b"cmake" in _content(name).lower() for name in ("setup.py", "meson.build"))


def _content(path: str) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError:
        return b""


def _toml(path: str) -> Mapping[str, Any]:
    """Return the document of a TOML file; an empty one if it cannot be read."""
    try:
        return pyproject.read(*os.path.split(path))
    except ConfigError:
        return {}  # the backend reads it, too, and reports the error better


def _library(folder: str) -> str:
    """Write an archive without members with the name of a library of Python; return its path."""
    name = "libpython{}.{}{}.a".format(*sys.version_info[:2], sys.abiflags)
    path = os.path.join(folder, name)
    _write(path, _EMPTY_ARCHIVE)
    return path


def _libc(folder: str) -> str:
    """Write archives without members for find_library; return the folder above `lib`.

    zig links each part of the target's libc that is used, and has no files for them.
    """
    root = os.path.join(folder, "libc")
    os.makedirs(os.path.join(root, "lib"))
    for name in _LIBC_PARTS:
        _write(os.path.join(root, "lib", f"lib{name}.a"), _EMPTY_ARCHIVE)
    return root


def _cmake_version(environ: Mapping[str, str]) -> Tuple[int, ...]:
    """Return the version of the CMake that backends find; () if they find none."""
    program = environ.get("CMAKE_EXECUTABLE") or shutil.which("cmake", path=environ.get("PATH"))
    if not program:
        return ()
    try:
        said = process.run([program, "--version"], environ, _SECONDS)
    except ToolError:
        return ()
    found = re.search(r"version (\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()


def _roots(sysroot: str) -> List[str]:
    """Return the folders below which CMake finds libraries and packages.

    Packages for the build, as pybind11, are on Python's path; a project may have its own copies.
    """
    folders = [sysroot, *sys.path, os.getcwd(), os.path.realpath(tempfile.gettempdir())]
    found = (os.path.abspath(one) for one in folders if one and os.path.isdir(one))
    return list(dict.fromkeys(found))


def _with_meson(  # noqa: PLR0913, PLR0917 (what is known of a build)
    folder: str, target: Target, here: Machine, tools: Tools, own: Sequence[str], applied: Applied
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
    if environ.get(VARIABLE):
        # Meson asks CMake for packages, too; otherwise it would find those of this machine.
        properties["cmake_toolchain_file"] = os.path.abspath(environ[VARIABLE])
    path = os.path.join(folder, "meson.cross")
    _write(path, meson.cross_file(target, here, binaries, properties))
    given = meson.arguments(applied.settings, own)
    lines = meson.conflicts(given, here, meson.build_folder(applied.settings), environ)
    settings = meson.with_cross_file(applied.settings, path, own)
    return Applied(environ, settings, [*applied.lines, *lines])


def _own_arguments(document: Mapping[str, Any]) -> List[str]:
    """Return `[tool.meson-python.args] setup` of the project."""
    table: Any = pyproject.tools(document)
    for key in ("meson-python", "args", "setup"):
        table = table.get(key, {}) if isinstance(table, dict) else {}
    return [str(one) for one in table] if isinstance(table, list) else []


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
