"""Where a trial runs code of the wheel, and how it is turned off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from elfbuilding import needs_gcc
from repairing import WAYS, RepairProject, members, shared
from trying import CONSTRUCTOR

pytestmark = needs_gcc

HEAD = "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdio.h>\n#include <string.h>\n"
USER = "int deep(void); int top(void) { return deep() + 4; }"

# What makes a wheel's files change, and so be loaded.
CHANGES: Dict[str, Dict[str, List[str]]] = {
    "repair": {},
    "rpath": {"mode": ["retag"], "fix": ["rpath"], "exclude": ["libdeep.so.1"]},
    "strip": {"mode": ["retag"], "strip": ["debug"], "exclude": ["libdeep.so.1"]},
}


@pytest.fixture
def project(tmp_path: Path) -> RepairProject:
    return RepairProject(tmp_path / "project")


def run_without_trial(project: RepairProject, way: str, settings: Dict[str, List[str]]) -> Any:
    """Run a change of the wheel without a trial."""
    if way != "cli":
        return project.run(way, {**settings, "trial": ["false"]})
    words = [*project.command(way, settings), "--no-trial"]
    words += [] if "mode" in settings else ["--library-path", str(project.libs)]
    return subprocess.run(
        words, env=project.environment(), capture_output=True, text=True, check=False
    )


@WAYS
@pytest.mark.parametrize("change", CHANGES)
def test_without_a_trial_no_code_of_the_wheel_runs(
    project: RepairProject, way: str, change: str
) -> None:
    seen = project.folder / "seen"
    shared(project.libs / "libdeep.so.1", "int deep(void) { return 3; }")
    top = shared(
        project.folder / "top" / "libtop.so",
        HEAD + USER + CONSTRUCTOR + f'{{ fclose(fopen("{seen}", "w")); }}',
        *(f"-L{project.libs}", "-l:libdeep.so.1", f"-Wl,-rpath,{project.libs}"),
    )
    project.pack({"demo/libtop.so": top})
    settings = CHANGES[change]
    done = run_without_trial(project, way, settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(project.wheels()) == 1
    assert not seen.exists()
    (project.dist / project.wheels()[0]).unlink()
    assert project.run(way, settings).returncode == 0
    assert seen.exists()


@pytest.mark.parametrize("place", ["table", "environment"])
def test_other_places_of_the_option(project: RepairProject, place: str) -> None:
    """A copy that cannot be loaded from its new place fails the repair, unless it is not tried."""
    deep = (
        f"{HEAD}int deep(void) {{ return 3; }}{CONSTRUCTOR}"
        '{ Dl_info info; dladdr(f, &info); if (strstr(info.dli_fname, "/after/")) abort(); }'
    )
    shared(project.libs / "libdeep.so.1", deep)
    top = shared(project.folder / "top" / "libtop.so", USER, f"-L{project.libs}", "-l:libdeep.so.1")
    project.pack({"demo/libtop.so": top})
    output = project.run("hook").stderr
    copy = "not repaired: demo.libs/libdeep-"
    assert copy in output
    assert "can no longer be loaded after patching: the process" in output
    assert "was killed by SIGABRT" in output
    assert "/.manyshim-" not in output
    environ = {}
    if place == "table":
        with (project.root / "pyproject.toml").open("a") as file:
            file.write("trial = false\n")
    else:
        environ = {"MANYSHIM_TRIAL": "false"}
    (project.dist / project.wheels()[0]).unlink()
    done = project.run("hook", environ=environ)
    assert done.returncode == 0, done.stderr
    (name,) = project.wheels()
    assert any(one.startswith("demo.libs/libdeep-") for one in members(project.dist / name))


@pytest.mark.parametrize("command", ["retag", "repair"])
def test_the_help_says_that_code_runs(command: str) -> None:
    words = [sys.executable, "-m", "manyshim", command, "--help"]
    text = " ".join(subprocess.check_output(words, text=True).split())
    assert "--no-trial do not load changed libraries, for wheels that you do not trust" in text
    assert "`repair`, --fix and --strip run code of the wheel on this machine" in text
