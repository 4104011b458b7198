"""With failing tools, vanishing libraries or a full disk, there is a whole wheel or none."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Optional

import pytest

import needs
from elfbuilding import needs_gcc
from mounting import mounted
from repairing import NAME, WAYS, RepairProject, members, real_patchelf, script

pytestmark = needs_gcc

# The rest of the script runs when patchelf is called for more than its version.
WHEN_PATCHING = "case $1 in --version) echo 0.18.0;; *)"
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
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "patchelf was not found on PATH or beside the interpreter"),
        ("echo patchelf 0.12", "is patchelf 0.12, older than 0.14"),
        ("exit 3", "patchelf failed with exit code 3"),
        ("kill -SEGV $$", "patchelf was killed by SIGSEGV"),
        (f"{WHEN_PATCHING} kill -KILL $$;; esac", "patchelf was killed by SIGKILL"),
        (f"{WHEN_PATCHING} exit 9;; esac", "patchelf failed with exit code 9"),
    ],
    ids=["missing", "old", "fails", "crashes", "killed while patching", "fails while patching"],
)  # fmt: skip
def test_an_unusable_patchelf_is_an_error(
    project: RepairProject, way: str, body: Optional[str], words: str
) -> None:
    data = project.simple()
    project.path = str(project.folder) if body is None else script(project.folder / "bin", body)
    assert words in project.failed(way, project.run(way), data)


def test_a_patchelf_that_hangs_is_stopped(project: RepairProject) -> None:
    """Takes twenty seconds for all entry points at once; test_repair_patch tests longer limits."""
    data = project.simple()
    project.path = script(
        project.folder / "bin", f"echo $$ >> {project.folder}/pids; exec sleep 300"
    )
    others = {way: RepairProject(project.folder / way) for way in ("hook", "build")}
    for other in others.values():
        other.path = project.path
        other.source.write_bytes(data)
        shutil.copytree(str(project.libs), str(other.libs), dirs_exist_ok=True)
    begun = {way: other.start(way, {}) for way, other in {"cli": project, **others}.items()}
    for way, other in {"cli": project, **others}.items():
        with begun[way] as child:
            out, err = child.communicate(timeout=120)
        done: Any = subprocess.CompletedProcess([], child.returncode, out, err)
        assert "patchelf was stopped after 20 seconds" in other.failed(way, done, data)
    for pid in (project.folder / "pids").read_text().split():
        assert not Path("/proc", pid).exists()


@WAYS
def test_a_killed_run_leaves_one_folder_and_the_next_run_succeeds(
    project: RepairProject, way: str
) -> None:
    data = project.simple()
    path, pids = project.path, project.folder / "pids"
    body = f"{WHEN_PATCHING} echo $$ > {pids}.part; mv {pids}.part {pids}; "
    project.path = script(project.folder / "bin", body + "exec sleep 300;; esac")
    with project.start(way, {}, start_new_session=True) as child:
        deadline = time.monotonic() + 60
        while not pids.exists():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(child.pid, signal.SIGKILL)
        # patchelf runs in its own session and has our pipe open until it ends.
        os.kill(int(pids.read_text()), signal.SIGKILL)
        child.communicate(timeout=60)
    assert [name[:10] for name in project.wheels()] == [".manyshim-"]
    assert project.source.read_bytes() == data
    project.path = path
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


@WAYS
@pytest.mark.parametrize("change", ["rm -f", "truncate -s 3"])
def test_a_library_that_vanishes_after_it_was_copied(
    project: RepairProject, way: str, change: str
) -> None:
    """Its content was copied before that; the SBOM describes what was copied."""
    project.simple()
    library = project.libs / "libdeep.so.1"
    project.path = script(
        project.folder / "bin", f'{change} {library}\nexec {real_patchelf()} "$@"'
    )
    size = str(library.stat().st_size)
    finished, _ = project.repaired(way)
    assert size in members(finished)["demo-1.0.dist-info/sboms/manyshim.cdx.json"].decode()


@WAYS
def test_a_patchelf_that_damages_code_is_detected(project: RepairProject, way: str) -> None:
    data = project.simple()
    tool = needs.tool("readelf", "binutils")
    body = f"""{real_patchelf()} "$@" || exit
case $1 in --version) exit;; esac
for file; do :; done
set -- $({tool} -SW "$file" | sed -n 's/.* \\.text  *PROGBITS *[0-9a-f]* \\([0-9a-f]*\\).*/\\1/p')
printf '\\314' | dd of="$file" bs=1 seek=$((0x$1 + 1)) conv=notrunc 2> /dev/null"""
    project.path = script(project.folder / "bin", body)
    output = project.stays(way, project.run(way), data)
    assert "not repaired: patching damaged demo" in output
    assert "libdeep.so.1" in output, "the reason why it stays linux_*"


@WAYS
def test_a_patchelf_that_does_nothing_is_detected(project: RepairProject, way: str) -> None:
    data = project.simple()
    project.path = script(project.folder / "bin", "echo 0.18.0")
    output = project.stays(way, project.run(way), data)
    assert re.search("patching damaged [^:]+: it needs ", output) or "its soname is" in output


def test_damage_is_an_error_with_strict(project: RepairProject) -> None:
    project.simple()
    project.path = script(project.folder / "bin", "echo 0.18.0")
    for way in ("hook", "build"):
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
                assert "No space left" in output or "patchelf" in output
            else:
                # The disk was already full when the wrapped backend wrote its wheel.
                assert way != "cli"
                assert "No space left" in done.stdout + done.stderr
                assert project.wheels() == []
        assert codes == {True, False}
    assert NAME not in project.wheels()
