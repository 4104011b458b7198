"""The headers of an ELF file as they are stored, for tools that change them in place.

`Image` keeps what the loader reads. A tool that writes needs every field, and the sections.
Sources: ELF gABI chapters 4 and 5.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Container, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from manyshim.formats.elf import constants as c
from manyshim.formats.elf.image import LAYOUTS, ElfError
from manyshim.formats.elf.mapping import Mapping
from manyshim.formats.elf.notes import Note, split
from manyshim.values import NamedTuple

_IDENT_SIZE = 16
_MAX_DYNAMIC = 1 << 20
_MAX_PROGRAMS = 1024
_MAX_NOTES = 1 << 20
# No library has so many sections.
_MAX_SECTIONS = 0xFFFF
_UNKNOWN_NOTE = (b"", 0)
# What may be parsed of all notes of a file, each time that it is asked for.
_MAX_PARSED_NOTES = 8 << 20
# e_phnum with this value means that the number is stored elsewhere.
_PN_XNUM = 0xFFFF

Entry = Tuple[int, int]
# The first address or offset, and the one behind the last.
Range = Tuple[int, int]


class FileHeader(NamedTuple):
    """The file header behind e_ident; offsets and sizes in bytes."""

    type: int
    machine: int
    version: int
    entry: int
    program_offset: int
    section_offset: int
    flags: int
    size: int
    program_size: int
    program_count: int
    section_size: int
    section_count: int
    section_names: int


class ProgramHeader(NamedTuple):
    """A segment, as `image.Segment`, with its physical address."""

    type: int
    flags: int
    offset: int
    address: int
    physical: int
    file_size: int
    memory_size: int
    align: int

    @property
    def end(self) -> int:
        """The address behind its memory."""
        return self.address + self.memory_size

    @property
    def range(self) -> Range:
        """The addresses of its bytes, those of the file included."""
        return self.address, self.address + max(self.file_size, self.memory_size)

    def moved(self, delta: int, offset: int) -> ProgramHeader:
        """Return it `delta` bytes further in memory, and at an offset of the file."""
        physical = self.physical + delta if self.physical == self.address else self.physical
        return self._replace(offset=offset, address=self.address + delta, physical=physical)


class SectionHeader(NamedTuple):
    """A section; offsets, addresses and sizes in bytes."""

    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry_size: int

    @property
    def allocated(self) -> bool:
        """Whether it has memory when the file is loaded."""
        return bool(self.flags & c.SHF_ALLOC)

    @property
    def loaded(self) -> bool:
        """Whether its bytes in the file are part of the loaded file."""
        return self.allocated and self.type != c.SHT_NOBITS and self.size > 0

    @property
    def range(self) -> Range:
        """Its addresses."""
        return self.address, self.address + self.size


class Headers:
    """The headers of an open file. Raises ElfError if they cannot be read.

    `sections` is empty if the section headers do not lie in the file: loaders ignore them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._parsed_notes = 0
        self.size = file.seek(0, 2)
        ident = self.read(0, _IDENT_SIZE)
        layout = LAYOUTS.get((ident[4], ident[5])) if ident.startswith(c.MAGIC) else None
        if layout is None:
            raise ElfError("it is not an ELF file")
        self.layout = layout
        stated = self.read(_IDENT_SIZE, layout.header.size)
        self.header = FileHeader(*layout.header.unpack(stated))
        self._section = struct.Struct(f"{layout.order}{'IIQQQQIIQQ' if self.wide else '10I'}")
        self.programs = tuple(self._programs())
        self.sections = tuple(self._sections())
        for one in self.loads:
            if one.offset + one.file_size > self.size or one.end > 1 << layout.bits:
                raise ElfError(
                    f"its segment at {one.address:#x} lies outside of the file or memory"
                )
        self.mapping = Mapping((one[2:4] + one[5:7] for one in self.loads), self.size)

    @property
    def wide(self) -> bool:
        """Whether addresses have 64 bits."""
        return self.layout.bits == 64

    @property
    def loads(self) -> List[ProgramHeader]:
        """The loaded segments, in the order of the table."""
        return [one for one in self.programs if one.type == c.PT_LOAD]

    @property
    def page(self) -> int:
        """The page size with which a segment can be mapped on every machine of this kind."""
        return c.PAGES.get(self.header.machine, c.LARGEST_PAGE)

    def places(self, entries: Iterable[Entry], but: Container[int] = ()) -> List[int]:
        """Return the addresses that the file header and dynamic entries state, without some."""
        found = [value for tag, value in entries if tag not in but and _is_address(tag)]
        return [*found, self.header.entry]

    def read(self, offset: int, size: int) -> bytes:
        """Read `size` bytes of the file. Raises ElfError if it has fewer."""
        if offset + size <= self.size:
            self._file.seek(offset)
            data = self._file.read(size)
        else:
            data = b""
        if len(data) < size:
            raise ElfError(f"it ends at {self.size}, before the {size} bytes at offset {offset}")
        return data

    def locate(self, address: int, size: int, what: str) -> int:
        """Return the offset of `size` bytes at an address. Raises ElfError if they are split."""
        found = self.mapping.find(address)
        if found is None or found[1] < size or found[0] < 0:
            raise ElfError(f"the {size} bytes of its {what} at {address:#x} are not in the file")
        return found[0]

    def notes(self, segment: ProgramHeader) -> List[Note]:
        """Return the notes of a PT_NOTE.

        Raises ElfError if the segment is larger than notes are, or does not end with a note.
        """
        self._parsed_notes += segment.file_size
        if segment.file_size > _MAX_NOTES or self._parsed_notes > _MAX_PARSED_NOTES:
            raise ElfError(f"its notes have {segment.file_size} bytes")
        data = self.read(segment.offset, segment.file_size)
        notes, end = split(data, self.layout.order, segment.align)
        if end > len(data) or any(data[end:]):
            raise ElfError("its notes do not end with their segment")
        # Zeros at the end read as notes without an owner and content.
        return [one for one in notes if any(one[1:])]

    def note_kinds(self, segment: ProgramHeader) -> Set[Tuple[bytes, int]]:
        """Return the owner and type of each note; an unknown one if there is none to read."""
        try:
            return {(note.owner, note.kind) for note in self.notes(segment)} or {_UNKNOWN_NOTE}
        except ElfError:
            return {_UNKNOWN_NOTE}

    def pack_file(self, header: FileHeader) -> bytes:
        """Return a file header as bytes, which begin behind e_ident."""
        return self.layout.header.pack(*header)

    def pack_program(self, one: ProgramHeader) -> bytes:
        """Return a program header as bytes."""
        kind, flags, *places, align = one
        fields = (kind, flags, *places, align) if self.wide else (kind, *places, flags, align)
        return self.layout.segment.pack(*fields)

    def pack_section(self, section: SectionHeader) -> bytes:
        """Return a section header as bytes."""
        return self._section.pack(*section)

    def _programs(self) -> Iterator[ProgramHeader]:
        header, size = self.header, self.layout.segment.size
        if header.program_count == _PN_XNUM or header.program_count > _MAX_PROGRAMS:
            raise ElfError(f"it has {header.program_count} program headers, too many to change")
        if header.program_count and header.program_size != size:
            raise ElfError(f"its program headers have {header.program_size} bytes, not {size}")
        table = self.read(header.program_offset, header.program_count * size)
        for fields in self.layout.segment.iter_unpack(table):
            if self.wide:
                yield ProgramHeader(*fields)
            else:
                kind, *places, flags, align = fields
                yield ProgramHeader(*(kind, flags, *places, align))

    def _sections(self) -> List[SectionHeader]:
        header, size = self.header, self._section.size
        if not header.section_offset or header.section_size != size:
            return []
        if header.section_offset + size * max(header.section_count, 1) > self.size:
            return []
        count = header.section_count
        if not count:
            # Beyond 65,279 sections, the first one states their number.
            first = SectionHeader(*self._section.unpack(self.read(header.section_offset, size)))
            count = first.size
            if header.section_offset + size * count > self.size:
                return []
        if count > _MAX_SECTIONS:
            raise ElfError(f"it has {count} section headers, too many to change")
        table = self.read(header.section_offset, size * count)
        return [SectionHeader(*fields) for fields in self._section.iter_unpack(table)]


class DynamicSection(NamedTuple):
    """PT_DYNAMIC: its offset, and its entries up to DT_NULL.

    `segment` is the index of its program header. `capacity` is how many entries it has room for.
    """

    segment: int
    offset: int
    capacity: int
    entries: Tuple[Entry, ...]

    def get(self, tag: int) -> Optional[int]:
        """Return the value of a tag; of several entries, the last counts, as in loaders."""
        return dict(self.entries).get(tag)


def dynamic_section(headers: Headers) -> DynamicSection:
    """Read PT_DYNAMIC. Raises ElfError if there is none, or if it is not as the loader needs it."""
    found = [index for index, one in enumerate(headers.programs) if one.type == c.PT_DYNAMIC]
    if not found:
        raise ElfError("it has no dynamic section")
    segment, entry = headers.programs[found[-1]], headers.layout.dynamic
    capacity = segment.file_size // entry.size
    size = capacity * entry.size
    if not capacity or size > _MAX_DYNAMIC:
        raise ElfError(f"its dynamic section has {segment.file_size} bytes")
    offset = headers.locate(segment.address, size, "dynamic section")
    entries = list(entry.iter_unpack(headers.read(offset, size)))
    tags = [tag for tag, _ in entries]
    if c.DT_NULL not in tags:
        raise ElfError("its dynamic section does not end with DT_NULL")
    return DynamicSection(found[-1], offset, capacity, tuple(entries[: tags.index(c.DT_NULL)]))


def last_load(programs: Sequence[ProgramHeader]) -> int:
    """Return the index of the last PT_LOAD."""
    return max(index for index, one in enumerate(programs) if one.type == c.PT_LOAD)


def overlaps(one: Range, other: Range) -> bool:
    """Return whether two ranges have something in common."""
    return one[0] < other[1] and other[0] < one[1]


def round_up(value: int, to: int) -> int:
    """Return the next multiple."""
    return -(-value // to) * to


def _is_address(tag: int) -> bool:
    return tag in c.ADDRESS_TAGS or any(tag in one for one in c.ADDRESS_TAG_RANGES)
