"""The line about a build folder of CMake that an earlier build has left."""

from __future__ import annotations

from pathlib import Path

import pytest

from manyshim.toolchain.systems.stale import reused_folder


@pytest.mark.parametrize(
    ("backend", "arch", "count"),
    [
        ("py_build_cmake.build", "aarch64", 1),
        ("py_build_cmake.build", "x86_64", 0),
        ("setuptools.build_meta:__legacy__", "aarch64", 1),
        ("setuptools.build_meta", "x86_64", 0),
        ("scikit_build_core.build", "aarch64", 0),
    ],
)
def test_a_folder_with_other_compilers_is_named(
    backend: str, arch: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        ".py-build-cmake_cache/cp311-cp311-linux_aarch64",
        "_skbuild/linux-aarch64-3.11/cmake-build",
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "CMakeCache.txt").touch()
    monkeypatch.chdir(tmp_path)
    lines = reused_folder(backend, arch)
    assert len(lines) == count
    assert all("remove this folder" in line for line in lines)
