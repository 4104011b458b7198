"""What is told of the user's settings for CMake, by project."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from manyshim.audit.tags import PlatformTag
from manyshim.toolchain.systems.apply import Tools, apply, is_meson
from manyshim.toolchain.target import Target

TOOLS = Tools(
    {name: f"/t/{name}" for name in ("CC", "CXX", "AR", "RANLIB", "STRIP")}, "/include", ".so", ""
)
ENVIRON = {"PATH": "", "CMAKE_ARGS": "-DCMAKE_AR=ar", "CMAKE_TOOLCHAIN_FILE": "/own"}
SKBUILD = '[build-system]\nrequires = ["Scikit_Build"]\n'


@pytest.mark.parametrize(
    ("backend", "files", "count"),
    [
        ("setuptools.build_meta", {}, 0),
        ("setuptools.build_meta", {"setup.py": "setup()"}, 0),
        ("mesonpy", {"meson.build": "project()"}, 0),
        ("mesonpy", {"meson.build": "import('cmake')"}, 2),
        ("setuptools.build_meta:__legacy__", {"setup.py": "class CMakeBuild: ..."}, 2),
        ("setuptools.build_meta", {"CMakeLists.txt": ""}, 2),
        ("setuptools.build_meta", {"pyproject.toml": SKBUILD}, 2),
        ("scikit_build_core.build", {}, 2),
        ("hooks", {}, 2),
    ],
)
def test_settings_of_cmake_are_told_to_its_users(
    backend: str,
    files: Dict[str, str],
    count: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for folder in ("private", "project"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "project")
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    target = Target(PlatformTag("glibc", 2, 17, "aarch64"))
    found = apply(str(tmp_path / "private"), target, TOOLS, backend, None, ENVIRON)
    assert len(found.lines) == count
    assert found.environ["CMAKE_TOOLCHAIN_FILE"] == "/own"


@pytest.mark.parametrize(
    ("backend", "requires", "found"),
    [
        ("mesonpy", [], True),
        ("hooks", ["manyshim", "Meson_Python>=0.15"], True),
        ("hooks:object", ["meson-python"], True),
        ("hooks", ["meson", "meson-pythonic"], False),
        ("hooks", "meson-python", False),
        ("setuptools.build_meta", ["meson-python"], False),
    ],
)
def test_a_backend_of_the_project_may_call_meson_python(
    backend: str, requires: Any, *, found: bool
) -> None:
    assert is_meson(backend, {"build-system": {"requires": requires}}) is found
