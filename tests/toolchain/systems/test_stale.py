"""The state of CMake and Meson is removed only if it names compilers that are gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Mapping

import pytest

from manyshim.toolchain.systems import stale

GONE = "/nowhere/.manyshim-abc_1.tmp"
CACHE = "# comment {0}\nCMAKE_AR:FILEPATH={0}/bin/ar\nCMAKE_C_COMPILER:FILEPATH={0}/bin/cc\n"
COMPILERS = '{{"host": {{"c": {{"exelist": ["{0}/bin/cc"]}}}}}}'


def cmake(folder: Path, text: str) -> None:
    for name in ("3.25.1", "m.dir"):
        (folder / "CMakeFiles" / name).mkdir(parents=True)
    (folder / "CMakeFiles" / "CMakeError.log").touch()
    (folder / "CMakeCache.txt").write_text(text, encoding="utf-8")


def meson(folder: Path, text: str) -> None:
    (folder / "meson-private").mkdir(parents=True)
    (folder / "meson-private" / "coredata.dat").touch()
    (folder / "meson-info").mkdir()
    (folder / "meson-info" / "intro-compilers.json").write_text(text, encoding="utf-8")


def left(folder: Path) -> List[str]:
    stale.discard([str(folder)])
    names = ("CMakeCache.txt", "m.dir", "3.25.1", "CMakeError.log", "meson-private")
    return sorted(path.name for path in folder.rglob("*") if path.name in names)


@pytest.mark.parametrize("place", ["build", "_skbuild/linux/cmake-build", "a b/c", "."])
def test_the_state_of_removed_compilers_is_removed(tmp_path: Path, place: str) -> None:
    cmake(tmp_path / place, CACHE.format(GONE))
    meson(tmp_path / place, COMPILERS.format(GONE))
    assert left(tmp_path) == ["CMakeError.log"]


@pytest.mark.parametrize("compilers", ["/usr", "{}/.manyshim-present.tmp", "/nowhere"])
def test_other_state_stays(tmp_path: Path, compilers: str) -> None:
    (tmp_path / ".manyshim-present.tmp").mkdir()
    cmake(tmp_path / "build", CACHE.format(compilers.format(tmp_path)))
    meson(tmp_path / "build", COMPILERS.format(compilers.format(tmp_path)))
    assert len(left(tmp_path)) == 5


@pytest.mark.parametrize("place", [".git/x", "node_modules/x", "1/2/3/4/5/6/7"])
def test_some_folders_are_not_searched(tmp_path: Path, place: str) -> None:
    cmake(tmp_path / place, CACHE.format(GONE))
    assert len(left(tmp_path)) == 4


def test_a_link_and_what_is_no_file_stay(tmp_path: Path) -> None:
    (tmp_path / "CMakeCache.txt").mkdir()
    (tmp_path / "meson-private").touch()
    (tmp_path / "other").symlink_to(tmp_path)
    stale.discard([str(tmp_path), str(tmp_path / "missing")])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "CMakeCache.txt",
        "meson-private",
        "other",
    ]


@pytest.mark.parametrize(
    ("settings", "environ", "found"),
    [
        (None, {}, []),
        ({"build-dir": "build/{wheel_tag}"}, {}, []),
        ({"build-dir": "/b/{wheel_tag}", "builddir": True}, {}, ["/b"]),
        ({}, {"SKBUILD_BUILD_DIR": "../b"}, ["b"]),
    ],
)
def test_the_folders(
    settings: Any,
    environ: Mapping[str, str],
    found: List[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    wanted = [str(tmp_path / "project"), *(str(tmp_path / path) for path in found)]
    assert stale.folders(settings, environ) == wanted


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
    lines = stale.reused_folder(backend, arch)
    assert len(lines) == count
    assert all("remove this folder" in line for line in lines)
