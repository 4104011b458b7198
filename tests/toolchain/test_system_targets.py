"""Real projects that build with Meson, compiled for four targets and used there.

All tests take an hour. `python scripts/write_targets.py` runs them and writes the table.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Dict, Mapping

import pytest

from compiling import audited, clean, elfs, members
from frontends import Runner, candidates, compiles
from manyshim.audit import findings as f
from recording import Record
from sdists import fetch, wrapped
from systemprojects import PROJECTS, TARGETS, Place, Project
from systems import system

pytestmark = [
    pytest.mark.network,
    pytest.mark.full,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
    ),
]


def python_of(place: Place) -> str:
    """Return a Python of this machine with the version of a system's Python."""
    for path in candidates(place.minor):
        if compiles(path, place.minor):
            return path
    pytest.skip(f"this machine has no CPython 3.{place.minor} with headers")


def install_needs(project: Project, place: Place, folder: Path, run: Runner) -> None:
    """Install wheels for the target, which a project imports."""
    if project.needs:
        platforms = [f"--platform={name}" for name in place.platforms]
        run(
            [
                *(sys.executable, "-m", "pip", "install", "-q", "--no-deps"),
                *("--only-binary=:all:", f"--python-version=3.{place.minor}", *platforms),
                *("--target", str(folder), *project.needs),
            ]
        )


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("project", PROJECTS, ids=lambda one: one.name)
def test_a_real_project_is_compiled_and_used(  # noqa: PLR0917 (fixtures)
    project: Project,
    target: str,
    tmp_path: Path,
    uv: Runner,
    run: Runner,
    build_environment: Dict[str, str],
    record: Record,
) -> None:
    place = TARGETS[target]
    # The last entry counts. After a failure, it says which step was reached.
    cell = partial(record, "systems", project=project.name, target=target)
    cell(said="not built")
    source = fetch(project.name, project.version, tmp_path / "source", project.backend)
    wrapped(source)
    wheel = built(project, target, source, tmp_path, uv, build_environment)
    cell(said="built, not audited")
    assert target in wheel.name
    report = audited(wheel, "musl" if "musl" in target else "glibc")
    assert not report.errors
    assert {elf.ident.machine for elf in elfs(wheel).values()} == {place.machine}
    cell(said="built, audited, not imported")
    folder = tmp_path / "installed"
    for path, data in members(wheel).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    install_needs(project, place, tmp_path / "needs", run)
    used = system(place.system).run(f"{project.use}\nprint('used')", folder, tmp_path / "needs")
    assert used == "used\n"
    warned = {one.kind for one in report.findings if one.severity == f.WARNING}
    cell(said="built, audited, imported" + "".join(f" ({kind})" for kind in sorted(warned)))


def built(  # noqa: PLR0917 (what a build needs)
    project: Project,
    target: str,
    source: Path,
    folder: Path,
    uv: Runner,
    environ: Mapping[str, str],
) -> Path:
    """Build a source tree for a target with a real frontend; return the wheel."""
    own = {"compiler": "zig", "platform": target, "strict": "true"}
    given = [f"-Cmanyshim.{key}={value}" for key, value in own.items()]
    given += [f"-C{setting}" for setting in project.settings]
    python = python_of(TARGETS[target])
    command = ["build", "--wheel", "--python", python, *given, "-o", str(folder)]
    uv(*command, cwd=source, env={**environ, "PATH": clean()["PATH"]})
    (wheel,) = folder.glob("*.whl")
    return wheel
