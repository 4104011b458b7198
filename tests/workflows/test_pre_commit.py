"""The hook manyshim-config, run by pre-commit itself in a Git repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Mapping, NamedTuple

import pytest

import needs
from paths import REPOSITORY

pytestmark = pytest.mark.network

HOOKS = REPOSITORY / ".pre-commit-hooks.yaml"
SYSTEM = '[build-system]\nrequires = ["manyshim"]\nbuild-backend = "manyshim.backend"\n'
RIGHT = f'{SYSTEM}[tool.manyshim]\nmode = "audit"\n'
WRONG = f'{SYSTEM}[tool.manyshim]\nmode = "adit"\n'
OTHER = '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'


class Hook(NamedTuple):
    """A clone of manyshim with one commit, and an environment for git and pre-commit."""

    clone: Path
    environment: Mapping[str, str]

    def run(self, folder: Path, files: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Let pre-commit run the hook over all files of a new repository."""
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        commit(folder, self.environment)
        command = ["try-repo", str(self.clone), "manyshim-config", "--all-files", "--verbose"]
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", *command],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


def commit(folder: Path, environment: Mapping[str, str]) -> None:
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True)


@pytest.fixture(name="hook", scope="module")
def cloned(
    tmp_path_factory: pytest.TempPathFactory,
    clone_project: Callable[[Path], Path],
    clean_environment: Mapping[str, str],
) -> Hook:
    needs.module("pre_commit", "pre-commit", since=(3, 10))
    needs.tool("git", "git")
    folder = tmp_path_factory.mktemp("hook")
    names = ("AUTHOR", "COMMITTER")
    environment: Dict[str, str] = {
        **clean_environment,
        **{f"GIT_{name}_NAME": "A Tester" for name in names},
        **{f"GIT_{name}_EMAIL": "tester@example.org" for name in names},
        # No setting and no hook of the machine takes part.
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_HOME": str(folder / "home"),
    }
    clone = clone_project(folder / "clone")
    shutil.copy(str(HOOKS), str(clone))
    commit(clone, environment)
    return Hook(clone, environment)


def test_right_tables_and_other_projects_pass(hook: Hook, tmp_path: Path) -> None:
    files = {"pyproject.toml": RIGHT, "other/pyproject.toml": OTHER, "notes/my-pyproject.toml": "["}
    done = hook.run(tmp_path, files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "manyshim config" in done.stdout
    assert "Passed" in done.stdout
    assert "manyshim: " not in done.stdout, "nothing is said about files that are right"


def test_a_wrong_table_fails_with_its_file(hook: Hook, tmp_path: Path) -> None:
    files = {"pyproject.toml": RIGHT, "sub/pyproject.toml": WRONG, "other/pyproject.toml": OTHER}
    done = hook.run(tmp_path, files)
    assert done.returncode == 1
    assert "- exit code: 2\n" in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("manyshim: ")]
    what = "sub/pyproject.toml: [tool.manyshim]: mode = 'adit' is not valid"
    assert lines == [f"manyshim: error: {what}; did you mean 'audit'?"]


def test_a_repository_without_a_project_is_skipped(hook: Hook, tmp_path: Path) -> None:
    done = hook.run(tmp_path, {"README.md": "# demo\n"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no files to check" in done.stdout
