"""Real faults at every step of a retag leave a complete wheel or none, and the source intact."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

import pytest

import needs
from faults import FINISH, NAME, NEW, RETAG, Place
from mounting import mounted

WAYS = pytest.mark.parametrize("way", [RETAG, FINISH], ids=["retag", "finish"])
WRITES = (
    "mkdir", "write", "pwrite64", "copy_file_range", "fsync", "fdatasync", "rename", "renameat2",
)  # fmt: skip
CLEANING = ("unlink", "unlinkat", "rmdir")

if not sys.platform.startswith("linux"):
    pytest.skip("faults are made by Linux's tools", allow_module_level=True)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="session")
def strace() -> str:
    found = needs.tool("strace", "strace")
    probe = [found, "-qq", "-f", "-e", "inject=fsync:error=EIO", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()}")
    return found


def injected(
    place: Place, strace: str, way: str, fault: str, only: Optional[Path] = None
) -> Iterator[Any]:
    """Run with a fault in the first call, then in the second, and so on, for all calls."""
    log = place.source.with_name("log")
    name = fault.partition(":")[0]
    for number in range(1, 500):
        tool = [strace, "-f", "-qq", "-o", str(log), "-e", f"trace={name}"]
        tool += ["-P", str(only)] if only else []
        done = place.run(way, [*tool, "-e", f"inject={fault}:when={number}"])
        text = log.read_text("utf-8", "replace")
        if "INJECTED" not in text:
            place.judge(done, (), "no fault")
            shutil.rmtree(str(place.dist))
            return
        if "write(1," in text.partition("(INJECTED)")[0].rpartition("\n")[2]:
            # The wheel is already finished. Only its report cannot be printed.
            assert place.wheels() == [NEW]
        yield done
    pytest.fail("the calls have no end")


@WAYS
@pytest.mark.parametrize(("error", "words"), [("ENOSPC", "No space left"), ("EIO", "Input/output")])
def test_each_write_fails_in_turn(
    place: Place, strace: str, way: str, error: str, words: str
) -> None:
    failed: Dict[str, int] = {}
    for call in WRITES:
        for done in injected(place, strace, way, f"{call}:error={error}"):
            failed[call] = failed.get(call, 0) + (done.returncode != 0)
            place.judge(done, (4,), words)
            place.recover()
    assert failed["mkdir"] >= 1
    assert failed["fsync"] >= 2
    assert failed["rename"] >= 1
    assert failed["write"] >= 3
    assert failed.get("copy_file_range", 4) >= 4 or not hasattr(os, "copy_file_range")


@WAYS
def test_folders_that_cannot_be_removed_are_left_to_the_next_run(
    place: Place, strace: str, way: str
) -> None:
    for call in CLEANING:
        for done in injected(place, strace, way, f"{call}:error=EIO"):
            place.judge(done, (4,), "Input/output")
            place.recover()


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="this Python copies by a buffer")
@pytest.mark.parametrize(
    "how", ["error=EXDEV", "error=ENOSYS", "error=EOPNOTSUPP", "error=EINVAL", "retval=0"]
)
def test_file_systems_that_cannot_copy(place: Place, strace: str, how: str) -> None:
    rounds = 0
    for done in injected(place, strace, RETAG, f"copy_file_range:{how}"):
        rounds += 1
        assert done.returncode == 0, done.stderr
        place.recover()
    assert rounds >= 4


@WAYS
def test_each_read_of_the_source_fails_in_turn(tmp_path: Path, strace: str, way: str) -> None:
    place, failed = Place(tmp_path, 1.25, 2), 0
    for done in injected(place, strace, way, "read:error=EIO", only=place.source):
        if way == RETAG:
            failed += done.returncode != 0
            place.judge(done, (3, 4), "Input/output")
            place.recover()
        else:
            # A wheel that cannot be audited is passed on as it was built, here as a link.
            assert "Traceback" not in done.stderr
            failed += os.listdir(place.dist) == [NAME] or done.returncode == 4
            shutil.rmtree(str(place.dist))
    assert failed >= 3


def test_a_disk_that_cannot_be_read_is_no_verdict(tmp_path: Path, strace: str) -> None:
    """A library that cannot be read is not reported as damaged."""
    place = Place(tmp_path, 0.25, 2)
    place.run(RETAG)
    check = ["-m", "manyshim", "check", str(place.dist / NEW)]
    for number in range(1, 500):
        tool = [strace, "-f", "-qq", "-P", str(place.dist / NEW), "-o", os.devnull]
        tool += ["-e", f"inject=read:error=EIO:when={number}", sys.executable]
        done = subprocess.run([*tool, *check], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            break
        assert (done.returncode, done.stdout) == (3, "")
        assert re.fullmatch("manyshim: error: .*: Input/output error\n", done.stderr)
    assert 10 < number < 500


@WAYS
def test_files_that_may_not_grow(place: Place, way: str) -> None:
    """A limit of the process causes faults without any tool."""
    from resource import RLIMIT_FSIZE, setrlimit

    size = place.source.stat().st_size
    for limit in (0, 1, *range(size // 12, size, size // 6)):
        done = place.run(way, preexec_fn=partial(setrlimit, RLIMIT_FSIZE, (limit, limit)))
        place.judge(done, (4,), "File too large")
        assert done.returncode == 4
        place.recover()


@WAYS
def test_full_disk(place: Place, way: str) -> None:
    place.dist.mkdir()
    with mounted(place.dist, "size=4k"):
        codes = set()
        size = place.source.stat().st_size >> 10
        for limit in (8, *range(size // 8, size + size // 4, size // 8)):
            grow = ["mount", "-o", f"remount,size={limit}k", str(place.dist)]
            subprocess.run(grow, check=True)
            done = place.run(way)
            place.judge(done, (4,), "No space left")
            assert os.listdir(place.dist) == ([] if done.returncode else [NEW])
            codes.add(done.returncode)
            if not done.returncode:
                (place.dist / NEW).unlink()
        assert codes == {0, 4}


@contextmanager
def open_place() -> Iterator[Place]:
    """Yield a place that other users can read."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 (other users have to read it)
        yield Place(Path(folder))


@WAYS
def test_read_only_folder(way: str) -> None:
    with open_place() as place:
        place.dist.mkdir(mode=0o555)
        as_nobody = way
        if os.geteuid() == 0:
            # Root can write everywhere, but other users may not be able to read Python's folder.
            loads = "import sys, os, fcntl, hashlib, re, tempfile, zipfile\n"
            loads += "from manyshim.cli.main import main\n"
            loads += "main(['show', sys.argv[1]])\n"
            loads += "import manyshim.workspace\n"
            drop = "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            as_nobody = loads + drop + way
        done = place.run(as_nobody)
        place.judge(done, (4,), f"{re.escape(str(place.dist))}.* cannot be written.*Permission")
        assert done.returncode == 4
        assert os.listdir(place.dist) == []


@WAYS
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_target_exists(place: Place, way: str, kind: str, tmp_path: Path) -> None:
    target, other = place.dist / NEW, tmp_path / "other"
    place.dist.mkdir()
    other.write_bytes(b"other")
    if kind == "folder":
        (target / "below").mkdir(parents=True)
        done = place.run(way)
        assert (done.returncode, os.listdir(place.dist)) == (4, [NEW])
        assert os.listdir(target) == ["below"]
        assert re.search("manyshim: error: .*Is a directory", done.stdout + done.stderr)
        assert place.hashed(place.source) == place.digest
        return
    if kind == "link":
        target.symlink_to(other)
    else:
        target.write_bytes(b"older" * 10**6)
    place.judge(place.run(way), (), "")
    assert other.read_bytes() == b"other", "a link is replaced, not followed"
    assert not target.is_symlink()
