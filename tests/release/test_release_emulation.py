"""What is asked of the Pythons of systems, and of those of this machine."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

import needs
from manyshim import host
from manyshim.release.emulation import runner, this_machine
from manyshim.release.local import native_python, pip_python
from manyshim.release.systems import Python

pytestmark = pytest.mark.skipif(not needs.LINUX, reason="wheels for Linux are tested on Linux")


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def with_loader(root: Path, text: str, libc: str = "glibc") -> Python:
    """Return a Python of a system whose loader is a script."""
    script(root / "lib/loader.so.1", text)
    program = script(root / "usr/bin/python3.13", "exit 1")
    return Python(str(root), str(program), "3.13", host.host_arch(), libc, "/lib/loader.so.1")


def test_this_machine_is_asked() -> None:
    found = this_machine()
    assert found.libc == host.interpreter_libc()
    assert found.version > (1, 0)
    if found.libc == "glibc":
        assert ".".join(map(str, found.version)) == platform.libc_ver()[1]


def test_a_python_is_started_with_its_loader_and_asked(tmp_path: Path) -> None:
    answer = 'echo "$@" > {}; echo a warning; echo cpython 3.13t; echo glibc 2.36'
    python = with_loader(tmp_path / "one", answer.format(tmp_path / "asked"))
    found = runner(python)
    loader, libraries = f"{tmp_path}/one/lib/loader.so.1", f"{tmp_path}/one/lib"
    assert found.before == (loader, "--library-path", libraries)
    assert (found.version, found.libc_version, found.problem) == ("3.13t", (2, 36), "")
    words = (tmp_path / "asked").read_text().split()
    assert words[:4] == ["--library-path", libraries, python.path, "-I"]


def test_the_loader_of_musl_is_asked_for_its_version(tmp_path: Path) -> None:
    answer = 'test $# = 0 && echo "musl libc (x86_64)\nVersion 1.2.5" >&2; echo cpython 3.13'
    found = runner(with_loader(tmp_path / "one", answer, "musl"))
    assert (found.version, found.libc_version, found.problem) == ("3.13", (1, 2), "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("echo first; echo cannot open shared object file; exit 127", "shared object file"),
        ("echo pypy 3.11", "pypy 3.11"),
        ("true", "it prints nothing"),
    ],
)
def test_a_python_that_does_not_start(tmp_path: Path, answer: str, said: str) -> None:
    python = with_loader(tmp_path / "one", answer)
    found = runner(python)
    assert found.problem.startswith(f"{python.path} cannot be run: ")
    assert found.problem.endswith(said)


def test_a_system_without_its_libc(tmp_path: Path) -> None:
    python = Python(str(tmp_path / "arm"), "python", "3.13", "aarch64", "glibc", "/lib/no.so.1")
    assert runner(python).problem == "arm has no /lib/no.so.1; unpack the libc of aarch64 too"


def test_uv_names_the_pythons_that_it_has_downloaded(tmp_path: Path) -> None:
    found = script(tmp_path / "python", "exit 1")
    assert native_python("3.97", str(script(tmp_path / "uv", f"echo {found}"))) == str(found)
    assert native_python("3.98", str(script(tmp_path / "other", "exit 2"))) is None
    assert native_python("3.98", None) is None
    assert native_python(f"3.{sys.version_info[1]}", None) is not None


def test_a_python_with_pip() -> None:
    needs.module("pip")
    found = pip_python("3.98")
    assert found == sys.executable
