"""Real projects from the index adopt manyshim with `manyshim init --write`.

Each is built and installed by every frontend, and compared with what its own backend builds. All
projects together take an hour. `python scripts/write_adoption.py` runs them and writes the table.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Dict, Mapping, Set

import pytest

import needs
from adoptionprojects import PROJECTS, Project
from adoptionsteps import (
    Bench,
    Built,
    attempt,
    build_system,
    build_with_build,
    build_with_uv,
    initialise,
    install_editable,
    install_with_pip,
    respelled,
    sdist_differences,
    sync,
    wheel_differences,
    wheel_names,
    wheel_with_pip,
    wheel_with_uv,
)
from compiling import audited
from constraints import without_constraints
from manyshim.audit.tags import parse_wheel_name
from recording import Record
from sdists import fetch

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the table is of Linux wheels"),
    pytest.mark.skipif(sys.version_info < (3, 11), reason="some of the projects need CPython 3.11"),
    needs.mark(needs.extension),
    needs.mark(needs.module, "build"),
    needs.mark(needs.module, "pip"),
]


@pytest.fixture
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, build_environment: Mapping[str, str]
) -> Bench:
    """Return the bench of the project that the test is parametrised with."""
    project: Project = request.getfixturevalue("project")
    needs.packages(*project.debian)
    if project.program:
        needs.tool(project.program, project.program)
    environ = build_environment if project.small else without_constraints(build_environment)
    return Bench(project, needs.tool("uv", "uv", needs.PYPI), environ, tmp_path)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "project",
    [
        pytest.param(one, id=one.name, marks=() if one.small else pytest.mark.full)
        for one in PROJECTS
    ],
)
def test_a_real_project_adopts_manyshim(project: Project, bench: Bench, record: Record) -> None:
    original = fetch(project.name, project.version, bench.new())
    own = Path(shutil.copytree(str(original), str(bench.new() / original.name), symlinks=True))
    said = initialise(bench, own)
    row: Dict[str, Any] = {"system": build_system(original)}
    if project.pure:
        assert "nothing to do" in said
        assert (own / "pyproject.toml").read_bytes() == (original / "pyproject.toml").read_bytes()
        record("adoption", project=project.name, **row)
        return
    assert build_system(own)["build-backend"] == "manyshim.backend"
    before, after = build_with_uv(bench, original), build_with_uv(bench, own)
    row["tag"] = platform(after.wheel)
    if row["tag"].startswith("linux_"):
        row["external"] = list(audited(after.wheel).external)
    assert platform(before.wheel) == "linux_x86_64"
    row["respelled"] = bool(respelled(before.wheel, after.wheel))
    row["unstable"] = sorted(compared_wheels(bench, original, own, before, after))
    added = set() if (original / "pyproject.toml").exists() else {"pyproject.toml"}
    assert sdist_differences(before.sdist, after.sdist) - added == {"pyproject.toml"} - added
    row["steps"] = other_frontends(bench, original, own, after)
    record("adoption", project=project.name, **row)


def compared_wheels(
    bench: Bench, original: Path, own: Path, before: Built, after: Built
) -> Set[str]:
    """Require equal wheels; return the members that two builds of the original write differently.

    Some backends write the path of the build into files. So wheels that are not equal are built
    again, at one path.
    """
    if not wheel_differences(before.wheel, after.wheel):
        return set()
    one, two, changed = (wheel_with_uv(bench, tree) for tree in (original, original, own))
    unstable = wheel_differences(one, two)
    assert wheel_differences(one, changed) <= unstable
    assert wheel_names(before.wheel) == wheel_names(after.wheel)
    return unstable


def other_frontends(bench: Bench, original: Path, own: Path, after: Built) -> Dict[str, str]:
    """Run the other frontends; return what each gave."""

    def build(bench: Bench, tree: Path) -> None:
        made = build_with_build(bench, tree)
        if tree is own:
            assert made.wheel.name == after.wheel.name
            assert wheel_names(made.wheel) == wheel_names(after.wheel)

    def pip_wheel(bench: Bench, tree: Path) -> None:
        made = wheel_with_pip(bench, sdist(tree))
        if tree is own:
            assert made.name == after.wheel.name
            assert wheel_names(made) == wheel_names(after.wheel)

    def pip_install(bench: Bench, tree: Path) -> None:
        install_with_pip(bench, sdist(tree))

    def sdist(tree: Path) -> Path:
        return after.sdist if tree is own else build_with_uv(bench, tree).sdist

    steps = {
        "build": build,
        "pip wheel": pip_wheel,
        "pip install": pip_install,
        "editable": install_editable,
    }
    if build_system(own)["project"]:
        steps["sync"] = sync
    said = {name: attempt(step, bench, own, original) for name, step in steps.items()}
    return {"sync": "no [project] table", **said}


def platform(wheel: Path) -> str:
    """Return the first platform of a wheel's name."""
    name = parse_wheel_name(wheel.name)
    assert name is not None
    return name.platforms[0]
