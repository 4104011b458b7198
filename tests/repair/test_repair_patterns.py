"""Patterns of exclude and bundle are compared with all libraries that a repair would copy."""

from __future__ import annotations

from pathlib import Path
from typing import List, Sequence

import pytest

from commandline import run
from elfbuilding import needs_gcc
from repairing import RepairProject, shared

pytestmark = needs_gcc

INNER = "exclude libinner.so matches no library; near: libinner.so.2"


@pytest.fixture
def project(tmp_path: Path) -> RepairProject:
    """Return a project whose wheel needs a library that needs another one."""
    made = RepairProject(tmp_path / "project")
    shared(made.libs / "libinner.so.2", "int inner(void) { return 3; }")
    options = (f"-L{made.libs}", f"-Wl,-rpath-link,{made.libs}")
    text = "int inner(void); int deep(void) { return inner() + 1; }"
    shared(made.libs / "libdeep.so.1", text, *options, "-l:libinner.so.2")
    text = "int deep(void); int top(void) { return deep() + 4; }"
    top = shared(made.folder / "top" / "libtop.so", text, *options, "-l:libdeep.so.1")
    made.pack({"demo/libtop.so": top})
    return made


def warnings(output: str) -> List[str]:
    return [line for line in output.splitlines() if "matches no library" in line]


@pytest.mark.parametrize("way", ["cli", "hook"])
def test_a_library_that_only_a_copy_needs_is_near(project: RepairProject, way: str) -> None:
    found = warnings(project.repaired(way, {"exclude": ["libinner.so"]})[1])
    assert found == [f"manyshim: warning: {INNER}"]


@pytest.mark.parametrize("way", ["cli", "hook"])
@pytest.mark.parametrize(
    "settings",
    [
        {"exclude": ["libinner.so.*"]},
        {"exclude": ["libcuda.so*"]},
        {"bundle": ["libdeep.so.*", "libinner.so.2"]},
    ],
)
def test_a_pattern_of_a_library_that_only_a_copy_needs_matches(
    project: RepairProject, settings: dict[str, Sequence[str]], way: str
) -> None:
    assert warnings(project.repaired(way, settings)[1]) == []


def test_a_dry_run_warns(project: RepairProject) -> None:
    options = ("--exclude", "libinner.so", "--library-path", project.libs)
    done = run("repair", "--dry-run", project.source, *options)
    assert warnings(done.stderr) == [f"manyshim: warning: {INNER}"]


def test_a_bundle_that_misses_its_library(project: RepairProject) -> None:
    for way in ("cli", "hook"):
        done = project.run(way, {"bundle": ["libdeep.so"]})
        assert warnings(done.stdout + done.stderr) == [
            "manyshim: warning: bundle libdeep.so matches no library; near: libdeep.so.1"
        ]
