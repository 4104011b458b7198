"""Run the jobs of a workflow here, with the work of actions and of the service done by hand.

A checkout is a copy of the project, an artifact a folder, uv is on PATH, and the package index is
the strict one. Programs that a runner has, and that need another machine, are replaced by scripts.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple

from strict_index import StrictIndex, find_uv, twine_upload

# An expression that stands for the characters in it.
_DOLLAR = "${{ '${{' }}"
_EXPRESSION = re.compile(r"\$\{\{ (\S+) \}\}")

# Programs of a runner. There is no image but the one that a test names.
_PROGRAMS = {
    "sudo": 'exec "$@"',
    "apt-get": "exit 0",
    "skopeo": "[ -d '{image}' ]",
    "umoci": "cp -a '{image}' \"${{@: -1}}\"",
    "uv": """\
[ "$1" = publish ] || exec {uv} "$@"
shift 3
exec {uv} publish --trusted-publishing never -u u -p p "$@" """,
    "uvx": """\
[ "$1" = pypi-attestations ] || exec {uv} tool run "$@"
shift 2
for file; do echo '{{}}' > "$file.publish.attestation"; done""",
}


class Machine(NamedTuple):
    """Where jobs run: a folder for all of them, the project, the environment, and the index.

    `image` is the root of a system, which is that of every image.
    """

    folder: Path
    project: Path
    environment: Mapping[str, str]
    strict_index: StrictIndex
    image: str = "/nonexistent"

    def prepare(self) -> Dict[str, str]:
        """Write the programs; return the environment of a runner."""
        programs = self.folder / "programs"
        programs.mkdir(parents=True)
        for name, text in _PROGRAMS.items():
            script = text.format(uv=find_uv(), image=self.image)
            (programs / name).write_text(f"#!/bin/bash\n{script}\n", "utf-8")
            (programs / name).chmod(0o755)
        return {
            **self.environment,
            "PATH": f"{programs}{os.pathsep}{self.environment['PATH']}",
            "UV_PUBLISH_URL": self.strict_index.upload_url,
        }

    def workspace(self, name: str) -> Path:
        """Make the folder of a job."""
        made = self.folder / name
        made.mkdir()
        return made


def run_shell(script: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a script as the services do; return its output, and require success."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class _Service:
    """A service that runs the jobs of a file; `outputs` are what their scripts have printed."""

    def __init__(self, data: Mapping[str, Any], machine: Machine) -> None:
        self._data = data
        self._machine = machine
        self._environment = machine.prepare()
        self._artifacts = machine.folder / "artifacts"
        self.outputs: Dict[str, str] = {}


class GitHub(_Service):
    """The jobs of a workflow for GitHub, run for a tag that was pushed."""

    def run(self) -> None:
        """Run all jobs, in the order of their needs."""
        for name, job in self._data["jobs"].items():
            rows = job.get("strategy", {}).get("matrix", {}).get("include", [{}])
            for number, row in enumerate(rows):
                self._job(f"{name}-{number}", job, row)

    def _job(self, name: str, job: Mapping[str, Any], row: Mapping[str, str]) -> None:
        folder = self._machine.workspace(name)
        temp = self._machine.workspace(f"{name}-temp")
        own = {
            **self._environment,
            **self._data["env"],
            "GITHUB_WORKSPACE": str(folder),
            "RUNNER_TEMP": str(temp),
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(temp / "summary.md"),
        }
        for step in job["steps"]:
            if not self._applies(step.get("if", "true"), row):
                continue
            if "run" in step:
                given = {key: self._value(text, row) for key, text in step.get("env", {}).items()}
                said = run_shell(step["run"], folder, {**own, **given})
                self.outputs[f"{name}: {step['name']}"] = said
            else:
                given = {key: self._value(str(one), row) for key, one in step["with"].items()}
                self._action(step["uses"].partition("@")[0], given, folder)

    @staticmethod
    def _applies(condition: str, row: Mapping[str, str]) -> bool:
        if condition == "matrix.image":
            return "image" in row
        return {"true": True, "github.ref_type != 'tag'": False}[condition]

    @staticmethod
    def _value(text: str, row: Mapping[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            return str(row.get(match[1][len("matrix.") :], ""))

        return "${{".join(_EXPRESSION.sub(value, one) for one in text.split(_DOLLAR))

    def _action(self, name: str, given: Mapping[str, str], folder: Path) -> None:
        if name == "actions/checkout":
            shutil.copytree(str(self._machine.project), str(folder), dirs_exist_ok=True)
        elif name == "actions/upload-artifact":
            store(folder, given["path"], self._artifacts / given["name"])
        elif name == "actions/download-artifact":
            names = [given["name"]] if "name" in given else os.listdir(self._artifacts)
            for one in names:
                source = str(self._artifacts / one)
                shutil.copytree(source, str(folder / given["path"]), dirs_exist_ok=True)
        elif name == "pypa/gh-action-pypi-publish":
            files = sorted((folder / given["packages-dir"]).iterdir())
            done = twine_upload(self._machine.strict_index, *files)
            assert done.returncode == 0, done.stdout + done.stderr
        else:
            assert name == "astral-sh/setup-uv"


def store(folder: Path, pattern: str, target: Path) -> None:
    """Copy the files of a pattern into an artifact, which must not be empty."""
    target.mkdir(parents=True)
    found = glob.glob(str(folder / pattern / "*" if pattern.endswith("/") else folder / pattern))
    assert found, f"no file matches {pattern}"
    for one in found:
        shutil.copy(one, str(target))


class GitLab(_Service):
    """The jobs of a pipeline for GitLab, run for a tag."""

    def run(self) -> None:
        """Run all jobs, stage by stage."""
        for stage in self._data["stages"]:
            for name, job in self._data.items():
                if isinstance(job, dict) and job.get("stage") == stage:
                    self._runs(name, job)

    def _runs(self, name: str, job: Mapping[str, Any]) -> None:
        needed = job.get("needs")
        before = os.listdir(self._artifacts) if self._artifacts.is_dir() else []
        sources = [one for one in before if needed is None or one in needed]
        made = list(self._rows(name, job, sources))
        for folder in made:
            for pattern in job.get("artifacts", {}).get("paths", ()):
                place = Path(pattern).parent if "*" in pattern else Path(pattern)
                (self._artifacts / name / place).mkdir(parents=True, exist_ok=True)
                for one in glob.glob(str(folder / (pattern if "*" in pattern else f"{pattern}*"))):
                    shutil.copy(one, str(self._artifacts / name / place))

    def _rows(self, name: str, job: Mapping[str, Any], sources: List[str]) -> Iterator[Path]:
        for number, row in enumerate(job.get("parallel", {}).get("matrix", [{}])):
            folder = self._machine.workspace(f"{name}-{number}")
            given = {**self._data["variables"], **job.get("variables", {}), **row}
            if given.get("GIT_STRATEGY") != "none":
                shutil.copytree(str(self._machine.project), str(folder), dirs_exist_ok=True)
            for one in sources:
                shutil.copytree(str(self._artifacts / one), str(folder), dirs_exist_ok=True)
            own = {key: text.replace("$CI_PROJECT_DIR", str(folder)) for key, text in given.items()}
            script = "\n".join(job["script"])
            said = run_shell(script, folder, {**self._environment, **own})
            self.outputs[f"{name}-{number}"] = said
            yield folder
