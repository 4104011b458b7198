"""`manyshim init` in a folder: what it reads, and that a stop leaves every file as it was."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import needs
from manyshim import workspace
from manyshim.adopt import files, run, vendor
from manyshim.adopt.files import FileChange
from manyshim.adopt.project import read
from manyshim.errors import ToolError

pytestmark = needs.mark(needs.module, "tomlkit")

MESON = '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n'
LEGACY = "from setuptools import setup\nsetup(ext_modules=[])\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(MESON)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *[(name, True) for name in ("a.c", "A.F90", "a.S", "a.pyx.in", "a.so.1.2", "a.pyd")],
        *[(name, False) for name in ("a.py", "a.cfg", "a.so.txt", "a.in", "c", "a.h5")],
    ],
)
def test_sources_of_compiled_languages(project: Path, name: str, found: object) -> None:
    (project / name).touch()
    assert read(str(project))[0].compiled == ((name,) if found else ())


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_stop_while_files_are_written_takes_all_back(
    project: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    (project / "setup.py").write_text(LEGACY)
    (project / "pyproject.toml").unlink()
    prepared = run.adopt(str(project), in_tree=True)

    def stopped(path: str, target: str) -> None:
        last = target.endswith("pyproject.toml")
        if last and moment == "before":
            raise KeyboardInterrupt
        workspace.publish(path, target)
        if last:
            raise KeyboardInterrupt

    monkeypatch.setattr(files, "publish", stopped)
    assert [change.name for change in prepared.files] == ["MANIFEST.in", "pyproject.toml"]
    with pytest.raises(KeyboardInterrupt):
        prepared.write(str(project))
    assert os.listdir(project) == ["setup.py"]


def test_undo_is_not_taken_back_once_the_copy_is_gone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.adopt(str(project), in_tree=True).write(str(project))
    prepared = run.undo(str(project))

    def stopped(path: str, **_more: object) -> None:
        if os.path.isdir(os.path.join(path, "old")):
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", stopped)
    with pytest.raises(KeyboardInterrupt):
        prepared.write(str(project))
    assert (project / "pyproject.toml").read_text() == MESON


def test_a_copy_that_was_there_stays_after_an_error(project: Path) -> None:
    copy = project / "backend" / "manyshim"
    for name, data in vendor.own_files().items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data)
    changed = FileChange("pyproject.toml", "not what is there", "new")
    with pytest.raises(ToolError, match="was changed by another program"):
        files.write(str(project), (changed,), copy="backend", remove="")
    assert (copy / "backend.py").is_file()
    assert (project / "pyproject.toml").read_text() == MESON


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_a_copy_is_an_error(project: Path) -> None:
    copy = project / "backend" / "manyshim"
    copy.mkdir(parents=True)
    (copy / "backend.py").touch()
    os.mkfifo(copy / "pipe")
    with pytest.raises(ToolError, match="not a regular file"):
        run.adopt(str(project), in_tree=True)


def test_undo_keeps_an_empty_file(project: Path) -> None:
    (project / "setup.py").write_text(LEGACY)
    (project / "pyproject.toml").write_text("")
    run.adopt(str(project)).write(str(project))
    assert (project / "pyproject.toml").read_text()
    run.undo(str(project)).write(str(project))
    assert (project / "pyproject.toml").read_text() == ""


def test_the_diff_has_the_line_ends_of_the_file(project: Path) -> None:
    (project / "pyproject.toml").write_bytes(MESON.replace("\n", "\r\n").encode())
    change = run.adopt(str(project)).files[0]
    assert run.diff(change)[4:7] == [
        '-requires = ["meson-python"]\r',
        '-build-backend = "mesonpy"\r',
        '+requires = ["meson-python", "manyshim"]\r',
    ]


def test_undo_says_nothing_of_a_copy_that_is_gone(project: Path) -> None:
    run.adopt(str(project), in_tree=True).write(str(project))
    (project / "backend").rename(project.parent / f"{project.name}-moved")
    prepared = run.undo(str(project))
    assert not prepared.remove
    assert not any("remove it yourself" in note for note in prepared.plan.notes)
