"""ELF files as they are stored, to compare two of them.

The readers of `formats.elf` keep what a loader reads. To compare files, every field counts.
Sources: ELF gABI chapters 4 and 5.
"""

from __future__ import annotations

import os
import re
import struct
from contextlib import ExitStack
from typing import BinaryIO, Callable, Dict, Iterator, List, Optional, Sequence

from manyshim.audit.facts import ElfFile
from manyshim.errors import InvalidWheelError, ToolError, shorten
from manyshim.formats.elf import dynamic as dynamics
from manyshim.formats.elf import reader
from manyshim.formats.elf.constants import PT_DYNAMIC, SHT_NOBITS, SHT_STRTAB
from manyshim.formats.elf.headers import Entry, Headers, ProgramHeader, SectionHeader
from manyshim.formats.elf.image import ElfError, Image
from manyshim.formats.zip.window import MemberError, Window
from manyshim.values import NamedTuple

_IDENT = 16
# Larger blocks do not stay in the processor's cache.
BLOCK = 1 << 16
_MAX_SENTENCES = 20
_MAX_NAME = 64

_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
# Facts whose values are printed.
_NAMES = ("needed", "soname", "rpath", "runpath", "interpreter")
# The new segment may change how far memory reaches. The member's name is no fact, and damage is
# compared without its numbers.
_FREE_FACTS = ("page_size", "path", "damage")


class Edit(NamedTuple):
    """Bytes that a patched file must have at an offset, and what they are."""

    offset: int
    data: bytes
    what: str


class Copy(NamedTuple):
    """Bytes of the original that a patched file must have at another offset."""

    place: int
    offset: int
    size: int


class StoredFile(Headers):
    """The headers of an open file, and what its loader reads. Raises ElfError or MemberError.

    `entries` are those of PT_DYNAMIC up to DT_NULL.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        super().__init__(file)
        window = Window(file, 0, 0, self.size, 0)
        self.facts: ElfFile = reader.read(name, window).facts
        image = Image(window)
        self.order = self.layout.order
        self.entry, self.row = self.layout.dynamic.size, self.layout.segment.size
        self.header_size = _IDENT + self.layout.header.size
        self.table, self.count = self.header.program_offset, self.header.program_count
        self.dynamic = None if image.detached() else dynamics.read(image)
        self.entries: List[Entry] = self.dynamic.entries if self.dynamic else []

    @property
    def dynamic_segment(self) -> Optional[ProgramHeader]:
        """The last PT_DYNAMIC, which the loader uses, or None."""
        found = [one for one in self.programs if one.type == PT_DYNAMIC]
        return found[-1] if found else None

    def value(self, tag: int) -> int:
        """Return the value of a dynamic tag, or 0."""
        return (self.dynamic.get(tag) if self.dynamic else None) or 0

    def string(self, index: int) -> str:
        """Return a string of the dynamic string table."""
        return self.dynamic.string(index) if self.dynamic else ""

    def table_edit(self, start: int, count: int) -> Edit:
        """Return the file header with this place and number of program headers."""
        header = self.header._replace(program_offset=start, program_count=count)
        return Edit(_IDENT, self.pack_file(header), "file header")

    def program_edit(self, offset: int, one: ProgramHeader, index: int) -> Edit:
        """Return a program header that is at an offset."""
        what = f"program header {index} (type {one.type:#x})"
        return Edit(offset, self.pack_program(one), what)

    def section_edit(self, index: int, one: SectionHeader) -> Edit:
        """Return a section header."""
        offset = self.header.section_offset + index * self.header.section_size
        return Edit(offset, self.pack_section(one), f"header of {self.name_of(one)}")

    def entry_edits(self, offset: int, entries: Sequence[Entry]) -> Iterator[Edit]:
        """Yield dynamic entries that begin at an offset."""
        for index, entry in enumerate(entries):
            data = self.layout.dynamic.pack(*entry)
            yield Edit(offset + index * self.entry, data, f"dynamic entry of type {entry[0]:#x}")

    def where(self, offset: int) -> str:
        """Return the name of what lies at an offset."""
        start, size = self.header.section_offset, self.header.section_size * len(self.sections)
        parts = [
            (self.header_size, "file header", 0),
            (self.count * self.row, "program headers", self.table),
            (size, "section headers", start),
        ]
        parts += (
            (one.size, self.name_of(one), one.offset)
            for one in self.sections
            if one.type != SHT_NOBITS
        )
        inside = [part for part in parts if part[2] <= offset < part[2] + part[0]]
        return min(inside)[1] if inside else "bytes of no section"

    def name_of(self, section: SectionHeader) -> str:
        """Return the name of a section for a sentence."""
        index = self.header.section_names
        names = self.sections[index] if index < len(self.sections) else section
        start = names.offset + section.name
        size = min(_MAX_NAME, self.size - start)
        if not 0 <= section.name < names.size or size <= 0 or names.type != SHT_STRTAB:
            return f"section at {section.address:#x}"
        name = self.read(start, size).split(b"\0")[0]
        return f"section {shorten(name.decode('utf-8', 'surrogateescape'))}"


def compare_files(
    before: str, after: str, check: Callable[[StoredFile, StoredFile], Iterator[str]]
) -> List[str]:
    """Read two files, and return the sentences of a check, each once.

    A second file that cannot be read is a sentence. Raises ToolError if the first one cannot be
    read, or if either cannot be opened.
    """
    with ExitStack() as stack:
        files = []
        for path in (before, after):
            try:
                files.append(stack.enter_context(open(path, "rb")))
            except OSError as error:
                raise ToolError(f"{path}: cannot be read: {error.strerror}") from error
        name = os.path.basename(before)
        try:
            original = StoredFile(name, files[0])
        except (ElfError, MemberError, InvalidWheelError, struct.error) as error:
            raise ToolError(f"{before}: cannot be read: {error}") from error
        found: Dict[str, None] = {}
        try:
            for sentence in check(original, StoredFile(name, files[1])):
                found[sentence] = None
                if len(found) == _MAX_SENTENCES:
                    break
        except (ElfError, MemberError, InvalidWheelError, struct.error) as error:
            found[f"it can no longer be read: {error}"] = None
        return list(found)


def changed_facts(expected: ElfFile, found: ElfFile) -> Iterator[str]:
    """Yield which facts of a file are not the expected ones."""
    # What was damaged before may have moved, or lie in the new segment.
    known = {_NUMBER.sub("", one) for one in expected.damage}
    yield from (one for one in found.damage if _NUMBER.sub("", one) not in known)
    for field, wanted, value in zip(ElfFile._fields, expected, found):
        if value != wanted and field not in _FREE_FACTS:
            values = f"{_listed(value)}, not {_listed(wanted)}" if field in _NAMES else "changed"
            yield f"its {field.replace('_', ' ')}: {values}"


def _listed(value: object) -> str:
    names = value if isinstance(value, tuple) else (value,)
    return ", ".join(shorten(str(name)) for name in names if name is not None) or "none"
