"""The dynamic section of an ELF file, and the strings that it points to (ELF gABI, chapter 5)."""

from __future__ import annotations

from bisect import bisect_right

from manyshim.formats.elf.constants import (
    DT_GNU_HASH,
    DT_HASH,
    DT_JMPREL,
    DT_NULL,
    DT_PLTREL,
    DT_PLTRELSZ,
    DT_REL,
    DT_RELA,
    DT_RELASZ,
    DT_RELSZ,
    DT_STRSZ,
    DT_STRTAB,
    DT_SYMTAB,
)
from manyshim.formats.elf.image import ElfError, Image, Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Set, Tuple

# The tags that the exports need: strings, symbols, and the tables that tell their number.
_EXPORT_TAGS = (
    *(DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_STRSZ),
    *(DT_REL, DT_RELSZ, DT_PLTREL, DT_JMPREL, DT_GNU_HASH),
)

_EXPORT_TABLES = (DT_HASH, DT_GNU_HASH, DT_SYMTAB, DT_STRTAB)

_MAX_SECTION = 1 << 20
_BLOCK = 1 << 16
_MAX_NAME = 1 << 20
_AT_ONCE = 64
# A name may be the end of another one. They share bytes in the file, but not in memory.
_MAX_NAMES = 16 << 20
_MAX_READ = 1 << 30


def read(image: Image) -> Optional[Dynamic]:
    """Read PT_DYNAMIC as the loader does: by address, up to DT_NULL. Return None without one."""
    for segment in image.dynamic_segment():
        return Dynamic(image, list(_entries(image, segment)))
    return None


def _entries(image: Image, segment: Segment) -> Iterator[Tuple[int, int]]:
    """Yield the entries up to DT_NULL. The loader does not read the size of the section."""
    address, size = segment.address, image.layout.dynamic.size
    stated = max(segment.file_size, segment.memory_size)
    for length in (min(stated, _MAX_SECTION), _MAX_SECTION):
        data = image.mapped(address, length, "dynamic section")
        entries = list(image.layout.dynamic.iter_unpack(data[: len(data) - len(data) % size]))
        tags = [tag for tag, _ in entries]
        if DT_NULL in tags:
            yield from entries[: tags.index(DT_NULL)]
            return
        if not segment.file_size:
            # glibc ignores such a segment.
            break
    raise ElfError("its dynamic section does not end with DT_NULL")


class Dynamic:
    """The entries of PT_DYNAMIC and the string table that they point into."""

    def __init__(self, image: Image, entries: List[Tuple[int, int]]) -> None:
        self.image = image
        self.entries = entries
        # As in the loader, the last entry with a tag counts.
        self._values = dict(entries)
        self._strings: Optional[Tuple[int, int]] = None

    def discard(self) -> None:
        """Forget all entries and bytes that only the facts need. Exports can still be read."""
        self.entries = []
        self._values = {tag: self._values[tag] for tag in _EXPORT_TAGS if tag in self._values}
        tables = (self.image.mapping.find(self._values.get(tag, -1)) for tag in _EXPORT_TABLES)
        self.image.discard(*(found[0] for found in tables if found))

    def get(self, tag: int) -> Optional[int]:
        """Return the value of a tag, or None without one."""
        return self._values.get(tag)

    def all(self, tag: int) -> List[int]:
        """Return the values of all entries of a tag, in order."""
        return [value for kind, value in self.entries if kind == tag]

    def _string_table(self) -> Tuple[int, int]:
        if self._strings is None:
            address, size = self.get(DT_STRTAB), self.get(DT_STRSZ)
            if address is None or size is None:
                raise ElfError("its dynamic section refers to strings but has no string table")
            self._strings = self.image.span(address, size, "dynamic string table"), size
        return self._strings

    def string(self, index: int) -> str:
        """Return one string of the dynamic string table."""
        return self.strings([index])[index]

    def strings(
        self, indexes: Iterable[int], known: Optional[Dict[str, str]] = None
    ) -> Dict[int, str]:
        """Return strings by index. The string table is read in one pass, in bounded memory.

        A string that is `known` already is not kept twice.
        """
        found: Dict[int, str] = {}
        known = known or {}
        for some, names in self._in_order(sorted(indexes), _MAX_NAMES):
            found.update(zip(some, map(known.get, names, names)))
        return found

    def strings_among(self, wanted: FrozenSet[str], indexes: Iterable[int]) -> Set[str]:
        """Return those of the `wanted` names that are strings at the indexes, in one pass too."""
        found: Set[str] = set()
        for _, names in self._in_order(sorted(indexes), _MAX_READ):
            found.update(wanted.intersection(names))
        return found

    def _in_order(self, indexes: List[int], at_most: int) -> Iterator[Tuple[List[int], List[str]]]:
        """Yield the strings at sorted indexes, some at a time, with these indexes.

        Raises ElfError if they take more than `at_most` bytes in all.
        """
        position = total = 0
        while position < len(indexes):
            first = indexes[position]
            block, last = self._strings_from(first)
            stop = bisect_right(indexes, last, position)
            while position < stop:
                taken = indexes[position : min(position + _AT_ONCE, stop)]
                position += len(taken)
                some = list(dict.fromkeys(taken))
                names = [
                    block[index - first : block.find(b"\0", index - first)].decode(
                        "utf-8", "surrogateescape"
                    )
                    for index in some
                ]
                total += sum(map(len, names))
                if total > at_most:
                    raise ElfError(f"its names take more than {at_most >> 20} MiB in total")
                yield some, names

    def _strings_from(self, index: int) -> Tuple[bytes, int]:
        """Read strings from an index on. Return them, and an index up to which they are complete.

        Of a long string only the start counts: strings inside of it would take much memory.
        """
        start, size = self._string_table()
        if index >= size:
            raise ElfError(f"a string at {index} is outside its string table's {size} bytes")
        block = self._block(start + index, min(_BLOCK, size - index))
        end = block.rfind(b"\0")
        if end >= 0:
            return block, index + end
        block = self._block(start + index, min(_MAX_NAME, size - index))
        if b"\0" not in block:
            raise ElfError(f"the string at {index} of its string table does not end with NUL")
        return block, index

    def _block(self, offset: int, length: int) -> bytes:
        return self.image.window.read(offset, length)
