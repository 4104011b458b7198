"""Tools that fail, libraries that vanish, a full disk: a whole wheel or none, and a clear line."""

from __future__ import annotations

import os
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
from repairing import NAME, WAYS, Place, members, real_patchelf, script

pytestmark = needs_gcc

# What follows is done where patchelf is asked for more than its version.
AT_WORK = "case $1 in --version) echo 0.18.0;; *)"
# An audit hook, for which Python itself is the place: it is told of each copy before it is made.
WHEN_COPIED = """\
import os, sys

def hook(event, arguments):
    if event == "shutil.copyfile" and os.fspath(arguments[0]) == {path!r}:
        {action}

sys.addaudithook(hook)
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def at_each_copy(place: Place, path: Path, action: str) -> None:
    folder = place.folder / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WHEN_COPIED.format(path=str(path), action=action))
    place.python_path.append(str(folder))


@WAYS
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "patchelf is not found on PATH or beside the interpreter"),
        ("echo patchelf 0.12", "is patchelf 0.12, older than 0.14"),
        ("exit 3", "patchelf failed with exit code 3"),
        ("kill -SEGV $$", "patchelf was killed by SIGSEGV"),
        (f"{AT_WORK} kill -KILL $$;; esac", "patchelf was killed by SIGKILL"),
        (f"{AT_WORK} exit 9;; esac", "patchelf failed with exit code 9"),
    ],
    ids=["missing", "old", "fails", "crashes", "killed at work", "fails at work"],
)  # fmt: skip
def test_a_patchelf_that_does_not_do(
    place: Place, way: str, body: Optional[str], words: str
) -> None:
    data = place.simple()
    place.path = str(place.folder) if body is None else script(place.folder / "bin", body)
    assert words in place.failed(way, place.run(way), data)


def test_one_that_says_no_version_in_time_is_stopped(place: Place) -> None:
    """Twenty seconds, for all ways at once; longer limits are tested with patch.py itself."""
    data = place.simple()
    place.path = script(place.folder / "bin", f"echo $$ >> {place.folder}/pids; exec sleep 300")
    others = {way: Place(place.folder / way) for way in ("hook", "build")}
    for other in others.values():
        other.path = place.path
        other.source.write_bytes(data)
        shutil.copytree(str(place.libs), str(other.libs), dirs_exist_ok=True)
    begun = {way: other.start(way, {}) for way, other in {"cli": place, **others}.items()}
    for way, other in {"cli": place, **others}.items():
        with begun[way] as child:
            out, err = child.communicate(timeout=120)
        done: Any = subprocess.CompletedProcess([], child.returncode, out, err)
        assert "patchelf was stopped after 20 seconds" in other.failed(way, done, data)
    for pid in (place.folder / "pids").read_text().split():
        assert not Path("/proc", pid).exists()


@WAYS
def test_a_run_that_is_killed_meanwhile_leaves_one_folder_to_the_next(
    place: Place, way: str
) -> None:
    data = place.simple()
    path, pids = place.path, place.folder / "pids"
    body = f"{AT_WORK} echo $$ > {pids}.part; mv {pids}.part {pids}; "
    place.path = script(place.folder / "bin", body + "exec sleep 300;; esac")
    with place.start(way, {}, start_new_session=True) as child:
        deadline = time.monotonic() + 60
        while not pids.exists():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(child.pid, signal.SIGKILL)
        # patchelf has a session of its own, and holds our pipe no longer than it lives.
        os.kill(int(pids.read_text()), signal.SIGKILL)
        child.communicate(timeout=60)
    assert [name[:10] for name in place.wheels()] == [".manyshim-"]
    assert place.source.read_bytes() == data
    place.path = path
    place.repaired(way)


@WAYS
def test_a_library_that_vanishes_before_it_is_copied(place: Place, way: str) -> None:
    data = place.simple()
    library = place.libs / "libdeep.so.1"
    at_each_copy(
        place, library, f"os.path.exists({str(library)!r}) and os.unlink({str(library)!r})"
    )
    said = place.failed(way, place.run(way), data)
    assert str(library) in said
    assert "was there when the repair was planned" in said


@WAYS
def test_a_library_that_changes_before_it_is_copied(place: Place, way: str) -> None:
    data = place.simple()
    library = place.libs / "libdeep.so.1"
    at_each_copy(place, library, f"open({str(library)!r}, 'ab').write(b'more')")
    said = place.failed(way, place.run(way), data)
    assert f"{library} has changed since the repair was planned" in said


@WAYS
@pytest.mark.parametrize("change", ["rm -f", "truncate -s 3"])
def test_a_library_that_vanishes_after_it_was_copied(place: Place, way: str, change: str) -> None:
    """What is needed of it is in the wheel by then; the SBOM says what was copied."""
    place.simple()
    library = place.libs / "libdeep.so.1"
    place.path = script(place.folder / "bin", f'{change} {library}\nexec {real_patchelf()} "$@"')
    size = str(library.stat().st_size)
    finished, _ = place.repaired(way)
    assert size in members(finished)["demo-1.0.dist-info/sboms/manyshim.cdx.json"].decode()


@WAYS
def test_a_patchelf_that_damages_code_is_found_out(place: Place, way: str) -> None:
    data = place.simple()
    tool = needs.tool("readelf", "binutils")
    body = f"""{real_patchelf()} "$@" || exit
case $1 in --version) exit;; esac
for file; do :; done
set -- $({tool} -SW "$file" | sed -n 's/.* \\.text  *PROGBITS *[0-9a-f]* \\([0-9a-f]*\\).*/\\1/p')
printf '\\314' | dd of="$file" bs=1 seek=$((0x$1 + 1)) conv=notrunc 2> /dev/null"""
    place.path = script(place.folder / "bin", body)
    said = place.stays(way, place.run(way), data)
    assert "not repaired: demo" in said
    assert "is damaged by patching it: " in said
    assert "libdeep.so.1" in said, "the reason why it stays linux_*"


@WAYS
def test_a_patchelf_that_does_nothing_is_found_out(place: Place, way: str) -> None:
    data = place.simple()
    place.path = script(place.folder / "bin", "echo 0.18.0")
    said = place.stays(way, place.run(way), data)
    assert "is damaged by patching it: it needs " in said or "its soname is" in said


def test_damage_is_a_failure_where_strict_asks(place: Place) -> None:
    place.simple()
    place.path = script(place.folder / "bin", "echo 0.18.0")
    for way in ("hook", "build"):
        done = place.run(way, {"strict": ["true"]})
        assert (done.returncode, place.wheels()) == (1, [])
        said = done.stdout + done.stderr
        assert "not repaired: " in said
        assert said.count("manyshim: error: ") == 1


@WAYS
def test_full_disk(place: Place, way: str) -> None:
    data = place.simple()
    finished, _ = place.repaired(way)
    whole, name = finished.read_bytes(), finished.name
    shutil.rmtree(str(place.dist))
    place.dist.mkdir()
    with mounted(place.dist, "size=4k"):
        codes = set()
        for limit in (4, 16, 32, 48, 64, 96, 128, 160, 192, 224, 256, 512):
            grow = ["mount", "-o", f"remount,size={limit}k", str(place.dist)]
            subprocess.run(grow, check=True)
            done = place.run(way)
            codes.add(done.returncode == 0)
            if done.returncode == 0:
                assert place.wheels() == [name], done.stderr
                assert (place.dist / name).read_bytes() == whole
                (place.dist / name).unlink()
            elif "manyshim: error:" in done.stdout + done.stderr:
                said = place.failed(way, done, data)
                assert "No space left" in said or "patchelf" in said
            else:
                # The wrapped backend had no room for the wheel that it built.
                assert way != "cli"
                assert "No space left" in done.stdout + done.stderr
                assert place.wheels() == []
        assert codes == {True, False}
    assert NAME not in place.wheels()
