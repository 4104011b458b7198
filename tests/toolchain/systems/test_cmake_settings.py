"""The places where users name variables and toolchain files for CMake."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

import pytest

from manyshim.toolchain.systems import cmake_settings as s

FILE = "CMAKE_TOOLCHAIN_FILE"


def given(
    environ: Optional[Mapping[str, str]] = None,
    settings: Optional[Mapping[str, Any]] = None,
    tools: Optional[Mapping[str, Any]] = None,
    files: Optional[Mapping[str, Mapping[str, Any]]] = None,
) -> List[s.Definition]:
    def read(path: str) -> Mapping[str, Any]:
        return (files or {}).get(path.rpartition("/")[2], {})

    return list(s.definitions(environ or {}, settings, tools or {}, read))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (FILE, "a.cmake"),
        ("SKBUILD_CMAKE_TOOLCHAIN_FILE", "a.cmake"),
        ("SKBUILD_CMAKE_DEFINE", f"A=1;{FILE}=a.cmake"),
        *(
            (name, text)
            for name in ("CMAKE_ARGS", "SKBUILD_CMAKE_ARGS", "SKBUILD_CONFIGURE_OPTIONS")
            for text in (
                f"-D{FILE}=a.cmake",
                f"-DA=1 -D {FILE}:FILEPATH=a.cmake",
                f"-DA=1;-D{FILE}=a.cmake",
                f'"-D{FILE}=a b.cmake"',
                "--toolchain=a.cmake",
                "-DA=1 --toolchain a.cmake",
            )
        ),
    ],
)
def test_the_environment_names_a_toolchain_file(name: str, value: str) -> None:
    assert s.own_file(given({name: value})) == f"{name} of the environment"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (f"cmake.define.{FILE}", "a.cmake"),
        (f"skbuild.cmake.define.{FILE}", "a.cmake"),
        ("cmake.toolchain-file", "a.cmake"),
        ("skbuild.cmake.toolchain-file", "a.cmake"),
        ("cmake.args", f"-D{FILE}=a.cmake"),
        ("skbuild.cmake.args", ["-DA=1", f"-D{FILE}=a.cmake"]),
        ("cmake.args", ["--toolchain", "a.cmake"]),
        ("--build-option", f"-- -D{FILE}=a.cmake"),
        ("--global-option", ["--toolchain=a.cmake"]),
        ("override", "cross.toolchain_file=a.cmake"),
        ("-o", [f"cmake.options.{FILE}=a.cmake"]),
    ],
)
def test_a_setting_names_a_toolchain_file(key: str, value: Any) -> None:
    assert s.own_file(given(settings={key: value})) == f"the setting {key}"


@pytest.mark.parametrize(
    ("tool", "table", "place"),
    [
        ("scikit-build", {"cmake": {"define": {FILE: "a"}}}, f"cmake.define.{FILE}"),
        ("scikit-build", {"cmake": {"args": [f"-D{FILE}=a"]}}, "cmake.args"),
        ("scikit-build", {"cmake": {"toolchain-file": "a"}}, "cmake.toolchain-file"),
        ("py-build-cmake", {"cross": {"toolchain_file": "a"}}, "cross.toolchain_file"),
        ("py-build-cmake", {"cmake": {"options": {FILE: "a"}}}, f"cmake.options.{FILE}"),
        ("py-build-cmake", {"linux": {"cmake": {"args": ["--toolchain=a"]}}}, "linux.cmake.args"),
    ],
)
def test_pyproject_names_a_toolchain_file(tool: str, table: Dict[str, Any], place: str) -> None:
    assert s.own_file(given(tools={tool: table})) == f"tool.{tool}.{place} of pyproject.toml"


@pytest.mark.parametrize(
    ("settings", "tools", "file"),
    [
        ({"cross": "own.toml"}, {}, "own.toml"),
        ({"--local": ["other.toml", "own.toml"]}, {}, "own.toml"),
        ({}, {"py-build-cmake": {}}, "py-build-cmake.cross.toml"),
        ({}, {"py-build-cmake": {}}, "py-build-cmake.local.toml"),
    ],
)
def test_a_file_of_py_build_cmake_names_a_toolchain_file(
    settings: Mapping[str, Any], tools: Mapping[str, Any], file: str
) -> None:
    files = {file: {"toolchain_file": "a"}}
    assert s.own_file(given({}, settings, tools, files)) == f"toolchain_file of {file}"


@pytest.mark.parametrize(
    ("environ", "settings", "tools"),
    [
        ({}, None, {}),
        ({FILE: ""}, {}, {}),
        ({"CMAKE_ARGS": f"-DMY_{FILE}=a -D{FILE}S=b --toolchains"}, {}, {}),
        ({}, {"cmake.define.A": f"-D{FILE}=a"}, {}),
        ({}, {"cmake.args": None}, {}),
        ({}, {"cmake.args": True, "cross": 5, "o": {FILE: "a"}}, {}),
        ({}, {}, {"scikit-build": {"cmake": {"args": False}}}),
        ({}, {}, {"scikit-build": {"cmake": {"define": {"A": FILE}, "toolchain-file": ""}}}),
        ({}, {}, {"scikit-build": {"overrides": [{"cmake": {"define": {FILE: "a"}}}]}}),
        ({}, {}, {"py-build-cmake": {"windows": {"cmake": {"options": {FILE: "a"}}}}}),
        ({}, {}, {"other": {"cmake": {"define": {FILE: "a"}}}}),
        ({}, {}, {"scikit-build": "no table"}),
    ],
)
def test_no_toolchain_file_is_named(
    environ: Mapping[str, str], settings: Any, tools: Mapping[str, Any]
) -> None:
    assert s.own_file(given(environ, settings, tools)) is None


def test_a_compiler_of_the_user_is_a_conflict() -> None:
    found = given(
        {"CMAKE_ARGS": "-DCMAKE_AR=ar -DOTHER=1"}, {"cmake.define.CMAKE_C_COMPILER": "gcc"}
    )
    end = "which replaces what manyshim has set for the target"
    assert s.conflicts(found) == [
        f"CMAKE_ARGS of the environment sets CMAKE_AR, {end}",
        f"the setting cmake.define.CMAKE_C_COMPILER sets CMAKE_C_COMPILER, {end}",
    ]


@pytest.mark.parametrize(
    ("version", "environ", "more"),
    [
        ((3, 21), {"CMAKE_ARGS": "-DA=1"}, {}),
        ((4, 4), {}, {}),
        ((), {}, {}),
        ((3, 20), {}, {"CMAKE_ARGS": f"-D{FILE}=/f"}),
        ((3, 18), {"CMAKE_ARGS": "-DA=1"}, {"CMAKE_ARGS": f"-D{FILE}=/f -DA=1"}),
        (
            (3, 18),
            {"SKBUILD_CONFIGURE_OPTIONS": "-DA=1"},
            {
                "CMAKE_ARGS": f"-D{FILE}=/f",
                "SKBUILD_CONFIGURE_OPTIONS": f"-D{FILE}=/f -DA=1",
            },
        ),
    ],
)
def test_an_older_cmake_gets_an_argument(
    version: Any, environ: Dict[str, str], more: Dict[str, str]
) -> None:
    assert s.with_file(environ, "/f", version) == {**environ, FILE: "/f", **more}
