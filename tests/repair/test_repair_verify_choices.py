"""What a patch leaves open is read from the patched file, and each choice is checked."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import List

import pytest

from elfdamage import with_dynamic, with_header, with_segment
from elfmodel import Elf
from elftables import Symbol
from elfwriter import write
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.patch import patch_file
from manyshim.repair.verify import differences
from manyshim.repair.verify_file import Edit, StoredFile

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_PHDR = 1, 2, 3, 6
DT_INIT, DT_GNU_HASH, DT_VERSYM = 12, 0x6FFFFEF5, 0x6FFFFFF0
BASE = Elf(
    soname="libfoo.so.1",
    needed=("libc.so.6",),
    rpath="/opt/lib",
    symbols=(Symbol("foo"),),
    notes=((b"GNU", 3, b"12345678"),),
    padding=128,
)
PATCH = Patch(soname="libfoo-0badcafe.so.1", rpath="$ORIGIN/x")


def stored(data: bytes) -> StoredFile:
    return StoredFile("x.so", io.BytesIO(data))


class Pair:
    """A file and its patched copy, both as bytes that a test may change."""

    def __init__(self, folder: Path, before: bytes, patch: Patch = PATCH) -> None:
        self.paths = folder / "before.so", folder / "after.so"
        self.patch = patch
        self.paths[0].write_bytes(before)
        patch_file(str(self.paths[0]), str(self.paths[1]), patch)
        self.before, self.after = before, self.paths[1].read_bytes()
        assert self.differences() == []

    def differences(self) -> List[str]:
        for path, data in zip(self.paths, (self.before, self.after)):
            path.write_bytes(data)
        return differences(str(self.paths[0]), str(self.paths[1]), self.patch)


def shifted(data: bytes, by: int) -> bytes:
    """Insert zeros at the start of the last segment, or remove some; all else moves along."""
    file = stored(data)
    segment = [one for one in file.programs if one.type == PT_LOAD][-1]
    start = segment.address
    edits: List[Edit] = []
    for index, one in enumerate(file.programs):
        if one is segment:
            size = one.file_size + by
            one = one._replace(file_size=size, memory_size=size)  # noqa: PLW2901
        elif one.address >= start:
            one = one._replace(  # noqa: PLW2901
                offset=one.offset + by,
                address=one.address + by,
                physical=one.physical + by,
            )
        edits.append(file.program_edit(file.table + index * file.row, one, index))
    for number, section in enumerate(file.sections):
        if section.address >= start:
            moved = section._replace(address=section.address + by, offset=section.offset + by)
            edits.append(file.section_edit(number, moved))
    assert file.dynamic_segment is not None
    place = file.locate(file.dynamic_segment.address, 1, "dynamic section")
    end = start + segment.file_size
    entries = [(tag, value + by * (start <= value < end)) for tag, value in file.entries]
    edits += file.entry_edits(place, entries)
    changed = bytearray(data)
    for offset, new, _ in edits:
        changed[offset : offset + len(new)] = new
    if by < 0:
        del changed[segment.offset : segment.offset - by]
    else:
        changed[segment.offset : segment.offset] = bytes(by)
    return bytes(changed)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (64, ""),
        (8, "has lost its alignment"),
        (32, "has lost its alignment"),
    ],
)
def test_where_moved_tables_lie_is_free_but_for_their_alignment(
    tmp_path: Path, by: int, words: str
) -> None:
    one = Pair(tmp_path, write(BASE))
    one.after = shifted(one.after, by)
    found = one.differences()
    assert any(words in sentence for sentence in found) if words else found == []


def test_no_moved_segment_is_at_the_start_of_the_new_one(tmp_path: Path) -> None:
    """llvm-strip would lose the alignment of the new segment."""
    one = Pair(tmp_path, write(BASE))
    after = stored(one.after).programs
    start = [row.offset for row in after if row.type == PT_LOAD][-1]
    one.after = shifted(one.after, start - min(row.offset for row in after if row.offset > start))
    words = "is at the start of the new segment (llvm-strip)"
    assert any(words in sentence for sentence in one.differences())


@pytest.mark.parametrize(("by", "words"), [(64, ""), (8, "outside of the new segment")])
def test_a_moved_dynamic_section_is_aligned(tmp_path: Path, by: int, words: str) -> None:
    elf = replace(BASE, rpath=None, notes=(), stack_flags=None)
    data = with_segment(write(replace(elf, stack_flags=6)), 0x6474E551, type=0)
    one = Pair(tmp_path, data)
    one.after = shifted(one.after, by)
    found = one.differences()
    assert any(words in sentence for sentence in found) if words else found == []


def test_a_dynamic_section_moves_only_if_it_must(tmp_path: Path) -> None:
    one = Pair(tmp_path, write(replace(BASE, rpath=None)))
    size = stored(one.before).programs
    dynamic = next(program for program in size if program.type == PT_DYNAMIC)
    one.before = with_segment(one.before, PT_DYNAMIC, filesz=dynamic.file_size + 16)
    assert "its dynamic section has moved without need" in one.differences()


def test_what_overlaps_moves_together(tmp_path: Path) -> None:
    """Two tags state the same table here."""
    elf = replace(BASE, tags=((DT_VERSYM, 0x1000),))
    table = stored(write(elf)).value(DT_GNU_HASH)
    one = Pair(tmp_path, with_dynamic(write(elf), DT_VERSYM, table))
    moved = stored(one.after).value(DT_VERSYM)
    assert moved != table
    one.after = with_dynamic(one.after, DT_VERSYM, moved + 64)
    assert f"what was at {table:#x} is no longer together" in one.differences()


def test_program_headers_do_not_grow_over_what_is_in_use(tmp_path: Path) -> None:
    one = Pair(tmp_path, write(replace(BASE, tags=((DT_INIT, 0x1000),))))
    hole = 64 + 56 * stored(one.before).count + 8
    one.before, one.after = (with_dynamic(data, DT_INIT, hole) for data in (one.before, one.after))
    assert one.differences() == [f"its program headers grow over what is at {hole:#x}"]


def test_program_headers_with_sections_do_not_move(tmp_path: Path) -> None:
    data = write(replace(BASE, sections=False, notes=(), interp="/lib/ld.so"))
    data = with_segment(with_segment(data, PT_INTERP, type=0x60000001), PT_PHDR, type=0x60000002)
    one = Pair(tmp_path, data)
    assert stored(one.after).table != stored(one.before).table
    # A table of one empty section.
    place = data.index(bytes(128))
    one.before, one.after = (
        with_header(data, shoff=place, shentsize=64, shnum=1) for data in (one.before, one.after)
    )
    assert one.differences() == ["its program headers have moved, and strip would not find them"]


def test_the_new_segment_is_the_highest_in_memory(tmp_path: Path) -> None:
    one = Pair(tmp_path, write(BASE))
    one.before, one.after = (
        with_segment(data, PT_LOAD, 0, memsz=1 << 20) for data in (one.before, one.after)
    )
    assert "its last segment is not the highest in memory" in one.differences()


def test_a_static_program_grows_by_nothing(tmp_path: Path) -> None:
    data = write(Elf(type=2, dynamic=False, stack_flags=7))
    one = Pair(tmp_path, data, Patch(plain_stack=True))
    one.after += bytes(8)
    assert one.differences() == ["it has 8 more bytes"]
