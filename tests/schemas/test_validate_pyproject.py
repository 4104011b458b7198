"""validate-pyproject finds the schema of [tool.manyshim] by its entry point."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Mapping

import pytest

import needs
from frontends import Runner
from paths import REPOSITORY

SAMPLE = (REPOSITORY / "sample_project" / "pyproject.toml").read_text(encoding="utf-8")
WRONG = {
    "key": ('mdoe = "audit"', "`tool.manyshim` must not contain {'mdoe'} properties"),
    "value": ('mode = "adit"', "`tool.manyshim.mode` must be one of ['retag', 'audit', 'off']"),
    "release key": ("strict = true", "`tool.manyshim` must not contain {'strict'} properties"),
}


def with_line(line: str) -> str:
    """Return the sample's pyproject.toml with one more line in its table."""
    head = "[tool.manyshim]\n"
    assert SAMPLE.count(head) <= 1
    if head not in SAMPLE:
        return f"{SAMPLE}\n{head}{line}\n"
    return SAMPLE.replace(head, f"{head}{line}\n")


def validate(python: str, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    path = folder / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    command = [python, "-m", "validate_pyproject", str(path)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(name="installed", scope="module")
def with_entry_point() -> str:
    """Return an interpreter with validate-pyproject and an installed manyshim."""
    needs.module("validate_pyproject", "validate-pyproject", since=(3, 10))
    from importlib.metadata import entry_points

    found = entry_points(group="validate_pyproject.tool_schema")
    if "manyshim" not in {one.name for one in found}:
        needs.unmet("manyshim is not installed with its entry points")
    return sys.executable


@pytest.mark.parametrize("line", ["", 'mode = "audit"', 'allow = "NO_ELF:*"', "platform = 2014"])
def test_a_right_table_is_accepted(installed: str, tmp_path: Path, line: str) -> None:
    done = validate(installed, tmp_path, with_line(line))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_table_is_refused(installed: str, tmp_path: Path, wrong: str) -> None:
    line, words = WRONG[wrong]
    done = validate(installed, tmp_path, with_line(line))
    assert done.returncode == 1
    assert words in done.stdout + done.stderr


@pytest.mark.network
def test_with_the_wheel_in_a_fresh_environment(
    tmp_path: Path, manyshim_wheels: Path, clean_environment: Mapping[str, str], run: Runner
) -> None:
    needs.module("validate_pyproject", "validate-pyproject", since=(3, 10))
    from importlib.metadata import version

    venv = tmp_path / "venv"
    run([sys.executable, "-m", "venv", str(venv)])
    python = str(venv / ("Scripts" if os.name == "nt" else "bin") / "python")
    (wheel,) = manyshim_wheels.glob("manyshim-*.whl")
    wanted = [str(wheel), f"validate-pyproject=={version('validate-pyproject')}"]
    run([python, "-m", "pip", "install", "--quiet", *wanted], env=clean_environment)
    assert validate(python, tmp_path, SAMPLE).returncode == 0
    for line, words in WRONG.values():
        done = validate(python, tmp_path, with_line(line))
        assert done.returncode == 1
        assert words in done.stdout + done.stderr
