"""Compare a patched file with its original and the patch, byte by byte.

A patched file is its original with a few edits, and new bytes behind its end. What the patch leaves
open is read from the patched file: which program header made room for the new segment, and where
the strings and the moved tables are. The whole file is then derived from that and compared, so no
byte is free. This module shares no code with the modules that patch.
Sources: ELF gABI chapters 4 and 5; LSB "Symbol Versioning".
"""

from __future__ import annotations

import struct
from typing import Dict, Iterator, List, Optional, Sequence

from manyshim.audit.facts import ElfFile
from manyshim.formats.elf import constants as c
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.headers import Entry
from manyshim.repair.verify_choices import MOVING, TABLES, Choices
from manyshim.repair.verify_file import BLOCK, Copy, Edit, StoredFile, changed_facts, compare_files

_SEARCH_PATHS = (c.DT_RPATH, c.DT_RUNPATH)
_MAX_NEEDS = 20_000


def differences(before: str, after: str, patch: Patch) -> List[str]:
    """Return all differences between a patched file and its original that are not the patch's.

    Raises ToolError if the original cannot be read.
    """
    return compare_files(before, after, lambda old, new: _differences(old, new, patch))


def _differences(old: StoredFile, new: StoredFile, patch: Patch) -> Iterator[str]:
    yield from changed_facts(_planned_facts(old.facts, patch), new.facts)
    if new.size < old.size:
        yield f"it has {new.size} bytes, fewer than the original's {old.size}"
        return
    expected = _Expected(old, new, patch)
    yield from expected.derive()
    yield from _byte_differences(old, new, expected.edits, expected.copies)


def _planned_facts(facts: ElfFile, patch: Patch) -> ElfFile:
    # Of files for other machines, no facts are read.
    found = patch.applied(facts) if facts.dynamic else facts
    stack = facts.executable_stack and not patch.plain_stack
    return found._replace(executable_stack=stack)


class _Expected:
    """The patched file as it must be: the original with `edits`, and with `copies` of its bytes."""

    def __init__(self, old: StoredFile, new: StoredFile, patch: Patch) -> None:
        self.old, self.new, self.patch = old, new, patch
        self.choices = Choices(old, new, clears_stack=patch.plain_stack)
        self.edits: List[Edit] = []
        self.copies = list(self.choices.copies)
        # The string table, and the values of its tags.
        self.strings = b""
        self.values: Dict[int, int] = {}
        self.dynamic_size = 0
        # Where names are: a file may need one name thousands of times.
        self.places: Dict[str, int] = {}

    def derive(self) -> Iterator[str]:
        """Fill `edits` and `copies`; yield what no patch does."""
        yield from self.choices.problems
        if self.old.value(c.DT_STRTAB):
            yield from self._find_strings()
            yield from self._version_needs()
            yield from self._dynamic_section()
        yield from self._headers()
        self._sections()

    def _find_strings(self) -> Iterator[str]:
        """Find the string table: all old bytes and then the new names, up to the file's end."""
        old, new = self.old, self.new
        address, size = old.value(c.DT_STRTAB), old.value(c.DT_STRSZ)
        offset = old.locate(address, size, "dynamic string table")
        self.strings = old.read(offset, size)
        self.values = {c.DT_STRTAB: address, c.DT_STRSZ: size}
        if self.choices.segment is None:
            return
        place = offset
        if not self.choices.extended:
            address = new.value(c.DT_STRTAB)
            place = self.choices.offset(address)
            if not self.choices.holds(address) or place + size > new.size:
                yield f"its string table at {address:#x} is not in the new segment"
                return
            self.copies.append(Copy(place, offset, size))
        self.values = {c.DT_STRTAB: address, c.DT_STRSZ: new.size - place}
        start = place + size
        wanted = (*dict(self.patch.replace_needed).values(), self.patch.soname, self.patch.rpath)
        names = {_encoded(name) for name in wanted if name}
        if new.size - start > sum(len(name) + 1 for name in names):
            yield f"its string table has {new.size - start} more bytes, too many for the new names"
            return
        appended = new.read(start, new.size - start)
        self.strings += appended
        *found, rest = appended.split(b"\0")
        if rest or len(set(found)) < len(found) or not names.issuperset(found):
            yield f"the bytes behind its old strings, at offset {start:#x}, are not the new names"
        self.edits.append(Edit(start, appended, "new names"))

    def _index(self, name: str, now: Optional[int] = None) -> int:
        """Return the index of a name: the present one, or the first in the string table."""
        if now is not None and self.old.string(now) == name:
            return now
        if name not in self.places:
            # If it is nowhere, the index is one that no string can have.
            self.places[name] = self.strings.find(_encoded(name) + b"\0") & 0x7FFFFFFF
        return self.places[name]

    def _version_needs(self) -> Iterator[str]:
        """Add the file names of version needs (vn_file)."""
        old, address = self.old, self.old.value(c.DT_VERNEED)
        replaced = dict(self.patch.replace_needed)
        node = struct.Struct(old.order + "HHIII")
        for _ in range(_MAX_NEEDS if address else 0):
            offset = old.locate(address, node.size, "version needs")
            _, _, index, _, step = node.unpack(old.read(offset, node.size))
            name = old.string(index)
            if name in self.patch.remove_needed:
                yield f"it needs versions of {name}, which it no longer loads"
            if name in replaced:
                delta = self.choices.delta(address)
                place = self.choices.offset(address + delta) if delta else offset
                data = struct.pack(old.order + "I", self._index(replaced[name], index))
                self.edits.append(Edit(place + 4, data, f"library of the version needs of {name}"))
            if not step:
                return
            address += step

    def _entries(self) -> Iterator[Entry]:
        """Yield the dynamic entries with the names of the patch and the places of what moved."""
        patch, old = self.patch, self.old
        replaced, rpath = dict(patch.replace_needed), patch.rpath
        for tag, value in old.entries:
            if tag == c.DT_NEEDED:
                name = old.string(value)
                if name not in patch.remove_needed:
                    yield tag, self._index(replaced.get(name, name), value)
            elif tag == c.DT_SONAME and patch.soname is not None:
                yield tag, self._index(patch.soname, value)
            elif tag not in _SEARCH_PATHS or patch.rpath is None:
                yield tag, self.values.get(tag, value + self.choices.delta(value) * (tag in TABLES))
            elif rpath:
                yield c.DT_RPATH, self._index(rpath, value)
                rpath = ""
        if patch.soname is not None and c.DT_SONAME not in dict(old.entries):
            yield c.DT_SONAME, self._index(patch.soname)
        if rpath:
            yield c.DT_RPATH, self._index(rpath)

    def _dynamic_section(self) -> Iterator[str]:
        """Add the dynamic section, which moves only if it has no room for its entries."""
        old, segment = self.old, self.old.dynamic_segment
        if segment is None:
            return
        entries = list(self._entries())
        capacity = segment.file_size // old.entry
        fewer = entries
        if len(fewer) >= capacity and not any(one.type == c.PT_INTERP for one in old.programs):
            # Debuggers read it in programs only.
            fewer = [entry for entry in fewer if entry[0] != c.DT_DEBUG]
        hints = [entry for entry in fewer if entry[0] in (c.DT_RELACOUNT, c.DT_RELCOUNT)]
        if len(fewer) == capacity and hints:
            fewer = [entry for entry in fewer if entry is not hints[0]]
        if self.choices.moves_dynamic == (len(fewer) < capacity):
            has = "moved without need" if self.choices.moves_dynamic else "no room for its entries"
            yield f"its dynamic section has {has}"
        moved = self.new.dynamic_segment
        if self.choices.moves_dynamic and moved is not None:
            if moved.address % 16 or not self.choices.holds(moved.address):
                yield f"its dynamic section is at {moved.address:#x}, outside of the new segment"
            entries += [(c.DT_NULL, 0), (c.DT_NULL, 0)]
            self.dynamic_size = len(entries) * old.entry
            self.edits += old.entry_edits(self.choices.offset(moved.address), entries)
        elif fewer != old.entries:
            place = old.locate(segment.address, segment.file_size, "dynamic section")
            size = min(max(len(fewer), len(old.entries)) + 1, capacity)
            rest = [(c.DT_NULL, 0)] * (size - len(fewer))
            self.edits += old.entry_edits(place, [*fewer, *rest])

    def _headers(self) -> Iterator[str]:
        """Add the file header's fields for the table, and the program headers."""
        old, segment = self.old, self.choices.segment
        start = segment.offset if segment is not None and self.choices.moves_table else old.table
        self.edits.append(old.table_edit(start, len(self.choices.rows)))
        for index, row in enumerate(self.choices.rows):
            one, now = row, self.new.dynamic_segment
            if row.type in MOVING and self.choices.delta(row.address):
                one = self.choices.moved(row, self.choices.delta(row.address))
            elif self.choices.moves_dynamic and row == old.dynamic_segment and now is not None:
                size = self.dynamic_size
                one = self.choices.moved(row, now.address - row.address)
                one = one._replace(file_size=size, memory_size=size)
            self.edits.append(old.program_edit(start + index * old.row, one, index))
            if one != row and segment is not None and one.offset == segment.offset:
                yield f"program header {index} is at the start of the new segment (llvm-strip)"

    def _sections(self) -> None:
        """Add the headers of the sections whose bytes have moved or grown."""
        old, now = self.old, self.new.dynamic_segment
        strings = (self.values.get(tag, 0) for tag in (c.DT_STRTAB, c.DT_STRSZ))
        # By the type and the old address, the new address and size.
        known = {(c.SHT_STRTAB, old.value(c.DT_STRTAB)): tuple(strings)}
        if self.choices.moves_dynamic and now and old.dynamic_segment:
            known[c.SHT_DYNAMIC, old.dynamic_segment.address] = now.address, self.dynamic_size
        for index, section in enumerate(old.sections):
            if section.allocated:
                shifted = section.address + self.choices.delta(section.address), section.size
                place, size = known.get((section.type, section.address), shifted)
                offset = section.offset
                if place != section.address:
                    offset = self.choices.offset(place)
                moved = section._replace(address=place, offset=offset, size=size)
                self.edits += [old.section_edit(index, moved)] if moved != section else []


def _byte_differences(
    old: StoredFile, new: StoredFile, edits: Sequence[Edit], copies: Sequence[Copy]
) -> Iterator[str]:
    """Yield where a file is not the original with these copies and edits, once for each block.

    Behind the original's end, all other bytes must be zero.
    """
    edited = _by_block(edits)
    for start in range(0, new.size, BLOCK):
        end = min(start + BLOCK, new.size)
        data = new.read(start, end - start)
        original = old.read(start, min(end, old.size) - start) if start < old.size else b""
        moved = any(one.place < end and start < one.place + one.size for one in copies)
        edits = edited.get(start // BLOCK, ())
        if not moved and not edits and data == original:
            continue
        wanted = bytearray(original.ljust(len(data), b"\0"))
        for copy in copies:
            first, last = max(copy.place, start), min(copy.place + copy.size, end)
            if first < last:
                source = copy.offset + first - copy.place
                wanted[first - start : last - start] = old.read(source, last - first)
        for edit in edits:
            first, last = max(edit.offset, start), min(edit.offset + len(edit.data), end)
            if first < last:
                part = edit.data[first - edit.offset : last - edit.offset]
                wanted[first - start : last - start] = part
        if data != wanted:
            place = next(i for i, (a, b) in enumerate(zip(data, wanted)) if a != b)
            where = start + place
            what = old.where(where) if where < old.size else "bytes behind the original's end"
            for edit in edits:
                if edit.offset <= where < edit.offset + len(edit.data):
                    what = edit.what
            values = f"{data[place]:#04x}, not {wanted[place]:#04x}"
            yield f"its {what} at offset {where:#x}: a byte is {values}"


def _by_block(edits: Sequence[Edit]) -> Dict[int, List[Edit]]:
    """Return the edits of each block by its number, in their order."""
    found: Dict[int, List[Edit]] = {}
    for edit in edits:
        for number in range(edit.offset // BLOCK, (edit.offset + len(edit.data) - 1) // BLOCK + 1):
            found.setdefault(number, []).append(edit)
    return found


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
