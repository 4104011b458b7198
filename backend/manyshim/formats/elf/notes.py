"""The notes of an ELF file: the x86 level it needs, and its system (ELF gABI chapter 5)."""

from __future__ import annotations

import struct
from typing import Iterator, List, Tuple

from manyshim.formats.elf.constants import (
    GNU_PROPERTY_X86_ISA_1_NEEDED,
    NT_GNU_PROPERTY_TYPE_0,
    PT_GNU_PROPERTY,
    PT_NOTE,
)
from manyshim.formats.elf.image import ElfError, Image, Segment
from manyshim.values import NamedTuple

_X86_MACHINES = (3, 62)
_MAX_NOTES = 1 << 20


class _Part(NamedTuple):
    """A note: its offset, the size of its owner, where its content begins and ends, its type."""

    start: int
    owner_size: int
    content: int
    end: int
    kind: int


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
            for owner, kind, content in _note_entries(image, segment):
                if owner == b"GNU" and kind == NT_GNU_PROPERTY_TYPE_0:
                    level |= _isa_needed(image, content)
                android = android or owner == b"Android"
        except ElfError as error:
            damage.append(str(error))
    return level, android, damage


def _note_entries(image: Image, segment: Segment) -> Iterator[Tuple[bytes, int, bytes]]:
    size = segment.file_size
    if segment.offset + size > image.window.size:
        raise ElfError(
            f"its {size} bytes of notes at offset {segment.offset} extend beyond the file's end"
        )
    data = image.bytes_at(segment.offset, size)
    header = struct.Struct(image.layout.order + "3I")
    align = 8 if segment.align == 8 else 4
    for start, owner_size, content, end, kind in _parts(data, header, align):
        if end > size:
            raise ElfError(f"a note at offset {segment.offset + start} extends beyond its segment")
        owner = data[start + header.size : start + header.size + owner_size]
        yield owner.rstrip(b"\0"), kind, data[content:end]


def _parts(data: bytes, header: struct.Struct, align: int) -> List[_Part]:
    """Return the places of all notes; the last one may extend beyond the data.

    mold has put notes that are aligned to 4 bytes behind those that are aligned to 8.
    """
    parts = list(_aligned_parts(data, header, align))
    if align == 8 and parts and parts[-1].end > len(data):
        other = list(_aligned_parts(data, header, 4))
        return other if other[-1].end <= len(data) else parts
    return parts


def _aligned_parts(data: bytes, header: struct.Struct, align: int) -> Iterator[_Part]:
    position = 0
    while position + header.size <= len(data):
        owner_size, content_size, kind = header.unpack_from(data, position)
        content = -(-(position + header.size + owner_size) // align) * align
        yield _Part(position, owner_size, content, content + content_size, kind)
        position = -(-(content + content_size) // align) * align


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
