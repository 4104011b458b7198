"""With failing tools, vanishing libraries or a full disk, there is a whole wheel or none."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from elfbuilding import needs_gcc
from mounting import mounted
from repairing import NAME, WAYS, RepairProject, script

pytestmark = needs_gcc

# A Python audit hook: it is called before each copy is made.
WHEN_COPIED = """\
import os, sys

def hook(event, arguments):
    if event == "shutil.copyfile" and os.fspath(arguments[0]) == {path!r}:
        {action}

sys.addaudithook(hook)
"""


@pytest.fixture
def project(tmp_path: Path) -> RepairProject:
    return RepairProject(tmp_path / "project")


def at_each_copy(project: RepairProject, path: Path, action: str) -> None:
    folder = project.folder / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WHEN_COPIED.format(path=str(path), action=action))
    project.python_path.append(str(folder))


@WAYS
def test_a_patchelf_on_the_path_is_not_called(project: RepairProject, way: str) -> None:
    """The same bytes come out without patchelf, and with one that fails."""
    project.simple()
    finished, _ = project.repaired(way)
    whole = finished.read_bytes()
    finished.unlink()
    project.path = script(project.folder / "bin", "exit 3", name="patchelf") + ":/usr/bin:/bin"
    again, _ = project.repaired(way)
    assert again.read_bytes() == whole


@WAYS
def test_a_killed_run_leaves_one_folder_and_the_next_run_succeeds(
    project: RepairProject, way: str
) -> None:
    data = project.simple()
    ready = project.folder / "ready"
    action = f"(open({str(ready)!r}, 'w').close(), __import__('time').sleep(300))"
    at_each_copy(project, project.libs / "libdeep.so.1", action)
    with project.start(way, {}, start_new_session=True) as child:
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate(timeout=60)
    assert [name[:10] for name in project.wheels()] == [".manyshim-"]
    assert project.source.read_bytes() == data
    project.python_path.clear()
    project.repaired(way)


@WAYS
def test_a_library_that_vanishes_before_it_is_copied(project: RepairProject, way: str) -> None:
    data = project.simple()
    library = project.libs / "libdeep.so.1"
    at_each_copy(
        project, library, f"os.path.exists({str(library)!r}) and os.unlink({str(library)!r})"
    )
    output = project.failed(way, project.run(way), data)
    assert str(library) in output
    assert "was readable when the repair was planned" in output


@WAYS
def test_a_library_that_changes_before_it_is_copied(project: RepairProject, way: str) -> None:
    data = project.simple()
    library = project.libs / "libdeep.so.1"
    at_each_copy(project, library, f"open({str(library)!r}, 'ab').write(b'more')")
    output = project.failed(way, project.run(way), data)
    assert f"{library} has changed since the repair was planned" in output


# A Python audit hook: it is called when a patched file is opened to be verified or loaded.
WHEN_PATCHED = """\
import os, sys

def hook(event, arguments):
    if event == "os.rename" and os.fspath(arguments[1]).endswith({name!r}):
        with open(os.fspath(arguments[0]), "r+b") as file:
            {action}

sys.addaudithook(hook)
"""


@WAYS
@pytest.mark.parametrize(
    "action",
    [
        "place = file.read().index(b'libdeep-'); file.seek(place); file.write(b'X')",
        "old = file.read()[0x1000]; file.seek(0x1000); file.write(bytes([old ^ 1]))",
        "file.truncate(100)",
    ],
    ids=["a name", "code", "shorter"],
)
def test_a_file_that_is_not_as_planned_is_detected(
    project: RepairProject, way: str, action: str
) -> None:
    data = project.simple()
    folder = project.folder / "site"
    folder.mkdir()
    text = WHEN_PATCHED.format(name="libtop.so", action=action)
    (folder / "sitecustomize.py").write_text(text)
    project.python_path.append(str(folder))
    output = project.stays(way, project.run(way), data)
    assert "not repaired: patching damaged demo/libtop.so: " in output
    assert "libdeep.so.1" in output, "the reason why it stays linux_*"
    if way != "cli":
        shutil.rmtree(str(project.dist))
        done = project.run(way, {"strict": ["true"]})
        assert (done.returncode, project.wheels()) == (1, [])
        output = done.stdout + done.stderr
        assert "not repaired: " in output
        assert output.count("manyshim: error: ") == 1


@WAYS
def test_a_full_disk_leaves_a_whole_wheel_or_none(project: RepairProject, way: str) -> None:
    data = project.simple()
    finished, _ = project.repaired(way)
    whole, name = finished.read_bytes(), finished.name
    shutil.rmtree(str(project.dist))
    project.dist.mkdir()
    with mounted(project.dist, "size=4k"):
        codes = set()
        for limit in (4, 16, 32, 48, 64, 96, 128, 160, 192, 224, 256, 512):
            grow = ["mount", "-o", f"remount,size={limit}k", str(project.dist)]
            subprocess.run(grow, check=True)
            done = project.run(way)
            codes.add(done.returncode == 0)
            if done.returncode == 0:
                assert project.wheels() == [name], done.stderr
                assert (project.dist / name).read_bytes() == whole
                (project.dist / name).unlink()
            elif "manyshim: error:" in done.stdout + done.stderr:
                output = project.failed(way, done, data)
                assert "No space left" in output
                assert "cannot be read now" not in output, "the library is not at fault"
                assert "manyshim: error: No space" not in output, "the error names a place"
            else:
                # The disk was already full when the wrapped backend wrote its wheel.
                assert way != "cli"
                assert "No space left" in done.stdout + done.stderr
                assert project.wheels() == []
        assert codes == {True, False}
    assert NAME not in project.wheels()
