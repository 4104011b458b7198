"""The comparison of patched files accepts good patches, and says what is wrong with others."""

from __future__ import annotations

import glob
import os
import struct
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

from elfbuilding import build_chain, gcc, needs_gcc
from elfdamage import file_offset, table_offset, with_dynamic, with_header, with_segment
from elfmodel import Elf
from elftables import Symbol
from elfwriter import write
from manyshim.audit.facts import ElfFile
from manyshim.errors import ToolError
from manyshim.formats.elf import reader
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.patch import patch_file
from manyshim.formats.zip.window import Window
from manyshim.repair.verify import differences

FOLDER = "/usr/lib/x86_64-linux-gnu"
SYSTEM = (
    *("libssl", "libcrypto", "libstdc++", "libpython3", "libz", "libm", "libgcc_s", "libX11"),
    *("libglib-2.0", "libgio-2.0", "libsqlite3", "libxml2", "libcurl", "libpng16", "libjpeg"),
    *("libfreetype", "libgnutls", "libicudata", "libicuuc", "libLLVM", "libbz2", "liblzma"),
    *("libzstd", "libffi", "libexpat", "libuuid", "libncursesw", "libc", "libgomp"),
)
PT_LOAD, PT_INTERP, PT_NOTE, PT_GNU_STACK = 1, 3, 4, 0x6474E551
DT_INIT, DT_STRTAB, DT_SYMTAB = 12, 5, 6
DT_GNU_HASH, DT_VERNEED = 0x6FFFFEF5, 0x6FFFFFFE


def plan(facts: ElfFile) -> Patch:
    return Patch(
        tuple((name, f"x-0123abcd-{name}") for name in facts.needed),
        (),
        f"y-0123abcd-{facts.soname}" if facts.soname else None,
        "$ORIGIN/../project.libs",
        plain_stack=True,
    )


def facts_of(path: Path) -> ElfFile:
    with path.open("rb") as file:
        return reader.read(path.name, Window(file, 0, 0, path.stat().st_size, 0)).facts


def patched(source: Path, folder: Path) -> Tuple[Path, Patch]:
    target = folder / f"patched-{source.name}"
    change = plan(facts_of(source))
    patch_file(str(source), str(target), change)
    return target, change


def versions(name: str) -> List[str]:
    """Return the files of a library on this machine, sorted."""
    return sorted(glob.glob(f"{FOLDER}/{glob.escape(name)}[.-]*so.*"))


def assert_good_patches(source: Path, folder: Path) -> None:
    """Patch a file, and its copy again with longer names; both comparisons find nothing."""
    target, change = patched(source, folder)
    assert differences(str(source), str(target), change) == []
    again, longer = folder / "again.so", Patch((), (), "z" * 300, "$ORIGIN/" + "z" * 9000)
    patch_file(str(target), str(again), longer)
    assert differences(str(target), str(again), longer) == []
    assert differences(str(target), str(again), change)


@pytest.mark.parametrize("name", [name for name in SYSTEM if versions(name)])
def test_good_patches_of_a_system_library_are_good(tmp_path: Path, name: str) -> None:
    assert_good_patches(Path(versions(name)[-1]).resolve(), tmp_path)


@pytest.mark.parametrize("name", [sys.executable, "/bin/ls"])
def test_good_patches_of_a_program_are_good(tmp_path: Path, name: str) -> None:
    assert_good_patches(Path(name).resolve(), tmp_path)


@needs_gcc
@pytest.mark.parametrize("short", ["a1", "b2", "c3", "main"])
def test_good_patches_of_small_files_are_good(tmp_path: Path, short: str) -> None:
    assert_good_patches(build_chain(tmp_path)[short], tmp_path)


@needs_gcc
@pytest.mark.parametrize("flags", [(), ("-Wl,--hash-style=both", "-Wl,-z,max-page-size=65536")])
def test_good_patches_of_cpp_code_are_good(tmp_path: Path, flags: Tuple[str, ...]) -> None:
    text = '#include <string>\n#include <stdexcept>\nthread_local std::string s = "x";\n'
    text += "int f(int x) { try { return std::stoi(s); } catch (std::exception &) { return x; } }\n"
    (tmp_path / "x.cc").write_text(text)
    gcc(tmp_path, "-shared", "-fPIC", *flags, "x.cc", "-o", "x.so", tool="g++")
    assert_good_patches(tmp_path / "x.so", tmp_path)


BASE = Elf(
    soname="libfoo.so.1",
    needed=("libbar.so.2", "libc.so.6"),
    rpath="/opt/lib",
    symbols=(Symbol("foo"), Symbol("bar", defined=False)),
    version_needs=(("libbar.so.2", "BAR_1"),),
    notes=((b"GNU", 3, b"12345678"),),
    tags=((DT_INIT, 0x1000),),
    padding=64,
)
CHANGE = Patch((("libbar.so.2", "libbar-12345678.so.2"),), (), "libfoo-0badcafe.so.1", "$ORIGIN/x")


@pytest.fixture
def good(tmp_path: Path) -> Tuple[Path, Path]:
    """Return a file and its patched copy."""
    source, target = tmp_path / "source.so", tmp_path / "target.so"
    source.write_bytes(write(BASE))
    patch_file(str(source), str(target), CHANGE)
    assert differences(str(source), str(target), CHANGE) == []
    return source, target


def compared(pair: Tuple[Path, Path], patch: Patch) -> List[str]:
    return differences(str(pair[0]), str(pair[1]), patch)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (CHANGE._replace(soname="other"), "its soname: libfoo-0badcafe.so.1, not other"),
        (CHANGE._replace(soname=None), "its soname: libfoo-0badcafe.so.1, not libfoo.so.1"),
        (CHANGE._replace(rpath="$ORIGIN"), "its rpath: $ORIGIN/x, not $ORIGIN"),
        (CHANGE._replace(rpath=None), "its rpath: $ORIGIN/x, not /opt/lib"),
        (CHANGE._replace(rpath=""), "its rpath: $ORIGIN/x, not none"),
        (CHANGE._replace(replace_needed=()), "its needed: libbar-12345678.so.2, libc.so.6, not"),
        (CHANGE._replace(remove_needed=("libc.so.6",)), "its needed: "),
        (CHANGE._replace(remove_needed=("libbar.so.2",)), "it needs versions of libbar.so.2"),
        (CHANGE._replace(replace_needed=()), "more bytes, too many for the new names"),
    ],
)
def test_each_difference_from_the_patch_is_named(
    good: Tuple[Path, Path], other: Patch, words: str
) -> None:
    found = compared(good, other)
    assert any(words in one for one in found), found


def test_an_executable_stack_is_cleared_only_if_it_was_planned(tmp_path: Path) -> None:
    source, target = tmp_path / "source.so", tmp_path / "target.so"
    source.write_bytes(write(replace(BASE, stack_flags=7)))
    target.write_bytes(write(replace(BASE, stack_flags=6)))
    pair = str(source), str(target)
    assert differences(*pair, Patch(plain_stack=True)) == []
    assert "its executable stack: changed" in differences(*pair, Patch())
    assert "its executable stack: changed" in differences(pair[0], pair[0], Patch(plain_stack=True))


def flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes((data[offset] ^ 1,)) + data[offset + 1 :]


def at(address: int) -> Callable[[bytes], bytes]:
    return lambda data: flipped(data, file_offset(data, address))


DAMAGES: Dict[str, Tuple[Callable[[bytes], bytes], str]] = {
    "code": (lambda data: flipped(data, data.index(bytes(64)) + 20), "its section .text at offset"),
    "symbols": (lambda data: flipped(data, table_offset(data, DT_SYMTAB) + 28), ".dynsym at"),
    "old strings": (lambda data: flipped(data, data.index(b"libfoo.so.1")), ".dynstr at offset"),
    "copied strings": (lambda data: flipped(data, data.rindex(b"libfoo.so.1")), "original's end"),
    "new names": (lambda data: flipped(data, len(data) - 3), "are not the new names"),
    "a moved table": (
        lambda data: flipped(data, table_offset(data, DT_GNU_HASH) + 16),
        "bytes behind the original's end at offset",
    ),
    "a version need": (
        lambda data: flipped(data, table_offset(data, DT_VERNEED) + 4),
        "library of the version needs of libbar.so.2 at offset",
    ),
    "a pointer": (
        lambda data: with_dynamic(data, DT_INIT, 0x1001),
        "dynamic entry of type 0xc at offset",
    ),
    "the size of a segment": (
        lambda data: with_segment(data, PT_LOAD, 1, filesz=8),
        "program header 1 (type 0x1) at offset",
    ),
    "the flags of the new segment": (
        lambda data: with_segment(data, PT_LOAD, 3, flags=7),
        "program header 3",
    ),
    "the new segment": (
        lambda data: with_segment(data, PT_LOAD, 3, vaddr=0x9000),
        "address",
    ),
    "a lost entry": (lambda data: with_header(data, phnum=5), "it has 5 program headers, not"),
    "the entry point": (lambda data: with_header(data, entry=64), "its file header at offset"),
    "the machine": (lambda data: with_header(data, machine=183), "its ident: changed"),
    "sections": (lambda data: with_header(data, shnum=3), "its file header at offset"),
    "a longer file": (lambda data: data + bytes(8), "more bytes, too many for the new names"),
    "a shorter file": (lambda data: data[:-300], "it can no longer be read: "),
    "no string table": (lambda data: with_dynamic(data, DT_STRTAB, 8), "is not in the new segment"),
    "no dynamic section": (lambda data: with_segment(data, 2, type=9), "its dynamic: changed"),
    "a segment beyond the file": (
        lambda data: with_segment(data, PT_LOAD, 1, filesz=99999),
        "it can no longer be read: its segment at 0x",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_named(good: Tuple[Path, Path], name: str) -> None:
    spoil, words = DAMAGES[name]
    source, target = good
    data = target.read_bytes()
    spoiled = spoil(data)
    assert spoiled != data
    target.write_bytes(spoiled)
    found = differences(str(source), str(target), CHANGE)
    assert any(words in one for one in found), found


def rewritten(good: Tuple[Path, Path], edit: Callable[[bytes], bytes]) -> List[str]:
    """Edit the original and the patched file alike, and compare them."""
    for path in good:
        path.write_bytes(edit(path.read_bytes()))
    return compared(good, CHANGE)


def test_program_headers_do_not_grow_over_what_is_in_use(good: Tuple[Path, Path]) -> None:
    before = good[0].read_bytes()
    end = 64 + 56 * struct.unpack_from("<H", before, 56)[0]
    (only,) = rewritten(good, lambda data: with_dynamic(data, DT_INIT, end + 8))
    assert only == f"its program headers grow over what is at {end + 8:#x}"


def test_only_an_entry_that_no_loader_needs_is_dropped(tmp_path: Path) -> None:
    source, target = tmp_path / "source.so", tmp_path / "target.so"
    source.write_bytes(with_segment(write(BASE), PT_GNU_STACK, type=0))
    patch_file(str(source), str(target), CHANGE)
    assert differences(str(source), str(target), CHANGE) == []
    source.write_bytes(write(BASE))
    found = differences(str(source), str(target), CHANGE)
    assert any(f"program header 5 (type {PT_GNU_STACK:#x})" in one for one in found), found


def test_an_unreadable_file_is_an_error_or_a_sentence(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(write(Elf(soname="x")))
    for data in (b"", b"\x7fELF", b"\x7fELF" + bytes(99), b"text" * 99):
        bad.write_bytes(data)
        (only, *_) = differences(str(good), str(bad), Patch())
        assert "it can no longer be read" in only
        with pytest.raises(ToolError, match="cannot be read"):
            differences(str(bad), str(good), Patch())
    for pair in (
        (str(good), os.path.join(tmp_path, "no")),
        (os.path.join(tmp_path, "no"), str(good)),
    ):
        with pytest.raises(ToolError, match="cannot be read"):
            differences(*pair, Patch())


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    source, target = tmp_path / "source.so", tmp_path / "target.so"
    source.write_bytes(write(BASE))
    os.truncate(str(source), 200 << 20)
    patch_file(str(source), str(target), CHANGE)
    tracemalloc.start()
    try:
        assert differences(str(source), str(target), CHANGE) == []
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()
    with target.open("r+b") as file:
        file.seek(150 << 20)
        file.write(b"x")
    (only,) = differences(str(source), str(target), CHANGE)
    assert only == "its bytes of no section at offset 0x9600000: a byte is 0x78, not 0x00"
