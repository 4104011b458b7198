"""What the commands and a build print as JSON is as the schema says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from casewheels import EXT, GOOD, LIB, NEW, module, musl, on
from commandline import run
from elfbuilding import needs_gcc
from elfwriter import write
from gatetable import crafted
from manyshim import build
from manyshim.config import Config
from manyshim.workspace import private_folder
from paths import BACKEND
from repairing import RepairProject
from reportschema import problems
from wheelwriter import save, wheel, wheel_name

EXTERNAL = write(module(needed=("libfoo.so.1",), rpath="/opt/lib"))
# A wheel of many kinds of findings; nothing of it needs a compiler.
MANY = {
    EXT: NEW,
    "demo/_y.cpython-311-x86_64-linux-gnu.so": EXTERNAL,
    LIB: GOOD,
    "demo/_z.pyd.so": GOOD[:200],
}
WHEELS: Dict[str, Dict[str, bytes]] = {
    "cp311-cp311-linux_x86_64": MANY,
    "cp312-cp312-manylinux_2_17_x86_64": {EXT: NEW},
    "cp311-cp311-musllinux_1_2_x86_64": {"demo/_x.so": write(musl("strlcpy"))},
    "cp311-cp311-linux_aarch64": {"demo/_x.so": write(on("aarch64")), LIB: write(on("s390x"))},
    "cp311-cp311-linux_mips": {"demo/a.py": b""},
    "cp311-cp311-linux_armv6l": {"demo/_x.so": write(on("armv7l"))},
    "cp313-cp313-linux_x86_64": {"demo/_x.cpython-313-x86_64-linux-gnu.so": EXTERNAL},
    "cp311-cp311-win_amd64": {"demo/a.py": b""},
    "py3-none-any": {"demo/a.py": b""},
}


@pytest.fixture(name="wheels", scope="module")
def written_wheels(tmp_path_factory: pytest.TempPathFactory) -> List[Path]:
    """Return good and bad wheels, one that is no archive, and one that does not exist."""
    folder = tmp_path_factory.mktemp("wheels")
    paths = []
    for tag, members in WHEELS.items():
        paths.append(save(folder, wheel(members, tag=tag), wheel_name(tag=tag)))
    paths.append(save(folder, b"no zip", wheel_name(version="2.0")))
    paths.append(folder / wheel_name(version="3.0"))
    return paths


def report(*arguments: object) -> Any:
    done = run(*arguments, "--json")
    assert "Traceback" not in done.stderr
    data = json.loads(done.stdout)
    assert problems(data) == []
    return data


def test_show(wheels: List[Path]) -> None:
    data = report("show", *wheels)
    assert [bool(one["error"]) for one in data["wheels"]] == [False] * len(WHEELS) + [True] * 2
    assert set(data) == {"version", "wheels"}


def test_show_with_what_is_accepted(wheels: List[Path]) -> None:
    options = ("--allow", "RPATH_LEAK:*", "--exclude", "libfoo.so.1", "--platform", "2014")
    report("show", *wheels, *options, "--strict")


def test_check_of_a_folder(wheels: List[Path]) -> None:
    data = report("check", *wheels)
    assert set(data) == {"version", "wheels", "sdists", "sets", "summary"}
    assert data["sets"]


def test_check_of_every_crafted_file(tmp_path: Path) -> None:
    """Wheels and sdists with one defect each."""
    paths = []
    for number, one in enumerate(crafted().values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths.append(save(folder, one.data, one.filename))
    data = report("check", *paths)
    assert len(data["sdists"]) > 10
    assert any(one["error"] for one in data["sdists"])


@pytest.mark.parametrize("command", ["retag", "repair"])
def test_written_wheels(command: str, wheels: List[Path], tmp_path: Path) -> None:
    data = report(command, *wheels, "-w", tmp_path / "out")
    written = [one["written"] for one in data["wheels"] if one["written"]]
    assert sorted(map(os.path.basename, written)) == sorted(os.listdir(tmp_path / "out"))


def test_a_plan(wheels: List[Path]) -> None:
    data = report("repair", "--dry-run", *wheels)
    plans = [one["plan"] for one in data["wheels"] if "plan" in one]
    assert any(one["lacking"] for one in plans)


@needs_gcc
@pytest.mark.parametrize("dry", [True, False])
def test_a_repair_that_copies(tmp_path: Path, *, dry: bool) -> None:
    project = RepairProject(tmp_path / "project")
    project.simple()
    where = ("--dry-run",) if dry else ("-w", project.dist)
    data = report("repair", project.source, "--library-path", project.libs, *where)
    (one,) = data["wheels"]
    if dry:
        assert one["plan"]["copies"]
        assert one["plan"]["patches"]
    assert (one["written"] is None) == dry


# A build writes no report of a wheel for another system.
@pytest.mark.parametrize("tag", [tag for tag in WHEELS if "win" not in tag])
def test_the_report_of_a_build(tag: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with private_folder(str(tmp_path / "dist")) as private:
        built = save(Path(private), wheel(WHEELS[tag], tag=tag), wheel_name(tag=tag))
        build.finish(str(built), str(tmp_path / "dist"), Config(report=str(path)))
    assert problems(json.loads(path.read_text(encoding="utf-8"))) == []


def test_the_report_of_a_build_that_cannot_be_judged(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with private_folder(str(tmp_path / "dist")) as private:
        built = save(Path(private), b"no zip", wheel_name())
        build.finish(str(built), str(tmp_path / "dist"), Config(report=str(path)))
    data = json.loads(path.read_text(encoding="utf-8"))
    assert problems(data) == []
    assert data["wheels"][0]["error"]


@pytest.mark.parametrize("command", ["show", "check"])
def test_an_internal_error(command: str, wheels: List[Path]) -> None:
    """It is planted in the audit."""
    code = (
        "import sys\nfrom manyshim import operations\nfrom manyshim.cli.main import main\n"
        "def audit(*given): raise KeyError('planted')\n"
        "operations.audit = audit\nsys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command, "--json", str(wheels[0])],
        env={**os.environ, "PYTHONPATH": str(BACKEND)},
        capture_output=True,
        text=True,
        check=False,
    )
    data = json.loads(done.stdout)
    assert problems(data) == []
    assert data["wheels"][0]["internal"]
