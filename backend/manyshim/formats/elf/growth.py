"""Append strings to an ELF file: where they go, and which headers change for it.

Sources: glibc elf/dl-load.c (the mapped size follows from the last PT_LOAD, so ours is the highest
in memory; before 2.35 every p_align is checked); musl ldso/dynlink.c (it gives the rests of
writable pages to malloc, so our segment shares no page); binutils and LLVM for what strip needs.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

from manyshim.formats.elf.constants import (
    DT_NULL,
    DT_STRSZ,
    DT_STRTAB,
    PF_R,
    PF_W,
    PF_X,
    PT_LOAD,
    PT_PHDR,
    SHT_DYNAMIC,
    SHT_STRTAB,
)
from manyshim.formats.elf.headers import (
    DynamicSection,
    Entry,
    Headers,
    ProgramHeader,
    Range,
    last_load,
    round_up,
)
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.payload import check_payload
from manyshim.formats.elf.slots import TABLES, Slot, can_move, find_slot

# Moved bytes keep their address modulo this. No note or table needs more.
_MODULUS = 64
_ALIGNMENT = 16
# llvm-strip takes a PT_LOAD for the parent of a segment at its offset, and loses the alignment.
_BEFORE_SEGMENTS = 16
_IDENT_SIZE = 16
_MAX_HOLE = 64 << 20


class Changes:
    """The changes of one file.

    `edits` are bytes by offset. `copies` are (new offset, offset, size) of bytes that are in the
    file; edits are written after them. The lists of headers are edited; `finish` turns them into
    edits.
    """

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.edits: Dict[int, bytes] = {}
        self.copies: List[Tuple[int, int, int]] = []
        self.file = headers.header
        self.programs = list(headers.programs)
        self.sections = list(headers.sections)

    def edit_section(self, kind: int, at: int, **fields: int) -> None:
        """Change the header of the allocated section of a type at an address, if there is one."""
        self.sections = [
            one._replace(**fields)
            if one.allocated and (one.type, one.address) == (kind, at)
            else one
            for one in self.sections
        ]

    def finish(self) -> None:
        """Add the edits of the headers."""
        headers = self.headers
        if self.file != headers.header:
            self.edits[_IDENT_SIZE] = headers.pack_file(self.file)
        if self.programs != list(headers.programs):
            table = b"".join(map(headers.pack_program, self.programs))
            self.edits[self.file.program_offset] = table
        for index, (old, new) in enumerate(zip(headers.sections, self.sections)):
            if old != new:
                offset = self.file.section_offset + index * self.file.section_size
                self.edits[offset] = headers.pack_section(new)


def place_names(
    changes: Changes,
    dynamic: DynamicSection,
    appended: bytes,
    fitting: Optional[Sequence[Entry]],
    entries: Sequence[Entry],
) -> None:
    """Add the changes for new strings and entries.

    `appended` follows the old string table. `fitting` are the entries that fit where the dynamic
    section is; if it is None, the section moves with all `entries`. Raises ElfError if there is no
    place for a new segment.
    """
    if fitting is not None and not appended:
        _edit_dynamic(changes, dynamic, fitting)
    elif fitting is not None and _has_own_segment(changes.headers, dynamic):
        _grow_own_segment(changes, dynamic, appended, fitting)
    else:
        _Segment(changes, dynamic, appended).add(fitting, entries)


def _edit_dynamic(changes: Changes, dynamic: DynamicSection, entries: Sequence[Entry]) -> None:
    """Write the entries in place; what follows is DT_NULL."""
    if tuple(entries) != dynamic.entries:
        size = max(len(entries), len(dynamic.entries)) + 1
        rest = [(DT_NULL, 0)] * (min(size, dynamic.capacity) - len(entries))
        pack = changes.headers.layout.dynamic.pack
        changes.edits[dynamic.offset] = b"".join(pack(*one) for one in (*entries, *rest))


def _strings_of(dynamic: DynamicSection) -> Range:
    """Return the address range of the string table."""
    address = dynamic.get(DT_STRTAB) or 0
    return address, address + (dynamic.get(DT_STRSZ) or 0)


def _has_own_segment(headers: Headers, dynamic: DynamicSection) -> bool:
    """Return whether the file ends with its string table, in a segment that can grow."""
    last = headers.loads[-1]
    return (
        last.offset + last.file_size == headers.size
        and last.file_size == last.memory_size
        and not last.flags & PF_X
        and last.end == _strings_of(dynamic)[1] == _top(headers)
    )


def _grow_own_segment(
    changes: Changes, dynamic: DynamicSection, appended: bytes, entries: Sequence[Entry]
) -> None:
    index = last_load(changes.programs)
    last = changes.programs[index]
    changes.programs[index] = last._replace(
        file_size=last.file_size + len(appended), memory_size=last.memory_size + len(appended)
    )
    changes.edits[changes.headers.size] = appended
    start, end = _strings_of(dynamic)
    size = end - start + len(appended)
    changes.edit_section(SHT_STRTAB, start, size=size)
    _edit_dynamic(changes, dynamic, _with_values(entries, {DT_STRSZ: size}))


def _with_values(entries: Sequence[Entry], values: Dict[int, int]) -> List[Entry]:
    return [(tag, values.get(tag, value)) for tag, value in entries]


def _top(headers: Headers) -> int:
    """Return the highest address of the file. Raises ElfError if it is not in the last PT_LOAD."""
    top = max((one.end for one in headers.loads), default=0)
    if not top or headers.loads[-1].end != top:
        raise ElfError("its last segment is not the highest in memory")
    return top


class _Segment:
    """A new segment at the end of the file; the string table is the last thing in it."""

    def __init__(self, changes: Changes, dynamic: DynamicSection, appended: bytes) -> None:
        self.changes, self.dynamic, self.appended = changes, dynamic, appended
        headers = self.headers = changes.headers
        check_payload(headers)
        self.slot = find_slot(headers, dynamic)
        self.moves_table = self.slot == Slot()
        self.page = self.align = headers.page
        top = round_up(_top(headers), self.page)
        self.offset = round_up(headers.size, _ALIGNMENT)
        if self.moves_table:
            # The kernel may add e_phoff to the load address to find the table.
            ahead = headers.loads[0].address - headers.loads[0].offset
            self.offset = max(self.offset, top - ahead)
            if self.offset - headers.size > _MAX_HOLE:
                raise ElfError(f"it would grow by {self.offset - headers.size} bytes of zeros")
            # An offset must equal its address modulo the alignment: what divides `ahead`.
            self.align = min(self.page, ahead & -ahead or self.page)
            self.address = self.offset + ahead
        else:
            self.address = top + self.offset % self.page
        bits = headers.layout.bits
        if self.address + 2 * headers.size + self.page > 1 << bits:
            raise ElfError(f"a new segment would not lie within {bits} bits of addresses")
        self.position = self.address
        self.flags = PF_R
        # The address ranges that move, each with how far.
        self.moved: List[Tuple[Range, int]] = []

    def add(self, fitting: Optional[Sequence[Entry]], entries: Sequence[Entry]) -> None:
        """Add the segment with all that moves into it."""
        if self.moves_table:
            self.position += (len(self.changes.programs) + 1) * self.headers.layout.segment.size
        elif self.slot.units or fitting is None:
            self.position += _BEFORE_SEGMENTS
        for unit in self.slot.units:
            self._move(unit)
        values = {
            tag: value + self._delta(value) for tag, value in self.dynamic.entries if tag in TABLES
        }
        count = len(entries) + 2
        place = round_up(self.position, _ALIGNMENT)
        if fitting is None:
            self.position = place + count * self.headers.layout.dynamic.size
        values.update(self._place_strings())
        if fitting is None:
            self._write_dynamic(place, [*_with_values(entries, values), (DT_NULL, 0), (DT_NULL, 0)])
        else:
            _edit_dynamic(self.changes, self.dynamic, _with_values(fitting, values))
        self._edit_headers()

    def _in_file(self, address: int) -> int:
        return self.offset + address - self.address

    def _move(self, unit: Range) -> None:
        """Copy an address range to the next place with the same alignment."""
        start, end = unit
        place = self.position + (start - self.position) % _MODULUS
        offset = self.headers.locate(start, end - start, "tables and notes")
        target = self._in_file(place)
        self.changes.copies.append((target, offset, end - start))
        # Edits of version needs move along.
        edits = self.changes.edits
        for one in [one for one in edits if offset <= one < offset + end - start]:
            edits[target + one - offset] = edits.pop(one)
        self.moved.append((unit, place - start))
        self.position = place + end - start

    def _delta(self, address: int) -> int:
        """Return how far the bytes at an address move."""
        return next((far for (start, end), far in self.moved if start <= address < end), 0)

    def _place_strings(self) -> Dict[int, int]:
        """Copy the old string table with the new strings; return the values of its tags."""
        start, end = _strings_of(self.dynamic)
        offset = self.headers.locate(start, end - start, "dynamic string table")
        place = self._in_file(self.position)
        size = end - start + len(self.appended)
        self.changes.copies.append((place, offset, end - start))
        self.changes.edits[place + end - start] = self.appended
        values = {DT_STRTAB: self.position, DT_STRSZ: size}
        self.changes.edit_section(SHT_STRTAB, start, address=self.position, offset=place, size=size)
        self.position += size
        return values

    def _write_dynamic(self, place: int, entries: Sequence[Entry]) -> None:
        """Write the dynamic section into the segment, which loaders must be able to write to."""
        headers, programs = self.headers, self.changes.programs
        data = b"".join(headers.layout.dynamic.pack(*one) for one in entries)
        offset = self._in_file(place)
        self.changes.edits[offset] = data
        self.flags |= PF_W
        old = programs[self.dynamic.segment]
        moved = old.moved(place - old.address, offset)
        programs[self.dynamic.segment] = moved._replace(file_size=len(data), memory_size=len(data))
        self.changes.edit_section(
            SHT_DYNAMIC, old.address, address=place, offset=offset, size=len(data)
        )

    def _edit_headers(self) -> None:
        changes, slot = self.changes, self.slot
        for index, section in enumerate(changes.sections):
            delta = self._delta(section.address)
            if section.allocated and delta:
                place = section.address + delta
                changes.sections[index] = section._replace(
                    address=place, offset=self._in_file(place)
                )
        for index, one in enumerate(changes.programs):
            delta = self._delta(one.address)
            if delta and can_move(self.headers, one):
                changes.programs[index] = one.moved(delta, self._in_file(one.address + delta))
        if slot.dropped is not None:
            del changes.programs[slot.dropped]
        size = self.position - self.address
        own = ProgramHeader(
            PT_LOAD, self.flags, self.offset, self.address, self.address, size, size, self.align
        )
        changes.programs.insert(last_load(changes.programs) + 1, own)
        if slot.dropped is None:
            self._state_table()

    def _state_table(self) -> None:
        """State the new size of the table, and its place if it moves."""
        changes, count = self.changes, len(self.changes.programs)
        changes.file = changes.file._replace(program_count=count)
        size = count * self.headers.layout.segment.size
        for index, one in enumerate(changes.programs):
            if one.type == PT_PHDR:
                grown = one._replace(file_size=size, memory_size=size)
                if self.moves_table:
                    grown = grown.moved(self.address - one.address, self.offset)
                changes.programs[index] = grown
        if self.moves_table:
            changes.file = changes.file._replace(program_offset=self.offset)
