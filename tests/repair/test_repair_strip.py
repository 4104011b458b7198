"""Strip one file: what is printed if that fails, and names that look like options."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import List

import pytest

import needs
from elfbuilding import needs_gcc
from manyshim.audit.request import Request
from manyshim.config import Config
from manyshim.errors import ToolError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.host import host_arch
from manyshim.operations import inspect
from manyshim.repair.run import repair
from manyshim.repair.strip import strip
from repairing import facts, script, shared

pytestmark = needs_gcc
NAME = "demo/x.so"


def failure(path: Path, search: str) -> List[str]:
    with pytest.raises(ToolError) as caught:
        strip(str(path), "all", host_arch(), host_arch(), {"PATH": search}, name=NAME)
    return [str(line) for line in caught.value.args]


def private(tmp_path: Path, name: str = ".manyshim-x.tmp") -> Path:
    """Return a file that is no ELF file, in a folder whose name no message may have."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "x.so").write_bytes(b"no ELF file")
    return folder / "x.so"


@pytest.mark.parametrize("folder", [".manyshim-x.tmp", ".manyshim-caf\udce9.tmp", "y" * 200])
def test_the_version_of_gnu_strip_and_no_private_folder(folder: str, tmp_path: Path) -> None:
    tool = needs.tool("strip", "binutils")
    first, *rest = failure(private(tmp_path, folder), os.path.dirname(tool))
    assert first.startswith(f"{NAME} cannot be stripped by GNU strip (GNU Binutils")
    assert first.endswith(": strip failed with exit code 1: strip --strip-all ./x.so")
    assert "x.so: file format not recognized" in rest[0]
    assert rest[-1] == "  install another version of it, or do not strip"
    text = "\n".join([first, *rest])
    assert folder[:13] not in text
    assert str(tmp_path) not in text


def test_the_version_of_llvm_strip(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "llvm-strip").symlink_to(needs.tool("llvm-strip", "llvm"))
    first, *rest = failure(private(tmp_path), str(tmp_path / "bin"))
    assert first.startswith(f"{NAME} cannot be stripped by llvm-strip (")
    assert "LLVM version " in first
    assert ".manyshim-" not in "\n".join([first, *rest])


@pytest.mark.parametrize("body", ["exit 3", "kill -KILL $$", "echo no number; exit 3"])
def test_a_strip_without_a_version(body: str, tmp_path: Path) -> None:
    first, *rest = failure(private(tmp_path), script(tmp_path / "bin", body, name="strip"))
    reasons = ("strip failed with exit code 3: strip", "strip was killed by SIGKILL: strip")
    assert first.startswith(tuple(f"{NAME} cannot be stripped by strip: {one}" for one in reasons))
    assert rest[-1] == "  install another version of it, or do not strip"


def test_a_file_that_vanished(tmp_path: Path) -> None:
    tool = needs.tool("strip", "binutils")
    path = tmp_path / "gone" / "x.so"
    (line,) = failure(path, os.path.dirname(tool))
    assert line == f"{NAME}: cannot be written: No such file or directory"


@pytest.mark.parametrize("name", ["-x.so", "@x.so", "--version", " .so"])
def test_names_that_look_like_options(name: str, tmp_path: Path) -> None:
    needs.tool("strip", "binutils")
    library = shared(tmp_path / "libx.so", "int x(void) { return 1; }", "-g")
    shutil.copyfile(str(library), str(tmp_path / name))
    strip(str(tmp_path / name), "all", host_arch(), host_arch())
    assert (tmp_path / name).stat().st_size < library.stat().st_size
    assert facts(tmp_path / name).soname == "libx.so"


def test_a_relative_path_and_a_relative_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tool runs in the file's folder."""
    library = shared(tmp_path / "in" / "libx.so", "int x(void) { return 1; }", "-g")
    before = library.stat().st_size
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "strip").symlink_to(needs.tool("strip", "binutils"))
    monkeypatch.chdir(tmp_path)
    strip("in/libx.so", "all", host_arch(), host_arch(), {"PATH": "bin"})
    assert library.stat().st_size < before


def test_a_private_folder_that_cannot_be_written(tmp_path: Path) -> None:
    from wheelwriter import save, wheel, wheel_name

    library = shared(tmp_path / "libx.so", "int x(void) { return 1; }")
    tag = f"py3-none-linux_{host_arch()}"
    path = save(tmp_path, wheel({NAME: library.read_bytes()}, tag=tag), wheel_name(tag=tag))
    (tmp_path / "file").write_bytes(b"")
    config = Config(strip="all")
    with Wheel(str(path)) as opened:
        found = opened.facts()
        report = inspect(opened, Request(), found)
        with pytest.raises(ToolError) as caught:
            repair(opened, found, report, config, str(tmp_path / "file" / ".manyshim-x.tmp"))
    assert str(caught.value) == f"{tmp_path / 'file'}: cannot be written: Not a directory"
