"""A missing tool skips a test and names the package to install; in CI the test fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable, List

import pytest

import needs
from paths import TESTS
from unprivileged import unprivileged

ROWS = """\
import needs
import pytest
{module}

def test_call():
    needs.tool("no-such-tool", "its-package")

@needs.mark(needs.tool, "no-such-tool", "its-package")
def test_mark(tmp_path):
    raise KeyError

@pytest.mark.parametrize("row", [
    1,
    pytest.param(2, marks=needs.mark(needs.tool, "no-such-tool", "its-package")),
])
def test_row(row):
    assert row == 1
"""
MODULE = 'pytestmark = [needs.mark(needs.tool, "no-such-tool", "its-package")]'
REASON = "no-such-tool is not installed (Debian: its-package)"


def outcome(folder: Path, text: str, ci: str) -> str:
    """Run tests in a new process with the hook of conftest.py; return the summary."""
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    paths = (TESTS, needs.__file__.rpartition(os.sep)[0])
    environ.update(PYTHONPATH=os.pathsep.join(map(str, paths)), CI=ci, NO_COLOR="1")
    plugins = ["-p", "conftest", "-p", "no:cacheprovider"]
    options = ["-c", os.devnull, "--rootdir", ".", "-o", "markers=needs", "-rA"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, "test_it.py"],
        cwd=str(folder),
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.partition("short test summary info")[2]


@pytest.mark.parametrize("ci", ["", "false"])
def test_what_is_missing_is_skipped_on_a_users_machine(tmp_path: Path, ci: str) -> None:
    said = outcome(tmp_path, ROWS.format(module=""), ci)
    assert re.search("= 1 passed, 3 skipped in", said), said
    assert re.findall(r"SKIPPED \[(\d+)\] [^:]*:\d+: (.*)", said) == [("3", REASON)]


@pytest.mark.parametrize("ci", ["true", "1"])
def test_what_is_missing_fails_in_ci(tmp_path: Path, ci: str) -> None:
    said = outcome(tmp_path, ROWS.format(module=""), ci)
    assert re.search("= 1 failed, 1 passed, 2 errors in", said), said
    assert re.findall(r"(FAILED|ERROR) \S+::(\w+)\S* - Failed: (.*)", said) == [
        ("ERROR", "test_mark", REASON),
        ("ERROR", "test_row", REASON),
        ("FAILED", "test_call", REASON),
    ]


def test_a_mark_of_a_module_is_for_all_its_tests(tmp_path: Path) -> None:
    said = outcome(tmp_path, ROWS.format(module=MODULE), "")
    assert re.search("= 4 skipped in", said), said


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the path of the one program on PATH."""
    path = tmp_path / "only-tool"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return str(path)


def test_a_tool_that_is_there_is_returned(tool: str) -> None:
    assert needs.tool("only-tool", "its-package") == tool
    # The program is not one of Debian's.
    assert needs.tool(os.path.basename(sys.executable), "x", needs.PYPI) == sys.executable


ABSENT: List[Callable[[], object]] = [
    lambda: needs.file("/no/such/file", "package"),
    lambda: needs.module("no_such_module", "package"),
    lambda: needs.header("no/such/header.h", "package"),
    lambda: needs.packages("dpkg", "no-such-package"),
]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (0, "/no/such/file is not installed (Debian: package)"),
        (1, "no_such_module is not installed (PyPI: package)"),
        pytest.param(
            2,
            "no/such/header.h is not installed (Debian: package)",
            marks=needs.mark(needs.compiler),
        ),
        pytest.param(
            3,
            "not installed (Debian: no-such-package)",
            marks=needs.mark(needs.tool, "dpkg-query", "dpkg"),
        ),
    ],
)
def test_everything_that_is_missing_has_a_package(
    number: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception) as skipped:
        ABSENT[number]()
    assert str(skipped.value) == reason
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception) as failed:
        ABSENT[number]()
    assert str(failed.value) == reason


@needs.mark(needs.compiler)
def test_a_header_that_is_there() -> None:
    needs.header("stdio.h", "libc6-dev")


def test_a_package_that_has_no_release_for_this_python_is_skipped_in_ci_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.skip.Exception, match=r"^pytest needs Python 4\.0$"):
        needs.module("pytest", since=(4, 0))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such users")
def test_an_unprivileged_user_is_refused_and_root_is_back_afterwards() -> None:
    before = (os.geteuid(), os.getegid(), os.getgroups())
    with unprivileged() as folder:
        assert os.geteuid() != 0
        (folder / "file").write_bytes(b"")
        (folder / "file").chmod(0)
        with pytest.raises(PermissionError):
            (folder / "file").read_bytes()
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before
    assert not folder.exists()
