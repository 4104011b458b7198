"""The messages of both loaders: what they say is missing, and how they name files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Callable, Dict

import pytest

import needs
from elfbuilding import LINUX, needs_gcc
from foreignbuilding import MUSL_LOADER
from manyshim.repair.member_names import readable
from manyshim.repair.outside import Outside
from manyshim.repair.trial import Trial, missing_library, notes, try_loading
from trying import library

pytestmark = pytest.mark.skipif(not LINUX, reason="only Linux has these loaders")

PROGRAM = """\
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
    if (!dlopen(words[1], RTLD_LAZY)) puts(dlerror());
    return 0;
}
"""
GLIBC = pytest.param("gcc", id="glibc", marks=needs.mark(needs.compiler, "gcc"))
MUSL = pytest.param(
    "musl-gcc",
    id="musl",
    marks=[
        needs.mark(needs.tool, "musl-gcc", "musl-tools"),
        needs.mark(needs.file, MUSL_LOADER, "musl"),
    ],
)
LIBCS = pytest.mark.parametrize("compiler", [GLIBC, MUSL])


class Workplace:
    """Compiles libraries with one compiler, and loads them with the loader of its libc."""

    def __init__(self, folder: Path, compiler: str) -> None:
        self.folder, self.compiler = folder, compiler
        self.run(folder, "program.c", PROGRAM, "-o", "program", "-ldl")

    def run(self, folder: Path, name: str, text: str, *arguments: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        subprocess.run([self.compiler, name, *arguments], cwd=str(folder), check=True)

    def library(self, path: Path, text: str, *options: str) -> Path:
        shared = ("-shared", "-fPIC", "-w", "-Wl,--no-as-needed", f"-Wl,-soname,{path.name}")
        self.run(path.parent, "source.c", text, *shared, "-o", path.name, *options)
        return path

    def load(self, path: Path, **environ: str) -> str:
        """Return the loader's message; "" if the file was loaded."""
        command = [str(self.folder / "program"), str(path)]
        return subprocess.check_output(command, env=environ, text=True).rstrip("\n")


@pytest.fixture
def work(tmp_path: Path) -> Callable[[str], Workplace]:
    return lambda compiler: Workplace(tmp_path / "program", compiler)


@LIBCS
def test_a_missing_library_is_found_in_the_message(
    work: Callable[[str], Workplace], tmp_path: Path, compiler: str
) -> None:
    place = work(compiler)
    deep = place.library(tmp_path / "away" / "libdeep.so.1", "int deep;")
    top = place.library(tmp_path / "top.so", "int top;", f"-L{deep.parent}", "-l:libdeep.so.1")
    assert missing_library(place.load(top)) == "libdeep.so.1"
    # As in a trial: a folder with links to what stays outside.
    links = tmp_path / "links"
    links.mkdir()
    (links / "libdeep.so.1").symlink_to(deep)
    assert place.load(top, LD_LIBRARY_PATH=str(links)) == ""
    bad = place.library(tmp_path / "bad.so", "extern int nowhere; int *p = &nowhere;")
    assert "nowhere" in place.load(bad)
    assert missing_library(place.load(bad)) == ""
    bad.write_bytes(b"no library")
    assert missing_library(place.load(bad)) == ""
    assert missing_library("") == ""


@LIBCS
@pytest.mark.parametrize("name", ["plain", "a:b c", "a.so: b", "é(x)", "..."])
def test_the_loader_s_paths_become_members(
    work: Callable[[str], Workplace], tmp_path: Path, compiler: str, name: str
) -> None:
    """The search path leads through `..` to a library that cannot be loaded."""
    place = work(compiler)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    folder = tmp_path / "link" / ".manyshim-x.tmp" / "repair"
    package, libs = folder / "after" / "platlib" / name, folder / "after" / "platlib" / "demo.libs"
    libs.mkdir(parents=True)
    deep = place.library(
        libs / "libdeep-0123.so.1", "extern int nowhere; int *p = &nowhere; int deep;"
    )
    options = (f"-L{libs}", "-l:libdeep-0123.so.1", "-Wl,-rpath,$ORIGIN/../demo.libs")
    top = place.library(package / "top.so", "int top;", *options)
    names = {str(deep): "demo.libs/libdeep-0123.so.1", str(top): f"{name}/top.so"}
    for path in (top, Path(os.path.realpath(top))):
        text = place.load(path)
        assert ".manyshim-x.tmp" in text
        text = readable(text, str(folder), names)
        assert str(tmp_path) not in text
        if compiler != "gcc" and ":" in name:
            # musl splits the expanded search path at the colon.
            assert text.endswith(f"(needed by {name}/top.so)")
            continue
        assert "demo.libs/libdeep-0123.so.1: " in text
        assert "nowhere" in text
        assert "platlib" not in text or name in ("a.so: b", "...")
    deep.unlink()
    text = readable(place.load(top), str(folder), names)
    assert missing_library(text) == "libdeep-0123.so.1"
    assert str(tmp_path) not in text
    assert f"needed by {name}/top.so" in text or compiler == "gcc"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("/f/after/a.so: bad", "pkg/a.so: bad"),
        ("/f/after/a.so.1: bad", "pkg/a.so.1: bad"),
        ("/f/after/./x/../a.so: bad (needed by /f/before/a.so)", "pkg/a.so: bad (needed by old)"),
        ("/f/after/x/y/../../a.so: bad", "pkg/a.so: bad"),
        ("/f/after/other: bad", "other: bad"),
        ("/f/links/libx.so: version `V' not found", "/opt/libx.so: version `V' not found"),
        ("/fa/after/a.so: bad", "/fa/after/a.so: bad"),
        ("/f/after/a.so: a/../b", "pkg/a.so: a/../b"),
        ("\0/f/\0after/a.so", "pkg/a.so"),
        ("/f/", ""),
        ("bad", "bad"),
    ],
)
def test_paths_of_the_private_folder(message: str, words: str) -> None:
    names: Dict[str, str] = {
        "/f/after/a.so": "pkg/a.so",
        "/f/after/a.so.1": "pkg/a.so.1",
        "/f/before/a.so": "old",
        "/f/links/libx.so": "/opt/libx.so",
    }
    assert readable(message, "/f", names) == words
    assert readable(message, "/f/", names) == words


@needs_gcc
@pytest.mark.parametrize("through", ["real", "link"])
def test_a_failure_names_the_member(tmp_path: Path, through: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    folder = tmp_path / through
    good = library(folder / "before", "x.so", "int x;")
    bad = library(folder / "after", "x.so", "extern int nowhere; int *p = &nowhere;")
    found = try_loading(
        [Trial("pkg/x.so", good, bad)], Outside(), str(folder), {good: "pkg/x.so", bad: "pkg/x.so"}
    )
    assert found.failures == {"pkg/x.so": "pkg/x.so: undefined symbol: nowhere"}


def test_files_that_lack_the_same_library_share_a_line() -> None:
    not_found = {f"pkg/{letter}.so": "libx.so is missing" for letter in "bacde"}
    assert notes({**not_found, "pkg/\n.so": "other"}) == [
        "not loaded: pkg/\\n.so: other",
        "not loaded: pkg/a.so, pkg/b.so, pkg/c.so and 2 more: libx.so is missing",
    ]
    assert notes({}) == []
