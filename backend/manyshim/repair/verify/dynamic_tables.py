"""Locate the loader's tables in a file, and compare those of two files.

Sources: ELF gABI chapter 5; LSB "Symbol Versioning"; glibc elf/ for the GNU hash table.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import Dict, Iterator, List, Optional, Tuple

from manyshim.formats.elf.constants import (
    DT_ANDROID_REL,
    DT_ANDROID_RELA,
    DT_ANDROID_RELASZ,
    DT_ANDROID_RELR,
    DT_ANDROID_RELRSZ,
    DT_ANDROID_RELSZ,
    DT_GNU_HASH,
    DT_HASH,
    DT_JMPREL,
    DT_PLTRELSZ,
    DT_REL,
    DT_RELA,
    DT_RELASZ,
    DT_RELR,
    DT_RELRSZ,
    DT_RELSZ,
    DT_STRSZ,
    DT_STRTAB,
    DT_SYMTAB,
    DT_VERDEF,
    DT_VERNEED,
    DT_VERSYM,
    WIDE_HASH_MACHINES,
)
from manyshim.formats.elf.dynamic import Dynamic
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.symbols import count
from manyshim.repair.verify.mapped import Range
from manyshim.values import NamedTuple

# The tags of the address and the size of each relocation table.
RELOCATIONS = (
    (DT_RELA, DT_RELASZ),
    (DT_REL, DT_RELSZ),
    (DT_JMPREL, DT_PLTRELSZ),
    (DT_RELR, DT_RELRSZ),
    (DT_ANDROID_RELR, DT_ANDROID_RELRSZ),
    (DT_ANDROID_RELA, DT_ANDROID_RELASZ),
    (DT_ANDROID_REL, DT_ANDROID_RELSZ),
)
# Tags whose values are addresses of tables, which may move.
MOVING = frozenset(
    (DT_HASH, DT_STRTAB, DT_SYMTAB, DT_GNU_HASH, DT_VERSYM, DT_VERDEF, DT_VERNEED)
) | frozenset(address for address, _ in RELOCATIONS)
_MAX_NODES = 20_000
_PORTION = 1 << 20
_SYMBOLS_AT_ONCE = 1 << 13
_SPECIAL_SECTIONS = 0xFF00


class Node(NamedTuple):
    """A required or defined version; names are offsets in the string table."""

    library: int
    names: Tuple[int, ...]
    hash: int
    flags: int
    version: int


class Tables:
    """The tables that a file's dynamic section refers to. Methods raise ElfError."""

    def __init__(self, dynamic: Dynamic) -> None:
        self.dynamic = dynamic
        self.image = dynamic.image
        self.symbols = count(dynamic)
        self.needs, self._needs_range = self._version_needs()
        self.definitions, self._definitions_range = self._version_definitions()

    def ranges(self) -> Dict[int, Range]:
        """Return the address range of each table, by its tag in the dynamic section."""
        found = {
            DT_VERNEED: self._needs_range,
            DT_VERDEF: self._definitions_range,
            **{tag: self._hash_range(tag) for tag in (DT_HASH, DT_GNU_HASH)},
        }
        sizes = {
            DT_STRTAB: self.dynamic.get(DT_STRSZ) or 0,
            DT_SYMTAB: self.symbols * self.image.layout.symbol.size,
            DT_VERSYM: self.symbols * 2,
            **{tag: self.dynamic.get(size) or 0 for tag, size in RELOCATIONS},
        }
        for tag, size in sizes.items():
            address = self.dynamic.get(tag)
            found[tag] = None if address is None else (address, address + size)
        return {tag: one for tag, one in found.items() if one and one[0] < one[1]}

    def _hash_range(self, tag: int) -> Optional[Range]:
        address = self.dynamic.get(tag)
        if address is None:
            return None
        image = self.image
        if tag == DT_HASH:
            wide = image.layout.bits == 64 and image.ident.machine in WIDE_HASH_MACHINES
            word = struct.Struct(image.layout.order + ("2Q" if wide else "2I"))
            buckets, chains = word.unpack(image.at(address, word.size, "hash table"))
            return address, address + (2 + buckets + chains) * word.size // 2
        heads, first, bloom, _ = struct.unpack(
            image.layout.order + "4I", image.at(address, 16, "GNU hash table")
        )
        place = address + 16 + bloom * image.layout.bits // 8
        chains = max(self.symbols - first, 0)
        if not any(image.at(place, heads * 4, "GNU hash table")):
            chains = 0
        return address, place + (heads + chains) * 4

    def _version_needs(self) -> Tuple[List[Node], Optional[Range]]:
        image, found = self.image, []
        entry = struct.Struct(image.layout.order + "HHIII")
        node = struct.Struct(image.layout.order + "IHHII")
        start = place = self.dynamic.get(DT_VERNEED)
        end = start or 0
        while place is not None:
            _, _, library, first, step = entry.unpack(image.at(place, 16, "version needs"))
            inner = place + first
            while True:
                code, flags, index, name, following = node.unpack(
                    image.at(inner, 16, "version needs")
                )
                found.append(Node(library, (name,), code, flags, index))
                end = max(end, place + 16, inner + 16)
                if not following:
                    break
                inner += following
                _limit(found)
            place = place + step if step else None
            _limit(found)
        return found, None if start is None else (start, end)

    def _version_definitions(self) -> Tuple[List[Node], Optional[Range]]:
        image, found = self.image, []
        entry = struct.Struct(image.layout.order + "HHHHIII")
        pair = struct.Struct(image.layout.order + "II")
        start = place = self.dynamic.get(DT_VERDEF)
        end = start or 0
        while place is not None:
            _, flags, index, number, code, first, step = entry.unpack(
                image.at(place, entry.size, "version definitions")
            )
            names, inner = [], place + first
            end = max(end, place + entry.size)
            for _ in range(number):
                name, following = pair.unpack(image.at(inner, 8, "version definitions"))
                names.append(name)
                end = max(end, inner + 8)
                inner += following
                if not following:
                    break
            found.append(Node(0, tuple(names), code, flags, index))
            place = place + step if step else None
            _limit(found)
        return found, None if start is None else (start, end)

    def same(self, after: Tables, tag: int) -> bool:
        """Return whether a table has the same bytes in another file, at any address."""
        original, patched = self.ranges().get(tag), after.ranges().get(tag)
        if original is None or patched is None:
            return original == patched
        size = original[1] - original[0]
        return size == patched[1] - patched[0] and self._same_bytes(
            after, original[0], patched[0], size
        )

    def _same_bytes(self, after: Tables, original: int, patched: int, size: int) -> bool:
        for start in range(0, size, _PORTION):
            length = min(_PORTION, size - start)
            old = self.image.at(original + start, length, "table")
            if old != after.image.at(patched + start, length, "table"):
                return False
        return True

    def strings_kept(self, after: Tables) -> bool:
        """Return whether another file's string table starts with the whole of this one."""
        original, patched = self.ranges().get(DT_STRTAB), after.ranges().get(DT_STRTAB)
        if original is None or patched is None:
            return original == patched
        size = original[1] - original[0]
        return size <= patched[1] - patched[0] and self._same_bytes(
            after, original[0], patched[0], size
        )

    def symbol_difference(self, after: Tables) -> Optional[str]:
        """Return the first difference between the dynamic symbols of two files; None if equal.

        Symbols are compared by index, because relocations refer to it. The number of a symbol's
        section may change, but the symbol may not become undefined, absolute or common.
        """
        if self.symbols != after.symbols:
            return f"it has {after.symbols} dynamic symbols, not {self.symbols}"
        kept = self.strings_kept(after)
        for start in range(0, self.symbols, _SYMBOLS_AT_ONCE):
            number = min(_SYMBOLS_AT_ONCE, self.symbols - start)
            old, new = self._symbol_bytes(start, number), after._symbol_bytes(start, number)
            if kept and (old == new or self._only_renumbered(old, new)):
                continue
            original, patched = list(self._entries(old)), list(after._entries(new))
            old_names = self.dynamic.strings([entry[0] for entry in original])
            new_names = after.dynamic.strings([entry[0] for entry in patched])
            for before, now in zip(original, patched):
                name = old_names[before[0]]
                if name != new_names[now[0]]:
                    return f"its dynamic symbol {name} is now {new_names[now[0]]!r}"
                if before[1:] != now[1:]:
                    return f"its dynamic symbol {name} has a different type, value, size or section"
        return None

    def _only_renumbered(self, old: bytes, new: bytes) -> bool:
        """Return whether symbols differ only in section numbers, and not in kinds of sections."""
        layout = self.image.layout
        size, place = layout.symbol.size, 6 if layout.bits == 64 else 14
        numbers = [array("H", data)[place // 2 :: size // 2] for data in (old, new)]
        if (layout.order == "<") != (sys.byteorder == "little"):
            for one in numbers:
                one.byteswap()
        original, patched = numbers
        return all(
            old[byte::size] == new[byte::size]
            for byte in range(size)
            if byte not in (place, place + 1)
        ) and list(map(_section_kind, original)) == list(map(_section_kind, patched))

    def _symbol_bytes(self, start: int, number: int) -> bytes:
        size = self.image.layout.symbol.size
        table = self.dynamic.get(DT_SYMTAB)
        if table is None:
            raise ElfError("its dynamic section refers to symbols but not to a symbol table")
        return self.image.at(table + start * size, number * size, "dynamic symbol table")

    def _entries(self, data: bytes) -> Iterator[Tuple[int, ...]]:
        """Yield each symbol's name, info, other, value, size and kind of section."""
        for entry in self.image.layout.symbol.iter_unpack(data):
            if self.image.layout.bits == 64:
                name, info, other, section, value, size = entry
            else:
                name, value, size, info, other, section = entry
            yield name, info, other, value, size, _section_kind(section)


def _section_kind(section: int) -> int:
    """Return a special section number unchanged, and 1 for every ordinary section."""
    return section if not section or section >= _SPECIAL_SECTIONS else 1


def _limit(found: List[Node]) -> None:
    if len(found) > _MAX_NODES:
        raise ElfError(f"it requires or defines more than {_MAX_NODES} versions")
