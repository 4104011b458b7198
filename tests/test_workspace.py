"""No file is incomplete after a kill, a full disk or a race, and no open file is renamed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List

import pytest

from elfwriter import Elf, Symbol, write
from manyshim import build
from manyshim.config import Config
from manyshim.errors import ToolError
from manyshim.workspace import private_folder, publish
from mounting import mounted
from unprivileged import unprivileged
from wheelwriter import wheel, wheel_name

NAME = wheel_name()
NEW = "demo-1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
ELF = write(Elf(needed=("libc.so.6",), symbols=(Symbol("malloc", "libc.so.6", "GLIBC_2.17"),)))
MEBIBYTE = 1 << 20
PACKAGE = os.path.dirname(os.path.dirname(build.__file__))
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no folders to lock, no SIGKILL")


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program that can import this package. It prints a line when it is ready."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PACKAGE},
    )


def left(folder: Path) -> List[str]:
    return sorted(path.name for path in folder.glob(".manyshim-*"))


def test_the_folder_is_private_and_is_removed(tmp_path: Path) -> None:
    parent = tmp_path / "new" / "dist"
    with private_folder(str(parent)) as path:
        assert Path(path).parent == parent
        assert left(parent) == [os.path.basename(path)]
        assert os.name == "nt" or os.stat(path).st_mode & 0o077 == 0
        Path(path, "file").write_bytes(b"")
    assert os.listdir(parent) == []
    with pytest.raises(KeyError), private_folder(str(parent)):
        raise KeyError
    assert os.listdir(parent) == []


@posix
def test_abandoned_folders_are_removed_and_nothing_else(tmp_path: Path) -> None:
    outside = tmp_path / "other" / "file"
    left_over = tmp_path / ".manyshim-a_b3c4d5.tmp"
    (left_over / "out" / "deep").mkdir(parents=True)
    (left_over / "out" / "half.whl").write_bytes(b"PK")
    others = (
        *(".manyshim", "manyshim-folder", "other", ".manyshim-notes", ".manyshim-settings"),
        *(".manyshim-abcdefg.tmp", ".manyshim-abcdefghi.tmp", ".manyshim-ABCDEFGH.tmp"),
    )
    for name in others:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"")
    (left_over / "link").symlink_to(outside.parent)
    (tmp_path / ".manyshim-linked12.tmp").symlink_to(outside.parent)
    (tmp_path / ".manyshim-regular1.tmp").write_bytes(b"")
    os.mkfifo(tmp_path / ".manyshim-waiting1.tmp")
    odd = (".manyshim-linked12.tmp", ".manyshim-regular1.tmp", ".manyshim-waiting1.tmp")
    with private_folder(str(tmp_path)) as path:
        assert set(os.listdir(tmp_path)) == {*others, *odd, os.path.basename(path)}
    assert all((tmp_path / name / "file").exists() for name in others)


@posix
def test_folders_of_other_users_stay(tmp_path: Path) -> None:
    """Also root removes its own folders only."""
    if os.geteuid():
        pytest.skip("only root can give a folder to another user")
    folder = tmp_path / ".manyshim-another1.tmp"
    folder.mkdir()
    (folder / "file").write_bytes(b"")
    os.chown(folder, 65534, 65534)
    with private_folder(str(tmp_path)):
        assert (folder / "file").exists()
    os.chown(folder, 0, 0)
    with private_folder(str(tmp_path)):
        assert not folder.exists()


@posix
def test_folders_of_running_processes_stay(tmp_path: Path) -> None:
    script = """if 1:
        import sys
        from manyshim.workspace import private_folder
        with private_folder(sys.argv[1]) as path:
            print(path, flush=True)
            sys.stdin.read()
    """
    with child(script, tmp_path) as other:
        assert other.stdout is not None
        locked = os.path.basename(other.stdout.readline().strip())
        with private_folder(str(tmp_path)) as path:
            assert left(tmp_path) == sorted((locked, os.path.basename(path)))
        assert left(tmp_path) == [locked]
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    assert left(tmp_path) == [locked]
    with private_folder(str(tmp_path)) as path:
        assert left(tmp_path) == [os.path.basename(path)]


@posix
def test_concurrent_runs_do_not_remove_each_other_s_folders(tmp_path: Path) -> None:
    script = """if 1:
        import os, sys
        from manyshim.workspace import private_folder
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(300):
            with private_folder(sys.argv[1]) as path:
                open(os.path.join(path, "file"), "x").close()
                assert os.path.isfile(os.path.join(path, "file"))
    """
    runs = [child(script, tmp_path) for _ in range(6)]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    errors = [run.communicate(timeout=120)[1][-300:] for run in runs]
    assert errors == [""] * len(runs)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("parent", ["file", "file/below"])
def test_no_folder_can_be_made(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ToolError, match="cannot be written"), private_folder(
        str(tmp_path / parent)
    ):
        pytest.fail("there is no such folder")


@posix
def test_read_only_folder() -> None:
    with unprivileged() as folder:
        folder.chmod(0o555)
        with pytest.raises(ToolError, match="cannot be written"), private_folder(str(folder)):
            pytest.fail("the folder is read-only")


def test_publish_reports_what_failed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "source").write_bytes(b"")
    with pytest.raises(ToolError, match=r"target: cannot be written: "):
        publish(str(tmp_path / "source"), str(tmp_path / "target"))


BUILD = """if 1:
    import os, shutil, sys
    from manyshim import config, workspace
    from manyshim import build
    with workspace.private_folder(sys.argv[2]) as folder:
        built = shutil.copy(sys.argv[1], folder)
        print("ready", flush=True)
        build.finish(built, sys.argv[2], config.Config())
    print("done", flush=True)
"""


def large_wheel(size: int) -> bytes:
    source = random.Random(7)  # noqa: S311 (test data)
    noise = source.getrandbits(8 * MEBIBYTE).to_bytes(MEBIBYTE, "little")
    members = {f"demo/{number}.bin": noise for number in range(size)}
    return wheel({"demo/x.so": ELF, **members}, compress=False)


@posix
def test_killed_runs_leave_no_incomplete_file(tmp_path: Path) -> None:
    source, dist = tmp_path / NAME, tmp_path / "dist"
    source.write_bytes(large_wheel(24))
    with child(BUILD, source, dist) as run:
        assert run.stdout is not None
        run.stdout.readline()
        begin = time.monotonic()
        assert run.stdout.readline() == "done\n"
        needed = time.monotonic() - begin
    whole = (dist / NEW).read_bytes()
    chance, killed = random.Random(), 0  # noqa: S311 (any moment is fine)
    for _ in range(12):
        (dist / NEW).unlink()
        with child(BUILD, source, dist) as run:
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, needed))
            os.kill(run.pid, signal.SIGKILL)
        killed += bool(left(dist))
        # The machine's speed changes. The moments have to stay near the end of the work.
        needed *= 1.2 if left(dist) else 0.6
        assert len(left(dist)) <= 1
        wheels = [path.name for path in dist.iterdir() if not path.name.startswith(".manyshim-")]
        assert wheels in ([], [NEW])
        if wheels:
            assert (dist / NEW).read_bytes() == whole
        else:
            (dist / NEW).write_bytes(whole)
    assert killed, "no run was killed while it worked"
    with private_folder(str(dist)):
        assert len(left(dist)) == 1
    assert os.listdir(dist) == [NEW]


MANY = {f"demo/{number}": bytes(2000) for number in range(1500)}
FULL_DISKS = {
    "copied in the kernel": large_wheel(3),
    "written from a buffer": wheel({"demo/x.so": ELF, **MANY}, compress=False),
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts a tmpfs")
@pytest.mark.parametrize("case", FULL_DISKS)
def test_full_disk(tmp_path: Path, case: str) -> None:
    data = FULL_DISKS[case]
    (tmp_path / "dist").mkdir()
    with mounted(tmp_path / "dist", f"size={len(data) * 3 // 2}") as dist:
        with private_folder(str(dist)) as private:
            built = Path(private, NAME)
            built.write_bytes(data)
            with pytest.raises(ToolError, match=r"cannot be written: .*No space left"):
                build.finish(str(built), str(dist), Config())
        assert os.listdir(dist) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="reads the open files from /proc")
@pytest.mark.parametrize("payload", [{"x.so": ELF}, {"x.so": ELF[:99]}, {"a.py": b""}])
def test_no_file_is_renamed_while_it_is_open(tmp_path: Path, payload: Dict[str, bytes]) -> None:
    """Windows does not rename an open file, so the wheel would not be published there."""
    script = """if 1:
        import os, sys
        from manyshim import config
        from manyshim import build
        def hook(event, arguments):
            if event == "os.rename":
                for fd in os.listdir("/proc/self/fd"):
                    target = os.path.realpath("/proc/self/fd/" + fd)
                    assert target != os.path.realpath(arguments[0]), "renamed while it is open"
        sys.addaudithook(hook)
        build.finish(sys.argv[1], sys.argv[2], config.Config())
    """
    (tmp_path / NAME).write_bytes(wheel(payload))
    (tmp_path / "dist").mkdir()
    with child(script, tmp_path / NAME, tmp_path / "dist") as run:
        errors = run.communicate()[1]
    assert "renamed while it is open" not in errors
    assert (run.returncode, errors) == (0, "")
