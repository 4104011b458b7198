"""Fixtures for tests of whole builds: a clean environment, tools, the project's own wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Generator, Mapping, Optional

import pytest

import needs
import recording
from frontends import MINORS, Runner, candidates, clean, compiles, run_command
from paths import REPOSITORY
from strict_index import client_environment, find_uv, run_uv, serve, twine_upload, uv_publish


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --record, which writes the rows for the tables of scripts/write_*.py."""
    parser.addoption(
        "--record",
        metavar="FILE",
        help="append the rows that tests record to a file, as lines of JSON",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record the outcome of each test."""
    report = yield
    recording.append_outcome(item, report)
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test, or fail in CI, if a tool in its marks is missing."""
    needs.meet(item)


@pytest.fixture
def record(pytestconfig: pytest.Config) -> recording.Record:
    """Return a function that records a row: a table's name, and the fields by keyword."""
    return partial(recording.append, pytestconfig)


@pytest.fixture(scope="session")
def run() -> Runner:
    """Return a function that runs a command and by default requires success."""
    return run_command


@pytest.fixture(scope="session")
def clean_environment() -> Dict[str, str]:
    """Return the environment without variables that affect builds, except those of the index."""
    return clean()


@pytest.fixture(scope="session")
def clone_project() -> Callable[[Path], Path]:
    """Return a function that copies the project, as in a fresh clone, into a folder."""

    def copy(target: Path) -> Path:
        debris = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist", ".*", "*.so")
        for name in ("backend", "sample_project"):
            shutil.copytree(str(REPOSITORY / name), str(target / name), ignore=debris)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(str(REPOSITORY / name), str(target / name))
        return target

    return copy


@pytest.fixture(scope="session")
def manyshim_wheels(
    tmp_path_factory: pytest.TempPathFactory, clone_project: Callable[[Path], Path], run: Runner
) -> Path:
    """Return a folder with the wheel of this project, built once by a real frontend."""
    folder = tmp_path_factory.mktemp("manyshim_wheels")
    clone = clone_project(tmp_path_factory.mktemp("clone"))
    uv = find_uv()
    if not uv:
        needs.module("build")
    frontend = [uv, "build"] if uv else [sys.executable, "-m", "build"]
    run([*frontend, "--wheel", str(clone), "--out-dir" if uv else "--outdir", str(folder)])
    assert [path.suffix for path in folder.glob("manyshim-*")] == [".whl"]
    return folder


@pytest.fixture(scope="session")
def build_environment(
    clean_environment: Mapping[str, str], manyshim_wheels: Path
) -> Dict[str, str]:
    """Return an environment in which frontends find manyshim in a local folder of wheels."""
    links = {}
    for name, separator in (("PIP_FIND_LINKS", " "), ("UV_FIND_LINKS", ",")):
        # The machine's configuration may name further folders.
        folders = [str(manyshim_wheels), *filter(None, [clean_environment.get(name)])]
        links[name] = separator.join(folders)
    return {**clean_environment, **links}


@pytest.fixture(scope="session")
def through_the_index(run: Runner, uv: Runner) -> Callable[..., str]:
    """Return a function that uploads two wheels to the strict index.

    Both clients must see the plain wheel refused and the retagged one accepted. Then uv and pip
    must install the project from the index. The function returns the output of the project's code.
    """

    def trip(folder: Path, plain: Path, retagged: Path, python: str, code: str) -> str:
        uv("venv", "--seed", "--python", python, str(folder / "venv"))
        python = str(folder / "venv" / "bin" / "python")
        outputs = set()
        for publish, refusal in ((uv_publish, "Server says: 400"), (twine_upload, "Error: 400")):
            with serve(folder / publish.__name__) as index:
                refused = publish(index, plain)
                assert refused.returncode != 0
                assert refusal in refused.stdout + refused.stderr
                assert "unsupported platform tag" in refused.stdout + refused.stderr
                assert list(index.root.iterdir()) == []
                accepted = publish(index, retagged)
                assert accepted.returncode == 0, accepted.stdout + accepted.stderr
                assert [path.name for path in index.root.iterdir()] == [retagged.name]
                project = retagged.name.split("-", maxsplit=1)[0]
                target = str(folder / f"{publish.__name__}-target")
                wanted = ["--index-url", index.simple_url, "--target", target, project]
                if publish is uv_publish:
                    installed = run_uv(["pip", "install", "--python", python, *wanted])
                    assert installed.returncode == 0, installed.stderr
                else:
                    alone = {**client_environment(), "PIP_CONFIG_FILE": os.devnull}
                    run([python, "-m", "pip", "install", "--no-cache-dir", *wanted], env=alone)
                used = run([python, "-c", code], env={**clean(), "PYTHONPATH": target})
                outputs.add(used.stdout)
        (output,) = outputs
        return output

    return trip


@pytest.fixture(scope="session")
def uv() -> Runner:
    """Return a function that runs uv with arguments."""
    found = needs.tool("uv", "uv", needs.PYPI)

    def run_it(
        *arguments: str, env: Optional[Mapping[str, str]] = None, cwd: Optional[Path] = None
    ) -> subprocess.CompletedProcess[str]:
        return run_command([found, *arguments], env=env, cwd=cwd)

    return run_it


@pytest.fixture(scope="session")
def pythons() -> Dict[int, str]:
    """Return the CPythons of this machine that can compile extensions, by their minor version."""
    found = {}
    for minor in MINORS:
        usable = (path for path in candidates(minor) if compiles(path, minor))
        for path in usable:
            found[minor] = path
            break
    return found


@pytest.fixture
def python(request: pytest.FixtureRequest, pythons: Mapping[int, str]) -> str:
    """Return the CPython of the minor version that the test is parametrised with."""
    minor: int = request.param
    if minor not in pythons:
        pytest.skip(f"this machine has no CPython 3.{minor} with headers")
    return pythons[minor]
