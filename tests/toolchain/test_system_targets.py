"""Real projects that build with Meson or CMake, compiled for four targets and used there.

All tests take two hours. `python scripts/write_systems.py` runs them and writes the table.
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping

import pytest

from compiling import audited, clean, elfs, members
from debian import cache, making
from frontends import Runner, candidates, compiles
from manyshim.audit import findings as f
from recording import Record
from sdists import fetch, wrapped
from systemprojects import PROJECTS, TARGETS, Place, Project
from systems import system

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
    ),
]
# These two are quick, and need one system.
_ALWAYS = (("cysignals", "manylinux_2_17_aarch64"), ("h3", "manylinux_2_17_aarch64"))


def cases() -> Iterator[Any]:
    """Yield each project with each target; most are for full runs."""
    for project, target in product(PROJECTS, TARGETS):
        marks = () if (project.name, target) in _ALWAYS else (pytest.mark.full,)
        yield pytest.param(project, target, marks=marks, id=f"{project.name}-{target}")


class Compiler:
    """Compiles projects for a target with a real frontend, in folders below its own."""

    def __init__(self, target: str, folder: Path, uv: Runner, environ: Mapping[str, str]) -> None:
        self.target = target
        self.place = TARGETS[target]
        self._folder = folder
        self._uv = uv
        self._environ = {**environ, "PATH": clean()["PATH"]}

    def wheel(self, project: Project) -> Path:
        """Return the wheel of a project's sdist. Raises AssertionError if the build fails."""
        folder = self._folder / project.name
        source = fetch(project.name, project.version, folder / "source", project.backend)
        wrapped(source)
        own = {"compiler": "zig", "platform": self.target, "strict": "true"}
        given = [f"-Cmanyshim.{key}={value}" for key, value in own.items()]
        given += [f"-C{setting}" for setting in project.settings]
        command = ["build", "--wheel", "--python", python_of(self.place), *given]
        self._uv(*command, "-o", str(folder), cwd=source, env=self._environ)
        (wheel,) = folder.glob("*.whl")
        return wheel

    def needed(self, project: Project, run: Runner) -> Path:
        """Return a folder with what a project imports: wheels of the index, or compiled here."""
        folder = self._folder / "needs"
        own_names = {one.name: one for one in PROJECTS}
        for name, version in project.needs:
            if name in own_names and not self.place.platforms:
                unpack(self._kept(own_names[name]), folder)
                continue
            platforms = [f"--platform={one}" for one in self.place.platforms or ("any",)]
            command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", *platforms]
            command += ["--only-binary=:all:", f"--python-version=3.{self.place.minor}"]
            run([*command, "--target", str(folder), f"{name}=={version}"])
        return folder

    def _kept(self, project: Project) -> Path:
        """Return the wheel of a project that others need; it is kept between runs."""
        place = self._place(project)
        with making(place) as new:
            if new:
                shutil.copy(self.wheel(project), place)
        (wheel,) = place.glob("*.whl")
        return wheel

    def keep(self, project: Project, wheel: Path) -> None:
        """Keep a wheel for the projects that need it."""
        with making(self._place(project)) as new:
            if new:
                shutil.copy(wheel, self._place(project))

    def _place(self, project: Project) -> Path:
        return cache("compiled") / f"{project.name}-{project.version}-{self.target}"


def python_of(place: Place) -> str:
    """Return a Python of this machine with the version of a system's Python."""
    for path in candidates(place.minor):
        if compiles(path, place.minor):
            return path
    pytest.skip(f"this machine has no CPython 3.{place.minor} with headers")


def unpack(wheel: Path, folder: Path) -> None:
    """Write the files of a wheel into a folder."""
    for path, data in members(wheel).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("project", "target"), [*cases()])
def test_a_real_project_is_compiled_and_used(  # noqa: PLR0917 (fixtures)
    project: Project,
    target: str,
    tmp_path: Path,
    uv: Runner,
    run: Runner,
    build_environment: Dict[str, str],
    record: Record,
) -> None:
    # The last entry counts. After a failure, it says which step was reached.
    cell = partial(record, "systems", project=project.name, target=target)
    cell(said="not built")
    compiler = Compiler(target, tmp_path, uv, build_environment)
    if target in project.refused_on:
        with pytest.raises(AssertionError) as failed:
            compiler.wheel(project)
        lines = [line for line in str(failed.value).splitlines() if "manyshim: " in line]
        assert any(project.refused in line for line in lines), lines
        cell(said=f"refused: {project.refused}")
        return
    wheel = compiler.wheel(project)
    cell(said="built, not audited")
    assert target in wheel.name
    report = audited(wheel, "musl" if "musl" in target else "glibc")
    assert not report.errors
    assert {elf.ident.machine for elf in elfs(wheel).values()} == {compiler.place.machine}
    cell(said="built, audited, not imported")
    unpack(wheel, tmp_path / "installed")
    paths = (tmp_path / "installed", compiler.needed(project, run))
    used = system(compiler.place.system).run(f"{project.use}\nprint('used')", *paths)
    assert used == "used\n"
    compiler.keep(project, wheel)
    warned = {one.kind for one in report.findings if one.severity == f.WARNING}
    cell(said="built, audited, imported" + "".join(f" ({kind})" for kind in sorted(warned)))
