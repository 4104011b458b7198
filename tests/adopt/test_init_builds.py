"""Each backend's smallest project: `init --write`, then a build of the sdist and of its wheel."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import List, Mapping, Set

import pytest

import needs
from backendprojects import PROJECTS, create
from commandline import run as manyshim
from frontends import Runner

pytestmark = [needs.mark(needs.module, "tomlkit"), needs.mark(needs.extension)]

# The backends among the pinned build requirements.
PINNED = [
    *("setuptools", "setuptools, no build-backend", "setuptools, only setup.py"),
    *("setuptools, own backend", "meson-python", "scikit-build-core", "hatchling", "poetry-core"),
    *("flit", "cython"),
]
QUICK = {"setuptools, no build-backend"}
PURE = {"flit", "uv_build"}


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[] if name in QUICK else [pytest.mark.full]) for name in PINNED
])  # fmt: skip
@pytest.mark.parametrize("option", ["", "--in-tree"], ids=["required", "in-tree"])
def test_the_wheel_of_the_sdist_has_its_tag(  # noqa: PLR0917
    tmp_path: Path,
    run: Runner,
    uv: Runner,
    build_environment: Mapping[str, str],
    name: str,
    option: str,
) -> None:
    folder = create(name, tmp_path / "project")
    done = manyshim("init", folder, "--force", "--write", *filter(None, [option]))
    assert done.returncode == 0, done.stderr
    if "meson" in name:
        commit(run, folder)
    uv("build", str(folder), "--out-dir", str(tmp_path / "dist"), env=build_environment)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert ("manylinux" in wheel.name) is (name not in PURE)
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        copies = [one for one in archive.getnames() if one.endswith("/manyshim/backend.py")]
    assert len(copies) == (1 if option else 0)
    with zipfile.ZipFile(wheel) as members:
        assert not [one for one in members.namelist() if "manyshim" in one]


def commit(run: Runner, folder: Path) -> None:
    """Commit all files: the sdist of Meson takes nothing else."""
    git = [needs.tool("git", "git"), "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        run([*git, *command])


def test_every_backend_has_a_project() -> None:
    from manyshim.known_backends import BACKENDS

    built: Set[str] = set(PROJECTS)
    unbuilt: List[str] = [one.name for one in BACKENDS if one.name not in built]
    # No release of these works with Python 3.12, or a project needs more than a file.
    assert unbuilt == ["enscons", "whey"]
