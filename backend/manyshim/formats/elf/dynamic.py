"""The dynamic section of an ELF file, and the strings that it points to (ELF gABI, chapter 5)."""

from __future__ import annotations

from typing import Dict, Iterator, List, Optional, Tuple

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
from manyshim.formats.elf.image import ElfError, Image

# The tags that the exports need: strings, symbols, and the tables that tell their number.
_EXPORT_TAGS = (
    *(DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_STRSZ),
    *(DT_REL, DT_RELSZ, DT_PLTREL, DT_JMPREL, DT_GNU_HASH),
)

_MAX_SECTION = 1 << 20
_BLOCK = 1 << 16
_MAX_NAME = 1 << 20
# A name may be the end of another one. They share bytes in the file, but not in memory.
_MAX_NAMES = 16 << 20


def read(image: Image) -> Optional[Dynamic]:
    """Read PT_DYNAMIC as the loader does: by address, up to DT_NULL. Return None without one."""
    for segment in image.dynamic_segment():
        offset, available = image.locate(segment.address, "dynamic section")
        size = min(max(segment.file_size, segment.memory_size), available, _MAX_SECTION)
        data = image.window.read(offset, size - size % image.layout.dynamic.size)
        return Dynamic(image, list(_entries(image, data)))
    return None


def _entries(image: Image, data: bytes) -> Iterator[Tuple[int, int]]:
    for tag, value in image.layout.dynamic.iter_unpack(data):
        if tag == DT_NULL:
            return
        yield tag, value
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
        """Forget all entries that only the facts need. Exports can still be read."""
        self.entries = []
        self._values = {tag: self._values[tag] for tag in _EXPORT_TAGS if tag in self._values}

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
            offset, available = self.image.locate(address, "dynamic string table")
            if size > available:
                raise ElfError("its dynamic string table extends beyond its segment")
            self._strings = offset, size
        return self._strings

    def string(self, index: int) -> str:
        """Return one string of the dynamic string table."""
        return self.strings([index])[index]

    def strings(self, indexes: List[int]) -> Dict[int, str]:
        """Return strings by index. The string table is read in one pass, in bounded memory."""
        found: Dict[int, str] = {}
        if not indexes:
            return found
        start, size = self._string_table()
        block, block_start, total = b"", 0, 0
        for index in sorted(set(indexes)):
            if index >= size:
                raise ElfError(f"a string at {index} is outside its string table's {size} bytes")
            end = block.find(b"\0", index - block_start) if index >= block_start else -1
            if end < 0:
                block_start = index
                block = self._block(start + index, min(_BLOCK, size - index))
                end = block.find(b"\0")
            if end < 0:
                block = self._block(start + index, min(_MAX_NAME, size - index))
                end = block.find(b"\0")
            if end < 0:
                raise ElfError(f"the string at {index} of its string table does not end with NUL")
            found[index] = block[index - block_start : end].decode("utf-8", "surrogateescape")
            total += end - (index - block_start)
            if total > _MAX_NAMES:
                raise ElfError(f"its names take more than {_MAX_NAMES >> 20} MiB in total")
        return found

    def _block(self, offset: int, length: int) -> bytes:
        return self.image.window.read(offset, length)
