"""Closed streams, readers that go away, full disks, and processes that are killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List

import pytest

from attacks import MIB, chain
from commandline import run
from elfwriter import Elf, Symbol, write
from manyshim.cli.workers import spread
from wheelwriter import save, wheel, wheel_name

EXTENSION = "demo/_x.cpython-311-x86_64-linux-gnu.so"
ELF = write(Elf(needed=("libc.so.6",), symbols=(Symbol("PyInit__x", defined=True),)))

if not sys.platform.startswith("linux"):
    pytest.skip("closes the streams with a POSIX shell", allow_module_level=True)


def wheels(folder: Path, count: int, padding: int = 0) -> List[str]:
    """Write wheels of different versions; return their paths."""
    files = {EXTENSION: ELF, "demo/padding": os.urandom(padding)}
    paths = []
    for number in range(count):
        version = f"1.{number}"
        data = wheel(files, version=version, compress=False)
        paths.append(str(save(folder, data, wheel_name(version=version))))
    return paths


def shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script whose "$@" is the command line."""
    command = ["bash", "-c", script, "sh", sys.executable, "-m", "manyshim", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("command", [["policies"], ["show"], ["show", "--json"], ["check"]])
def test_closed_output_is_an_error(command: List[str], tmp_path: Path) -> None:
    paths = [] if command == ["policies"] else wheels(tmp_path, 1)
    done = shell('"$@" >&-', *command, *paths)
    line = "manyshim: error: cannot write the output: Bad file descriptor\n"
    assert (done.returncode, done.stderr) == (4, line)


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    done = shell('"$@" >/dev/full', "show", *wheels(tmp_path, 1))
    line = "manyshim: error: cannot write the output: No space left on device\n"
    assert (done.returncode, done.stderr) == (4, line)


@pytest.mark.parametrize("command", [["--help"], ["show", "--help"], ["--version"], ["explain"]])
def test_a_full_disk_is_an_error_for_help_too(command: List[str]) -> None:
    done = shell('"$@" >/dev/full', *command)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)


def test_closed_messages_are_lost_and_nothing_else(tmp_path: Path) -> None:
    (path,) = wheels(tmp_path, 1)
    plain = run("show", path, "absent-1.0-py3-none-any.whl")
    done = shell('"$@" 2>&-', "show", path, "absent-1.0-py3-none-any.whl")
    assert (done.returncode, done.stdout, done.stderr) == (3, plain.stdout, "")


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """The first file that is opened would be standard input, output or error otherwise."""
    (path,) = wheels(tmp_path, 1)
    before = Path(path).read_bytes()
    out = tmp_path / "out"
    done = shell('"$@" <&- >&- 2>&-', "retag", path, "-w", str(out))
    assert done.returncode == 4, "the wheel is written, the report is not"
    (made,) = out.iterdir()
    assert Path(path).read_bytes() == before
    assert run("check", made).returncode in (0, 1)


@pytest.mark.parametrize("colour", [{}, {"FORCE_COLOR": "1", "TERM": "xterm"}])
def test_a_reader_that_goes_away_ends_no_work(colour: Dict[str, str], tmp_path: Path) -> None:
    """All wheels are written, and the exit code is that of the wheels."""
    paths = wheels(tmp_path, 3)
    bad = wheel({EXTENSION: ELF[:99]}, version="2.0")
    paths.insert(1, str(save(tmp_path, bad, wheel_name(version="2.0"))))
    settings = " ".join(f"{name}={value}" for name, value in colour.items())
    script = f'PYTHONUNBUFFERED=1 {settings} "$@" | true; echo "${{PIPESTATUS[0]}}"'
    done = shell(script, "retag", "-v", *paths, "-w", str(tmp_path / "out"))
    assert (done.stdout, done.stderr) == ("1\n", "")
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_reader_of_messages_that_goes_away(tmp_path: Path) -> None:
    """The process waits until the reader is gone."""
    (path,) = wheels(tmp_path, 1)
    arguments = ["show", "absent-1.0-py3-none-any.whl", path]
    done = shell('{ sleep 0.5; exec "$@" 2>&1 >&3 | true; } 3>&1', *arguments)
    assert "manylinux_2_5_x86_64" in done.stdout


def kill_itself(name: str) -> str:
    """Work in a process that the system kills for one of the names."""
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "exits":
        os._exit(3)
    return name.upper()


def how_it_ended(name: str, how: str) -> str:
    return f"{name} {how}"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_killed_process_costs_its_own_wheel_only(jobs: int) -> None:
    names = ["a", "killed", "b", "exits", "killed", "c", "d"]
    found = list(spread(kill_itself, how_it_ended, names, jobs))
    killed = "killed was killed by SIGKILL"
    assert found == ["A", killed, "B", "exits ended with exit code 3", killed, "C", "D"]


def children(process: int) -> List[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return list(map(int, text.split()))


def test_a_killed_process_is_an_internal_error_of_its_wheel(tmp_path: Path) -> None:
    if multiprocessing.get_start_method() != "fork":
        pytest.skip("another process than ours starts the workers")
    slow = tmp_path / wheel_name(version="9.0")
    text = chain(3000, 50).replace(b"demo-1.0.dist-info", b"demo-9.0.dist-info")
    slow.write_bytes(text)
    paths = [str(slow), *wheels(tmp_path, 3, padding=3 * MIB)]
    command = [sys.executable, "-m", "manyshim", "show", "--json", "--jobs", "2", *paths]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        while not children(process.pid):
            time.sleep(0.01)
        os.kill(children(process.pid)[0], signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 6
    found = json.loads(out)["wheels"]
    assert [one["internal"] for one in found] == [True, False, False, False]
    assert [bool(one["tag"]) for one in found] == [False, True, True, True]
    assert "was killed by SIGKILL" in found[0]["error"]
    assert err.startswith(f"manyshim: error: {slow.name}: internal error: ")
    assert "please report" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("files", [8, 20])
def test_few_open_files_cost_no_wheel_its_verdict(files: int, tmp_path: Path) -> None:
    """The wheels are judged with as few processes as the system allows."""
    paths = wheels(tmp_path, 4, padding=3 * MIB)
    command = [sys.executable, "-m", "manyshim", "show", "--json", "--jobs", "4", *paths]
    done = subprocess.run(
        ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(one["tag"] for one in json.loads(done.stdout)["wheels"])
