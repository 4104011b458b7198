"""Real projects from the index, compiled for three targets and used there.

All tests take half an hour. `python scripts/write_targets.py` runs them and writes the table.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Callable, Mapping

import pytest

from compiling import audited, clean, elfs, members
from frontends import Runner
from manyshim.audit import findings as f
from recording import Record
from sdists import fetch, wrapped
from systems import system
from targetprojects import PROJECTS, TARGETS, Project

pytestmark = [
    pytest.mark.network,
    pytest.mark.full,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
    ),
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11), reason="the foreign Pythons of Debian 12 are 3.11"
    ),
]


Build = Callable[[Path, str], Path]


@pytest.fixture
def build(tmp_path: Path, uv: Runner, build_environment: Mapping[str, str]) -> Build:
    """Return a function that builds a source tree for a target, with a real frontend."""

    def run(source: Path, target: str) -> Path:
        settings = {"compiler": "zig", "platform": target, "strict": "true"}
        given = [f"-Cmanyshim.{key}={value}" for key, value in settings.items()]
        command = ["build", "--wheel", "--python", sys.executable, *given, "-o", str(tmp_path)]
        uv(*command, cwd=source, env={**build_environment, "PATH": clean()["PATH"]})
        (wheel,) = tmp_path.glob("*.whl")
        return wheel

    return run


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("project", PROJECTS, ids=lambda one: one.name)
def test_a_real_project_is_compiled_and_used(
    project: Project,
    target: str,
    tmp_path: Path,
    build: Build,
    record: Record,
) -> None:
    machine, name = TARGETS[target]
    # The last entry counts. After a failure, it says which step was reached.
    cell = partial(record, "targets", project=project.name, target=target)
    cell(said="not built")
    source = fetch(project.name, project.version, tmp_path / "source")
    wrapped(source)
    wheel = build(source, target)
    cell(said="built, not audited")
    assert target in wheel.name
    report = audited(wheel, "musl" if "musl" in target else "glibc")
    assert not report.errors
    assert {elf.ident.machine for elf in elfs(wheel).values()} == {machine}
    cell(said="built, audited, not imported")
    folder = tmp_path / "installed"
    for path, data in members(wheel).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    assert system(name).run(f"{project.use}\nprint('used')", folder) == "used\n"
    warned = {one.kind for one in report.findings if one.severity == f.WARNING}
    cell(said="built, audited, imported" + "".join(f" ({kind})" for kind in sorted(warned)))
