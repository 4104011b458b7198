"""Real projects that build with CMake, compiled for several targets and used there."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Mapping

import pytest

import needs
from compiling import audited, clean, elfs, members
from frontends import Runner
from manyshim.audit import findings as f
from recording import Record
from sdists import fetch, wrapped
from systemprojects import CMAKE, TARGETS, Place, Project
from systems import system

pytestmark = [
    pytest.mark.network,
    pytest.mark.full,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
    ),
]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("project", CMAKE, ids=lambda one: one.name)
def test_a_real_project_is_compiled_by_cmake_and_used(  # noqa: PLR0917
    project: Project,
    target: str,
    tmp_path: Path,
    uv: Runner,
    pythons: Mapping[int, str],
    build_environment: Mapping[str, str],
    record: Record,
) -> None:
    place = TARGETS[target]
    if place.minor not in pythons:
        pytest.skip(f"this machine has no CPython 3.{place.minor} with headers")
    # The last entry counts. After a failure, it says which step was reached.
    cell = partial(record, "systems", project=project.name, target=target)
    cell(said="not built")
    source = fetch(project.name, project.version, tmp_path / "source")
    wrapped(source)
    settings = {"compiler": "zig", "platform": target, "strict": "true"}
    given = [f"-Cmanyshim.{key}={value}" for key, value in settings.items()]
    command = ["build", "--wheel", "--python", pythons[place.minor], *given, "-o", str(tmp_path)]
    uv(*command, cwd=source, env={**build_environment, "PATH": clean()["PATH"]})
    (wheel,) = tmp_path.glob("*.whl")
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
    if project.needs:
        _install(project, target, place, folder)
    assert system(place.system).run(f"{project.use}\nprint('used')", folder) == "used\n"
    warned = {one.kind for one in report.findings if one.severity == f.WARNING}
    cell(said="built, audited, imported" + "".join(f" ({kind})" for kind in sorted(warned)))


def _install(project: Project, target: str, place: Place, folder: Path) -> None:
    """Add the published wheels that a project imports. Newer platforms run there, too."""
    needs.module("pip")
    platforms = [target]
    if target.startswith("manylinux"):
        arch = target.split("_", maxsplit=3)[3]
        platforms = [f"manylinux_2_{minor}_{arch}" for minor in range(17, 42)]
    command = [
        *(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:"),
        *("--python-version", f"3.{place.minor}", "--implementation", "cp"),
        *("--target", str(folder)),
        *(f"--platform={one}" for one in platforms),
        *project.needs,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
