"""Names of others: globs, and paths that no file can have."""

from __future__ import annotations

import re
import time
from fnmatch import fnmatchcase
from typing import List

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from manyshim.audit.facts import ElfFile, ElfIdent, is_too_long
from manyshim.audit.findings import Evidence
from manyshim.audit.loader.installed import after_origin, used_entries
from manyshim.audit.loader.search import simulate
from manyshim.audit.names import matches
from manyshim.audit.rules.archive import members
from manyshim.audit.tags import GLIBC, MUSL
from rulefacts import elf, wheel

IDENT = ElfIdent(64, True, 62, 3, 0, 0, 0)
LONG = [
    "a" * 256,
    "demo/" + "a" * 256 + "/x.so",
    "\u754c" * 86,
    "a/" * 2048,
    "\udcff" * 300 + ".so",
]
SHORT = ["", "a" * 255, "demo/" + "a" * 255 + "/x.so", "\u754c" * 85, "a/" * 2047, "/", "a//b"]


@pytest.mark.parametrize("path", LONG)
def test_paths_that_no_file_can_have(path: str) -> None:
    assert is_too_long(path)
    (found,) = members(wheel(paths=(path,)))
    assert (found.kind, found.severity, found.evidence) == ("BAD_PATH", "error", Evidence.TOO_LONG)


@pytest.mark.parametrize("path", SHORT)
def test_paths_that_a_file_can_have(path: str) -> None:
    assert not is_too_long(path)


def test_a_long_path_has_no_name_to_parse() -> None:
    elf = ElfFile("demo/" + "a" * 250 + ".abi3.so", IDENT)
    assert (elf.name, elf.module_name, elf.extension_module) == ("", "", False)
    assert elf.loadable
    short = ElfFile("demo/" + "a" * 240 + ".abi3.so", IDENT)
    assert (short.module_name, short.extension_module) == ("a" * 240, True)


def test_a_long_path_provides_no_library() -> None:
    name = "a" * 300
    needs = ElfFile("demo/x.so", IDENT, dynamic=True, needed=(name, ""), runpath=("$ORIGIN",))
    named = ElfFile(f"libs/{name}", IDENT, dynamic=True)
    loading = simulate([needs, named], GLIBC, "x86_64", "demo-1.0")
    assert loading.provider("demo/x.so", "").kind == "system"


GLOBS = st.text(alphabet="ab*?[]!-", max_size=12)
NAMES = st.text(alphabet="ab[]!-\n", max_size=12)


@settings(max_examples=2000, deadline=None)
@given(NAMES, GLOBS)
def test_globs_match_as_in_fnmatch(name: str, glob: str) -> None:
    try:
        expected = fnmatchcase(name, glob)
    except re.error:
        # fnmatch of CPython 3.8 fails with ranges that go backwards.
        assume(False)
    assert matches(name, glob) == expected


@pytest.mark.parametrize(
    "glob", ["*a" * 30 + "b", "*a*a*a*a*b", "?*" * 100 + "b", "*[ab]" * 50 + "c"]
)
def test_globs_do_not_backtrack(glob: str) -> None:
    name = "/".join(["a" * 250] * 16)
    begin = time.process_time()
    assert not matches(name, glob)
    assert time.process_time() - begin < 5


def test_no_glob_matches_a_name_that_is_too_long() -> None:
    assert matches("a" * 255, "*")
    assert not matches("a" * 21_000, "*")


@pytest.mark.parametrize(
    ("entries", "glibc", "musl"),
    [
        (["$ORIGIN", "${ORIGIN}/a"], ["", "/a"], ["", "/a"]),
        (["$ORIGINAL/a", "a/$ORIGIN", ""], [], []),
        (["$ORIGIN/a", "$LIB/x"], ["/a"], []),
        (["$ORIGIN/$ORIGIN"], ["/$ORIGIN"], ["/$ORIGIN"]),
        (["$ORIGIN/a\nb"], ["/a\nb"], ["/a\nb"]),
        (["$ORIGIN/a", "$${ORIGIN}ORIGIN"], ["/a"], []),
        (["$ORIGIN/" + "a" * 5000], [], []),
    ],
)
def test_entries_that_begin_with_origin(
    entries: List[str], glibc: List[str], musl: List[str]
) -> None:
    for libc, expected in ((GLIBC, glibc), (MUSL, musl)):
        used = used_entries(elf(rpath=tuple(entries)), libc)
        assert list(after_origin(used)) == expected
