"""action.yml is a valid composite action, and its scripts do what they say on a runner."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple

import pytest

import needs
from casewheels import EXT, GOOD, NEW
from paths import REPOSITORY
from wheelwriter import save, wheel, wheel_name

ACTION = REPOSITORY / "action.yml"
EXPRESSION = re.compile(r"\$\{\{\s*inputs\.(\w+)\s*\}\}")
RIGHT_TAG = "cp311-cp311-manylinux1_x86_64.manylinux_2_5_x86_64"


def action() -> Dict[str, Any]:
    needs.module("ruamel.yaml", since=(3, 10))
    from ruamel.yaml import YAML

    found: Dict[str, Any] = YAML(typ="safe").load(ACTION)
    return found


def test_it_is_valid() -> None:
    needs.module("check_jsonschema", "check-jsonschema", since=(3, 10))
    command = [sys.executable, "-m", "check_jsonschema"]
    schema = ["--builtin-schema", "vendor.github-actions"]
    done = subprocess.run(
        [*command, *schema, str(ACTION)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_action_is_refused(tmp_path: Path) -> None:
    needs.module("check_jsonschema", "check-jsonschema", since=(3, 10))
    path = tmp_path / "action.yml"
    path.write_text(ACTION.read_text("utf-8").replace("      shell: bash\n", ""), "utf-8")
    command = [sys.executable, "-m", "check_jsonschema"]
    schema = ["--builtin-schema", "vendor.github-actions"]
    done = subprocess.run([*command, *schema, str(path)], capture_output=True, check=False)
    assert done.returncode == 1


def test_inputs_reach_scripts_as_variables_only() -> None:
    """An expression in a script would let an input be a command."""
    steps = action()["runs"]["steps"]
    used = set()
    for step in steps:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
        for name, value in step["env"].items():
            (key,) = EXPRESSION.findall(value)
            assert (value, name) == (f"${{{{ inputs.{key} }}}}", f"INPUT_{key.upper()}")
            assert f"${name}" in step["run"]
            used.add(key)
    assert used == set(action()["inputs"])
    assert "secrets" not in ACTION.read_text(encoding="utf-8")


class Runner(NamedTuple):
    """A machine on which the first step of the action has run."""

    environment: Mapping[str, str]

    def check(self, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run the second step in a folder."""
        return step(1, folder, self.environment, inputs)


def step(
    number: int, folder: Path, environment: Mapping[str, str], inputs: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one step as a runner does: its script in a file, inputs in the environment."""
    described = action()
    given = {key: str(one["default"]) for key, one in described["inputs"].items()}
    given.update(inputs)
    one = described["runs"]["steps"][number]
    variables = {
        name: EXPRESSION.sub(lambda match: given[match[1]], value)
        for name, value in one["env"].items()
    }
    script = Path(environment["RUNNER_TEMP"], "script.sh")
    script.write_text(one["run"], encoding="utf-8")
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="runner", scope="module")
def installed(
    tmp_path_factory: pytest.TempPathFactory,
    clone_project: Callable[[Path], Path],
    clean_environment: Mapping[str, str],
) -> Runner:
    """Run the first step: it installs manyshim by pip, without uv."""
    folder = tmp_path_factory.mktemp("runner")
    clone = clone_project(folder / "action")
    shutil.copy(str(ACTION), str(clone))
    (folder / "temp").mkdir()
    # The programs of the system alone; uv is not among them.
    environment = {
        **{key: value for key, value in clean_environment.items() if key != "PYTHONPATH"},
        "PATH": "/usr/bin:/bin",
        "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_ACTION_PATH": str(clone),
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(folder / "temp" / "summary.md"),
    }
    done = step(0, folder, environment, {"python": os.path.realpath(sys.executable)})
    assert done.returncode == 0, done.stdout + done.stderr
    return Runner(environment)


def release(folder: Path, *, bad: bool) -> Path:
    """Write a folder `dist` with a wheel that is right, and maybe one with a false tag."""
    dist = folder / "dist"
    dist.mkdir()
    save(dist, wheel({EXT: GOOD}, tag=RIGHT_TAG), wheel_name(tag=RIGHT_TAG))
    if bad:
        tag = "cp312-cp312-manylinux_2_17_x86_64"
        save(dist, wheel({EXT.replace("311", "312"): NEW}, tag=tag), wheel_name(tag=tag))
    return folder


@pytest.mark.network
def test_a_good_release(runner: Runner, tmp_path: Path) -> None:
    done = runner.check(release(tmp_path, bad=False))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "::error" not in done.stdout


@pytest.mark.network
def test_a_bad_release(runner: Runner, tmp_path: Path) -> None:
    done = runner.check(release(tmp_path, bad=True))
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("::error"))
    assert "FALSE_TAG" in line
    summary = Path(runner.environment["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
    assert "**FALSE_TAG**" in summary
    assert "manyshim-" not in summary, "the wheel of manyshim itself is not the user's"


@pytest.mark.network
def test_options_and_paths(runner: Runner, tmp_path: Path) -> None:
    release(tmp_path, bad=True)
    (tmp_path / "a b").mkdir()
    one = save(tmp_path / "a b", wheel({EXT: GOOD}, tag=RIGHT_TAG), wheel_name(tag=RIGHT_TAG))
    accepted = runner.check(tmp_path, args=" --allow FALSE_TAG:*\n --jobs 1 ")
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    for path in (str(one.relative_to(tmp_path)), "dist/*cp311*", "a b\ndist/*cp311*\n"):
        done = runner.check(tmp_path, path=path)
        assert done.returncode == 0, (path, done.stdout + done.stderr)
    assert runner.check(tmp_path, path="a b\ndist").returncode == 1


@pytest.mark.network
@pytest.mark.parametrize("bad", [False, True])
def test_sarif(runner: Runner, tmp_path: Path, *, bad: bool) -> None:
    done = runner.check(release(tmp_path, bad=bad), sarif="found.sarif")
    assert done.returncode == int(bad)
    found = json.loads((tmp_path / "found.sarif").read_text(encoding="utf-8"))
    assert found["version"] == "2.1.0"
    rules = {one["ruleId"] for one in found["runs"][0]["results"]}
    assert ("FALSE_TAG" in rules) == bad


# What an input must not do.
HOSTILE: List[Dict[str, str]] = [
    {"path": '"; touch stolen; "'},
    {"path": "$(touch stolen)"},
    {"path": "--help"},
    {"args": "$(touch stolen)"},
    {"args": "; touch stolen #"},
    {"args": "`touch stolen` && touch stolen"},
    {"sarif": "$(touch stolen)", "path": "absent"},
]


@pytest.mark.network
@pytest.mark.parametrize("inputs", HOSTILE, ids=str)
def test_an_input_is_no_command(runner: Runner, tmp_path: Path, inputs: Dict[str, str]) -> None:
    done = runner.check(release(tmp_path, bad=False), **inputs)
    assert done.returncode > 1, done.stdout
    assert list(tmp_path.rglob("stolen")) == []


@pytest.mark.network
def test_a_wrong_python(runner: Runner, tmp_path: Path) -> None:
    done = step(0, tmp_path, runner.environment, {"python": "python-that-is-absent"})
    assert done.returncode == 127
