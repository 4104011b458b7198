"""The Pythons of unpacked systems: where they are found, and what their programs tell."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import List

import pytest

from elfwriter import TARGETS, Elf, write
from manyshim.errors import ConfigError
from manyshim.release.systems import find, resolve

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systems have links")

GLIBC_ARM, MUSL_X86 = "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1"


def program(path: Path, arch: str = "aarch64", interpreter: str = GLIBC_ARM) -> Path:
    """Write a dynamic program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write(replace(TARGETS[arch], interp=interpreter)))
    return path


def names(folder: Path) -> List[str]:
    return [f"{one.system}:{one.version}:{one.arch}:{one.libc}" for one in find(str(folder))]


@pytest.mark.parametrize(
    "place",
    [
        "usr/bin/python3.11",
        "usr/local/bin/python3.11",
        "bin/python3.11",
        "python/bin/python3.11",
        "opt/_internal/cpython-3.11.9/bin/python3.11",
    ],
)
def test_a_python_is_found_where_systems_have_it(tmp_path: Path, place: str) -> None:
    program(tmp_path / "arm" / place)
    assert names(tmp_path) == ["arm:3.11:aarch64:glibc"]


def test_what_a_program_is_for_is_read_from_it(tmp_path: Path) -> None:
    program(tmp_path / "one/usr/bin/python3.13t")
    program(tmp_path / "two/usr/bin/python3.12", "x86_64", MUSL_X86)
    assert names(tmp_path) == ["one:3.13t:aarch64:glibc", "two:3.12:x86_64:musl"]


@pytest.mark.parametrize(
    "name", ["python3", "python3.11-config", "python2.7", "python3.11.1", "pypy3.11"]
)
def test_other_names_are_no_python(tmp_path: Path, name: str) -> None:
    program(tmp_path / "arm/usr/bin/python3.10")
    program(tmp_path / "arm/usr/bin" / name)
    assert names(tmp_path) == ["arm:3.10:aarch64:glibc"]


def test_what_is_no_dynamic_program_is_passed_over(tmp_path: Path) -> None:
    folder = program(tmp_path / "arm/usr/bin/python3.10").parent
    (folder / "python3.11").write_text("#!/bin/sh\n")
    (folder / "python3.12").write_bytes(b"\x7fELF")
    (folder / "python3.13").write_bytes(write(Elf()))
    (folder / "python3.14").mkdir()
    (folder / "python3.9").symlink_to("nowhere")
    assert names(tmp_path) == ["arm:3.10:aarch64:glibc"]


def test_the_folder_may_be_a_system_itself(tmp_path: Path) -> None:
    program(tmp_path / "arm/usr/bin/python3.11")
    (tmp_path / "arm/lib").mkdir()
    (tmp_path / "arm/lib/ld-linux-aarch64.so.1").touch()
    assert names(tmp_path / "arm") == ["arm:3.11:aarch64:glibc"]
    assert names(tmp_path) == ["arm:3.11:aarch64:glibc"]


@pytest.mark.parametrize(
    ("place", "link"),
    [
        ("lib/ld-linux-aarch64.so.1", ""),
        ("usr/lib/ld-linux-aarch64.so.1", ""),
        ("lib64/ld-linux-aarch64.so.1", ""),
        ("lib/aarch64-linux-gnu/ld-2.31.so", "/lib/aarch64-linux-gnu/ld-2.31.so"),
        ("lib/aarch64-linux-gnu/ld-2.31.so", "aarch64-linux-gnu/ld-2.31.so"),
    ],
)
def test_the_loader_is_that_of_the_system(tmp_path: Path, place: str, link: str) -> None:
    root = tmp_path / "arm"
    program(root / "usr/bin/python3.11")
    (root / place).parent.mkdir(parents=True)
    (root / place).touch()
    if link:
        (root / "lib/ld-linux-aarch64.so.1").symlink_to(link)
    (found,) = find(str(tmp_path))
    assert found.loader == str(root / place)
    assert os.path.dirname(found.loader) in found.libraries


def test_a_system_without_a_loader(tmp_path: Path) -> None:
    program(tmp_path / "arm/usr/bin/python3.11")
    (found,) = find(str(tmp_path))
    assert found.loader is None


def test_links_stay_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/real").touch()
    (root / "bin").symlink_to("/usr/bin")
    (root / "up").symlink_to("../../../usr/bin/real")
    (root / "loop").symlink_to("loop")
    (root / "outside").symlink_to("/etc")
    real = str(root / "usr/bin/real")
    assert resolve(str(root), "/bin/real") == real
    assert resolve(str(root), "up") == real
    assert resolve(str(root), "usr/../bin/./real") == real
    assert resolve(str(root), "loop") is None
    assert resolve(str(root), "outside/passwd") is None
    assert resolve(str(root), "") == str(root)


def test_a_wrong_folder_is_told_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--systems .*nowhere: no such folder; docs/release\.md"):
        find(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        ConfigError, match=r"no Python for Linux is found .* SYSTEM/usr/bin/python3"
    ):
        find(str(tmp_path))
