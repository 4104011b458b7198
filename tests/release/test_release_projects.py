"""Real projects, released for five platforms and four Pythons by one command.

All tests take half an hour. `python scripts/write_release.py` runs them and writes the page.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping

import pytest
import tomlkit

import needs
from manyshim.release.frontend import find_python
from recording import Record
from releasedprojects import PLATFORMS, PROJECTS, PYTHONS, SYSTEMS, Project
from releaseprojects import environment, hashes, release, statuses
from sdists import fetch, wrapped
from systems import system
from testedwheels import linked

pytestmark = [
    pytest.mark.network,
    pytest.mark.full,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
    ),
]


@pytest.fixture(name="systems_folder", scope="module")
def folder_of_systems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return linked(tmp_path_factory.mktemp("all") / "systems", [system(one) for one in SYSTEMS])


def described(project: Project, folder: Path) -> Path:
    """Unpack a project, and write what its release has into pyproject.toml."""
    source = fetch(project.name, project.version, folder)
    wrapped(source)
    path = source / "pyproject.toml"
    document: Any = tomlkit.parse(path.read_text(encoding="utf-8"))
    table: Dict[str, Any] = {"platforms": list(PLATFORMS), "pythons": list(PYTHONS)}
    table["test-command"] = f"python -c {json.dumps(project.use)}"
    document["tool"]["manyshim"]["release"] = table
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    return source


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("project", PROJECTS, ids=lambda one: one.name)
def test_a_project_is_released(
    project: Project,
    tmp_path: Path,
    systems_folder: Path,
    build_environment: Mapping[str, str],
    record: Record,
) -> None:
    missing = [one for one in PYTHONS if find_python(one) is None]
    if missing:
        needs.unmet(f"CPython {', '.join(missing)}")
    folder = described(project, tmp_path)
    environ = environment(build_environment)
    found = release(folder, environ, "--systems", str(systems_folder))
    builds: List[Dict[str, Any]] = found["builds"]
    assert len(builds) == len(PLATFORMS) * len(PYTHONS)
    assert set(statuses(found).values()) == ({"built", "covered"} if project.abi3 else {"built"})
    assert found["check"]["summary"]["refused"] == 0
    wheels = {one["file"] for one in builds}
    assert len(wheels) == len(PLATFORMS) * (1 if project.abi3 else len(PYTHONS))
    for platform in PLATFORMS:
        of_platform = [one for one in builds if one["platform"] == platform]
        tests = {one["python"]: one["test"]["status"] for one in of_platform}
        passed = [python for python, status in tests.items() if status == "passed"]
        assert passed
        assert {*tests.values()} <= {"passed", "not tested"}
        made = [one for one in of_platform if one["status"] == "built"]
        record(
            "release",
            project=f"{project.name} {project.version}",
            language=project.language,
            platform=platform,
            wheels=len(made),
            seconds=sum(one["seconds"] for one in made),
            cpu=sum(one["cpu_seconds"] for one in made),
            passed=passed,
            whole=found["seconds"],
        )
    before = hashes(folder / "dist")
    again = release(folder, environ, "--no-test")
    assert set(statuses(again).values()) == {"kept"}
    assert hashes(folder / "dist") == before
