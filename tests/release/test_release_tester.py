"""Wheels are tested in fresh environments of this machine: what passes, fails, and hangs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Optional

import pytest

import needs
from manyshim.release.children import StoppedError
from manyshim.release.ledger import Entry, Ledger, Made
from manyshim.release.matrix import Cell
from manyshim.release.sdist import digest
from manyshim.release.testing import FAILED, NOT_TESTED, PASSED
from strict_index import find_uv
from testedwheels import Bench, own_cell, pure_wheel

pytestmark = pytest.mark.skipif(not needs.LINUX, reason="wheels for Linux are tested on Linux")


@pytest.fixture(name="uv", params=["uv", "pip"])
def installer(request: pytest.FixtureRequest) -> Optional[str]:
    return needs.tool("uv", "uv", needs.PYPI) if request.param == "uv" else None


@pytest.fixture(name="bench")
def bench_of_this_machine(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "bench", find_uv())


def test_a_wheel_passes_in_an_environment_of_its_own(tmp_path: Path, uv: Optional[str]) -> None:
    bench = Bench(tmp_path / "bench", uv)
    path = pure_wheel(tmp_path / "dist", requires="needed")
    pure_wheel(bench.links, "needed")
    pure_wheel(bench.links, "wanted", scripts="wanted = wanted:main")
    # A module of the same name in the project is not imported.
    (bench.folder / "project/tested.py").write_text("raise SystemExit(3)")
    code = "import needed, os, sys, tested; assert sys.prefix == os.environ['VIRTUAL_ENV']"
    command = f'python -c "{code}" && wanted > {{project}}/out && ls > {{project}}/ls'
    done = bench.test(path, own_cell(), command, "wanted")
    assert (done.status, done.reason, done.system, done.earlier) == (PASSED, (), "", False)
    assert done.seconds > 0
    place = (bench.folder / "project/out").read_text()
    assert "site-packages" in place
    assert (bench.folder / "project/ls").read_text() == ""
    assert not Path(place.strip()).exists(), "the environment is removed"
    assert list((bench.folder / "private").iterdir()) == []


def test_the_output_and_the_end_of_a_failed_test(bench: Bench, tmp_path: Path) -> None:
    path = pure_wheel(tmp_path / "dist")
    failed = bench.test(path, own_cell(), "seq 100; python -c 'raise SystemExit(3)'")
    assert failed.status == FAILED
    assert failed.reason == (*map(str, range(89, 101)), "exit code 3")
    crashed = bench.test(path, own_cell(), "python -c 'import os; os.abort()'")
    assert crashed.status == FAILED
    assert crashed.reason[-1] == "ended by SIGABRT"
    assert path.exists()


def test_a_test_that_hangs_is_ended_with_its_children(bench: Bench, tmp_path: Path) -> None:
    path = pure_wheel(tmp_path / "dist")
    alive = tmp_path / "alive"
    child = f"while true; do date +%N > {alive}; sleep 0.1; done"
    began = time.monotonic()
    hung = bench.test(path, own_cell(), f"({child}) & sleep 1000", seconds=2)
    assert (hung.status, hung.reason) == (FAILED, ("ended after 2 s (test-timeout)",))
    assert time.monotonic() - began < 60
    last = alive.read_text()
    time.sleep(0.5)
    assert alive.read_text() == last


def test_the_end_of_a_release_ends_tests(bench: Bench, tmp_path: Path) -> None:
    path = pure_wheel(tmp_path / "dist")
    bench.later(2)
    with pytest.raises(StoppedError):
        bench.test(path, own_cell(), "sleep 1000")
    assert list((bench.folder / "private").iterdir()) == []


def test_a_wheel_that_cannot_be_installed_has_failed(tmp_path: Path, uv: Optional[str]) -> None:
    bench = Bench(tmp_path / "bench", uv)
    path = pure_wheel(tmp_path / "dist", requires="missing")
    failed = bench.test(path, own_cell(), "true")
    assert failed.status == FAILED
    assert failed.reason[0] == "it cannot be installed with test-requires:"
    assert "missing" in " ".join(failed.reason)


def test_uv_takes_the_index_of_the_project(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench", needs.tool("uv", "uv", needs.PYPI))
    index = '[[tool.uv.index]]\nname = "own"\nurl = "wheels"\nformat = "flat"\n'
    (bench.folder / "project/pyproject.toml").write_text(index)
    pure_wheel(bench.folder / "project/wheels", "wanted")
    path = pure_wheel(tmp_path / "dist")
    done = bench.test(path, own_cell(), "python -c 'import wanted'", "wanted")
    assert (done.status, done.reason) == (PASSED, ())


def test_what_no_python_runs_is_not_tested(bench: Bench, tmp_path: Path) -> None:
    path = pure_wheel(tmp_path / "dist")
    other = bench.test(path, Cell("3.99", own_cell().platform), "true")
    assert other.status == NOT_TESTED
    assert other.reason == ("CPython 3.99 is not found here; install it (uv python install 3.99)",)
    foreign = bench.test(path, Cell(own_cell().python, "manylinux_2_36_s390x"), "true")
    assert foreign.status == NOT_TESTED
    assert foreign.reason[0].endswith("name a folder with systems by --systems DIR")


def test_a_passed_test_is_not_repeated(bench: Bench, tmp_path: Path) -> None:
    path = pure_wheel(tmp_path / "dist")
    cell, count = own_cell(), "echo run >> {project}/runs"
    assert not bench.test(path, cell, count).earlier
    again = bench.test(path, cell, count)
    assert (again.status, again.earlier) == (PASSED, True)
    runs = bench.folder / "project/runs"
    assert runs.read_text() == "run\n"
    # Another command is another test, and a failed one is repeated.
    for _ in range(2):
        assert bench.test(path, cell, f"{count}; false").status == FAILED
    assert runs.read_text() == "run\n" * 3
    other = Cell(cell.python, "manylinux_2_36_s390x")
    assert bench.test(path, other, count).status == NOT_TESTED


def test_another_wheel_of_the_same_name_is_tested(bench: Bench, tmp_path: Path) -> None:
    path = pure_wheel(tmp_path / "dist")
    assert bench.test(path, own_cell(), "true").status == PASSED
    path.write_bytes(pure_wheel(tmp_path / "other", scripts="a = tested:main").read_bytes())
    entry = Entry(digest(str(path)), "")
    Ledger(str(path.parent)).add("cell", Made(path.name, ""), entry)
    assert not bench.test(path, own_cell(), "true").earlier
    assert bench.test(path, own_cell(), "true").earlier


def test_a_python_without_venv_is_not_tested(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench", "/bin/false")
    path = pure_wheel(tmp_path / "dist")
    done = bench.test(path, own_cell(), "true")
    assert done.status == NOT_TESTED
    assert done.reason == ("an environment cannot be made:", "exit code 1")
