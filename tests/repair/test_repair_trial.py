"""Patched files are loaded by this machine's own loader."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from elfbuilding import build_chain, gcc, needs_gcc, patchelf
from manyshim.formats.elf.edits import Patch
from manyshim.repair.trial import load_failures

pytestmark = needs_gcc


def library(folder: Path, name: str, text: str) -> str:
    (folder / "source.c").write_text(text)
    gcc(folder, "-shared", "-fPIC", "-w", "source.c", "-o", name)
    return str(folder / name)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    return library(tmp_path_factory.mktemp("good"), "good.so", "int x;")


HEAD = "__attribute__((constructor)) static void f(void) "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "{ *(volatile int *)0 = 1; }", "SIGSEGV"),
        (HEAD + "{ abort(); }", "SIGABRT"),
        (HEAD + "{ _exit(5); }", "exit code 5"),
        (HEAD + "{ _exit(0); }", "exit code 0"),
        (HEAD + "{ for (;;) pause(); }", "after 1 seconds"),
        (HEAD + "{ if (!fork()) for (;;) pause(); for (;;) pause(); }", "after 1 seconds"),
        ("extern int nowhere; int *p = &nowhere;", "nowhere"),
    ],
)
def test_only_failures_that_the_original_lacks_are_returned(
    tmp_path: Path, good: str, text: str, words: str
) -> None:
    bad = library(tmp_path, "bad.so", text)
    shutil.copy(good, tmp_path / "fine.so")
    fine = str(tmp_path / "fine.so")
    found = load_failures([(good, fine), (good, bad), (good, fine)], 1.0)
    assert list(found) == [bad]
    assert words in found[bad]
    assert load_failures([(bad, bad), (good, fine)], 1.0) == {}


def test_a_missing_function_is_no_failure(tmp_path: Path, good: str) -> None:
    assert (
        load_failures(
            [(good, library(tmp_path, "x.so", "int g(void); int f(void) { return g(); }"))], 5
        )
        == {}
    )


def test_each_file_is_loaded_in_its_own_process(tmp_path: Path) -> None:
    chain = build_chain(tmp_path)
    new = tmp_path / "new"
    new.mkdir()
    pairs = []
    for short in ("c3", "b2", "a1"):
        shutil.copy(chain[short], new / chain[short].name)
        patchelf().apply(str(new / chain[short].name), Patch(rpath=""))
        pairs.append((str(chain[short]), str(new / chain[short].name)))
    found = load_failures(pairs, 10)
    assert list(found) == [patched for _, patched in pairs[1:]]
    assert "libc3.so.1: cannot open" in found[pairs[1][1]]


def test_only_the_original_is_loaded_with_ld_library_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = build_chain(tmp_path)
    (tmp_path / "away").mkdir()
    shutil.move(str(chain["c3"]), tmp_path / "away" / "libc3.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "away"))
    same = str(chain["b2"])
    assert "libc3.so.1" in load_failures([(same, same)], 10)[same]
    monkeypatch.delenv("LD_LIBRARY_PATH")
    assert load_failures([(same, same)], 10) == {}


def test_names_may_be_any_bytes(tmp_path: Path, good: str) -> None:
    path = os.path.join(tmp_path, os.fsdecode(b'\xff\n".so'))
    shutil.copy(good, path)
    missing = path + "x"
    assert list(load_failures([(good, path), (good, missing)], 5)) == [missing]


def test_many_files_are_fast(good: str) -> None:
    start = time.monotonic()
    assert load_failures([(good, good)] * 300, 5) == {}
    assert time.monotonic() - start < 10
    assert load_failures([], 5) == {}
