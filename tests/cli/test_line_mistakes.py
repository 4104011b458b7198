"""What people write wrong on the command line: each gets one sentence, with the fix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

import pytest

from linemistakes import ALL, GLIBC, GOOD, LINES, TAG, VALUES
from manyshim.cli import mistakes
from unprivileged import unprivileged
from wheelwriter import save, wheel

pytestmark = pytest.mark.skipif(os.name != "posix", reason="makes a pipe and a link")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one file of each kind."""
    made = tmp_path_factory.mktemp("mistakes")
    data = wheel({"demo.py": b""}, tag=TAG)
    for name in (".", "dist", "project"):
        (made / name).mkdir(exist_ok=True)
    save(made, data, GOOD)
    save(made / "dist", data, GOOD)
    system = '[build-system]\nrequires = ["manyshim"]\nbuild-backend = "manyshim.backend"\n'
    project = '[project]\nname = "demo"\nversion = "1"\n'
    (made / "project" / "pyproject.toml").write_text(system + project, encoding="utf-8")
    for name in ("demo-1.0.tar.gz", "lib.so", "a.zip", "a.egg", "a.conda", "notes.txt", "demo.whl"):
        (made / name).write_bytes(b"something")
    (made / "program").write_bytes(b"\x7fELF\2\1\1")
    (made / f"empty-1.0-{TAG}.whl").write_bytes(b"")
    (made / f"half-1.0-{TAG}.whl").write_bytes(data[: len(data) // 2])
    (made / f"page-1.0-{TAG}.whl").write_bytes(b"<!DOCTYPE html>")
    (made / f"text-1.0-{TAG}.whl").write_bytes(b"not found")
    (made / "link.whl").symlink_to("gone.whl")
    os.mkfifo(made / f"pipe-1.0-{TAG}.whl")
    return made


def tree(folder: Path) -> List[Tuple[str, int]]:
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder; assert that it prints no result and writes nothing."""
    before = tree(folder)
    command = [sys.executable, "-m", "manyshim", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert tree(folder) == before
    return done


@pytest.mark.parametrize("case", LINES)
def test_a_wrong_line(case: str, folder: Path) -> None:
    line, sentence = LINES[case]
    done = run(folder, *line.split(" "))
    command = next((f"{word} " for word in line.split()[:1] if word in ALL.split(", ")), "")
    error = f"manyshim: error: {sentence}\ntry manyshim {command}--help\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", error)


@pytest.mark.parametrize("case", VALUES)
def test_a_wrong_value_or_file(case: str, folder: Path) -> None:
    line, code, sentence = VALUES[case]
    done = run(folder, *line.split(" "))
    if not line.startswith("config project"):
        assert done.stdout == ""
    assert (done.returncode, done.stderr) == (code, f"manyshim: error: {sentence}\n")


def test_there_are_forty_over_all_commands() -> None:
    lines = [*(line for line, _ in LINES.values()), *(line for line, _, _ in VALUES.values())]
    assert len(lines) >= 40
    assert {line.split()[0] for line in lines} >= {*ALL.split(", ")}


def test_a_variable_with_a_glibc_that_does_not_exist(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANYSHIM_PLATFORM", "manylinux_2_99")
    done = run(folder, "retag", GOOD, "-w", "out")
    where = "MANYSHIM_PLATFORM in the environment: platform = 'manylinux_2_99'"
    assert (done.returncode, done.stderr) == (2, f"manyshim: error: {where} {GLIBC}\n")


def test_a_wheel_that_nobody_may_read() -> None:
    from manyshim.cli.wrongfiles import mistake

    with unprivileged() as folder:
        path = folder / GOOD
        path.write_bytes(b"PK\3\4")
        path.chmod(0)
        error = mistake(str(path), "show")
        path.chmod(0o600)
    assert error is not None
    text = f"{path}: you have no permission to read it; chmod u+r {path}, or ask its owner"
    assert error.lines == (text,)


@pytest.mark.parametrize("name", sorted({*mistakes.OTHER_COMMANDS.values()}))
def test_the_commands_that_other_names_mean_exist(name: str) -> None:
    assert name in ALL.split(", ")
