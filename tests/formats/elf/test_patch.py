"""Patched files have the planned names, and keep everything else."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from elfbuilding import build_chain, gcc, needs_gcc, patched
from elfwriter import TARGETS, Elf, Symbol, write
from manyshim.audit.facts import ElfFile
from manyshim.formats.elf import reader
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.headers import Headers
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.patch import patch_file
from manyshim.formats.zip.window import Window

BYTES_NAME = b"lib\xff\xe9.so".decode("utf-8", "surrogateescape")
ALL = Patch(
    replace_needed=(("libdep.so.1", "libdep-01234567.so.1"),),
    remove_needed=("libgone.so.2",),
    soname="lib-with-a-longer-name.so.3",
    rpath="$ORIGIN/../demo.libs",
    plain_stack=True,
)
# Linkers leave no room behind the program headers. In files of elfwriter, what follows them is
# .dynsym or a note.
KINDS: Dict[str, Dict[str, Any]] = {
    "plain": {},
    "no sections": {"sections": False},
    "notes": {"notes": ((b"GNU", 3, bytes(20)),)},
    "both paths": {"rpath": "/a", "runpath": "/b"},
    "strings last": {"strings_last": True},
    "program": {"interp": "/lib/ld.so", "type": 2},
    "sysv hash": {"sysv_hash": True, "gnu_hash": False},
}
DESCRIBED = {
    f"{name}, {part}": replace(
        elf,
        **more,
        soname="x.so",
        needed=("libdep.so.1", "libgone.so.2", "libc.so.6"),
        version_needs=(("libdep.so.1", "V_1"), ("libc.so.6", "GLIBC_2.5")),
        symbols=(Symbol("used", "libdep.so.1", "V_1"),),
        stack_flags=7,
    )
    for name, elf in TARGETS.items()
    for part, more in KINDS.items()
}


def facts(path: Path) -> ElfFile:
    with path.open("rb") as file:
        return reader.read(path.name, Window(file, 0, 0, path.stat().st_size, 0)).facts


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_file_of_each_kind_has_the_planned_names(tmp_path: Path, name: str) -> None:
    source, target, again = (tmp_path / one for one in ("source", "target", "again"))
    source.write_bytes(write(DESCRIBED[name]))
    patch_file(str(source), str(target), ALL)
    before, after = facts(source), facts(target)
    assert after == ALL.applied(before)._replace(path=after.path)
    assert after.needed == ("libdep-01234567.so.1", "libc.so.6")
    assert {need.library for need in after.versions_needed} >= {"libdep-01234567.so.1"}
    repeated = ALL._replace(remove_needed=())
    patch_file(str(target), str(again), repeated)
    assert again.read_bytes() == target.read_bytes()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    return build_chain(tmp_path_factory.mktemp("chain"))


@needs_gcc
@pytest.mark.parametrize("rpath", ["$ORIGIN/../x.libs", "", "@", "-x:" + "y" * 5000, BYTES_NAME])
def test_one_rpath_and_no_runpath_remain(
    tmp_path: Path, chain: Dict[str, Path], rpath: str
) -> None:
    for short in ("a1", "c3"):
        path = Path(shutil.copy(chain[short], tmp_path / short))
        found = facts(patched(path, Patch(rpath=rpath)))
        assert ":".join(found.rpath) == rpath
        assert found.runpath == ()


@pytest.mark.parametrize("rpath", ["$ORIGIN/something/longer", "/b", ""])
def test_both_search_paths_become_one(tmp_path: Path, rpath: str) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(write(Elf(rpath="/a", runpath="/b", needed=("libc.so.6",))))
    found = facts(patched(path, Patch(rpath=rpath)))
    assert (":".join(found.rpath), found.runpath) == (rpath, ())


def test_strings_that_are_there_are_used(tmp_path: Path) -> None:
    """Also the end of another one. Then only entries change, and the file does not grow."""
    path = tmp_path / "x.so"
    path.write_bytes(
        write(Elf(soname="libx.so", needed=("libxy.so.1", "my-liby.so"), runpath="/a"))
    )
    size = path.stat().st_size
    change = Patch((("libxy.so.1", "liby.so"),), soname="my-liby.so", rpath="so.1")
    found = facts(patched(path, change))
    assert found.needed == ("liby.so", "my-liby.so")
    assert (found.soname, found.rpath) == ("my-liby.so", ("so.1",))
    assert path.stat().st_size - size == 0


@needs_gcc
def test_a_symbol_that_shares_the_old_path_s_end_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text("int PyInit_x(void) { return 1; }\n")
    path = tmp_path / "x.abi3.so"
    gcc(tmp_path, "-shared", "-fPIC", "x.c", "-o", path.name, "-Wl,-rpath,/opt/PyInit_x")
    assert facts(patched(path, Patch(rpath="$ORIGIN/../x.libs"))).module_init


@needs_gcc
def test_names_may_be_any_bytes_or_look_like_options(
    tmp_path: Path, chain: Dict[str, Path]
) -> None:
    path = Path(shutil.copy(chain["a1"], tmp_path / "-x"))
    change = Patch((("libb2.so.1", BYTES_NAME), ("libc3.so.1", "--help")), (), "@x")
    found = facts(patched(path, change))
    assert found.needed[:2] == (BYTES_NAME, "--help")
    assert found.soname == "@x"


@needs_gcc
def test_a_read_only_file_keeps_its_mode(tmp_path: Path, chain: Dict[str, Path]) -> None:
    path = Path(shutil.copy(chain["a1"], tmp_path / "x"))
    path.chmod(0o555)
    assert facts(patched(path, Patch(soname="new", rpath="/x"))).soname == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o555


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("dynamic", [True, False])
def test_an_executable_stack_is_one_bit(tmp_path: Path, name: str, *, dynamic: bool) -> None:
    path = tmp_path / "x"
    before = write(replace(TARGETS[name], stack_flags=7, dynamic=dynamic))
    path.write_bytes(before)
    after = patched(path, Patch(plain_stack=True)).read_bytes()
    assert facts(path).executable_stack is False
    changed = [a ^ b for a, b in zip(before, after) if a != b]
    assert (changed, len(after)) == ([1], len(before))
    assert patched(path, Patch(plain_stack=True)).read_bytes() == after


GOOD = Elf(needed=("libdep.so.1",), soname="x.so")
NOT_LAST = replace(GOOD, overlays=((0, 0x900000, 64, 64),))


def damaged(elf: Elf, old: bytes, new: bytes) -> bytes:
    data = write(elf)
    assert data.count(old) == 1
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("data", "patch", "words"),
    [
        (b"\x7fELF", Patch(soname="y"), "ends at 4"),
        (bytes(64), Patch(soname="y"), "not an ELF file"),
        (write(replace(GOOD, dynamic=False)), Patch(soname="y"), "no dynamic section"),
        (
            write(replace(GOOD, needed=(), dt_flags_1=0x08000000)),
            Patch(rpath="/x"),
            "static program",
        ),
        (write(replace(GOOD, type=1)), Patch(soname="y"), "no program and no shared library"),
        (write(GOOD), Patch((("libno.so", "libyes.so"),)), "does not need libno.so"),
        (write(GOOD), Patch(remove_needed=("libno.so",)), "does not need libno.so"),
        (write(GOOD), Patch(soname="a\0b"), "contains NUL"),
        (
            write(replace(GOOD, version_needs=(("libdep.so.1", "V_1"),))),
            Patch(remove_needed=("libdep.so.1",)),
            "needs versions of libdep.so.1",
        ),
        (damaged(GOOD, b"\0x.so\0", b"\0x.soz"), Patch(soname="y"), "does not end with NUL"),
        (write(NOT_LAST), Patch(soname="yyy"), "not the highest in memory"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_patched_is_refused_and_nothing_is_written(
    tmp_path: Path, data: bytes, patch: Patch, words: str
) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ElfError, match=words):
        patch_file(str(tmp_path / "x"), str(tmp_path / "y"), patch)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def table(path: Path) -> List[int]:
    with path.open("rb") as file:
        return [one.type for one in Headers(file).programs]


NOTE, PHDR, PROPERTY, LOAD = 4, 6, 0x6474E553, 1
SOURCE = "int puts(const char *); int call(void) { return puts(__FILE__); }\n"


@needs_gcc
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x86_64 has the property note")
@pytest.mark.parametrize(
    ("options", "change"),
    [
        (("-fcf-protection", "-nostartfiles"), "a note that is a property, too"),
        (("-fcf-protection=none",), "the table grows"),
        (("-fcf-protection=none", "-Wl,--build-id=none"), "the table grows"),
        (("-fcf-protection=none", "-fuse-ld=gold", "-Wl,--rosegment"), "PT_PHDR"),
        (("-fcf-protection=none", "-fuse-ld=gold"), "PT_PHDR"),
    ],
)  # fmt: skip
def test_the_new_entry_takes_the_place_that_loaders_need_least(
    tmp_path: Path, options: Tuple[str, ...], change: str
) -> None:
    (tmp_path / "x.c").write_text(SOURCE)
    path = tmp_path / "x.so"
    gcc(tmp_path, "-shared", "-fPIC", "x.c", "-o", "x.so", *options)
    before = table(path)
    patched(path, Patch(soname="a-new-name.so", rpath="$ORIGIN/a/new/path"))
    wanted = {
        "a note that is a property, too": (-1, 0, 0),
        "the table grows": (0, 0, 1),
        "PT_PHDR": (0, -1, 0),
    }[change]
    after = table(path)
    assert after.count(LOAD) == before.count(LOAD) + 1
    assert (
        after.count(NOTE) - before.count(NOTE),
        after.count(PHDR) - before.count(PHDR),
        len(after) - len(before),
    ) == wanted
    assert after.count(PROPERTY) == before.count(PROPERTY)
    # A second patch uses the same segment.
    patched(path, Patch(soname="another-new-name.so"))
    assert table(path) == after
    stripped = tmp_path / "stripped.so"
    subprocess.run(["strip", "-s", "-o", str(stripped), str(path)], check=True)
    for one in (path, stripped):
        load = f"import ctypes; ctypes.CDLL({str(one)!r}).call()"
        subprocess.run(["python3", "-c", load], check=True, stdout=subprocess.DEVNULL)


def test_code_behind_the_build_id_costs_its_program_header(tmp_path: Path) -> None:
    """As in files of gcc-toolset 15, whose first segment has code behind the notes."""
    data = bytearray(write(replace(GOOD, notes=((b"GNU", 3, bytes(20)),))))
    path = tmp_path / "x.so"
    path.write_bytes(data)
    with path.open("rb") as file:
        headers = Headers(file)
    note = next(one for one in headers.programs if one.type == NOTE)
    # The note ends 36 bytes behind the table, and e_entry says that code follows.
    struct.pack_into("<Q", data, 24, note.end + 1)
    path.write_bytes(data)
    before = table(path)
    found = facts(patched(path, ALL._replace(remove_needed=())))
    assert found.soname == ALL.soname
    assert len(table(path)) == len(before)
    assert NOTE not in table(path)
