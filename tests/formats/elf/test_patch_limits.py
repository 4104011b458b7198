"""Hostile and unusual files are patched or refused within seconds, with a reason."""

from __future__ import annotations

import struct
import time
from dataclasses import replace
from pathlib import Path
from subprocess import run
from typing import Dict, List, Tuple

import pytest

import needs
from elfbuilding import gcc, needs_gcc
from elfdamage import with_segment, without_dynamic
from elfwriter import TARGETS, Symbol, write
from manyshim.audit.facts import ElfFile
from manyshim.formats.elf import reader
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.patch import patch_file
from manyshim.formats.zip.window import Window
from manyshim.repair.verify import differences

DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT = 1, 4, 5, 6, 10, 11
DT_VERNEEDNUM = 0x6FFFFFFF
LONGER = Patch(rpath="$ORIGIN/../a-longer-folder.libs")
SECONDS = 5


def described(kind: str) -> bytes:
    made = replace(
        TARGETS["x86_64"],
        needed=("libdep.so.1",),
        version_needs=(("libdep.so.1", "V_1"),),
        symbols=(Symbol("used", "libdep.so.1", "V_1"),),
    )
    return write(replace(made, interp="/lib/ld.so", type=2) if kind == "program" else made)


def facts(path: Path) -> ElfFile:
    with path.open("rb") as file:
        return reader.read(path.name, Window(file, 0, 0, path.stat().st_size, 0)).facts


def handmade(entries: List[Tuple[int, int]], strings: int) -> bytes:
    """Return a library with these dynamic entries, and a string table of so many bytes."""
    count, start = len(entries) + 6, 64 + 3 * 56
    symbols = start + count * 16
    table, names = symbols + 24, symbols + 56
    own = [(DT_STRTAB, names), (DT_SYMTAB, symbols), (DT_STRSZ, strings), (DT_SYMENT, 24)]
    end = names + strings
    dynamic = [*own, (DT_HASH, table), *(one if one[1] else (one[0], table) for one in entries)]
    header = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, end, 0, 64, 56, 2, 64, 2, 0)
    segments = struct.pack("<IIQQQQQQ", 1, 6, 0, 0, 0, end, end, 4096)
    segments += struct.pack("<IIQQQQQQ", 2, 6, *[start] * 3, *[count * 16] * 2, 8)
    sections = struct.pack("<IIQQQQIIQQ", 1, 3, 2, names, names, strings, 0, 0, 1, 0)
    return b"".join(
        (
            (b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + header + segments).ljust(start, b"\0"),
            b"".join(struct.pack("<QQ", *one) for one in (*dynamic, (0, 0))),
            bytes(24) + struct.pack("<IIIII", 1, 1, 0, 0, 0).ljust(32, b"\0"),
            b"\0libz.so\0".ljust(strings, b"\0"),
            bytes(64) + sections,
        )
    )


@pytest.mark.parametrize(
    ("entries", "strings", "patch"),
    [
        ([(DT_NEEDED, 1)] * 2000, 8 << 20, Patch(replace_needed=(("libz.so", "libz-new.so"),))),
        ([(DT_HASH, 0)] * 20_000, 64, LONGER),
    ],
    ids=["one name needed often", "one table stated often"],
)
def test_repeated_entries_take_no_time(
    tmp_path: Path, entries: List[Tuple[int, int]], strings: int, patch: Patch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(handmade(entries, strings))
    start = time.monotonic()
    patch_file(str(source), str(target), patch)
    assert differences(str(source), str(target), patch) == []
    assert time.monotonic() - start < SECONDS


def test_notes_that_are_stated_often_take_no_time(tmp_path: Path) -> None:
    data = bytearray(write(TARGETS["x86_64"]))
    (table,), (count,) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<H", data, 56)
    start, more = len(data), 800
    end = start + (count + more) * 56
    notes = struct.pack("<IIQQQQQQ", 4, 4, *[end] * 3, 1 << 20, 1 << 20, 4) * more
    data += data[table : table + count * 56] + notes + bytes(1 << 20)
    struct.pack_into("<Q", data, 32, start)
    struct.pack_into("<H", data, 56, count + more)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    began = time.monotonic()
    with pytest.raises(ElfError, match="no room"):
        patch_file(str(source), str(target), LONGER)
    assert time.monotonic() - began < SECONDS


def test_too_many_section_headers_are_refused(tmp_path: Path) -> None:
    data, count = bytearray(write(TARGETS["x86_64"])), 100_000
    struct.pack_into("<Q", data, 40, len(data))
    struct.pack_into("<HH", data, 60, 0, 0)
    data += struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, count, 0, 0, 0, 0).ljust(64 * count, b"\0")
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    with pytest.raises(ElfError, match="100000 section headers"):
        patch_file(str(source), str(target), LONGER)


def test_a_string_table_that_does_not_fit_into_memory_is_refused(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(handmade([], 65 << 20))
    with pytest.raises(ElfError, match="more than 64 MiB"):
        patch_file(str(source), str(target), LONGER)


@pytest.mark.parametrize("kind", ["plain", "program"])
def test_bytes_that_a_program_finds_at_the_end_of_its_file_stay_there(
    tmp_path: Path, kind: str
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    data = described(kind)
    source.write_bytes(data + b"PAYLOAD8")
    with pytest.raises(ElfError, match="last 8 bytes are in no segment and no section"):
        patch_file(str(source), str(target), LONGER)
    assert not target.exists()
    source.write_bytes(data + bytes(8))
    patch_file(str(source), str(target), LONGER)
    assert differences(str(source), str(target), LONGER) == []


def test_version_needs_end_where_glibc_stops(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    data = described("plain")
    source.write_bytes(without_dynamic(data, DT_VERNEEDNUM))
    patch = Patch(replace_needed=(("libdep.so.1", "libdep-01234567.so.1"),))
    patch_file(str(source), str(target), patch)
    assert differences(str(source), str(target), patch) == []
    assert "libdep-01234567.so.1" in {need.library for need in facts(target).versions_needed}


@needs_gcc
@pytest.mark.parametrize("removed", [(), (".note.gnu.build-id",)])
def test_a_program_of_mold_is_patched(tmp_path: Path, removed: Tuple[str, ...]) -> None:
    """Its notes have two alignments. They move to let the program headers grow."""
    needs.tool("mold", "mold")
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    gcc(tmp_path, "main.c", "-o", "main", "-fuse-ld=mold", "-fcf-protection=full")
    source, target = tmp_path / "main", tmp_path / "target"
    assert facts(source).damage == ()
    for name in removed:
        run([needs.tool("objcopy", "binutils"), "--remove-section", name, source], check=True)
    patch_file(str(source), str(target), LONGER)
    assert differences(str(source), str(target), LONGER) == []
    run([target], check=True)


PT_NOTE, PT_GNU_PROPERTY = 4, 0x6474E553


@pytest.mark.parametrize("sections", [True, False])
@pytest.mark.parametrize(
    ("kind", "nth", "fields"),
    [
        (PT_NOTE, 0, {"memsz": 1 << 27}),
        (PT_NOTE, 1, {"memsz": 1 << 27}),
        (PT_NOTE, 0, {"vaddr": 0xF000}),
        (PT_NOTE, 1, {"vaddr": 0xF000}),
        (PT_GNU_PROPERTY, 0, {"vaddr": 0x8B00}),
        (PT_GNU_PROPERTY, 0, {"vaddr": 0x19F}),
        (PT_GNU_PROPERTY, 0, {"memsz": 1 << 40}),
    ],
)
def test_stale_headers_of_notes_keep_what_they_lead_to(
    tmp_path: Path, kind: int, nth: int, fields: Dict[str, int], *, sections: bool
) -> None:
    """A header that no longer fits its notes is no reason for damage, nor for a false alarm."""
    notes = ((b"GNU", 3, bytes(20)),)
    elf = replace(TARGETS["x86_64"], soname="x.so", isa=2, notes=notes, sections=sections)
    source, target = tmp_path / "x.so", tmp_path / "y.so"
    source.write_bytes(with_segment(write(elf), kind, nth, **fields))
    try:
        patch_file(str(source), str(target), LONGER)
    except ElfError as error:
        assert "no room for one more program header" in str(error)  # noqa: PT017
        return
    assert differences(str(source), str(target), LONGER) == []
    assert facts(target).damage == facts(source).damage
    assert facts(target).isa_level == facts(source).isa_level
