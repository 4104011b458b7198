"""What the tests of whole builds share: a clean environment, the tools, the project's own wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional

import pytest

import needs
from constraints import constraint_variables
from strict_index import client_environment, find_uv, run_uv, serve, twine_upload, uv_publish

REPOSITORY = Path(__file__).parent.parent

# The CPythons that the project supports or will; a machine has some of them.
MINORS = range(8, 16)

_SCRUBBED = re.compile(
    r"(UV|PIP|MANYSHIM|TWINE|PYTHON)(_|\Z)|PYTHON|VIRTUAL_ENV\Z|CIBUILDWHEEL\Z|CONDA_BUILD\Z"
    r"|AUDITWHEEL_PLAT\Z|SOURCE_DATE_EPOCH\Z|_PYPROJECT_HOOKS|(C|CXX|CPP|LD)FLAGS\Z|(CC|CXX)\Z"
)
# How this machine reaches its package index, and where downloads are kept.
_KEPT = re.compile(
    r"(PIP|UV)_(.*INDEX.*|CERT|CLIENT_CERT|TRUSTED_HOST|.*TIMEOUT|FIND_LINKS|CACHE_DIR"
    r"|CONFIG_FILE|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|PYTHON_INSTALL_DIR)\Z"
)
_QUIET = {
    "NO_COLOR": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_NO_PROGRESS": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}

Runner = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail in CI, where what the marks of a test name is missing."""
    needs.meet(item)


def _clean() -> Dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not _SCRUBBED.match(name) or _KEPT.match(name)
    }
    return {**kept, **_QUIET, **constraint_variables()}


def _run(
    command: List[str],
    *,
    env: Optional[Mapping[str, str]] = None,
    cwd: Optional[Path] = None,
    ok: bool = True,
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=_clean() if env is None else dict(env),
        cwd=cwd,
    )
    if ok:
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def run() -> Runner:
    """Return a function that runs a command and, unless told otherwise, requires success."""
    return _run


@pytest.fixture(scope="session")
def clean_environment() -> Dict[str, str]:
    """Return the environment without what changes a build, but with the way to the index."""
    return _clean()


@pytest.fixture(scope="session")
def uv() -> Runner:
    """Return a function that runs uv with arguments."""
    found = needs.tool("uv", "uv", needs.PYPI)

    def run_it(
        *arguments: str, env: Optional[Mapping[str, str]] = None, cwd: Optional[Path] = None
    ) -> subprocess.CompletedProcess[str]:
        return _run([found, *arguments], env=env, cwd=cwd)

    return run_it


@pytest.fixture(scope="session")
def make_house() -> Callable[[Path], Path]:
    """Return a function that copies what a fresh clone holds of the project into a folder."""

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
    tmp_path_factory: pytest.TempPathFactory, make_house: Callable[[Path], Path], run: Runner
) -> Path:
    """Return a folder with the wheel of this project, built once by a real frontend."""
    folder = tmp_path_factory.mktemp("manyshim_wheels")
    house = make_house(tmp_path_factory.mktemp("clone"))
    uv = find_uv()
    if not uv:
        needs.module("build")
    frontend = [uv, "build"] if uv else [sys.executable, "-m", "build"]
    run([*frontend, "--wheel", str(house), "--out-dir" if uv else "--outdir", str(folder)])
    assert [path.suffix for path in folder.glob("manyshim-*")] == [".whl"]
    return folder


@pytest.fixture(scope="session")
def build_environment(
    clean_environment: Mapping[str, str], manyshim_wheels: Path
) -> Dict[str, str]:
    """Return an environment in which frontends find manyshim in a local folder of wheels."""
    links = {}
    for name, separator in (("PIP_FIND_LINKS", " "), ("UV_FIND_LINKS", ",")):
        # A machine may name folders of its own.
        folders = [str(manyshim_wheels), *filter(None, [clean_environment.get(name)])]
        links[name] = separator.join(folders)
    return {**clean_environment, **links}


@pytest.fixture(scope="session")
def pythons() -> Dict[int, str]:
    """Return the CPythons of this machine that can compile extensions, by their minor version."""
    found = {}
    for minor in MINORS:
        usable = (path for path in _candidates(minor) if _compiles(path, minor))
        for path in usable:
            found[minor] = path
            break
    return found


@pytest.fixture(scope="session")
def through_the_index(run: Runner, uv: Runner) -> Callable[..., str]:
    """Return a function that holds two wheels against the strict index.

    Both clients must see the plain wheel refused and ours taken, and from there uv and pip must
    install a project whose code then says what is expected.
    """

    def trip(folder: Path, plain: Path, ours: Path, python: str, code: str) -> str:
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
                accepted = publish(index, ours)
                assert accepted.returncode == 0, accepted.stdout + accepted.stderr
                assert [path.name for path in index.root.iterdir()] == [ours.name]
                project = ours.name.split("-", maxsplit=1)[0]
                target = str(folder / f"{publish.__name__}-target")
                wanted = ["--index-url", index.simple_url, "--target", target, project]
                if publish is uv_publish:
                    installed = run_uv(["pip", "install", "--python", python, *wanted])
                    assert installed.returncode == 0, installed.stderr
                else:
                    alone = {**client_environment(), "PIP_CONFIG_FILE": os.devnull}
                    run([python, "-m", "pip", "install", "--no-cache-dir", *wanted], env=alone)
                used = run([python, "-c", code], env={**_clean(), "PYTHONPATH": target})
                outputs.add(used.stdout)
        (output,) = outputs
        return output

    return trip


@pytest.fixture
def python(request: pytest.FixtureRequest, pythons: Mapping[int, str]) -> str:
    """Return the CPython of the minor version that the test is parametrised with."""
    minor: int = request.param
    if minor not in pythons:
        pytest.skip(f"this machine has no CPython 3.{minor} with headers")
    return pythons[minor]


def _candidates(minor: int) -> Iterator[str]:
    if sys.version_info[:2] == (3, minor):
        yield sys.executable
    for root in filter(None, (os.environ.get("PYENV_ROOT"), _said("pyenv", "root"))):
        yield from sorted(map(str, Path(root).glob(f"versions/3.{minor}.*/bin/python3.{minor}")))
    on_path = shutil.which(f"python3.{minor}")
    if on_path:
        yield on_path
    uv = find_uv()
    if uv:
        yield from filter(None, [_said(uv, "python", "find", "--system", f"3.{minor}")])


def _said(*command: str) -> str:
    """Return what a command prints; nothing where it is missing or fails."""
    try:
        done = _run(list(command), ok=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _compiles(python: str, minor: int) -> bool:
    code = (
        "import os, sys, sysconfig as s; print(sys.implementation.name, sys.version_info[:2], "
        "os.path.isfile(os.path.join(s.get_path('include'), 'Python.h')))"
    )
    return _said(python, "-c", code) == f"cpython (3, {minor}) True"
