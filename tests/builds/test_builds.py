"""Real frontends build the sample project, in copies of what a fresh clone holds."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Callable, Dict, List

import pytest

import needs
from drawing import DRAW, WAVE
from frontends import MINORS, Runner
from manyshim.audit.tags import parse_wheel_name
from paths import DOCS
from strict_index import find_uv, problems

pytestmark = [
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="only wheels for Linux are retagged"
    ),
    needs.mark(needs.extension),
]


CloneProject = Callable[[Path], Path]
Environment = Dict[str, str]


def the_wheel(folder: Path) -> Path:
    """Return the one wheel of a folder, after a look at its tags and at what lies beside it."""
    (wheel,) = folder.glob("*.whl")
    name = parse_wheel_name(wheel.name)
    assert name is not None
    assert name.platforms
    assert all(platform.startswith("manylinux") for platform in name.platforms)
    assert list(folder.glob(".manyshim-*")) == []
    assert problems(wheel.name, wheel.read_bytes()) == []
    return wheel


def edit(path: Path, *pairs: str) -> None:
    """Replace each pattern by what follows it; each must be found once."""
    text = path.read_text(encoding="utf-8")
    for pattern, replacement in zip(pairs[::2], pairs[1::2]):
        text, count = re.subn(pattern, replacement, text, flags=re.DOTALL)
        assert count == 1, pattern
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, clone_project: CloneProject) -> Path:
    return clone_project(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def dist(clone: Path, uv: Runner) -> Path:
    """Run the main job as README says it, and return the folder that it filled."""
    uv("build", "--python", sys.executable, "sample_project", cwd=clone)
    return clone / "sample_project" / "dist"


@pytest.fixture
def sample(tmp_path: Path, clone_project: CloneProject) -> Path:
    """Return the sample project in a clone of its own."""
    return clone_project(tmp_path) / "sample_project"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, uv: Runner) -> str:
    """Return the interpreter of an environment that has pip."""
    folder = tmp_path_factory.mktemp("seeded") / "venv"
    uv("venv", "--seed", "--python", sys.executable, str(folder))
    return str(folder / "bin" / "python")


def test_uv_builds_one_sdist_and_one_wheel(dist: Path) -> None:
    wheel = the_wheel(dist)
    sdist = dist / "sample_project-1.0.tar.gz"
    assert {path.name for path in dist.iterdir()} == {".gitignore", sdist.name, wheel.name}
    assert problems(sdist.name, sdist.read_bytes()) == []


def test_the_extension_needs_the_maths_library(dist: Path) -> None:
    """Which is what makes the sample worth an audit."""
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile

    with zipfile.ZipFile(the_wheel(dist)) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".so"))
        dynamic = ELFFile(io.BytesIO(archive.read(path))).get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    assert "libm.so.6" in [getattr(tag, "needed", None) for tag in dynamic.iter_tags("DT_NEEDED")]


@pytest.mark.parametrize("python", MINORS, indirect=True)
def test_every_cpython_builds_it(
    python: str, clone: Path, tmp_path: Path, uv: Runner, run: Runner
) -> None:
    built = ["build", "--wheel", "--python", python, "--out-dir", str(tmp_path)]
    uv(*built, "sample_project", cwd=clone)
    wheel = the_wheel(tmp_path)
    used = run([python, "-c", DRAW], env={"PYTHONPATH": unpacked(wheel)})
    assert used.stdout == f"{WAVE}\n"


def unpacked(wheel: Path) -> str:
    """Unpack a wheel beside itself, without any installer."""
    folder = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return str(folder)


def test_build_builds_it(
    sample: Path, tmp_path: Path, build_environment: Environment, run: Runner
) -> None:
    needs.module("build")
    command = [sys.executable, "-m", "build", "--outdir", str(tmp_path / "out"), str(sample)]
    run(command, env=build_environment)
    wheel = the_wheel(tmp_path / "out")
    assert sorted(os.listdir(tmp_path / "out")) == [wheel.name, "sample_project-1.0.tar.gz"]


def test_pip_builds_it(
    sample: Path, tmp_path: Path, build_environment: Environment, seeded: str, run: Runner
) -> None:
    command = [seeded, "-m", "pip", "wheel", "--no-deps", "-w", str(tmp_path / "out")]
    run([*command, str(sample)], env=build_environment)
    assert os.listdir(tmp_path / "out") == [the_wheel(tmp_path / "out").name]


def test_a_copy_inside_the_project_builds_it(clone: Path, tmp_path: Path, uv: Runner) -> None:
    """As docs/adoption.md has it: only setuptools is required, and tomli before Python 3.11."""
    sample = tmp_path / "sample"
    shutil.copytree(str(clone / "sample_project"), str(sample))
    shutil.copytree(str(clone / "backend" / "manyshim"), str(sample / "backend" / "manyshim"))
    # Without it the sdist, from which a frontend builds the wheel, has no backend.
    manifest = "graft backend"
    assert f"`{manifest}`" in (DOCS / "adoption.md").read_text(encoding="utf-8")
    (sample / "MANIFEST.in").write_text(manifest, encoding="utf-8")
    requires = """["setuptools", "tomli; python_version < '3.11'"]\nbackend-path = ["backend"]"""
    edit(
        sample / "pyproject.toml",
        r'\["manyshim"\]', requires,
        r"\[tool.uv.sources\]\nmanyshim = [^\n]*\n", "",
    )  # fmt: skip
    uv("build", "--python", sys.executable, "--out-dir", str(tmp_path / "out"), cwd=sample)
    the_wheel(tmp_path / "out")


@pytest.mark.parametrize("python", [8, 9, 10], indirect=True)
def test_a_copy_without_tomli_says_what_to_require(
    python: str, clone: Path, tmp_path: Path, run: Runner
) -> None:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    code = "import manyshim.backend as backend; backend.get_requires_for_build_wheel()"
    copy = {"PYTHONPATH": str(clone / "backend")}
    done = run([python, "-S", "-c", code], cwd=tmp_path, env=copy, ok=False)
    assert done.returncode == 2, done.stderr
    assert """requires = ["setuptools", "tomli; python_version < '3.11'"]""" in done.stderr
    assert done.stderr.count("\n") == 1


def test_uv_and_pip_install_the_wheel(
    dist: Path, tmp_path: Path, uv: Runner, seeded: str, run: Runner
) -> None:
    wheel = str(the_wheel(dist))
    uv("pip", "install", "--python", seeded, "--target", str(tmp_path / "uv"), wheel)
    run([seeded, "-m", "pip", "install", "--target", str(tmp_path / "pip"), wheel])
    for tool in ("uv", "pip"):
        used = run([seeded, "-c", DRAW], env={"PYTHONPATH": str(tmp_path / tool)})
        assert used.stdout == f"{WAVE}\n"


def test_uv_installs_an_editable_copy(
    sample: Path, tmp_path: Path, uv: Runner, run: Runner
) -> None:
    venv = tmp_path / "venv"
    python = str(venv / "bin" / "python")
    uv("venv", "--python", sys.executable, str(venv))
    uv("pip", "install", "--python", python, "-e", str(sample))
    output = run([python, "-c", f"{DRAW}; print(sample.__file__)"], cwd=tmp_path).stdout
    assert output.splitlines() == [WAVE, str(sample / "src" / "sample" / "__init__.py")]


def test_uv_syncs_the_project(sample: Path, uv: Runner) -> None:
    uv("sync", "--python", sys.executable, cwd=sample)
    used = uv("run", "--no-sync", "python", "-c", DRAW, cwd=sample)
    assert used.stdout == f"{WAVE}\n"
    # What is there now is what the lock file says.
    uv("sync", "--locked", "--check", "--python", sys.executable, cwd=sample)


def test_two_builds_give_equal_bytes(
    tmp_path: Path, clone: Path, uv: Runner, build_environment: Environment
) -> None:
    environment = {**build_environment, "SOURCE_DATE_EPOCH": "1700000000", "CFLAGS": "-g0"}
    wheels: List[Path] = []
    for place in ("here", "there/and/further"):
        folder = tmp_path / place
        debris = shutil.ignore_patterns("build", "dist", "*.egg-info")
        shutil.copytree(str(clone / "sample_project"), str(folder), ignore=debris)
        command = ("build", "--wheel", "--no-sources", "--python", sys.executable)
        uv(*command, cwd=folder, env=environment)
        wheels.append(the_wheel(folder / "dist"))
        # Zip's times have two seconds, and a clock that is read must be seen.
        time.sleep(2 if len(wheels) == 1 else 0)
    assert wheels[0].name == wheels[1].name
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_the_strict_index_takes_ours_and_refuses_the_plain_wheel(
    dist: Path, sample: Path, tmp_path: Path, uv: Runner, through_the_index: Callable[..., str]
) -> None:
    edit(
        sample / "pyproject.toml",
        r'\["manyshim"\]',
        '["setuptools"]',
        r"manyshim\.backend",
        "setuptools.build_meta",
    )
    uv("build", "--wheel", "--no-sources", "--python", sys.executable, cwd=sample)
    (plain,) = (sample / "dist").glob("*-linux_*.whl")
    assert through_the_index(tmp_path, plain, the_wheel(dist), sys.executable, DRAW) == f"{WAVE}\n"


def test_a_build_that_is_killed_leaves_no_wheel(
    sample: Path, tmp_path: Path, uv: Runner, clean_environment: Environment
) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text('#!/bin/sh\n: > "$0.started"\nexec sleep 300\n', encoding="utf-8")
    compiler.chmod(0o755)
    command = ["build", "--wheel", "--python", sys.executable]
    environment = {**clean_environment, "CC": str(compiler)}
    with subprocess.Popen(
        [str(find_uv()), *command], cwd=sample, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as build:  # fmt: skip
        deadline = time.monotonic() + 120
        while not (tmp_path / "compiler.started").exists():
            assert build.poll() is None, "the build ended before it compiled"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(build.pid, signal.SIGKILL)
    left = {path.name for path in (sample / "dist").iterdir()} - {".gitignore"}
    assert [name[:10] for name in left] == [".manyshim-"]
    uv(*command, cwd=sample)
    the_wheel(sample / "dist")
