"""The commands and variables of the environments in which wheels are tested."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Optional, Tuple

import pytest

from manyshim.audit.tags import PlatformTag, parse_platform
from manyshim.errors import ToolError
from manyshim.release import table
from manyshim.release.children import Ended
from manyshim.release.emulation import Runner
from manyshim.release.environments import (
    Environment,
    foreign,
    link_scripts,
    native,
    pip_platforms,
    uv_platform,
    variables,
)
from manyshim.release.systems import Python
from manyshim.release.testing import ending, filled, recipe

ARM = Python("systems/arm", "systems/arm/usr/bin/python3.13", "3.13", "aarch64", "glibc", "ld.so")


def tag(text: str) -> PlatformTag:
    found = parse_platform(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("platform", "version", "name"),
    [
        ("manylinux_2_17_aarch64", (2, 36), "aarch64-manylinux_2_36"),
        ("manylinux_2_17_x86_64", (2, 43), "x86_64-manylinux_2_40"),
        ("manylinux_2_17_x86_64", (2, 30), "x86_64-manylinux_2_28"),
        ("manylinux_2_17_x86_64", (2, 27), "x86_64-manylinux_2_17"),
        ("manylinux_2_41_x86_64", (2, 43), None),
        ("manylinux_2_39_riscv64", (2, 41), "riscv64-unknown-linux"),
        ("manylinux_2_31_riscv64", (2, 36), None),
        ("manylinux_2_41_riscv64", (2, 41), None),
        ("manylinux_2_17_armv7l", (2, 36), None),
        ("musllinux_1_2_aarch64", (1, 2), "aarch64-unknown-linux-musl"),
        ("musllinux_1_2_armv7l", (1, 2), None),
    ],
)
def test_the_name_that_uv_has(platform: str, version: Tuple[int, int], name: Optional[str]) -> None:
    assert uv_platform(tag(platform), version) == name


def test_the_platforms_for_pip() -> None:
    found = pip_platforms(tag("manylinux_2_17_armv7l"), (2, 19))
    assert found[:4] == [
        "manylinux_2_19_armv7l",
        "manylinux_2_18_armv7l",
        "manylinux_2_17_armv7l",
        "manylinux2014_armv7l",
    ]
    assert pip_platforms(tag("musllinux_1_1_i686"), (1, 2)) == [
        "musllinux_1_2_i686",
        "musllinux_1_1_i686",
        "musllinux_1_0_i686",
    ]


def test_a_venv_of_this_machine() -> None:
    assert native("env", "bin/python3.12", None) == Environment(
        "env",
        ("bin/python3.12", "-m", "venv", "env"),
        (os.path.join("env", "bin", "python"), "-m", "pip", "install"),
    )
    with_uv = native("env", "bin/python3.12", "bin/uv")
    assert with_uv.create is not None
    assert with_uv.create[:2] == ("bin/uv", "venv")
    assert with_uv.install[:3] == ("bin/uv", "pip", "install")


@pytest.mark.skipif(sys.platform == "win32", reason="the environment has links")
@pytest.mark.parametrize(
    ("version", "uv", "pip", "expected"),
    [
        ("3.13", "bin/uv", None, ("bin/uv", "--python-platform", "aarch64-manylinux_2_36")),
        ("3.13", None, "bin/python3.13", ("bin/python3.13", "-m", "cp313", "abi3", "none")),
        ("3.13t", "bin/uv", "bin/python3.13", ("bin/python3.13", "-m", "cp313t", "none")),
    ],
)
def test_an_environment_of_another_system(
    tmp_path: Path, version: str, uv: Optional[str], pip: Optional[str], expected: Tuple[str, ...]
) -> None:
    runner = Runner(ARM, ("bin/qemu", "a loader's path"), version, (2, 36))
    made = foreign(str(tmp_path / "env"), runner, tag("manylinux_2_17_aarch64"), uv, pip)
    assert made.create is None
    assert set(expected) <= set(made.install)
    assert made.install[-2:] == ("--target", made.site)
    assert ("abi3" in made.install) is (pip is not None and version == "3.13")
    assert made.site == str(tmp_path / f"env/lib/python{version}/site-packages")
    starter = (tmp_path / "env/bin/python").read_text()
    program = tmp_path / f"env/libexec/python{version}"
    assert starter == f"#!/bin/sh\nexec bin/qemu 'a loader'\"'\"'s path' {program} \"$@\"\n"
    assert (tmp_path / f"env/bin/python{version}").read_text() == starter
    assert os.readlink(str(program)) == ARM.path


@pytest.mark.skipif(sys.platform == "win32", reason="the environment has links")
def test_neither_uv_nor_pip_installs_for_the_system(tmp_path: Path) -> None:
    runner = Runner(ARM, (), "3.13t", (2, 36))
    with pytest.raises(ToolError, match=r"only pip .* 3\.13t on aarch64.*; run python -m"):
        foreign(str(tmp_path / "env"), runner, tag("manylinux_2_17_aarch64"), "bin/uv", None)


@pytest.mark.skipif(sys.platform == "win32", reason="scripts of a shell")
def test_installed_scripts_run_with_the_python_of_the_system(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "bin").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (site / "bin/tool").write_text("#!/usr/bin/python3\n")
    (site / "bin/python").write_text("#!/usr/bin/python3\n")
    (site / "bin/shell").write_text("#!/bin/sh\n")
    (site / "bin/program").write_bytes(b"\x7fELF")
    (tmp_path / "bin/python").write_text("the starter")
    link_scripts(Environment(str(tmp_path), None, (), str(site)))
    assert sorted(one.name for one in (tmp_path / "bin").iterdir()) == ["python", "tool"]
    assert (tmp_path / "bin/python").read_text() == "the starter"
    command = f"{tmp_path}/bin/python {site}/bin/tool"
    assert (tmp_path / "bin/tool").read_text() == f'#!/bin/sh\nexec {command} "$@"\n'


def test_the_variables_of_a_test() -> None:
    given = {
        "PATH": "usr",
        "HOME": "home",
        "UV_INDEX_URL": "index",
        "PIP_CERT": "cert",
        "PYTHONPATH": "src",
        "PYTHONHOME": "home",
        "MANYSHIM_STRICT": "1",
        "VIRTUAL_ENV": "my",
    }
    assert variables(given, Environment("env", None, ())) == {
        "HOME": "home",
        "UV_INDEX_URL": "index",
        "PIP_CERT": "cert",
        "VIRTUAL_ENV": "env",
        "PATH": os.pathsep.join((os.path.join("env", "bin"), "usr")),
    }


def test_the_paths_in_a_command() -> None:
    text = "pytest {project}/tests {package} {wheel} {other}"
    assert filled(text, "/p", "/w.whl") == "pytest /p/tests /p /w.whl {other}"


@pytest.mark.parametrize(
    ("code", "late", "said"),
    [
        (1, False, "exit code 1"),
        (127, False, "exit code 127"),
        (-11, False, "ended by SIGSEGV"),
        (139, False, "ended by SIGSEGV"),
        (255, False, "exit code 255"),
        (-15, True, "ended after 7 s (test-timeout)"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_how_a_command_has_ended(code: int, late: bool, said: str) -> None:  # noqa: FBT001
    assert ending(Ended(code, 1.0, None, late), 7) == said


def test_what_a_passed_test_stands_for() -> None:
    one = table.Tests("pytest", ("pytest",), 7)
    assert recipe(one, "c") == recipe(one._replace(seconds=8), "c")
    assert recipe(one, "c") != recipe(one._replace(command="pytest -x"), "c")
    assert recipe(one, "c") != recipe(one._replace(requires=()), "c")
    assert recipe(one, "c") != recipe(one, "other sources")
