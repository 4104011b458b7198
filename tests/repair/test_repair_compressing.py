"""How a repair compresses: the same on any number of processors, with and without libdeflate."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Dict

import pytest

from elfbuilding import needs_gcc
from repairing import RepairProject, members, shared

pytestmark = needs_gcc

WITHOUT = "import sys; sys.modules['deflate'] = None"
ONE_PROCESSOR = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
# A Python audit hook, which is called in the thread that opens the file for compressed contents.
AT_THE_FIRST_FILE = """\
import os, signal, sys

def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith("/deflated/0"):
        {action}

sys.addaudithook(hook)
"""


@pytest.fixture
def project(tmp_path: Path) -> RepairProject:
    """Make a wheel that needs a large and a small library."""
    found = RepairProject(tmp_path / "project")
    table = ", ".join(str(number * number % 9973) for number in range(200_000))
    shared(found.libs / "liblarge.so.1", f"int table[] = {{{table}}};")
    shared(found.libs / "libsmall.so.1", "int small(void) { return 3; }")
    top = shared(
        found.folder / "top" / "libtop.so",
        "extern int table[]; int small(void); int top(void) { return small() + table[2]; }",
        *(f"-L{found.libs}", "-l:liblarge.so.1", "-l:libsmall.so.1"),
    )
    found.pack({"demo/libtop.so": top})
    return found


def customized(project: RepairProject, *lines: str) -> None:
    """Run these lines at the start of every Python process of the project."""
    folder = project.folder / "site"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text("\n".join((*lines, "")))
    project.python_path[:] = [str(folder)]


def sizes(path: Path) -> Dict[str, int]:
    with zipfile.ZipFile(path) as archive:
        return {one.filename: one.compress_size for one in archive.infolist()}


@pytest.mark.parametrize("lines", [(), (WITHOUT,)], ids=["installed", "zlib"])
def test_one_processor_gives_the_same_bytes(project: RepairProject, lines: tuple[str, ...]) -> None:
    customized(project, *lines)
    path, _ = project.repaired("cli")
    whole = path.read_bytes()
    path.unlink()
    customized(project, *lines, ONE_PROCESSOR)
    again, _ = project.repaired("cli")
    assert again.read_bytes() == whole


def test_libdeflate_gives_the_same_contents_and_a_smaller_file(project: RepairProject) -> None:
    pytest.importorskip("deflate", reason="deflate is not installed (PyPI: deflate)")
    path, _ = project.repaired("cli")
    fast, with_it = members(path), sizes(path)
    path.unlink()
    customized(project, WITHOUT)
    path, _ = project.repaired("cli")
    assert members(path) == fast
    (large,) = (name for name in fast if "liblarge" in name)
    assert with_it[large] < sizes(path)[large]


def test_what_a_retag_writes_does_not_depend_on_libdeflate(project: RepairProject) -> None:
    settings = {"mode": ["retag"], "exclude": ["lib*.so.1"]}
    path, _ = project.repaired("cli", settings)
    whole = path.read_bytes()
    path.unlink()
    customized(project, WITHOUT)
    again, _ = project.repaired("cli", settings)
    assert again.read_bytes() == whole


@pytest.mark.parametrize("lines", [(), (WITHOUT,), (ONE_PROCESSOR,)], ids=["all", "zlib", "one"])
def test_a_full_disk_is_reported(project: RepairProject, lines: tuple[str, ...]) -> None:
    error = "raise OSError(28, 'No space left on device')"
    customized(project, *lines, AT_THE_FIRST_FILE.format(action=error))
    data = project.source.read_bytes()
    output = project.failed("cli", project.run("cli"), data)
    assert "No space left on device" in output


@pytest.mark.parametrize("lines", [(), (WITHOUT,), (ONE_PROCESSOR,)], ids=["all", "zlib", "one"])
def test_an_interrupt_leaves_nothing(project: RepairProject, lines: tuple[str, ...]) -> None:
    interrupt = "os.kill(os.getpid(), signal.SIGINT)"
    customized(project, *lines, AT_THE_FIRST_FILE.format(action=interrupt))
    done = project.run("cli")
    assert done.returncode != 0
    assert project.wheels() == []
