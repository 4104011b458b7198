"""A build of awaitwhat 20.3, a real project whose extension links no libc."""

from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

import needs
from awaitwhat import PYPROJECT, USE
from frontends import Runner

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="only wheels for Linux are retagged"
    ),
    needs.mark(needs.compiler, "gcc"),
]

RELEASE = "awaitwhat-20.3"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, run: Runner, uv: Runner) -> Path:
    """Return the unpacked sdist without its own build script."""
    folder = tmp_path_factory.mktemp("awaitwhat")
    uv("venv", "--seed", "--python", sys.executable, str(folder / "venv"))
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "download", "--no-deps"]
    run([*pip, "--no-binary", "awaitwhat", RELEASE.replace("-", "=="), "-d", str(folder)])
    with tarfile.open(folder / f"{RELEASE}.tar.gz") as archive:
        # Python 3.12 warns if no filter is chosen. Some older releases do not have filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)  # noqa: S202 (a release whose contents are known)
    for script in ("setup.py", "build.py"):
        (folder / RELEASE / script).unlink()
    return folder / RELEASE


@pytest.fixture
def wheels(
    release: Path, tmp_path: Path, python: str, uv: Runner, build_environment: Dict[str, str]
) -> Tuple[Path, Path]:
    """Build the plain wheel and the retagged one, from sources that differ in two lines."""
    built: List[Path] = []
    for backend in ("setuptools.build_meta", "manyshim.backend"):
        requires = backend.partition(".")[0]
        source = tmp_path / requires
        shutil.copytree(str(release), str(source))
        text = PYPROJECT.format(requires=requires, backend=backend)
        (source / "pyproject.toml").write_text(text, encoding="utf-8")
        uv("build", "--wheel", "--python", python, cwd=source, env=build_environment)
        built += (source / "dist").glob("*.whl")
    plain, retagged = built
    return plain, retagged


@pytest.mark.parametrize("python", [8, 9], indirect=True)
def test_the_index_accepts_the_retagged_wheel_and_refuses_the_plain_one(
    wheels: Tuple[Path, Path], tmp_path: Path, python: str, through_the_index: Callable[..., str]
) -> None:
    plain, retagged = wheels
    assert "-linux_" in plain.name
    assert "manylinux" in retagged.name
    assert through_the_index(tmp_path, plain, retagged, python, USE) == "FutureIter\n"
