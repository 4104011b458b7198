"""Patched files are loaded by this machine's own loader."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from elfbuilding import build_chain, needs_gcc, patched
from manyshim.formats.elf.edits import Patch
from trying import CONSTRUCTOR, attempt, library

pytestmark = needs_gcc


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    return library(tmp_path_factory.mktemp("good"), "good.so", "int x;")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CONSTRUCTOR + "{ *(volatile int *)0 = 1; }", "SIGSEGV"),
        (CONSTRUCTOR + "{ abort(); }", "SIGABRT"),
        (CONSTRUCTOR + "{ if (!fork()) pause(); abort(); }", "SIGABRT"),
        (CONSTRUCTOR + "{ if (fork()) abort(); }", "SIGABRT"),
        (CONSTRUCTOR + "{ if (fork()) { wait(0); abort(); } }", "SIGABRT"),
        (CONSTRUCTOR + "{ if (fork()) { wait(0); _exit(0); } }", "exit code 0"),
        (CONSTRUCTOR + "{ _exit(5); }", "exit code 5"),
        (CONSTRUCTOR + "{ _exit(0); }", "exit code 0"),
        (CONSTRUCTOR + "{ for (int i = 0; i < 1000; i++) close(i); _exit(7); }", "exit code 7"),
        (CONSTRUCTOR + "{ for (;;) pause(); }", "after 1 seconds"),
        (CONSTRUCTOR + "{ if (!fork()) for (;;) pause(); for (;;) pause(); }", "after 1 seconds"),
        (CONSTRUCTOR + "{ for (int i = 0; i < 1000; i++) close(i); pause(); }", "after 1 seconds"),
        ("extern int nowhere; int *p = &nowhere;", "nowhere"),
    ],
)
def test_only_failures_that_the_original_lacks_are_returned(
    tmp_path: Path, good: str, text: str, words: str
) -> None:
    bad = library(tmp_path, "bad.so", text)
    shutil.copy(good, tmp_path / "fine.so")
    fine = str(tmp_path / "fine.so")
    found = attempt([(good, fine), (good, bad), (good, fine)], 1.0)
    assert list(found.failures) == [bad]
    assert words in found.failures[bad]
    assert not found.not_loaded
    found = attempt([(bad, bad), (good, fine)], 1.0)
    assert (found.failures, found.not_loaded) == ({}, {})


@pytest.mark.parametrize(
    "body",
    [
        'for (int i = 0; i < 300000; i++) { puts("much"); fputs("0 0 0 2b\\n", stderr); }',
        'char c; while (read(0, &c, 1) > 0); if (open("/dev/tty", 2) >= 0) abort();',
        "for (int i = 0; i < 1000; i++) close(i);",
        "if (!fork()) for (;;) pause();",
        "fork();",
        'chdir("/"); clearenv(); setlocale(6, "");',
        "signal(SIGCHLD, SIG_IGN); signal(SIGTERM, SIG_IGN); setsid();",
    ],
    ids=["prints", "reads", "closes", "forks", "returns twice", "changes", "ignores"],
)
def test_a_library_with_effects_is_loaded(tmp_path: Path, good: str, body: str) -> None:
    head = "#include <stdio.h>\n#include <signal.h>\n"
    path = library(tmp_path, "x.so", head + CONSTRUCTOR + "{ " + body + " }")
    found = attempt([(good, path), (good, path)], 20)
    assert (found.failures, found.not_loaded) == ({}, {})


def test_a_missing_function_is_no_failure(tmp_path: Path, good: str) -> None:
    path = library(tmp_path, "x.so", "int g(void); int f(void) { return g(); }")
    assert not attempt([(good, path)]).failures


def test_each_file_is_loaded_in_its_own_process(tmp_path: Path) -> None:
    chain = build_chain(tmp_path)
    new = tmp_path / "new"
    new.mkdir()
    pairs = []
    for short in ("c3", "b2", "a1"):
        shutil.copy(chain[short], new / chain[short].name)
        patched(new / chain[short].name, Patch(rpath=""))
        pairs.append((str(chain[short]), str(new / chain[short].name)))
    found = attempt(pairs)
    assert list(found.failures) == [patched for _, patched in pairs[1:]]
    assert "libc3.so.1: cannot open" in found.failures[pairs[1][1]]


def test_names_may_be_any_bytes(tmp_path: Path, good: str) -> None:
    path = os.path.join(tmp_path, os.fsdecode(b'\xff\n".so'))
    shutil.copy(good, path)
    missing = path + "x"
    assert list(attempt([(good, path), (good, missing)]).failures) == [missing]


def test_many_files_are_fast(good: str) -> None:
    start = time.monotonic()
    assert not attempt([(good, good)] * 300, 5).failures
    assert time.monotonic() - start < 10
    assert not attempt([], 5).failures


def test_the_time_for_all_files_is_limited(tmp_path: Path, good: str) -> None:
    slow = library(tmp_path, "slow.so", CONSTRUCTOR + "{ for (;;) pause(); }")
    start = time.monotonic()
    found = attempt([(good, slow), (good, good)], 30, all_seconds=1)
    assert time.monotonic() - start < 20
    assert not found.failures
    reason = "loading all files was not finished after 1 seconds"
    assert found.not_loaded == {slow: reason, good: reason}


def test_a_library_may_end_the_process_that_loads_files(tmp_path: Path, good: str) -> None:
    text = "#include <signal.h>\n" + CONSTRUCTOR + "{ kill(getppid(), SIGKILL); pause(); }"
    bad = library(tmp_path, "bad.so", text)
    shutil.copy(good, tmp_path / "next.so")
    following = str(tmp_path / "next.so")
    found = attempt([(good, good), (good, bad), (good, following)])
    assert not found.failures
    assert set(found.not_loaded) == {bad, following}
    assert set(found.not_loaded.values()) == {"the process that loads files was ended"}


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false"])
def test_without_a_child_process_nothing_is_tested(
    good: str, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    found = attempt([("no file", "no file"), (good, good)])
    assert not found.failures
    assert set(found.not_loaded) == {"no file", good}


def test_a_long_message_is_cut(tmp_path: Path, good: str) -> None:
    name = "n" * 50000
    bad = library(tmp_path, "bad.so", f"extern int {name}; int *p = &{name};")
    text = attempt([(good, bad)] * 5).failures[bad]
    assert "undefined symbol: nnn" in text
    assert len(text) == 1000
    text = attempt([(good, bad)] * 200).failures[bad]
    assert text == "its message is too long to be kept"
