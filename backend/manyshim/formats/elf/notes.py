"""The notes of an ELF file: the x86 level it needs, and its system (ELF gABI chapter 5)."""

from __future__ import annotations

import struct

from manyshim.formats.elf.constants import (
    GNU_PROPERTY_X86_ISA_1_NEEDED,
    NT_GNU_PROPERTY_TYPE_0,
    PT_GNU_PROPERTY,
    PT_NOTE,
)
from manyshim.formats.elf.image import ElfError, Image, Segment
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Tuple

_X86_MACHINES = (3, 62)
_MAX_NOTES = 1 << 20


class Note(NamedTuple):
    """A note: its offset in the segment, its owner with NUL, its type and its content."""

    offset: int
    owner: bytes
    kind: int
    content: bytes


def split(data: bytes, order: str, align: int) -> Tuple[List[Note], int]:
    """Split the bytes of a PT_NOTE; `order` is that of `struct`, `align` is p_align.

    Returns the notes, and where they end: beyond the data if the last one is not complete. mold
    puts notes that are aligned to 4 bytes beside those that are aligned to 8, and fills with zeros.
    """
    notes, end = _split(data, order, 8 if align == 8 else 4)
    if align == 8 and end > len(data):
        other = _split(data, order, 4, fills=True)
        return other if other[1] <= len(data) else (notes, end)
    return notes, end


def _split(data: bytes, order: str, align: int, *, fills: bool = False) -> Tuple[List[Note], int]:
    header = struct.Struct(order + "3I")
    notes: List[Note] = []
    position = end = 0
    while position + header.size <= len(data):
        owner_size, size, kind = header.unpack_from(data, position)
        if fills and not owner_size:
            position += 4
            continue
        owner = position + header.size
        content = -(-(owner + owner_size) // align) * align
        end = content + size
        notes.append(Note(position, data[owner : owner + owner_size], kind, data[content:end]))
        position = -(-end // align) * align
    return notes, end


def read(image: Image) -> Tuple[int, bool, List[str]]:
    """Return the x86 level that is needed, whether the file is Android's, and what is damaged.

    Notes are read from the file. Raises ElfError if the loader sees other bytes there.
    """
    level, android, damage, total = 0, False, [], 0
    for segment in image.of_type(PT_NOTE, PT_GNU_PROPERTY):
        if image.mapping.hides(segment.address, segment.file_size):
            raise ElfError(f"its notes at {segment.address:#x} are where a later segment is mapped")
        total += segment.file_size
        if total > _MAX_NOTES:
            damage.append(f"its notes take more than {_MAX_NOTES >> 20} MiB in total")
            break
        try:
            for note in _note_entries(image, segment):
                owner = note.owner.rstrip(b"\0")
                if owner == b"GNU" and note.kind == NT_GNU_PROPERTY_TYPE_0:
                    level |= _isa_needed(image, note.content)
                android = android or owner == b"Android"
        except ElfError as error:
            damage.append(str(error))
    return level, android, damage


def _note_entries(image: Image, segment: Segment) -> Iterator[Note]:
    """Yield the notes of a segment. Raises ElfError behind the last one that is complete."""
    size = segment.file_size
    if segment.offset + size > image.window.size:
        raise ElfError(
            f"its {size} bytes of notes at offset {segment.offset} extend beyond the file's end"
        )
    data = image.bytes_at(segment.offset, size)
    notes, end = split(data, image.layout.order, segment.align)
    yield from notes if end <= size else notes[:-1]
    if end > size:
        start = segment.offset + notes[-1].offset
        raise ElfError(f"a note at offset {start} extends beyond its segment")


def _isa_needed(image: Image, content: bytes) -> int:
    """Return the x86 ISA level that a property note requires (x86-64 psABI, "Program Property")."""
    if image.ident.machine not in _X86_MACHINES:
        return 0
    header = struct.Struct(image.layout.order + "2I")
    align = image.layout.bits // 8
    level = position = 0
    while position + header.size <= len(content):
        kind, size = header.unpack_from(content, position)
        value = content[position + header.size : position + header.size + size]
        if kind == GNU_PROPERTY_X86_ISA_1_NEEDED and len(value) == 4:
            level |= struct.unpack(image.layout.order + "I", value)[0]
        position += header.size + -(-size // align) * align
    return int(level)
