"""`manyshim config` for several projects, and as a hook that prints errors only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

SYSTEM = '[build-system]\nrequires = ["manyshim"]\nbuild-backend = "manyshim.backend"\n'
RIGHT = f'{SYSTEM}[tool.manyshim]\nmode = "audit"\n'
OTHER = '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
PROJECTS: Dict[str, str] = {
    "right": RIGHT,
    "other": OTHER,
    "wrong": '[tool.manyshim]\nmode = "adit"\nstrict = true\n',
    "broken": "[tool",
}


@pytest.fixture(name="folder")
def projects(tmp_path: Path) -> Path:
    for name, text in PROJECTS.items():
        write(tmp_path, name, text)
    return tmp_path


def write(folder: Path, name: str, text: str) -> str:
    """Write a project; return the path of its file, relative to the folder."""
    (folder / name).mkdir()
    (folder / name / "pyproject.toml").write_text(text, encoding="utf-8")
    return f"{name}/pyproject.toml"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "manyshim", "config", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_each_project_has_its_table_and_its_lines(folder: Path) -> None:
    done = run(folder, "right", "other/pyproject.toml", "wrong")
    assert done.returncode == 2
    titles = [line for line in done.stdout.splitlines() if line.endswith(".toml:")]
    assert titles == [f"{name}/pyproject.toml:" for name in ("right", "other", "wrong")]
    assert done.stdout.count("\nmode ") == 3
    lines = done.stderr.splitlines()
    assert lines[0] == (
        'manyshim: other/pyproject.toml: build-backend is "flit_core.buildapi", so no build reads '
        "these options; `manyshim init` shows what to write"
    )
    errors = [line for line in lines if line.startswith("manyshim: error: ")]
    assert [line.split(": ")[2] for line in errors] == ["wrong/pyproject.toml"] * 2
    assert "other" not in "".join(lines[1:])


def test_a_file_that_cannot_be_read_costs_no_other_its_lines(folder: Path) -> None:
    done = run(folder, "broken", "right")
    assert done.returncode == 2
    assert "right/pyproject.toml:\n" in done.stdout
    assert "broken/pyproject.toml:\n" not in done.stdout
    start = "manyshim: error: broken/pyproject.toml: pyproject.toml cannot be read: "
    assert done.stderr.startswith(start)


def test_json_lists_the_projects(folder: Path) -> None:
    done = run(folder, "--json", "right", "wrong", "broken")
    data = json.loads(done.stdout)
    assert list(data) == ["version", "projects"]
    assert [one["file"] for one in data["projects"]] == [
        f"{name}/pyproject.toml" for name in ("right", "wrong", "broken")
    ]
    assert [len(one["errors"]) for one in data["projects"]] == [0, 2, 1]
    assert [bool(one["options"]) for one in data["projects"]] == [True, True, False]


@pytest.mark.parametrize("given", [".", "pyproject.toml", "./pyproject.toml"])
def test_one_project_is_given_by_its_folder_or_its_file(tmp_path: Path, given: str) -> None:
    (tmp_path / "pyproject.toml").write_text(RIGHT, encoding="utf-8")
    done = run(tmp_path, given)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run(tmp_path).stdout
    assert done.stdout.startswith("option ")


def test_quiet_prints_errors_only_with_the_name_of_the_file(folder: Path) -> None:
    files = [f"{name}/pyproject.toml" for name in ("right", "other", "wrong")]
    done = run(folder, "--quiet", *files)
    assert (done.returncode, done.stdout) == (2, "")
    errors = [line for line in done.stderr.splitlines() if line.startswith("manyshim: ")]
    assert [line.partition(" = ")[0] for line in errors] == [
        "manyshim: error: wrong/pyproject.toml: [tool.manyshim]: mode",
        "manyshim: error: wrong/pyproject.toml: strict",
    ]


# pyproject.toml, and whether it is right for a hook.
HOOKED = {
    "a right table": (RIGHT, True),
    "no table": (SYSTEM, True),
    "another backend": (OTHER, True),
    "nothing": ("", True),
    "only tools": ("[tool.ruff]\nline-length = 100\n", True),
    "other tables that are wrong": ("tool = 3\nbuild-system = 4\nmanyshim = 5\n", True),
    "a table of a project that another backend builds": (f"{OTHER}[tool.manyshim]\n", True),
    "a wrong key": ('[tool.manyshim]\nmdoe = "off"\n', False),
    "a release key": (f"{SYSTEM}[tool.manyshim]\nstrict = true\n", False),
    "no table but a value": ("[tool]\nmanyshim = 3\n", False),
    "two brackets": ('[[tool.manyshim]]\nmode = "off"\n', False),
    "a misspelled table that the build needs": (
        SYSTEM.replace('["manyshim"]', '["manyshim", "meson-python"]')
        + '[tool.Manyshim]\nbackend = "mesonpy"\n',
        False,
    ),
    "no TOML": ("[tool.manyshim\n", False),
}


@pytest.mark.parametrize("case", HOOKED)
def test_quiet_as_a_hook(tmp_path: Path, case: str) -> None:
    text, right = HOOKED[case]
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    done = run(tmp_path, "-q", "pyproject.toml")
    assert (done.returncode, done.stdout) == (0 if right else 2, "")
    assert bool(done.stderr) != right, done.stderr
    if not right:
        assert done.stderr.startswith("manyshim: error: pyproject.toml: ")


def test_a_name_is_escaped(tmp_path: Path) -> None:
    file = write(tmp_path, "a\x1b[31m", PROJECTS["wrong"])
    done = run(tmp_path, "-q", file)
    assert "\x1b" not in done.stderr
    assert r"manyshim: error: a\x1b[31m/pyproject.toml: " in done.stderr
