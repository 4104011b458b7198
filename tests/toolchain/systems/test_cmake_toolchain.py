"""The toolchain file, as CMake itself reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import pytest

import needs
from manyshim.toolchain.systems import cmake
from manyshim.toolchain.systems.machine import Machine

TOOLS = {name: f"/t/{name.lower()}" for name in ("CC", "CXX", "AR", "RANLIB", "STRIP")}
SUFFIX = ".cpython-311-aarch64-linux-gnu.so"
PYTHON = cmake.Python("/p/python", "/p/include", SUFFIX, "/p/libpython3.11.a")
ARM = Machine("aarch64", "aarch64", little_endian=True, emulator=None)


def values(
    folder: Path,
    *names: str,
    machine: Machine = ARM,
    native: bool = False,
    more: str = "",
    options: Tuple[str, ...] = (),
    roots: Tuple[str, ...] = ("/roots/one",),
) -> Dict[str, str]:
    """Return variables after CMake has read the toolchain file, as a project sees them."""
    places = cmake.Places(roots, str(folder / "modules"), "aarch64-linux-gnu")
    text = cmake.toolchain_file(machine, TOOLS, PYTHON, places, native=native)
    (folder / "toolchain.cmake").write_text(text, encoding="utf-8")
    printing = "".join(f'message("{name}=${{{name}}}")\n' for name in names)
    script = folder / "script.cmake"
    script.write_text(f"include({folder}/toolchain.cmake)\n{more}{printing}", encoding="utf-8")
    command = [needs.tool("cmake", "cmake"), *options, "-P", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=str(folder))
    return dict(line.split("=", 1) for line in done.stderr.splitlines() if "=" in line)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CMAKE_SYSTEM_NAME", "Linux"),
        ("CMAKE_SYSTEM_PROCESSOR", "aarch64"),
        ("CMAKE_C_COMPILER", "/t/cc"),
        ("CMAKE_CXX_COMPILER", "/t/cxx"),
        ("CMAKE_ASM_COMPILER", "/t/cc"),
        ("CMAKE_AR", "/t/ar"),
        ("CMAKE_CXX_COMPILER_AR", "/t/ar"),
        ("CMAKE_C_COMPILER_RANLIB", "/t/ranlib"),
        ("CMAKE_STRIP", "/t/strip"),
        ("CMAKE_FIND_ROOT_PATH", "/roots/one"),
        ("CMAKE_FIND_ROOT_PATH_MODE_LIBRARY", "ONLY"),
        ("CMAKE_FIND_ROOT_PATH_MODE_PROGRAM", "NEVER"),
        ("CMAKE_LIBRARY_ARCHITECTURE", "aarch64-linux-gnu"),
        ("Python_SOABI", "cpython-311-aarch64-linux-gnu"),
        ("Python3_INCLUDE_DIR", "/p/include"),
        ("PYTHON_LIBRARY", "/p/libpython3.11.a"),
        ("PYTHON_MODULE_EXTENSION", SUFFIX),
        ("PYBIND11_USE_CROSSCOMPILING", "OFF"),
        ("CMAKE_CROSSCOMPILING_EMULATOR", ""),
    ],
)
def test_a_variable_has_the_targets_value(tmp_path: Path, name: str, value: str) -> None:
    assert values(tmp_path, name) == {name: value}


@pytest.mark.parametrize(
    ("emulator", "value"),
    [
        (None, ""),
        ((), "/usr/bin/env"),
        (("/q/qemu", "-L", "/a root"), "/q/qemu;-L;/a root"),
    ],
)
def test_the_emulator(tmp_path: Path, emulator: Optional[Tuple[str, ...]], value: str) -> None:
    machine = ARM._replace(emulator=emulator)
    name = "CMAKE_CROSSCOMPILING_EMULATOR"
    assert values(tmp_path, name, machine=machine)[name] == value


def test_a_native_build_does_not_cross_compile(tmp_path: Path) -> None:
    name = "CMAKE_SYSTEM_NAME"
    assert values(tmp_path, name, native=True)[name] == ""


def test_a_pointer_of_another_size_is_not_compared(tmp_path: Path) -> None:
    name = "PYBIND11_USE_CROSSCOMPILING"
    assert values(tmp_path, name, machine=ARM._replace(bits=32))[name] == "ON"


@pytest.mark.parametrize("name", ["CMAKE_C_COMPILER", "CMAKE_CXX_SCAN_FOR_MODULES", "Python_SOABI"])
def test_what_the_user_defines_counts(tmp_path: Path, name: str) -> None:
    assert values(tmp_path, name, options=(f"-D{name}=own",))[name] == "own"


@pytest.mark.parametrize("root", ["/a folder", "/a$b", '/a"b'])
def test_strange_paths(tmp_path: Path, root: str) -> None:
    name = "CMAKE_FIND_ROOT_PATH"
    assert values(tmp_path, name, roots=(root,))[name] == root


def test_prefixes_of_the_user_are_searched(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("CMAKE_PREFIX_PATH", "/e/one:/e/two")
    options = ("-DCMAKE_PREFIX_PATH=/c", "-DCMAKE_FIND_ROOT_PATH=/r")
    found = values(tmp_path, "CMAKE_FIND_ROOT_PATH", options=options)
    assert found["CMAKE_FIND_ROOT_PATH"] == "/roots/one;/r;/c;/e/one;/e/two"


@pytest.mark.parametrize(
    "more",
    [
        'set(CMAKE_MODULE_PATH "/own")\n',
        'list(APPEND CMAKE_MODULE_PATH "/own")\n',
        'set(CMAKE_MODULE_PATH "/other" ${CMAKE_MODULE_PATH})\nset(CMAKE_MODULE_PATH "/own")\n',
    ],
)
def test_a_project_cannot_lose_the_modules(tmp_path: Path, more: str) -> None:
    found = values(tmp_path, "CMAKE_MODULE_PATH", more=more)
    assert found["CMAKE_MODULE_PATH"] == f"{tmp_path}/modules;/own"
