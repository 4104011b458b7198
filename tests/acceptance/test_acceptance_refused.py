"""Wheels that do not match the target get no tag, whichever backend returns them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from acceptance import ARM64, X86, findings, on_x86_64
from compiling import PROBE, Done, compile_wheel, copy, members
from wheelwriter import save, wheel

pytestmark = on_x86_64

C_ONLY = {"PROBE_MODULES": "_c"}


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    return copy(PROBE, tmp_path / "probe")


RETURNS_WHEEL = """
import shutil

def build_wheel(folder, settings=None, metadata_directory=None):
    shutil.copy({path!r}, folder)
    return {name!r}
"""

Members = Dict[str, bytes]


def renamed(arm64: Members, x86: Members) -> Members:
    """Give the aarch64 module the name of an x86_64 one."""
    del x86
    return {name.replace("aarch64-linux", "x86_64-linux"): data for name, data in arm64.items()}


def another_module(arm64: Members, x86: Members) -> Members:
    """Put an x86_64 module beside the aarch64 one."""
    return {**x86, **arm64}


def wrong_machine(arm64: Members, x86: Members) -> Members:
    """Put an x86_64 module under the aarch64 one's name."""
    modules = {name: data for name, data in x86.items() if name.endswith(".so")}
    return {**arm64, **{name.replace("x86_64", "aarch64"): data for name, data in modules.items()}}


def without_module(arm64: Members, x86: Members) -> Members:
    """Leave only the Python code in a platform wheel."""
    del x86
    return {name: data for name, data in arm64.items() if not name.endswith(".so")}


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> List[Members]:
    """Return the members of the probe's wheels for aarch64 and x86_64, without the metadata."""
    found = []
    for platform in (ARM64, X86):
        project = copy(PROBE, tmp_path_factory.mktemp("contents") / "probe")
        done = compile_wheel(project, platform, environ=C_ONLY, strict="true")
        assert done.wheel is not None, done.errors
        every = members(done.wheel)
        found.append({name: data for name, data in every.items() if "dist-info" not in name})
    return found


def build_returning(probe: Path, given: Members, strict: str) -> Done:
    """Build with a backend in the project's tree that returns a finished wheel."""
    version = "cp{}{}".format(*sys.version_info)
    tag = f"{version}-{version}-linux_aarch64"
    name = f"probe-1.0-{tag}.whl"
    path = save(probe, wheel(given, name="probe", tag=tag), name)
    (probe / "tools").mkdir()
    (probe / "tools" / "own.py").write_text(
        RETURNS_WHEEL.format(path=str(path), name=name), "utf-8"
    )
    text = (
        '[build-system]\nrequires = []\nbuild-backend = "manyshim.backend"\n'
        '[tool.manyshim]\nbackend = "own"\nbackend-path = ["tools"]\n'
    )
    (probe / "pyproject.toml").write_text(text, encoding="utf-8")
    return compile_wheel(probe, ARM64, strict=strict)


def test_an_unchanged_wheel_gets_the_tag(probe: Path, contents: List[Members]) -> None:
    done = build_returning(probe, contents[0], "true")
    assert done.name.endswith(f"-manylinux2014_aarch64.{ARM64}.whl")


@pytest.mark.parametrize("strict", ["true", "false"])
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (renamed, "SUFFIX"),
        (another_module, "MIXED_ARCH"),
        (wrong_machine, "MIXED_ARCH"),
        (without_module, "NO_ELF"),
    ],
)
def test_a_changed_wheel_gets_no_tag(
    probe: Path,
    contents: List[Members],
    change: Callable[[Members, Members], Members],
    kind: str,
    strict: str,
) -> None:
    done = build_returning(probe, change(*contents), strict)
    assert findings(done, kind), done.errors
    if strict == "true":
        assert (done.code, done.wheel) == (1, None)
    else:
        assert done.name.endswith("-linux_aarch64.whl")
        assert "manylinux" not in done.name


FALLS_BACK = """
from setuptools import Extension, setup
from setuptools.errors import CCompilerError

def attempt(*modules):
    setup(name="probe", package_dir={"": "src"}, packages=["probe"], ext_modules=list(modules))

try:
    attempt(Extension("probe._lost", ["src/_lost.c"]))
except (CCompilerError, SystemExit):
    attempt()
"""


@pytest.mark.parametrize("strict", ["false", "true"])
def test_a_build_that_succeeds_without_its_extension_is_an_error(probe: Path, strict: str) -> None:
    """Builds like that of markupsafe fall back to a wheel for any platform."""
    (probe / "setup.py").write_text(FALLS_BACK, encoding="utf-8")
    done = compile_wheel(probe, X86, strict=strict)
    (line,) = findings(done, "NO_ELF")
    assert "has no machine code for a processor, but a compiler ran" in line
    if strict == "true":
        assert (done.code, done.wheel) == (1, None)
    else:
        assert done.name == "probe-1.0-py3-none-any.whl"
    pure = FALLS_BACK.partition("try:")[0] + "attempt()\n"
    (probe / "setup.py").write_text(pure, encoding="utf-8")
    done = compile_wheel(probe, X86, strict=strict)
    assert "is a pure wheel, but strict or platform asks for a compiled one" in done.errors
    assert done.code == (1 if strict == "true" else 0)
