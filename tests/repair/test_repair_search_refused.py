"""Files, links and names that the search for external libraries refuses."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import List, Sequence, Tuple

import pytest

from elfwriter import TARGETS, Elf, write
from manyshim.errors import ConfigError, ToolError
from manyshim.repair.search import Requester, Search
from searching import NAME, below, make_folders, make_requester, path_of, put, search_sysroot, text
from unprivileged import unprivileged

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such links and paths")


# The target, the file in the first folder, and the reported reason.
SKIPPED: List[Tuple[str, str, object, str]] = [
    ("x86_64", "glibc", TARGETS["aarch64"], "is for aarch64"),
    ("aarch64", "glibc", TARGETS["x86_64"], "is for x86_64"),
    ("x86_64", "glibc", TARGETS["i686"], "is for i686"),
    ("ppc64", "glibc", TARGETS["ppc64le"], "is for ppc64le"),
    ("x86_64", "glibc", Elf(machine=190), "is for machine 190"),
    ("x86_64", "glibc", Elf(bits=32), "is not for x86_64: machine 62 as 32-bit little-endian; "),
    ("armv7l", "glibc", replace(TARGETS["armv7l"], flags=0x05000200), "is not for armv7l: the s"),
    ("x86_64", "glibc", Elf(osabi=9), "is for another system: its OS ABI is 9"),
    ("x86_64", "glibc", Elf(needed=("libc.musl-x86_64.so.1",)), "is for musl"),
    ("x86_64", "glibc", Elf(needed=("libc.so",)), "is for musl"),
    ("x86_64", "musl", Elf(needed=("libc.so.6",)), "is for glibc"),
    ("x86_64", "musl", Elf(needed=("ld-linux-x86-64.so.2",)), "is for glibc"),
    ("x86_64", "glibc", Elf(notes=((b"Android", 1, bytes(4)),)), "is for Android"),
    ("x86_64", "glibc", Elf(type=2), "is not a shared library"),
    ("x86_64", "glibc", Elf(type=1), "is not a shared library"),
    ("x86_64", "glibc", Elf(dynamic=False), "is not a shared library"),
    ("x86_64", "glibc", Elf(interp="/lib/ld.so", dt_flags_1=0x08000000), "is not a shared library"),
    ("x86_64", "glibc", b"/* GNU ld script */\nGROUP ( libx.so.1 )\n", "is not an ELF file"),
    ("x86_64", "glibc", b"", "is not an ELF file"),
    ("x86_64", "glibc", b"\x7fELF\x02\x01", "cannot be loaded: its 6 bytes are shorter than an "),
    ("x86_64", "glibc", write(Elf())[:200], "cannot be loaded: its "),
    ("x86_64", "glibc", "folder", "cannot be read: Is a directory"),
    ("x86_64", "glibc", "pipe", "cannot be read: it is not a regular file"),
]


@pytest.mark.parametrize(("arch", "libc", "content", "reason"), SKIPPED)
def test_unsuitable_files_are_skipped(
    tmp_path: Path, arch: str, libc: str, content: object, reason: str
) -> None:
    first, second = tmp_path / "a" / NAME, tmp_path / "b" / NAME
    first.parent.mkdir()
    if isinstance(content, Elf):
        first.write_bytes(write(content))
    elif isinstance(content, bytes):
        first.write_bytes(content)
    elif content == "folder":
        first.mkdir()
    else:
        os.mkfifo(first)
    put(second, arch)
    given = [str(first.parent), str(second.parent)]
    search = Search(arch, libc, native=False, library_path=given)
    for chain in ((), (make_requester(),), (make_requester("", "/none"),)):
        assert below(tmp_path, search.find(NAME, chain)) == f"b/{NAME}"
    (message,) = search.skipped
    assert message.startswith(f"{first} {reason}")


@pytest.mark.parametrize("libc", ["glibc", "musl"])
def test_a_library_without_evidence_is_accepted_for_both_libcs(tmp_path: Path, libc: str) -> None:
    for arch in TARGETS:
        put(tmp_path / arch / NAME, arch)
        search = Search(arch, libc, native=False, library_path=[str(tmp_path / arch)])
        found = search.find(NAME, [])
        assert found is not None
        assert found.facts.ident.machine == TARGETS[arch].machine
    assert search.skipped == []


def test_a_file_without_read_permission_is_skipped() -> None:
    with unprivileged() as folder:
        put(folder / "a" / NAME).chmod(0)
        search = Search("x86_64", "glibc", native=False, library_path=[str(folder / "a")])
        found = search.find(NAME, [])
    assert found is None
    assert search.skipped == [f"{folder}/a/{NAME} cannot be read: Permission denied"]


def test_a_file_with_a_read_error_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / NAME)

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("manyshim.repair.search.read", broken)
    search = Search("x86_64", "glibc", native=False, library_path=[str(tmp_path)])
    assert search.find(NAME, []) is None
    assert search.skipped == [f"{tmp_path}/{NAME} cannot be read: Input/output error"]


@pytest.mark.parametrize("name", ["", f"./{NAME}", f"/{NAME}", "a/b", ".", "..", "x" * 300, "\0"])
def test_names_that_are_not_searched(tmp_path: Path, name: str) -> None:
    put(tmp_path / "a" / NAME)
    search = Search("x86_64", "glibc", native=False, library_path=[str(tmp_path / "a")])
    assert search.find(name, [make_requester("", str(tmp_path / "a"))]) is None


def test_a_result_is_cached_for_its_search_path(tmp_path: Path) -> None:
    root = make_folders(tmp_path / "w")
    search = Search("x86_64", "glibc", native=True)
    chains = [[make_requester("", path_of(root, folder))] for folder in ("a", "b", "e")]
    found = [search.find(NAME, chain) for chain in chains]
    assert [below(root, one) for one in found] == [f"a/{NAME}", f"b/{NAME}", None]
    for folder in "ab":
        (root / folder / NAME).unlink()
    assert [search.find(NAME, chain) for chain in chains] == found


def hostile(root: Path, kind: str) -> Sequence[Requester]:
    if kind == "RPATH of 2000 folders":
        return [make_requester("", ":".join(f"/f{n}" for n in range(2000)))]
    lines = {
        "20000 lines": ["/opt"] * 20_000,
        "a long file": ["/" + "x" * (1 << 21)],
        "stars": ["include /*/*/*/*/*/*"],
        "many files": ["include /d/*x"] * 500,
        "many patterns": ["include " + "/x " * 250_000],
    }.get(kind, ["include /etc/1*"])
    text(root / "etc/ld.so.conf", "\n".join(lines))
    (root / "d").mkdir()
    for n in range(500):
        text(root / f"d/{n:08}", "/opt")
    for n in range(30):
        text(root / f"etc/1{n}", "include /etc/1*\n" * 200)
    return [make_requester()]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (
            "RPATH of 2000 folders",
            "a file of the wheel: its search path and those of the files that load it have",
        ),
        ("20000 lines", "has more than 10000 lines"),
        ("a long file", "has more than 1048576 bytes"),
        ("stars", "has more than 3 stars"),
        ("many files", "its includes name or search more than 200000 files"),
        ("many patterns", "its includes name or search more than 200000 files"),
        ("include loops", "has more than 10000 lines"),
    ],
)
def test_hostile_paths_are_refused_in_time(tmp_path: Path, kind: str, says: str) -> None:
    chain = hostile(tmp_path, kind)
    start = time.monotonic()
    with pytest.raises(ToolError, match=re.escape(says)):
        search_sysroot(tmp_path).find(NAME, chain)
    assert time.monotonic() - start < 10


ODD_PATHS = [
    "/o\0pt",
    "include /etc/\0*",
    "include /e\0tc/x",
    "/\udcff\udcfe",
    "include \udcff*/[\0]",
]


@pytest.mark.parametrize("libc", ["glibc", "musl"])
@pytest.mark.parametrize("line", ODD_PATHS)
def test_paths_that_no_file_has_are_skipped(tmp_path: Path, line: str, libc: str) -> None:
    """At a NUL, musl stops reading its file; glibc skips the line."""
    put(tmp_path / "opt" / NAME)
    for name in ("ld.so.conf", "ld-musl-x86_64.path", "more"):
        content = f"/opt\n{line}\n" if libc == "musl" else f"{line}\n/opt\n"
        (tmp_path / "etc").mkdir(exist_ok=True)
        (tmp_path / "etc" / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    paths = ("/a\0b", "$ORIGIN/\0", "/\udcff")
    chain = [Requester("", paths, ()), Requester("/x\0/y", (), paths)]
    environ = {"LD_LIBRARY_PATH": ":".join(paths)}
    search = search_sysroot(tmp_path, libc=libc, environ=environ, library_path=["/a\0b"])
    found = search.find(NAME, chain)
    assert found is not None
    assert found.path == str(tmp_path / "opt" / NAME)
    assert search.find("lib\0x.so", chain) is None
    native = Search("x86_64", libc, native=True, environ=environ)
    assert native.find("libnone\udcff.so", chain) is None
    with pytest.raises(ConfigError, match="is not a folder"):
        search_sysroot(tmp_path / "a\0b")
