"""The report of a real build: the symbol, its source line, and what would hold without it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, List, Mapping

import pytest

import needs
from paths import PROJECTS, REPOSITORY

README = REPOSITORY / "README.md"

pytestmark = [
    pytest.mark.skipif(
        platform.libc_ver() < ("glibc", "2.36") or platform.machine() != "x86_64",
        reason="the example is about pidfd_open of glibc 2.36, on x86_64",
    ),
    needs.mark(needs.extension),
]

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Build = Callable[..., "tuple[Path, List[str]]"]


@pytest.fixture(scope="module")
def build(
    uv: Run, build_environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Build:
    """Return a function that builds the project watch: the wheel and our lines."""

    def make(*settings: str) -> tuple[Path, List[str]]:
        folder = tmp_path_factory.mktemp("watch")
        project = folder / "watch"
        shutil.copytree(str(PROJECTS / "watch"), str(project))
        done = uv(
            *("build", "--wheel", "--python", sys.executable, str(project)),
            *("-o", str(folder / "dist")),
            *(word for setting in settings for word in ("-C", f"manyshim.{setting}")),
            env=build_environment,
        )
        (wheel,) = (folder / "dist").glob("*.whl")
        lines = re.findall(r"^manyshim: (.*)$", done.stderr, re.MULTILINE)
        # A Python that was built by hand leaks its own folder into the search path.
        return wheel, [line for line in lines if "RPATH" not in line and "$ORIGIN" not in line]

    return make


def line_of(call: str) -> int:
    source = (PROJECTS / "watch" / "src" / "_watch.c").read_text(encoding="utf-8")
    return source[: source.index(call)].count("\n") + 1


def test_a_build_names_the_symbol_its_line_and_the_policy_without_it(build: Build) -> None:
    wheel, lines = build()
    assert wheel.name.endswith("-manylinux_2_36_x86_64.whl")
    said = "\n".join(lines)
    assert (
        "needs pidfd_open@GLIBC_2.36 from libc.so.6; manylinux_2_35 allows at most GLIBC_2.35"
        in said
    )
    assert f"src/_watch.c:{line_of('pidfd_open(process')} in " in said
    assert "without that, the wheel would meet manylinux_2_28" in said
    assert "fcntl" not in said
    printed = re.sub(r"cpython-3\d+", "cpython-311", re.sub(r"cp3\d+", "cp311", said))
    assert one_line(readme_block("build")) in one_line(printed)


def test_a_platform_that_is_refused_names_every_symbol_that_rules_it_out(build: Build) -> None:
    wheel, lines = build("platform=manylinux_2_17")
    assert wheel.name.endswith("-linux_x86_64.whl")
    said = "\n".join(lines)
    for symbol, call in (("pidfd_open", "pidfd_open(process"), ("fcntl", "fcntl(file")):
        assert re.search(rf"needs {symbol}(64)?@GLIBC_2", said)
        assert f"src/_watch.c:{line_of(call)} in " in said
    assert "the oldest policy that it meets is manylinux_2_36_x86_64" in said


def test_show_prints_the_same_without_source_lines(build: Build) -> None:
    wheel, _ = build()
    done = subprocess.run(
        [sys.executable, "-m", "manyshim", "show", str(wheel)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert "needs pidfd_open@GLIBC_2.36 from libc.so.6" in done.stdout
    assert "_watch.c:" not in done.stdout


def test_explain_never_finds_no_source_lines(build: Build) -> None:
    _, lines = build("explain=never")
    said = "\n".join(lines)
    assert "pidfd_open@GLIBC_2.36" in said
    assert "_watch.c:" not in said


def one_line(text: str) -> str:
    """Join lines, because README wraps long ones."""
    return " ".join(text.split())


def readme_block(name: str) -> str:
    """Cut a block out of README by its markers."""
    text = README.read_text(encoding="utf-8")
    block = text.split(f"<!-- {name}: begin -->")[1].split(f"<!-- {name}: end -->")[0]
    return "\n".join(block.replace("manyshim: ", "").strip().splitlines()[1:-1])
