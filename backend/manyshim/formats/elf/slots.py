"""Find a place for one more program header, in a file that has no room behind its table.

The table must stay at its offset: binutils writes it behind the file header again, and Linux before
5.18 computes AT_PHDR from that offset (fs/binfmt_elf.c). So an entry is reused that no loader
needs, or what lies behind the table moves into the new segment.
Sources: ELF gABI chapter 5; glibc elf/dl-load.c and sysdeps/generic/dl-prop.h.
"""

from __future__ import annotations

from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

from manyshim.formats.elf.constants import (
    DT_GNU_HASH,
    DT_HASH,
    DT_STRSZ,
    DT_STRTAB,
    DT_SYMTAB,
    DT_VERDEF,
    DT_VERNEED,
    DT_VERSYM,
    PF_X,
    PT_GNU_PROPERTY,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
    PT_NOTE,
    PT_NULL,
    PT_PHDR,
)
from manyshim.formats.elf.headers import (
    DynamicSection,
    Headers,
    ProgramHeader,
    Range,
    overlaps,
)
from manyshim.formats.elf.image import ElfError
from manyshim.values import NamedTuple

# The tables that may move: loaders find them by these tags only.
TABLES = (DT_GNU_HASH, DT_HASH, DT_SYMTAB, DT_VERSYM, DT_VERDEF, DT_VERNEED)
# The owners of notes that are found by PT_NOTE only. Other notes may be referred to by code.
_OWNERS = (b"GNU\0", b"FDO\0", b"Android\0", b"Go\0\0", b"stapsdt\0")
# The notes that only inform: the version of the system, the build ID, the package, Go's build ID.
_INFORMATION = {(b"GNU\0", 1), (b"GNU\0", 3), (b"FDO\0", 0xCAFE1A7E), (b"Go\0\0", 4)}
# Segments that state no bytes of their own.
_VIEWS = (PT_LOAD, PT_PHDR, PT_NULL, PT_GNU_STACK)


class Slot(NamedTuple):
    """What makes room for the new entry; by default, the table moves into the new segment.

    `dropped` is the index of an entry that is left out. `grows` says that the table grows where it
    is, after the bytes of the ranges `units` have moved.
    """

    dropped: Optional[int] = None
    grows: bool = False
    units: Tuple[Range, ...] = ()


def find_slot(headers: Headers, dynamic: DynamicSection) -> Slot:
    """Return the first slot that the file has. Raises ElfError if there is none."""
    dropped = _reusable(headers, dynamic)
    if dropped is not None:
        return Slot(dropped)
    units = _units_behind(headers, dynamic)
    if units is not None:
        return Slot(grows=True, units=units)
    if not headers.sections:
        return Slot()
    for index, one in enumerate(headers.programs):
        # Code follows the notes in files of gcc-toolset 15. No loader reads these notes, and
        # debuggers find them by their sections.
        if one.type == PT_NOTE and headers.note_kinds(one) <= _INFORMATION:
            return Slot(index)
    raise ElfError("there is no room for one more program header, and strip needs the table")


def _reusable(headers: Headers, dynamic: DynamicSection) -> Optional[int]:
    """Return the index of an entry that no loader needs once the strings have moved."""
    programs = headers.programs
    properties = [one[2:7] for one in programs if one.type == PT_GNU_PROPERTY]
    kept = any(one.type == PT_INTERP for one in programs)
    for index, one in enumerate(programs):
        if one.type == PT_LOAD and _has_only_strings(headers, dynamic, one):
            return index
    for index, one in enumerate(programs):
        if one.type == PT_NULL:
            return index
    for index, one in enumerate(programs):
        # glibc looks for the property first, and musl reads no notes.
        if one.type == PT_NOTE and one[2:7] in properties:
            return index
    for index, one in enumerate(programs):
        if one.type == PT_PHDR and not kept:
            return index
    return None


def _has_only_strings(headers: Headers, dynamic: DynamicSection, load: ProgramHeader) -> bool:
    """Return whether a segment holds the dynamic strings and nothing else, by its sections."""
    inside = [
        (one.address, one.size)
        for one in headers.sections
        if one.allocated and one.size and overlaps(load.range, one.range)
    ]
    if inside != [(dynamic.get(DT_STRTAB), dynamic.get(DT_STRSZ))]:
        return False
    if load.flags & PF_X or load.file_size != load.memory_size or len(headers.loads) < 2:
        return False
    table = headers.header.program_offset
    if load.offset <= table < load.offset + load.file_size:
        return False
    others = (one for one in headers.programs if one.type not in _VIEWS)
    if any(overlaps(load.range, other.range) for other in others):
        return False
    places = headers.places(dynamic.entries, but=(DT_STRTAB,))
    return not any(load.address <= place < load.end for place in places)


def _units_behind(headers: Headers, dynamic: DynamicSection) -> Optional[Tuple[Range, ...]]:
    """Return what must move so that the table can grow by one entry; None if something cannot."""
    start = headers.header.program_offset
    entry = headers.layout.segment.size
    end = start + headers.header.program_count * entry
    first = headers.loads[0]
    if not first.offset <= start or end + entry > first.offset + first.file_size:
        return None
    delta = first.address - first.offset
    hole = (end + delta, end + delta + entry)
    units = tuple(one for one in _units(headers, dynamic, first) if overlaps(one, hole))
    strings = dynamic.get(DT_STRTAB) or 0
    known = (*units, (strings, strings + (dynamic.get(DT_STRSZ) or 0)))
    if any(overlaps(one, hole) for one in _fixed(headers, dynamic, known)):
        return None
    # What begins in a unit must end there, or only a part of it would move.
    movable = (one.range for one in headers.programs if can_move(headers, one))
    parts = (one for one in movable if not _is_inside(one, units))
    if any(overlaps(one, place) for one in parts for place in (hole, *units)):
        return None
    # Without sections, nothing tells that the other bytes are padding.
    return units if headers.sections or not _without(hole, known) else None


def _is_inside(one: Range, others: Iterable[Range]) -> bool:
    return any(start <= one[0] and one[1] <= end for start, end in others)


def _units(headers: Headers, dynamic: DynamicSection, first: ProgramHeader) -> List[Range]:
    """Return the address ranges in the first segment that may move; overlapping ones are one."""
    found = [one.range for one in headers.programs if can_move(headers, one)]
    found += (
        (value, value + size)
        for tag, value in dict(dynamic.entries).items()
        if tag in TABLES
        for size in (_table_size(headers, dynamic, value),)
        if size
    )
    inside = (one for one in found if first.address <= one[0] and one[1] <= first.end)
    merged: List[Range] = []
    for begin, stop in sorted(inside):
        if merged and begin < merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        elif begin < stop:
            merged.append((begin, stop))
    return merged


def _table_size(headers: Headers, dynamic: DynamicSection, address: int) -> int:
    """Return the size of a table, or a larger one that ends at the next address known; 0: none."""
    for section in headers.sections:
        if section.allocated and section.address == address and section.size:
            return section.size
    places = headers.places(dynamic.entries)
    places += (place for one in headers.programs for place in (one.address, one.end))
    return min((place - address for place in places if place > address), default=0)


def _fixed(headers: Headers, dynamic: DynamicSection, known: Sequence[Range]) -> Iterator[Range]:
    """Yield the address ranges that must stay: all that is stated and not in `known`."""
    for section in headers.sections:
        start, end = section.range
        if section.loaded and not _is_inside((start, end), known):
            yield start, end
    for one in headers.programs:
        if one.type not in _VIEWS and not can_move(headers, one):
            yield one.range
            # Its offset may lead to other bytes than its address.
            start = one.offset + headers.loads[0].address - headers.loads[0].offset
            yield start, start + one.file_size
    for place in headers.places(dynamic.entries, but=(*TABLES, DT_STRTAB)):
        yield place, place + 1


def can_move(headers: Headers, one: ProgramHeader) -> bool:
    """Return whether a segment's bytes may move: loaders find them by its header only.

    Tools have left headers behind whose offset and address lead to different bytes.
    """
    if (headers.mapping.find(one.address) or (None,))[0] != one.offset:
        return False
    return one.type in (PT_INTERP, PT_GNU_PROPERTY) or (
        one.type == PT_NOTE and all(owner in _OWNERS for owner, _ in headers.note_kinds(one))
    )


def _without(whole: Range, covered: Iterable[Range]) -> List[Range]:
    """Return the parts of a range that no other range covers."""
    rest, position = [], whole[0]
    for start, end in sorted(covered):
        if start > position:
            rest.append((position, min(start, whole[1])))
        position = max(position, end)
        if position >= whole[1]:
            return [one for one in rest if one[0] < one[1]]
    return [*(one for one in rest if one[0] < one[1]), (position, whole[1])]
