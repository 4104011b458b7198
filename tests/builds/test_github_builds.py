"""Builds in a workflow on GitHub annotate the source lines of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from elfbuilding import needs_gcc
from elfwriter import Elf, Symbol, write
from faults import PACKAGE
from manyshim.host import host_arch
from wheelwriter import save, wheel

pytestmark = needs_gcc
if host_arch() != "x86_64":
    pytest.skip("the wheel that is built is for x86_64", allow_module_level=True)

NAME = "demo-1.0-cp311-cp311-linux_x86_64.whl"
MEMBER = "demo/_x.cpython-311-x86_64-linux-gnu.so"
SYMBOLS = (
    Symbol("PyInit__x", defined=True),
    Symbol("pidfd_open", "libc.so.6", "GLIBC_2.36"),
)
SOURCE = "int pidfd_open(int, int);\nint call(void)\n{\n    return pidfd_open(1, 0) + 1;\n}\n"
BACKEND = """
import os, shutil, subprocess
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    os.makedirs("build", exist_ok=True)
    subprocess.run(["gcc", "-g", "-O2", "-c", "src/_x.c", "-o", "build/_x.o"], check=True)
    [name] = os.listdir("made")
    return os.path.basename(shutil.copy(os.path.join("made", name), wheel_directory))
"""
BUILD = "import sys; sys.path.append('.'); from manyshim import backend; print(backend.build_wheel("
BUILD += "'dist', dict(pair.split('=', 1) for pair in sys.argv[1:])))"


def project(folder: Path) -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[tool.manyshim]\nbackend = "wrapped"\n')
    (folder / "wrapped.py").write_text(BACKEND)
    (folder / "src" / "_x.c").write_text(SOURCE)
    (folder / "made").mkdir()
    elf = write(Elf(needed=("libc.so.6",), symbols=SYMBOLS))
    save(folder / "made", wheel({MEMBER: elf}, tag="cp311-cp311-linux_x86_64"), NAME)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a repository with a project in a folder, and a file of the same name in another."""
    root = tmp_path / "repository"
    project(root / "python")
    (root / "other" / "src").mkdir(parents=True)
    (root / "other" / "src" / "_x.c").write_text("int other;\n")
    return root


def build(
    folder: Path, workspace: Path, *settings: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(workspace),
        "GITHUB_STEP_SUMMARY": str(workspace.parent / "summary.md"),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-c", BUILD, *settings],
        cwd=folder,
        env={**os.environ, **variables, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def commands(done: subprocess.CompletedProcess[str]) -> List[str]:
    return [line for line in done.stderr.split("\n") if line.startswith("::")]


def test_a_line_of_the_repository(workspace: Path) -> None:
    done = build(workspace / "python", workspace)
    (command,) = commands(done)
    assert command.startswith(
        "::notice file=python/src/_x.c,line=4,title=TOO_NEW::"
        f"{MEMBER} needs pidfd_open@GLIBC_2.36 from libc.so.6; manylinux_2_35 allows at most "
    )
    assert done.stdout == "demo-1.0-cp311-cp311-manylinux_2_36_x86_64.whl\n"
    assert "manyshim: manylinux_2_35 is ruled out:" in done.stderr
    summary = (workspace.parent / "summary.md").read_text("utf-8")
    assert "| demo-1.0-cp311-cp311-manylinux\\_2\\_36\\_x86\\_64.whl |" in summary


def test_the_copy_that_a_frontend_builds_in(workspace: Path, tmp_path: Path) -> None:
    copy = tmp_path / "private" / "demo-1.0"
    shutil.copytree(workspace / "python", copy)
    (command,) = commands(build(copy, workspace))
    assert command.startswith("::notice file=python/src/_x.c,line=4,title=TOO_NEW::")


def test_a_dependency_is_not_annotated(workspace: Path, tmp_path: Path) -> None:
    dependency = project(tmp_path / "cache" / "other-1.0")
    (dependency / "pyproject.toml").write_text('[tool.manyshim]\nbackend = "wrapped"\n# other\n')
    done = build(dependency, workspace)
    assert commands(done) == []
    assert not (tmp_path / "summary.md").exists()
    assert "manyshim: manylinux_2_35 is ruled out:" in done.stderr


@pytest.mark.parametrize("value", ["", "false"])
def test_nothing_elsewhere(value: str, workspace: Path) -> None:
    done = build(workspace / "python", workspace, GITHUB_ACTIONS=value)
    assert (done.returncode, commands(done)) == (0, [])
    assert not (workspace.parent / "summary.md").exists()


def test_a_build_that_strict_fails(workspace: Path) -> None:
    settings = ("manyshim.platform=manylinux_2_28", "manyshim.strict=true")
    done = build(workspace / "python", workspace, *settings)
    assert done.returncode == 1
    (command,) = commands(done)
    assert command.startswith("::notice file=python/src/_x.c,line=4,title=TOO_NEW::")
    assert (workspace.parent / "summary.md").exists()


def test_a_wheel_that_cannot_be_read(workspace: Path) -> None:
    (workspace / "python" / "made" / NAME).write_bytes(b"no archive")
    done = build(workspace / "python", workspace)
    assert done.returncode == 0
    (command,) = commands(done)
    assert command.startswith("::error title=UNREADABLE::")


def test_a_summary_that_cannot_be_written(workspace: Path) -> None:
    summary = str(workspace / "absent" / "summary.md")
    done = build(workspace / "python", workspace, GITHUB_STEP_SUMMARY=summary)
    assert done.returncode == 0
    assert len(commands(done)) == 1
