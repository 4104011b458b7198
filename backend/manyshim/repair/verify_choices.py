"""What a patch left open: the new segment, the program header that made room, and what has moved.

All of it is read from the patched file and checked. The rules are those of the modules that patch,
written a second time.
Sources: ELF gABI chapter 5; glibc elf/dl-load.c, sysdeps/generic/dl-prop.h; Linux fs/binfmt_elf.c.
"""

from __future__ import annotations

import operator
from typing import Iterator, List, Optional, Sequence

from manyshim.formats.elf import constants as c
from manyshim.formats.elf.headers import ProgramHeader, Range, last_load, overlaps, round_up
from manyshim.repair.verify_file import Copy, StoredFile
from manyshim.values import NamedTuple

# What may move to let the program headers grow.
TABLES = (c.DT_GNU_HASH, c.DT_HASH, c.DT_SYMTAB, c.DT_VERSYM, c.DT_VERDEF, c.DT_VERNEED)
MOVING = (c.PT_NOTE, c.PT_INTERP, c.PT_GNU_PROPERTY)
# They keep their addresses modulo this many bytes.
_MODULUS = 64
# Segments that state no bytes of their own.
_VIEWS = (c.PT_NULL, c.PT_LOAD, c.PT_PHDR, c.PT_GNU_STACK)
# Notes that only inform: the version of the system, the build ID, the package, Go's build ID.
_INFORMATION = {(b"GNU\0", 1), (b"GNU\0", 3), (b"FDO\0", 0xCAFE1A7E), (b"Go\0\0", 4)}


class Unit(NamedTuple):
    """Addresses of the original whose bytes have moved together, and how far."""

    start: int
    end: int
    delta: int


class Choices:
    """The choices of one patched file; `problems` are those that no patch makes.

    `segment` is the new segment, or the one that is extended; `rows` are the program headers as
    they must be, but for what moves.
    """

    def __init__(self, old: StoredFile, new: StoredFile, *, clears_stack: bool) -> None:
        self.old, self.new = old, new
        self.units: List[Unit] = []
        self.copies: List[Copy] = []
        self.problems: List[str] = []
        self.segment: Optional[ProgramHeader] = None
        self.extended = self.moves_table = False
        was, now = old.dynamic_segment, new.dynamic_segment
        self.moves_dynamic = bool(was and now and was.address != now.address)
        if new.size > old.size:
            self._find_segment()
        self.rows = self._find_rows(~c.PF_X if clears_stack else ~0)
        if self.moves_table and old.sections:
            self.problems.append("its program headers have moved, and strip would not find them")
        elif not self.moves_table and len(self.rows) > old.count:
            self._find_units()

    def _find_segment(self) -> None:
        """Find the segment with the bytes behind the original's end."""
        old, new = self.old, self.new
        loads = [one for one in old.programs if one.type == c.PT_LOAD]
        if not loads or not old.value(c.DT_STRTAB):
            self.problems.append(f"it has {new.size - old.size} more bytes")
            return
        last = loads[-1]
        end, top = last.end, max(one.end for one in loads)
        if end != top:
            self.problems.append("its last segment is not the highest in memory")
        self.extended = (
            not self.moves_dynamic
            and last.offset + last.file_size == old.size
            and last.file_size == last.memory_size
            and not last.flags & c.PF_X
            and old.value(c.DT_STRTAB) + old.value(c.DT_STRSZ) == end
        )
        if self.extended:
            size = new.size - last.offset
            self.segment = last._replace(file_size=size, memory_size=size)
            return
        page = align = old.page
        offset = round_up(old.size, 16)
        address = round_up(top, page) + offset % page
        self.moves_table = new.table != old.table
        if self.moves_table:
            # Kernels before 5.18 add e_phoff to the load address to find the table.
            ahead = loads[0].address - loads[0].offset
            offset = max(offset, round_up(top, page) - ahead)
            address = offset + ahead
            # The largest power of two that divides `ahead`.
            align = min(page, ahead & -ahead or page)
        flags = c.PF_R | c.PF_W if self.moves_dynamic else c.PF_R
        size = max(new.size - offset, 0)
        self.segment = ProgramHeader(c.PT_LOAD, flags, offset, address, address, size, size, align)

    def holds(self, address: int) -> bool:
        """Return whether an address is in the new segment."""
        one = self.segment
        return one is not None and one.address <= address < one.address + one.file_size

    def offset(self, address: int) -> int:
        """Return the offset of an address in the new segment."""
        return address + (self.segment.offset - self.segment.address if self.segment else 0)

    def moved(self, one: ProgramHeader, delta: int) -> ProgramHeader:
        """Return a program header whose bytes are in the new segment, and how far away."""
        return one.moved(delta, self.offset(one.address + delta))

    def _find_rows(self, stack: int) -> List[ProgramHeader]:
        """Find the table, without what moves: of all slots for the entry, the one that fits."""
        tables = list(self._tables(stack))
        fitting = [rows for rows in tables if len(rows) == self.new.count]
        if not fitting:
            self.problems.append(f"it has {self.new.count} program headers, not {len(tables[0])}")
        return min(
            fitting or tables, key=lambda rows: sum(map(operator.ne, rows, self.new.programs))
        )

    def _tables(self, stack: int) -> Iterator[List[ProgramHeader]]:
        rows = [
            one._replace(flags=one.flags & stack) if one.type == c.PT_GNU_STACK else one
            for one in self.old.programs
        ]
        segment = self.segment
        if segment is None:
            yield rows
            return
        if self.extended:
            last = last_load(rows)
            yield [*rows[:last], segment, *rows[last + 1 :]]
            return
        if not self.moves_table:
            for index, one in enumerate(rows):
                if _may_drop(self.old, one):
                    yield _with_segment([*rows[:index], *rows[index + 1 :]], segment)
        size = (len(rows) + 1) * self.old.row
        for index, one in enumerate(rows):
            if one.type == c.PT_PHDR:
                delta = segment.address - one.address if self.moves_table else 0
                place = self.moved(one, delta) if delta else one
                rows[index] = place._replace(file_size=size, memory_size=size)
        yield _with_segment(rows, segment)

    def _find_units(self) -> None:
        """Find what has moved from behind the program headers, which then have one entry more."""
        old, new = self.old, self.new
        found: List[Unit] = []
        for row, now in zip(self.rows, new.programs):
            if row.type in MOVING and row.address != now.address and self.holds(now.address):
                found.append(Unit(*row.range, now.address - row.address))
        for tag in TABLES:
            was, place = old.value(tag), new.value(tag)
            if was and was != place and self.holds(place):
                found.append(Unit(was, was + _extent(old, was), place - was))
        for unit in sorted(found):
            if unit.delta % _MODULUS:
                self.problems.append(f"what was at {unit.start:#x} has lost its alignment")
            if self.units and unit.start < self.units[-1].end:
                last = self.units.pop()
                if unit.delta != last.delta:
                    self.problems.append(f"what was at {unit.start:#x} is no longer together")
                unit = last._replace(end=max(last.end, unit.end))  # noqa: PLW2901
            self.units.append(unit)
        for start, end, delta in self.units:
            offset = old.locate(start, end - start, "moved bytes")
            self.copies.append(Copy(self.offset(start + delta), offset, end - start))
        hole = old.table + old.count * old.row
        strings = old.value(c.DT_STRTAB)
        kept = [*(unit[:2] for unit in self.units), (strings, strings + old.value(c.DT_STRSZ))]
        self.problems += _bytes_under(old, (hole, hole + old.row), kept)

    def delta(self, address: int) -> int:
        """Return how far the bytes at an address have moved."""
        return next((one.delta for one in self.units if one.start <= address < one.end), 0)


def _with_segment(rows: List[ProgramHeader], segment: ProgramHeader) -> List[ProgramHeader]:
    last = last_load(rows)
    return [*rows[: last + 1], segment, *rows[last + 1 :]]


def _may_drop(file: StoredFile, one: ProgramHeader) -> bool:
    """Return whether no loader needs a program header once the strings have moved."""
    rows = file.programs
    if one.type == c.PT_NOTE:
        # glibc looks for the property first, and musl reads no notes.
        twin = any(one[2:7] == row[2:7] for row in rows if row.type == c.PT_GNU_PROPERTY)
        return twin or (bool(file.sections) and file.note_kinds(one) <= _INFORMATION)
    if one.type == c.PT_PHDR:
        return not any(row.type == c.PT_INTERP for row in rows)
    return one.type == c.PT_NULL or (one.type == c.PT_LOAD and _has_only_strings(file, one))


def _extent(file: StoredFile, address: int) -> int:
    """Return the size of the table at an address, or what there is up to the next thing known."""
    for section in file.sections:
        if section.allocated and section.address == address and section.size:
            return section.size
    places = file.places(file.entries)
    places += (place for one in file.programs for place in (one.address, one.end))
    return min((place - address for place in places if place > address), default=0)


def _bytes_under(file: StoredFile, hole: Range, moved: Sequence[Range]) -> Iterator[str]:
    """Yield what is at the addresses of a new program header and has not moved."""
    load = next(one for one in file.programs if one.type == c.PT_LOAD)
    start, end = (offset + load.address - load.offset for offset in hole)
    if not load.offset <= hole[0] or hole[1] > load.offset + load.file_size:
        yield "its program headers grow beyond the first segment"
    movable = [one.range for one in file.sections if one.loaded]
    movable += (one.range for one in file.programs if one.type in MOVING)
    movable += ((file.value(tag), file.value(tag) + 1) for tag in (*TABLES, c.DT_STRTAB))
    if not file.sections:
        # Any byte may belong to something.
        movable += ((place, place + 1) for place in range(start, end))
    others = [one.range for one in file.programs if one.type not in (*_VIEWS, *MOVING)]
    others += ((place, place + 1) for place in file.places(file.entries, (*TABLES, c.DT_STRTAB)))
    others += (one for one in movable if not any(a <= one[0] and one[1] <= b for a, b in moved))
    for one in others:
        if overlaps(one, (start, end)):
            yield f"its program headers grow over what is at {one[0]:#x}"


def _has_only_strings(file: StoredFile, load: ProgramHeader) -> bool:
    """Return whether a segment holds the dynamic strings and nothing else, by its sections."""
    start, end = load.range
    rest = [one for one in file.programs if one.type not in _VIEWS or one.type == c.PT_LOAD]
    rest.remove(load)
    if (
        load.flags & c.PF_X
        or load.file_size != load.memory_size
        or load.offset <= file.table < load.offset + load.file_size
        or any(overlaps(one.range, load.range) for one in rest)
        or any(start <= place < end for place in file.places(file.entries, (c.DT_STRTAB,)))
    ):
        return False
    inside = [
        (one.address, one.size)
        for one in file.sections
        if one.allocated and one.size and overlaps(one.range, load.range)
    ]
    return inside == [(file.value(c.DT_STRTAB), file.value(c.DT_STRSZ))]
