"""Find filler that an earlier run of patchelf left in place of a table that it moved.

Only patchelf's filler bytes outside of all sections count. patchelf may use this space again, so
its bytes may change.
"""

from __future__ import annotations

import re
import struct
from typing import Iterator, List

from manyshim.formats.elf.constants import PT_LOAD, SHF_ALLOC, SHT_NOBITS
from manyshim.formats.elf.image import Image
from manyshim.repair.verify.mapped import Range
from manyshim.repair.verify.segments import Header

_FILLER = re.compile(rb"X{8,}|Z{8,}")
_MAX_SECTIONS = 0xFF00
_PORTION = 1 << 20


def ranges(image: Image, stated: Header) -> Iterator[Range]:
    """Yield the address ranges of filler; none if the file has no section headers."""
    sections = _sections(image, stated)
    if not sections:
        return
    for load in image.of_type(PT_LOAD):
        start = load.offset
        end = load.offset + load.file_size
        for first, last in (*sections, (end, end)):
            gap = min(first, end)
            while start < gap:
                length = min(_PORTION, gap - start)
                for run in _FILLER.finditer(image.bytes_at(start, length)):
                    address = load.address - load.offset + start
                    yield address + run.start(), address + run.end()
                start += length
            start = max(start, last)


def _sections(image: Image, stated: Header) -> List[Range]:
    """Return the ranges of file offsets that loaded sections occupy, sorted."""
    bits = image.layout.bits
    entry = struct.Struct(image.layout.order + ("IIQQQQIIQQ" if bits == 64 else "10I"))
    offset, number = stated.sections, stated.section_count
    if not offset or not 0 < number < _MAX_SECTIONS or stated.section_size != entry.size:
        return []
    if offset + number * entry.size > image.window.size:
        return []
    data = image.window.read(offset, number * entry.size)
    found = [
        (place, place + size)
        for _, kind, flags, _, place, size, *_ in entry.iter_unpack(data)
        if kind != SHT_NOBITS and flags & SHF_ALLOC
    ]
    return sorted(found)
