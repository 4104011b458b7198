"""The lines of hooks: escaped, and lost without harm if standard error is closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from elfmodel import TARGETS
from elfwriter import write
from faults import PACKAGE
from manyshim.host import host_arch
from wheelwriter import save, wheel

EVIL = "\x1b]0;title\x07\u202e\u2028"
LINUX = f"demo-1.0-cp38-abi3-linux_{host_arch()}.whl"
BACKEND = """
import os, shutil
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    [name] = os.listdir("made")
    return os.path.basename(shutil.copy(os.path.join("made", name), wheel_directory))
"""
BUILD = "import sys; sys.path.append('.'); from manyshim import backend; print(backend.build_wheel("
BUILD += "'dist', dict(pair.split('=', 1) for pair in sys.argv[1:])))"


def build(folder: Path, *settings: str, shell: str = '"$@"') -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", shell, "sh", sys.executable, "-c", BUILD, *settings]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.manyshim]\nbackend = "wrapped"\n')
    (tmp_path / "wrapped.py").write_text(BACKEND)
    (tmp_path / "made").mkdir()
    elf = write(TARGETS[host_arch()])
    files = {"demo/x.so": elf, f"demo/{EVIL}": b""}
    save(tmp_path / "made", wheel(files, tag=f"cp38-abi3-linux_{host_arch()}"), LINUX)
    return tmp_path


if host_arch() not in TARGETS or os.name == "nt":
    pytest.skip("builds for this machine with a POSIX shell", allow_module_level=True)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ([], 0),
        ([f"manyshim.platform={EVIL}"], 2),
        ([f"manyshim.{EVIL}=1"], 2),
        (["manyshim.compression-level=" + "9" * 5000], 2),
        ([f"manyshim.report={EVIL}"], 2),
        (["manyshim.strict=true"], 1),
    ],
)
def test_lines_are_escaped(settings: List[str], code: int, project: Path) -> None:
    done = build(project, *settings)
    assert done.returncode == code, done.stderr
    lines = done.stderr.rstrip("\n").split("\n")
    assert lines[0].startswith("manyshim: ")
    assert all(line.isprintable() and len(line) < 2100 for line in lines)


def test_a_release_key_keeps_its_lines(project: Path) -> None:
    table = '[tool.manyshim]\nbackend = "wrapped"\nstrict = true\n'
    (project / "pyproject.toml").write_text(table)
    done = build(project)
    assert done.returncode == 2
    assert "\n    [tool.uv]\n" in done.stderr


@pytest.mark.parametrize(
    "shell", ['"$@" 2>&-', '"$@" 2>/dev/full', '{ "$@" 2>&1 >&3 | true; } 3>&1']
)
def test_lines_that_cannot_be_printed_cost_no_build(shell: str, project: Path) -> None:
    done = build(project, shell=shell)
    assert (done.returncode, done.stdout) == (0, f"{LINUX}\n")
    assert os.listdir(project / "dist") == [LINUX]
