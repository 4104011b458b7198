"""Real projects, built here against the system's libraries: repaired by us and by auditwheel.

All of them take minutes. `python scripts/write_repaired.py` runs them and writes the table.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import List, Mapping, NamedTuple, Sequence, Set, Tuple

import pytest

import needs
from elfbuilding import patchelf
from frontends import Runner
from manyshim.audit.tags import parse_wheel_name
from publishedwheels import auditwheel
from recording import Record
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

# What stands behind every use: the files that the process has mapped.
MAPS = """
import json
with open("/proc/self/maps") as maps:
    print(json.dumps(sorted({line.split(None, 5)[5].strip() for line in maps if "/" in line})))
"""


class Repaired(NamedTuple):
    """A repaired wheel, and what it took. `grafted` maps names without hash to the hashes."""

    path: Path
    grafted: Mapping[str, str]
    seconds: float

    @property
    def policy(self) -> str:
        """The oldest policy that the file name promises."""
        return min(self.platforms)[1]

    @property
    def platforms(self) -> List[Tuple[Tuple[int, int], str]]:
        """The PEP 600 tags of the file name, each after its version."""
        name = parse_wheel_name(self.path.name)
        assert name is not None
        found = (re.fullmatch(r"manylinux_(\d+)_(\d+)_\w+", one) for one in name.platforms)
        return [((int(one[1]), int(one[2])), one[0]) for one in found if one]


class Tools(NamedTuple):
    """What the steps of a test share: functions that run commands, and a clean environment."""

    run: Runner
    uv: Runner
    environ: Mapping[str, str]


class Use(NamedTuple):
    """What a process has mapped, and what files of the wheel have asked the loader for."""

    mapped: Sequence[Path]
    asked: Set[str]


@pytest.fixture(scope="module")
def tools(run: Runner, uv: Runner, clean_environment: Mapping[str, str]) -> Tools:
    """Return the tools; where one is missing there is nothing to test."""
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
    patcher = patchelf()
    needs.packages(*project.debian)
    sdist = fetch(project, pytestconfig.cache.mkdir("sdists"), tools)
    plain = build(project, sdist, tmp_path / "plain", tools)
    path = os.pathsep.join((os.path.dirname(patcher.path), os.environ["PATH"]))
    made = {
        name: repaired(name, plain, tmp_path / name, {**os.environ, "PATH": path})
        for name in ("manyshim", "auditwheel")
    }
    ours, theirs = made["manyshim"], made["auditwheel"]
    assert ours.grafted == theirs.grafted
    assert ours.policy == theirs.policy
    assert auditwheel(ours.path) == ours.policy, "the judge agrees"
    checked = subprocess.run(
        [sys.executable, "-m", "manyshim", "check", str(ours.path)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    for name, one in made.items():
        use = used(project, one, tmp_path / f"use-{name}", tools)
        # What is installed beside it, as numpy, may have a folder of the kind, too.
        folder = f"{one.path.name.partition('-')[0]}.libs"
        copies = {bare(path.name)[0] for path in use.mapped if path.parent.name == folder}
        assert copies == set(one.grafted), "all copies are mapped"
        astray = {name for name in use.asked if name.partition(".so")[0] in one.grafted}
        assert not astray, "a file of the wheel asks for a library of the system that it has"
    record(
        "repaired",
        project=project.name,
        ours=ours.policy,
        theirs=theirs.policy,
        grafted=sorted(ours.grafted),
        kilobytes=[one.path.stat().st_size >> 10 for one in (ours, theirs)],
        seconds=[round(one.seconds, 1) for one in (ours, theirs)],
    )


def fetch(project: Project, folder: Path, tools: Tools) -> Path:
    """Download an sdist, unless an earlier run left it in the cache."""
    place = folder / f"{project.name}-{project.version}"
    if not place.is_dir():
        needs.module("pip")
        # pip asks the build script for metadata meanwhile, which needs the libraries, too.
        part = folder / f"part-{project.name}-{os.getpid()}"
        tools.run(
            [
                *(sys.executable, "-m", "pip", "download", "-q", "--no-deps"),
                *("--no-binary", project.name, f"{project.name}=={project.version}"),
                *("-d", str(part)),
            ],
            env={**tools.environ, **project.environ},
        )
        part.replace(place)
    (sdist,) = place.iterdir()
    return sdist


def build(project: Project, sdist: Path, folder: Path, tools: Tools) -> Path:
    """Build the plain wheel as pip does, anew each time."""
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir")
    tools.run([*pip, "-w", str(folder), str(sdist)], env={**tools.environ, **project.environ})
    (wheel,) = folder.glob("*.whl")
    assert "-linux_" in wheel.name
    return wheel


def repaired(name: str, plain: Path, folder: Path, environ: Mapping[str, str]) -> Repaired:
    """Repair a wheel with one of the two tools; its time is that of its children, too."""
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", name, "repair", str(plain), "-w", str(folder)],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        found = (re.fullmatch(r"[^/]+\.libs/([^/]+)", one) for one in archive.namelist())
        grafted = dict(bare(one[1]) for one in found if one)
    seconds = sum(after[:2]) - sum(before[:2])
    return Repaired(path, grafted, seconds)


def bare(name: str) -> Tuple[str, str]:
    """Split a copy's name into that of the library, without its version, and the hash."""
    found = re.fullmatch(r"(.+)-([0-9a-f]{8})(\..*)", name)
    assert found, name
    return f"{found[1]}{found[3]}".partition(".so")[0], found[2]


def used(project: Project, wheel: Repaired, folder: Path, tools: Tools) -> Use:
    """Install a wheel into an environment of its own, and use the library."""
    tools.uv("venv", "--python", sys.executable, str(folder / "venv"))
    python = str(folder / "venv" / "bin" / "python")
    tools.uv("pip", "install", "--python", python, "--no-deps", str(wheel.path))
    if project.needs:
        tools.uv("pip", "install", "--python", python, *project.needs)
    (folder / "data").mkdir()
    debug = {**tools.environ, "LD_DEBUG": "files"}
    debug.pop("LD_LIBRARY_PATH", None)
    done = tools.run([python, "-I", "-c", project.use + MAPS, str(folder / "data")], env=debug)
    asked = {
        name
        for name, user in re.findall(r"file=(\S+) \[\d+\];  .* by (\S+) \[\d+\]", done.stderr)
        if user.startswith(f"{folder}/")
    }
    assert asked, "ld.so has told what it does"
    return Use([Path(one) for one in json.loads(done.stdout.splitlines()[-1])], asked)
