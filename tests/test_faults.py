"""Real faults at every step of a retag: the finished wheel or none, and the source as it was."""

from __future__ import annotations

import hashlib
import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import pytest

import strict_index_samples as samples
from elfwriter import Elf, Symbol, write
from manyshim import pipeline
from manyshim.config import Config
from manyshim.errors import ManyshimError
from manyshim.formats.rewrite import Edits, rewrite
from manyshim.formats.wheel import Wheel
from manyshim.workspace import private_folder
from wheelwriter import wheel, wheel_name

NAME = wheel_name()
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
NEW = NAME.replace("linux_x86_64", ".".join(PLATFORMS))
ELF = write(Elf(needed=("libc.so.6",), symbols=(Symbol("malloc", "libc.so.6", "GLIBC_2.17"),)))
PACKAGE = os.path.dirname(os.path.dirname(pipeline.__file__))
RETAG = "import sys; from manyshim.cli import main; sys.exit(main(['retag', *sys.argv[1:]]))"
# What the hook does with a wheel that the wrapped backend has built.
FINISH = """if 1:
    import os, shutil, sys
    from manyshim import config, errors, pipeline, workspace
    try:
        with workspace.private_folder(sys.argv[3]) as folder:
            built = os.path.join(folder, os.path.basename(sys.argv[1]))
            os.symlink(sys.argv[1], built)
            pipeline.finish(built, sys.argv[3], config.Config())
    except errors.ManyshimError as error:
        sys.exit(print("manyshim: error:", error, file=sys.stderr) or error.exit_code)
"""
WAYS = pytest.mark.parametrize("way", [RETAG, FINISH], ids=["retag", "finish"])
WRITES = (
    "mkdir", "write", "pwrite64", "copy_file_range", "fsync", "fdatasync", "rename", "renameat2",
)  # fmt: skip
CLEANING = ("unlink", "unlinkat", "rmdir")

if not sys.platform.startswith("linux"):
    pytest.skip("faults are made by Linux's tools", allow_module_level=True)


def noise(size: int) -> bytes:
    return random.Random(7).getrandbits(8 * size).to_bytes(size, "little")  # noqa: S311 (test data)


def built(mebibytes: float, many: int = 40) -> bytes:
    """Make a wheel with members for each way of copying: small ones, and large ones."""
    small = {f"demo/{number}.bin": noise(9000 + number) for number in range(many)}
    large = {f"demo/large{number}.bin": noise(int(mebibytes * (1 << 18))) for number in range(4)}
    return wheel({"demo/x.so": ELF, **small, **large}, compress=False)


class Place:
    """A source and a folder to write into; `whole` is the wheel that must come out."""

    def __init__(self, folder: Path, mebibytes: float = 2, many: int = 40) -> None:
        self.source, self.dist = folder / NAME, folder / "dist"
        self.source.write_bytes(built(mebibytes, many))
        self.digest = self.hashed(self.source)
        assert self.run(RETAG).returncode == 0
        self.whole = self.hashed(self.dist / NEW)
        shutil.rmtree(str(self.dist))

    @staticmethod
    def hashed(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def start(self, way: str, tool: Sequence[str] = (), **more: Any) -> subprocess.Popen[str]:
        command = [*tool, sys.executable, "-c", way, str(self.source), "-w", str(self.dist)]
        environment = {**os.environ, "PYTHONPATH": PACKAGE, "PYTHONDONTWRITEBYTECODE": "1"}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, env=environment, **more
        )

    def run(self, way: str, tool: Sequence[str] = (), **more: Any) -> Any:
        with self.start(way, tool, **more) as child:
            out, err = child.communicate(timeout=120)
        return subprocess.CompletedProcess([], child.returncode, out, err)

    def wheels(self) -> List[str]:
        """List what lies in the folder, and require that it is whole and the source untouched."""
        assert not self.source.exists() or self.hashed(self.source) == self.digest
        names = sorted(os.listdir(self.dist)) if self.dist.is_dir() else []
        found = [name for name in names if not name.startswith(".manyshim-")]
        assert len(names) - len(found) <= 1, "no more than one private folder is left"
        assert found in ([], [NEW])
        assert not found or self.hashed(self.dist / NEW) == self.whole
        return found

    def judge(self, done: Any, codes: Tuple[int, ...], gist: str) -> None:
        """Require what holds after every fault: the words, the code, and what lies there."""
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert done.returncode in (0, *codes), said
        if done.returncode:
            assert re.search(gist, said), said
            assert "manyshim: error: " in said
        elif self.dist.is_dir():
            assert self.wheels() == [NEW]
        self.wheels()

    def recover(self) -> None:
        """Require that the next run finishes and removes what was left."""
        pipeline.retag(str(self.source), str(self.dist), Config())
        assert self.wheels() == os.listdir(self.dist) == [NEW]
        shutil.rmtree(str(self.dist))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="session")
def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed")
    probe = [found, "-qq", "-f", "-e", "inject=fsync:error=EIO", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    return found


def injected(
    place: Place, strace: str, way: str, fault: str, only: Optional[Path] = None
) -> Iterator[Any]:
    """Run with a fault in the first call, the second, and so on, until there is none left."""
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
            # The wheel is finished by then; nobody can read what is said of it.
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
def test_what_cannot_be_cleaned_is_left_to_the_next_run(
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


@WAYS
def test_files_that_may_not_grow(place: Place, way: str) -> None:
    """Where no tool can inject a fault, a limit of the process does."""
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
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "manyshim-test", str(place.dist)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted")
    try:
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
    finally:
        subprocess.run(["umount", str(place.dist)], check=True)


@contextmanager
def open_place() -> Iterator[Place]:
    """Give a place that other users can reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 (that is what it is for)
        yield Place(Path(folder))


@WAYS
def test_read_only_folder(way: str) -> None:
    with open_place() as place:
        place.dist.mkdir(mode=0o555)
        as_nobody = way
        if os.geteuid() == 0:
            # Root may write everywhere, and nobody may read where Python lies.
            loads = (
                "import sys, os, fcntl, manyshim.cli; manyshim.cli.main(['show', sys.argv[1]])\n"
            )
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


@pytest.mark.parametrize(
    "rounds", [20, pytest.param(220, marks=[pytest.mark.full, pytest.mark.timeout(1800)])]
)
def test_killed_at_any_moment(tmp_path: Path, rounds: int) -> None:
    place = Place(tmp_path, 24)
    began = time.monotonic()
    place.judge(place.run(RETAG), (), "")
    needed, chance, moments = time.monotonic() - began, random.Random(), set()  # noqa: S311
    for _ in range(rounds):
        (place.dist / NEW).unlink()
        with place.start(RETAG) as child:
            # Python starts for a good part of the time; the moments shall lie in the work.
            time.sleep(chance.uniform(0.2, 1.1) * needed)
            child.send_signal(signal.SIGKILL)
        found = place.wheels()
        left = len(os.listdir(place.dist)) - len(found)
        moments.add((bool(found), bool(left)))
        needed *= 0.93 if found else 1.05
        place.judge(place.run(RETAG), (), "")
        assert os.listdir(place.dist) == [NEW], "the next run removes what is left"
    assert (False, True) in moments, "no run was killed in its work"


def test_builds_into_one_folder_at_once(place: Place) -> None:
    """Each of them removes abandoned folders, and all give the same file its name."""
    loop = """if 1:
    import sys
    from manyshim.cli import main
    for _ in range(40):
        if main(["retag", *sys.argv[1:]]):
            sys.exit(1)
    """
    runs = [place.start(loop) for _ in range(3)]
    seen = 0
    while any(run.poll() is None for run in runs):
        if (place.dist / NEW).exists():
            assert place.hashed(place.dist / NEW) == place.whole
            seen += 1
    said = [run.communicate()[1] for run in runs]
    assert (said, [run.returncode for run in runs]) == ([""] * 3, [0] * 3)
    assert seen > 20
    assert os.listdir(place.dist) == [NEW]


def vanish(place: Place, _: int) -> None:
    place.source.unlink()


def shorten(place: Place, size: int) -> None:
    os.truncate(str(place.source), random.randrange(size))  # noqa: S311 (any will do)


@pytest.mark.parametrize("harm", [vanish, shorten])
def test_source_is_harmed_while_it_is_read(
    place: Place, harm: Callable[[Place, int], None], tmp_path: Path
) -> None:
    began = time.monotonic()
    place.judge(place.run(RETAG), (), "")
    needed = time.monotonic() - began
    kept = shutil.copy(str(place.source), str(tmp_path / "kept"))
    for round_ in range(20):
        shutil.rmtree(str(place.dist))
        shutil.copy(kept, str(place.source))
        with place.start(RETAG) as child:
            time.sleep(needed * (0.3 + 0.7 * round_ / 20))
            harm(place, os.path.getsize(kept))
            out, err = child.communicate(timeout=60)
        assert "Traceback" not in out + err
        # 1: what is cut off was seen in an audit, which says so of the file.
        assert child.returncode in (0, 1, 3, 4), out + err
        shutil.copy(kept, str(place.source))
        assert bool(place.wheels()) == (child.returncode == 0), out + err
        place.dist.mkdir(exist_ok=True)


def test_source_cut_between_reading_and_copying(tmp_path: Path) -> None:
    """What the directory states of a small last member must be there when it is copied."""
    with zipfile.ZipFile(io.BytesIO(wheel({"demo/x.so": ELF}, compress=False))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["demo/last.bin"] = noise(20_000)
    text = samples.record_line("demo/last.bin", members["demo/last.bin"]).encode()
    members["demo-1.0.dist-info/RECORD"] += text
    data, source = samples.pack(members, method=zipfile.ZIP_STORED), tmp_path / NAME
    for cut in range(0, len(data) - 1000, 500):
        source.write_bytes(data)
        with private_folder(str(tmp_path / "dist")) as private, Wheel(str(source)) as opened:
            os.truncate(str(source), cut)
            with pytest.raises(ManyshimError, match=r"demo-1\.0"):
                rewrite(opened, private, Edits(PLATFORMS))
