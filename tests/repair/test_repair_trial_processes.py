"""What the processes of a trial get from this one, and what of them is left afterwards."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict

import pytest

from elfbuilding import gcc, needs_gcc
from manyshim.repair.outside import Outside
from trying import CONSTRUCTOR, attempt, descriptors, library, running, within

pytestmark = needs_gcc

HEAD = """\
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void leave_id(const char *path) {
    char part[4096]; snprintf(part, sizeof part, "%s.part", path);
    FILE *file = fopen(part, "w"); fprintf(file, "%d", getpid()); fclose(file);
    rename(part, path);
}
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    return library(tmp_path_factory.mktemp("good"), "good.so", "int x;")


# Each leaves the id of a process that would run for minutes.
FORKS = {
    "child": 'if (!fork()) {{ leave_id("{ids}"); sleep(300); }}',
    "session": 'if (!fork()) {{ setsid(); leave_id("{ids}"); sleep(300); }}',
    "daemon": 'if (!fork()) {{ setsid(); if (!fork()) {{ leave_id("{ids}"); sleep(300); }} '
    "_exit(0); }} wait(0);",
    "no descriptors": 'if (!fork()) {{ setsid(); leave_id("{ids}"); '
    "for (int i = 0; i < 1000; i++) close(i); sleep(300); }}",
    "ignores": "if (!fork()) {{ for (int i = 1; i < 65; i++) signal(i, SIG_IGN); "
    'leave_id("{ids}"); sleep(300); }}',
    "program": 'if (!fork()) {{ setsid(); leave_id("{ids}"); '
    'execlp("sleep", "sleep", "300", 0); }}',
}
ENDS = {
    "returns": 'while (access("{ids}", 0)) usleep(1000);',
    "hangs": "for (;;) pause();",
    "exits": 'while (access("{ids}", 0)) usleep(1000); _exit(3);',
    "crashes": 'while (access("{ids}", 0)) usleep(1000); abort();',
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("fork", FORKS)
def test_no_process_of_a_library_is_left(tmp_path: Path, good: str, fork: str, end: str) -> None:
    ids = tmp_path / "ids"
    body = (FORKS[fork] + ENDS[end]).format(ids=ids)
    path = library(tmp_path, "x.so", HEAD + CONSTRUCTOR + "{" + body + "}")
    before = descriptors()
    found = attempt([(good, path), (good, good)], 2)
    assert ids.read_text()
    assert not running(ids)
    assert list(found.failures) == ([] if end == "returns" else [path])
    assert not found.not_loaded
    assert descriptors() == before


def test_many_processes_are_ended(tmp_path: Path, good: str) -> None:
    body = "for (int i = 0; i < 200; i++) if (!fork()) { setsid(); fork(); pause(); }"
    path = library(tmp_path, "x.so", HEAD + CONSTRUCTOR + "{" + body + "}")
    assert not attempt([(good, path)], 5).failures
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            maps = Path("/proc", name, "maps").read_text()
        except OSError:
            continue
        assert path not in maps


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_no_process(tmp_path: Path, good: str, number: int) -> None:
    ids = tmp_path / "ids"
    body = f'{{ leave_id("{ids}"); for (;;) pause(); }}'
    path = library(tmp_path, "x.so", HEAD + CONSTRUCTOR + body)
    code = (
        "import sys; from manyshim.repair.trial import *; from manyshim.repair.outside import *;"
        "good, path, folder = sys.argv[1:];"
        "try_loading([Trial('x', good, path)], Outside(), folder)"
    )
    (tmp_path / "folder").mkdir()
    command = [sys.executable, "-c", code, good, path, str(tmp_path / "folder")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        assert within(60, lambda: ids.exists() and ids.read_text())
        assert running(ids)
        process.send_signal(number)
        process.wait(60)
    assert within(20, lambda: not running(ids))


def environment_seen(folder: Path, good: str, outside: Outside) -> Dict[str, str]:
    """Return the environment in which a library is loaded, and its current folder."""
    seen = folder / "seen"
    body = f"""
    extern char **environ; char folder[4096];
    FILE *file = fopen("{seen}", "w");
    for (char **one = environ; *one; one++) {{ fputs(*one, file); fputc(0, file); }}
    fprintf(file, "pwd=%s", getcwd(folder, 4096)); fputc(0, file);
    fclose(file);"""
    path = library(folder, "x.so", HEAD + CONSTRUCTOR + "{" + body + "}")
    assert not attempt([(good, path)], outside=outside).failures
    texts = seen.read_bytes().rstrip(b"\0").split(b"\0")
    return dict(os.fsdecode(text).split("=", 1) for text in texts)


def test_a_library_gets_path_and_locale_only(
    tmp_path: Path, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LC_TIME": "C", "TOKEN": "secret",
        "LD_LIBRARY_PATH": str(tmp_path), "LD_PRELOAD": "", "HOME": "/root", "PYTHONPATH": "/x",
        "MANYSHIM_TRIAL": "true", "GLIBC_TUNABLES": "", "TMPDIR": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)
    seen = environment_seen(tmp_path / "one", good, Outside())
    folder = seen.pop("pwd")
    assert folder.startswith(f"{tmp_path}/")
    assert not os.path.exists(folder)
    # The interpreter may set LC_CTYPE (PEP 538).
    seen.pop("LC_CTYPE", None)
    assert seen == {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LC_TIME": "C"}
    seen = environment_seen(tmp_path / "two", good, Outside(places={"libgood.so": good}))
    assert seen["LD_LIBRARY_PATH"] == seen["pwd"] != str(tmp_path)


@pytest.mark.parametrize("name", ["a:b", "a;b", "a$ORIGIN", "a\nb", "a b"])
def test_a_private_folder_with_any_name(
    tmp_path: Path, good: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    away = library(tmp_path / "away", "libaway.so.1", "int away;", "-Wl,-soname,libaway.so.1")
    options = ("-Wl,--no-as-needed", f"-L{tmp_path}/away", "-l:libaway.so.1")
    path = library(tmp_path / "in", "x.so", "int y;", *options)
    outside = Outside(frozenset({"libaway.so.1"}), {"libaway.so.1": away})
    found = attempt([(good, path)], outside=outside)
    assert (found.failures, found.not_loaded) == ({}, {})
    assert "libaway.so.1" in attempt([(good, path)]).failures[path]


def test_an_interpreter_that_needs_the_library_path(
    tmp_path: Path, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an interpreter whose libpython is found through LD_LIBRARY_PATH."""
    away = tmp_path / "away"
    text = "int needed(void) { return 0; }"
    needed = library(away, "libneeded.so.1.0", text, "-Wl,-soname,libneeded.so.1")
    (away / "libneeded.so.1").symlink_to("libneeded.so.1.0")
    text = (
        f'int main(int n, char **words) {{ return needed() + execv("{sys.executable}", words); }}'
    )
    (tmp_path / "main.c").write_text(text)
    gcc(tmp_path, "-w", "main.c", "-o", "python", f"-L{away}", "-l:libneeded.so.1")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert attempt([(good, good)]).not_loaded
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere:{away}")
    ctypes.CDLL(needed)
    found = attempt([(good, good)])
    assert (found.failures, found.not_loaded) == ({}, {})
