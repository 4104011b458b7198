"""`manyshim release` with test-command: what it prints, its exit code, and its second run."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping

import pytest

import needs
from commandline import run
from manyshim.cli.releaselines import failure_lines, result_line, summary_line, untested_lines
from manyshim.release import testing
from manyshim.release.matrix import Cell
from manyshim.release.run import BUILT, KEPT, Result
from manyshim.release.testing import FAILED, NOT_TESTED, PASSED
from releaseprojects import ARM, MUSL, X86, environment, project, release
from systems import system
from testedwheels import linked

OWN = f"3.{sys.version_info[1]}"


def with_tests(folder: Path, command: str, *lines: str) -> Path:
    """Add a test-command to a project."""
    path = folder / "pyproject.toml"
    text = path.read_text()
    path.write_text("\n".join([text, f"test-command = '''{command}'''", *lines, ""]))
    return folder


def outcomes(found: Mapping[str, Any]) -> Dict[str, str]:
    """Return what became of the test of each cell."""
    return {one["cell"]: one["test"]["status"] for one in found["builds"]}


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        ("", ["--systems", "."], "--systems has no effect: [tool.manyshim.release] has no test-"),
        ("true", ["--systems", ".", "--no-test"], "--systems has no effect: --no-test is given"),
        ("true", ["--systems", "nowhere"], "--systems nowhere: no such folder; docs/release.md"),
        ("true", ["--systems", "p"], "--systems p: no Python for Linux is found in the systems of"),
    ],
)
def test_mistakes_are_told_before_anything_is_built(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    words: List[str],
    said: str,
) -> None:
    needs.tool("uv", "uv", needs.PYPI)
    folder = project(tmp_path / "p", [X86], [OWN])
    if command:
        with_tests(folder, command)
    monkeypatch.chdir(tmp_path)
    done = run("release", "p", *words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not list((folder / "dist").glob("*"))


def results(*found: testing.Tested) -> List[Result]:
    """Return results with these tests, of the Pythons from 3.10 on."""
    cells = (Cell(f"3.{minor}", ARM) for minor in range(10, 20))
    return [Result(cell, KEPT, "demo.whl", test=one) for cell, one in zip(cells, found)]


def test_the_lines_about_tests() -> None:
    found = results(
        testing.Tested(PASSED, seconds=2.04),
        testing.Tested(PASSED, seconds=2.04, system="bookworm-arm64"),
        testing.Tested(PASSED, earlier=True),
        testing.Tested(FAILED, ("first", "exit code 1"), 61.2),
        testing.Tested(NOT_TESTED, ("the reason",)),
        testing.Tested(NOT_TESTED, ("the reason",)),
    )
    assert [result_line(one).text for one in found] == [
        f"passed   cp310-{ARM}: 2.0 s",
        f"passed   cp311-{ARM}: 2.0 s on bookworm-arm64",
        f"passed   cp312-{ARM}: in an earlier run",
        f"failed   the tests of cp313-{ARM}: 1 min 1 s",
        f"untested cp314-{ARM}",
        f"untested cp315-{ARM}",
    ]
    assert [one.text for one in failure_lines(found)] == [
        f"the tests of cp313-{ARM} failed (demo.whl):",
        "  first",
        "  exit code 1",
    ]
    assert [one.text for one in untested_lines(found)] == [
        f"not tested: cp314-{ARM}, cp315-{ARM}: the reason"
    ]
    summary = summary_line(found, 1.0)
    assert summary.text == "6 kept; tests: 3 passed, 1 failed, 2 not tested in 1.0 s"
    assert summary.role == "error"
    built = Result(Cell("3.10", ARM), BUILT, "demo.whl", 1.0, 2.0)
    assert summary_line([built], 3.0).text == "1 built in 3.0 s (2.0 s of CPU)"


@pytest.fixture(name="environ")
def environment_of_builds(build_environment: Mapping[str, str]) -> Dict[str, str]:
    needs.tool("uv", "uv", needs.PYPI)
    return environment(build_environment)


@pytest.mark.network
@pytest.mark.skipif(not needs.LINUX, reason="wheels for Linux are tested on Linux")
def test_a_failed_test_is_repeated_and_its_wheel_is_kept(
    tmp_path: Path, environ: Dict[str, str]
) -> None:
    folder = with_tests(project(tmp_path / "p", [X86, ARM], [OWN]), "cat {project}/n; exit 3")
    (folder / "n").write_text("the last line")
    x86, arm = (f"cp3{OWN[2:]}-{one}" for one in (X86, ARM))
    first = release(folder, environ, code=1)
    assert outcomes(first) == {x86: "failed", arm: "not tested"}
    assert [one["status"] for one in first["builds"]] == ["built", "built"]
    assert first["builds"][0]["test"]["reason"] == ["the last line", "exit code 3"]
    assert first["check"]["summary"]["refused"] == 0
    assert len(list((folder / "dist").glob("*.whl"))) == 2
    without = release(folder, environ, "--no-test")
    assert [one["test"] for one in without["builds"]] == [None, None]
    text = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(text.replace("exit 3", "python -c 'import released._c'"))
    # pyproject.toml is a part of the sdist, so its wheels are built again.
    third = release(folder, environ)
    assert outcomes(third) == {x86: "passed", arm: "not tested"}
    again = release(folder, environ)
    assert [one["status"] for one in again["builds"]] == ["kept", "kept"]
    assert again["builds"][0]["test"]["earlier"] is True
    assert outcomes(again) == outcomes(third)


@pytest.mark.full
@pytest.mark.network
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the systems have CPython 3.11")
def test_the_wheels_of_one_release_pass_on_their_systems(
    tmp_path: Path, environ: Dict[str, str]
) -> None:
    found = [system("musl-amd64"), system("bookworm-arm64")]
    systems = linked(tmp_path / "systems", found)
    pythons = ["3.11"] if shutil.which("uv") is None else ["3.10", "3.11"]
    folder = project(tmp_path / "p", [X86, ARM, MUSL], pythons, limited=True)
    command = "python -m pytest -p no:cacheprovider {project}/tests"
    with_tests(folder, command, 'test-requires = ["pytest"]')
    (folder / "tests").mkdir()
    code = "import released._c as c\ndef test_it(): assert c.__file__\n"
    (folder / "tests/test_use.py").write_text(code)
    done = release(folder, environ, "--systems", str(systems))
    # One wheel for each platform, and a test of it on each Python.
    assert len(list((folder / "dist").glob("*.whl"))) == 3
    expected = {f"cp311-{one}": "passed" for one in (X86, ARM, MUSL)}
    if "3.10" in pythons:
        others = {f"cp310-{one}": "not tested" for one in (ARM, MUSL)}
        expected = {**expected, **others, f"cp310-{X86}": "passed"}
    assert outcomes(done) == expected
    places = {one["cell"]: one["test"]["system"] for one in done["builds"]}
    assert places[f"cp311-{ARM}"] == "bookworm-arm64"
    assert places[f"cp311-{MUSL}"] == "musl-amd64"
    assert places[f"cp311-{X86}"] is None
