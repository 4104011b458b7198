"""An ELF file as the dynamic loader sees it: header, segments, addresses.

Sections are not read: the loader does not read them, and it loads files without any.
Sources: ELF gABI chapters 4 and 5; glibc elf/dl-load.c.
"""

from __future__ import annotations

import struct

from manyshim.audit.facts import ElfIdent
from manyshim.formats.elf.constants import PF_W, PT_DYNAMIC, PT_LOAD
from manyshim.formats.elf.mapping import Mapping
from manyshim.formats.zip.window import MemberError, Window
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Tuple

# Linkers write about a dozen. Tools that edit files add a few each time.
_MAX_SEGMENTS = 1024
_BLOCK = 1 << 16
_FIRST_KEPT = 4 << 20
_SMALL_SEGMENT = 1 << 20
# The strings of `.comment` take some 300 bytes.
_COMMENT = 1 << 10
# It is read if so many bytes or fewer lie before it. `.data` is among them: it has up to 440 kB in
# 24 wheels.
_NEAR = 1 << 20


class ElfError(Exception):
    """The file cannot be read as the loader reads it. The message says what is wrong, and where."""


class Segment(NamedTuple):
    """A program header; offsets, addresses and sizes in bytes."""

    type: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int
    align: int


class Layout:
    """The structures of one class and byte order.

    `short_symbol` is a symbol's name, info, other and section, without its value and size.
    """

    def __init__(self, order: str, bits: int) -> None:
        self.order = order
        self.bits = bits
        if bits == 64:
            codes = ("HHIQQQIHHHHHH", "IIQQQQQQ", "QQ", "IBBHQQ", "IBBH16x")
        else:
            codes = ("HHIIIIIHHHHHH", "IIIIIIII", "II", "IIIBBH", "I8xBBH")
        self.header, self.segment, self.dynamic, self.symbol, self.short_symbol = (
            struct.Struct(order + code) for code in codes
        )

    @property
    def word(self) -> str:
        """The struct code of an address-sized unsigned integer."""
        return "Q" if self.bits == 64 else "I"


LAYOUTS = {
    (bits_code, data_code): Layout(order, bits)
    for bits_code, bits in ((1, 32), (2, 64))
    for data_code, order in ((1, "<"), (2, ">"))
}


class Image:
    """An ELF member, read by a window. Each method raises ElfError, or the window's MemberError."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._block = b""
        self._block_start = 0
        self.layout, self.ident, header = self._header()
        self.segments: Tuple[Segment, ...] = ()
        if self.ident.loadable:
            self.segments = tuple(self._segments(*header))
        self._loads = tuple(self.of_type(PT_LOAD))
        self._mapping: Optional[Mapping] = None

    @property
    def mapping(self) -> Mapping:
        """The memory of the loaded file."""
        if self._mapping is None:
            self._mapping = Mapping((load[2:6] for load in self._loads), self.window.size)
        return self._mapping

    def _header(self) -> Tuple[Layout, ElfIdent, Tuple[int, int, int]]:
        size = self.window.size
        if size < 16:
            raise ElfError(f"its {size} bytes are shorter than an ELF header")
        ident = self.window.read(0, 16)
        layout = LAYOUTS.get((ident[4], ident[5]))
        if layout is None:
            raise ElfError(f"its class byte {ident[4]} or data byte {ident[5]} is not valid")
        if size < 16 + layout.header.size:
            raise ElfError(f"its {size} bytes are shorter than an ELF header")
        fields = layout.header.unpack(self.window.read(16, layout.header.size))
        kind, machine, _, _, table, sections, flags, _, entry_size, count = fields[:10]
        self._sections: Tuple[int, int, int, int] = (sections, *fields[10:])
        identity = ElfIdent(
            layout.bits, layout.order == "<", machine, kind, ident[7], ident[8], flags
        )
        return layout, identity, (table, entry_size, count)

    def _segments(self, table: int, entry_size: int, count: int) -> Iterator[Segment]:
        size = self.layout.segment.size
        if count and entry_size != size:
            raise ElfError(f"its program headers have {entry_size} bytes each, not {size}")
        if table + count * size > self.window.size:
            raise ElfError("its program header table extends beyond the end of the file")
        if count > _MAX_SEGMENTS:
            raise ElfError(f"it has {count} program headers, more than {_MAX_SEGMENTS}")
        for fields in self.layout.segment.iter_unpack(self.window.read(table, count * size)):
            if self.layout.bits == 64:
                kind, flags, offset, address, _, file_size, memory_size, align = fields
            else:
                kind, offset, address, _, file_size, memory_size, flags, align = fields
            if kind == PT_LOAD and offset + file_size > self.window.size:
                raise ElfError(
                    f"its segment at offset {offset} ends at {offset + file_size}, beyond "
                    f"the file's {self.window.size} bytes"
                )
            yield Segment(kind, flags, offset, address, file_size, memory_size, align)

    @property
    def section_table(self) -> Tuple[int, int, int, int]:
        """The offset of the section headers, their size and number, and the index of the names.

        They are as stated, and may be wrong.
        """
        return self._sections

    def section_damage(self) -> Optional[str]:
        """Return what the file header states wrongly about the sections, or None."""
        start, size, count, names = self._sections
        if start and start + size * count > self.window.size:
            return "its section header table extends beyond the end of the file"
        if start and count and names >= count and names != 0xFFFF:
            return f"its section names are in section {names}, but there are only {count}"
        return None

    def overlap_damage(self) -> Optional[str]:
        """Return where a segment is mapped over other bytes of an earlier one, or None."""
        for start, end in self.mapping.overlaps:
            return (
                f"a later segment is mapped over the {end - start} bytes at the address {start:#x}"
            )
        return None

    def page_size(self) -> int:
        """Return the largest page size that can map all segments, in bytes (ELF gABI, p_align)."""
        sizes = []
        for load in self._loads:
            shift = load.address - load.offset
            sizes.append(min(load.align, shift & -shift) if shift else load.align)
        return min(sizes, default=0)

    def of_type(self, *types: int) -> Iterator[Segment]:
        """Yield the segments of the given types, in order."""
        return (segment for segment in self.segments if segment.type in types)

    def retain_tables(self) -> None:
        """Retain the segments with the loader's tables in memory. Call it before they are inflated.

        Linkers put the tables into the first loaded segment. Tools that edit a file move them into
        small separate segments.
        """
        loads = sorted(self._loads, key=lambda load: load.offset)
        for load in loads[:1]:
            self.window.retain(load.offset, load.offset + min(load.file_size, _FIRST_KEPT))
        for load in loads[1:]:
            if load.file_size <= _SMALL_SEGMENT:
                self.window.retain(load.offset, load.offset + load.file_size)
        for start, end in self._places_of_comment():
            self.window.retain(start, end)

    def made_by_rust(self) -> bool:
        """Return whether Rust's compiler wrote the section `.comment`.

        Call it after the dynamic section was read: the section is near then. One that is far from
        there, or elsewhere, or cannot be read, does not count.
        """
        try:
            return any(
                b"\0rustc version " in b"\0" + self.window.read(start, end - start)
                for start, end in self._places_of_comment()
                if self.window.is_buffered(start, end - start) or self.window.is_near(end, _NEAR)
            )
        except MemberError:  # the loader does not need it
            return False

    def _places_of_comment(self) -> Iterator[Tuple[int, int]]:
        """Yield where `.comment` may be: linkers put it behind all that is loaded.

        Tools that edit a file add segments behind it.
        """
        for load in reversed(self._loads):
            if load.flags & PF_W:
                end = load.offset + load.file_size
                yield end, min(end + _COMMENT, self.window.size)

    def locate(self, address: int, what: str) -> Tuple[int, int]:
        """Return an address's file offset, and how many bytes follow it in file and memory.

        `what` is what the address is of, for the message of an ElfError.
        """
        found = self.mapping.find(address)
        if found is None:
            raise ElfError(f"the address {address:#x} of its {what} lies in no loaded segment")
        return found

    def span(self, address: int, length: int, what: str) -> int:
        """Return the file offset of `length` bytes at an address."""
        offset, available = self.locate(address, what)
        if length > available:
            raise ElfError(f"its {what} at {address:#x} extends beyond its segment")
        if self.mapping.hidden and self.mapping.hides(address, length):
            raise ElfError(f"its {what} at {address:#x} is where a later segment is mapped")
        return offset

    def mapped(self, address: int, at_most: int, what: str) -> bytes:
        """Read up to `at_most` bytes at an address: those of the file, and the zeros after them."""
        size = min(at_most, self.locate(address, what)[1])
        data = self.window.read(self.span(address, size, what), size)
        return data + bytes(min(at_most - size, self.mapping.zeros(address + size)))

    def at(self, address: int, length: int, what: str) -> bytes:
        """Read `length` bytes at an address."""
        return self.bytes_at(self.span(address, length, what), length)

    def bytes_at(self, offset: int, length: int) -> bytes:
        """Read at a file offset. Small reads that are close together take one block."""
        if self.window.is_buffered(offset, length):
            return self.window.read(offset, length)
        inside = offset - self._block_start
        if not 0 <= inside <= len(self._block) - length:
            self._block_start, inside = offset, 0
            size = min(max(length, _BLOCK), self.window.size - offset)
            self._block = self.window.read(offset, max(size, length))
        return self._block[inside : inside + length]

    def text(self, data: bytes, what: str) -> str:
        """Decode a name that must end in NUL."""
        end = data.find(b"\0")
        if end < 0:
            raise ElfError(f"its {what} does not end with NUL")
        return data[:end].decode("utf-8", "surrogateescape")

    def discard(self, *needed: int) -> None:
        """Forget the bytes. The headers stay, and quick access to the `needed` offsets."""
        self._block = b""
        self._block_start = 0
        # A wheel may have thousands of files.
        self._mapping = None
        self.window.discard(*needed)

    def dynamic_segment(self) -> List[Segment]:
        """Return the last PT_DYNAMIC, which the loader uses, or an empty list."""
        return list(self.of_type(PT_DYNAMIC))[-1:]

    def detached(self) -> bool:
        """Return whether the file lacks the dynamic section's bytes (objcopy --only-keep-debug)."""
        return any(
            segment.file_size == 0
            and not any(
                0 <= segment.address - load.address < load.file_size for load in self._loads
            )
            for segment in self.dynamic_segment()
        )
