"""Real builds of setuptools: backends in the source tree, their sdists, and old setup.py files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Dict, List, Mapping, Sequence

import pytest

import needs
from frontends import Runner
from hookcalls import HOOKS, SOURCES, Project

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n[tool.setuptools]\npackages = ["demo"]\n'
# Like the backends of several projects: setuptools' hooks, and a module that is imported late.
HOOKS_MODULE = """
from setuptools import build_meta
from setuptools.build_meta import *

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    from pep517_backend import late
    return late.build(wheel_directory, config_settings, metadata_directory)
"""
OWN = 'backend = "pep517_backend.hooks"\nbackend-path = ["packaging"]'


@pytest.fixture
def project(tmp_path: Path, clean_environment: Dict[str, str]) -> Project:
    needs.module("setuptools")
    made = Project(tmp_path / "project", clean_environment)
    made.write("demo/__init__.py")
    return made


def add_backend(project: Project, own: str = OWN) -> None:
    """Give the project a backend of its own in the folder packaging."""
    project.write("packaging/pep517_backend/__init__.py")
    project.write("packaging/pep517_backend/hooks.py", HOOKS_MODULE)
    late = "from setuptools.build_meta import build_wheel as build\n"
    project.write("packaging/pep517_backend/late.py", late)
    project.table(f"{own}\n{PROJECT}", requires=["manyshim", "setuptools"])


def test_an_sdist_without_the_backend_of_the_tree_is_refused(project: Project) -> None:
    add_backend(project)
    error = project.error("build_sdist", 5)
    assert error.startswith(
        "the sdist demo-1.0.tar.gz lacks packaging/pep517_backend/__init__.py, "
        "packaging/pep517_backend/hooks.py"
    )
    assert "    graft packaging\n" in error
    assert not list(project.root.glob("*.tar.gz"))

    lines = [line.strip() for line in error.splitlines() if line.startswith("    ")]
    project.write("MANIFEST.in", "\n".join(lines) + "\n")
    (project.root / "packaging" / "junk.pyc").touch()
    name = project.call("build_sdist")
    with tarfile.open(project.root / name) as archive:
        names = archive.getnames()
    assert "demo-1.0/packaging/pep517_backend/late.py" in names
    assert not [name for name in names if name.endswith(".pyc")]


REWRITING = """
def build_sdist(sdist_directory, config_settings=None):
    import io, os, tarfile
    with tarfile.open(os.path.join(sdist_directory, "demo-1.0.tar.gz"), "w:gz") as archive:
        member = tarfile.TarInfo("demo-1.0/pyproject.toml")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT))
    return "demo-1.0.tar.gz"
"""


@pytest.mark.parametrize(
    ("text", "judged"),
    [
        ('[build-system]\nrequires = ["setuptools"]\n', False),
        ("[build-system\n", False),
        ("build-system = 3\n", False),
        ("# a comment\n", True),
    ],
)
def test_an_sdist_with_another_build_system_is_not_judged(
    project: Project, text: str, *, judged: bool
) -> None:
    """A backend may write another pyproject.toml into its sdists, and leave itself out."""
    add_backend(project)
    same = (project.root / "pyproject.toml").read_text(encoding="utf-8") if judged else ""
    code = f"{HOOKS_MODULE}\nTEXT = {(text + same).encode()!r}\n{REWRITING}"
    project.write("packaging/pep517_backend/hooks.py", code)
    if judged:
        assert "lacks packaging/pep517_backend/" in project.error("build_sdist", 5)
    else:
        assert project.call("build_sdist") == "demo-1.0.tar.gz"


def test_an_sdist_without_its_copy_of_manyshim_is_refused(project: Project) -> None:
    shutil.copytree(
        str(SOURCES / "manyshim"), str(project.root / "backend" / "manyshim"),
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    project.table(f"mode = 'off'\n{PROJECT}", path=["backend"], requires=["setuptools"])
    error = project.error("build_sdist", 5)
    assert "lacks backend/manyshim/__init__.py" in error
    project.write("MANIFEST.in", "recursive-include backend *.py\n")
    assert "lacks backend/manyshim/audit/data/" in project.error("build_sdist", 5)
    project.write("MANIFEST.in", "graft backend\n")
    assert project.call("build_sdist") == "demo-1.0.tar.gz"


def test_a_backend_at_the_root_is_named_as_a_file(project: Project) -> None:
    project.write("own.py", "from setuptools.build_meta import *\n")
    project.table(f'backend = "own"\nbackend-path = ["."]\n{PROJECT}', requires=["setuptools"])
    assert "    include own.py\n" in project.error("build_sdist", 5)
    project.write("MANIFEST.in", "include own.py\n")
    assert project.call("build_sdist") == "demo-1.0.tar.gz"


@pytest.mark.parametrize(
    ("made", "returned"),
    [("b''", "'own-1.tar.gz'"), ("b'PK'", "'own-1.zip'"), ("b'x'", "5")],
)
def test_what_cannot_be_read_as_an_sdist_is_not_judged(
    project: Project, made: str, returned: str
) -> None:
    code = f"""
def build_wheel(*args): pass
def build_sdist(folder, settings=None):
    open(f"{{folder}}/{{{returned}}}", "wb").write({made})
    return {returned}
"""
    project.write("own.py", code)
    project.table('backend = "own"\nbackend-path = ["."]')
    assert repr(project.call("build_sdist")) == returned


SETUP = """
import helper
from setuptools import setup
setup(name="demo", version="1.0", packages=["demo"])
"""
LEGACY = '[tool.manyshim] backend = "setuptools.build_meta:__legacy__"'


@pytest.mark.filterwarnings("ignore:Editable installation")
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("helper", ["helper.py", "helper/__init__.py"])
def test_a_setup_py_that_imports_its_neighbour_is_led_to_legacy(
    project: Project, hook: str, helper: str
) -> None:
    project.write("setup.py", SETUP)
    project.write(helper)
    project.table("mode = 'off'")
    with pytest.raises(subprocess.CalledProcessError):
        project.call(hook)
    assert "ModuleNotFoundError: No module named 'helper'" in project.stderr
    assert project.stderr.count(LEGACY) == 1
    if sys.version_info >= (3, 11):
        assert LEGACY in project.stderr.splitlines()[-1]
    project.table("backend = 'setuptools.build_meta:__legacy__'\nmode = 'off'")
    assert project.call(hook) is not None


@pytest.mark.parametrize(
    ("setup", "files", "backend"),
    [
        (SETUP, [], "setuptools.build_meta"),
        (SETUP.replace("helper", "helper.part"), ["other.py"], "setuptools.build_meta"),
        ("import other.gone\n", ["other.py"], "setuptools.build_meta:__legacy__"),
        ("import helper\n", [], "setuptools.build_meta:__legacy__"),
    ],
)
def test_other_missing_modules_get_no_hint(
    project: Project, setup: str, files: Sequence[str], backend: str
) -> None:
    project.write("setup.py", setup)
    for name in files:
        project.write(name)
    project.table(f"backend = '{backend}'")
    with pytest.raises(subprocess.CalledProcessError):
        project.call("get_requires_for_build_wheel")
    assert "ModuleNotFoundError" in project.stderr
    assert "__legacy__" not in project.stderr.replace("setuptools.build_meta:__legacy__'", "")
    assert "beside setup.py" not in project.stderr


def _commands(python: str, out: str) -> Dict[str, List[str]]:
    return {
        "uv": ["uv", "build", "--python", python, "--out-dir", out],
        "build": [python, "-m", "build", "--outdir", out],
        "pip": [python, "-m", "pip", "wheel", "--no-deps", "-w", out],
        "uv editable": ["uv", "pip", "install", "--python", python, "--target", out, "-e"],
        "pip editable": [python, "-m", "pip", "install", "--no-deps", "--target", out, "-e"],
    }


@pytest.mark.parametrize("frontend", list(_commands("", "")))
def test_every_frontend_builds_with_a_backend_of_the_tree(
    project: Project,
    tmp_path: Path,
    build_environment: Mapping[str, str],
    frontend: str,
    run: Runner,
) -> None:
    """The wheel is built from the sdist by build and uv."""
    needs.module("build")
    needs.module("pip")
    uv = needs.tool("uv", "uv", needs.PYPI)
    add_backend(project)
    project.write("MANIFEST.in", "graft packaging\n")
    out = tmp_path / "out"
    first, *rest = _commands(sys.executable, str(out))[frontend]
    command = [uv if first == "uv" else first, *rest, str(project.root)]
    run(command, env=build_environment, cwd=tmp_path)
    made = sorted(os.listdir(out))
    assert any(name.startswith("demo-1.0") for name in made), made
    if frontend in ("uv", "build"):
        assert "demo-1.0.tar.gz" in made
