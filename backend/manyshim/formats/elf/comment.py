"""The section `.comment` of an ELF file: the compilers and linkers that made it.

Compilers write it for people. A loader does not read it, and files without it are as good. It is
read only to choose an advice.
"""

from __future__ import annotations

import struct
from typing import Iterator, Optional, Tuple

from manyshim.audit.findings import Advice
from manyshim.formats.elf.image import Image
from manyshim.formats.zip.window import Window
from manyshim.values import NamedTuple

# Some dozen strings of less than 100 bytes.
_MAX_COMMENT = 1 << 16
_MAX_NAMES = 1 << 16
_MAX_SECTIONS = 1 << 14


class _Section(NamedTuple):
    """A section header: its name in the table of names, its offset and its size, in bytes."""

    name: int
    offset: int
    size: int


def maker(window: Window) -> Optional[Advice]:
    """Return who made a file, by its `.comment`; None if it does not tell.

    zig cannot be told from clang: both write "clang version 22.1.8". Raises ElfError or
    MemberError if the file cannot be read.
    """
    rust = any(tool.startswith(b"rustc version ") for tool in tools(window))
    return Advice.RUST if rust else None


def tools(window: Window) -> Tuple[bytes, ...]:
    """Return the strings of `.comment`, without repetitions; empty without the section."""
    image = Image(window)
    sections = tuple(_sections(image))
    _, _, _, index = image.section_table
    if index >= len(sections):
        return ()
    names = _content(window, sections[index], _MAX_NAMES)
    for section in sections:
        if names[section.name :].startswith(b".comment\0"):
            strings = _content(window, section, _MAX_COMMENT).split(b"\0")
            return tuple(dict.fromkeys(filter(None, strings)))
    return ()


def _content(window: Window, section: _Section, most: int) -> bytes:
    size = min(section.size, most, window.size - min(section.offset, window.size))
    return window.read(section.offset, size) if size else b""


def _sections(image: Image) -> Iterator[_Section]:
    """Yield the section headers (ELF gABI, "Section Header Table")."""
    start, size, count, _ = image.section_table
    row = struct.Struct(image.layout.order + ("IIQQQQIIQQ" if image.layout.bits == 64 else "10I"))
    end = start + size * count
    if size != row.size or count > _MAX_SECTIONS or end > image.window.size:
        return
    for fields in row.iter_unpack(image.window.read(start, size * count)):
        yield _Section(fields[0], fields[4], fields[5])
