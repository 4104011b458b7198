"""Write small ELF files, so that tests need no compiler.

``write(Elf(...))`` returns the bytes. ``dataclasses.replace(TARGETS["armv7l"], ...)`` describes a
file for another architecture. Constants: System V gABI chapters 4 and 5, LSB core and
binutils' ``include/elf/common.h`` for the GNU extensions.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from elfmodel import TARGETS, Elf
from elftables import (
    HEADER,
    SECTION,
    SEGMENTS,
    Strings,
    Symbol,
    Versions,
    gnu_hash_order,
    gnu_hash_table,
    isa_note,
    note,
    raw,
    sysv_hash_table,
    sysv_hash_word,
)

__all__ = ["TARGETS", "Elf", "Symbol", "write"]

# The PT_LOADs by number: tables, text, data, and tables at the end as patchelf moves them.
TABLES, TEXT, DATA, MOVED, UNLOADED = range(5)


class Part(NamedTuple):
    """Consecutive bytes of the file; with a kind (sh_type) they are a section of that name."""

    name: str
    data: bytes
    kind: int = 0
    segment: int = TABLES
    align: int = 1
    link: str = ""
    info: int = 0
    entry: int = 0
    # Entries of the dynamic section for this part; None stands for its address.
    tags: Sequence[Tuple[int, Optional[int]]] = ()


class Place(NamedTuple):
    """The place of a part in the file and in memory."""

    section: int = 0
    segment: int = UNLOADED
    offset: int = 0
    address: int = 0
    size: int = 0


class Places(Dict[str, Place]):
    """The places of all parts; parts without a layout have an empty place."""

    def __missing__(self, name: str) -> Place:
        return Place()


def write(elf: Elf) -> bytes:
    """Return the bytes of the file; repeat the layout until all addresses are stable."""
    places = Places()
    while True:
        parts = _parts(elf, places)
        placed = _place(elf, parts)
        if placed == places:
            break
        places = placed
    data = bytearray()
    for part in parts:
        data += bytes(places[part.name].offset - len(data)) + part.data
    return bytes(data)


def _place(elf: Elf, parts: Sequence[Part]) -> Places:
    """Place the parts one after another; each segment moves addresses one page further."""
    places = Places()
    offset = section = 0
    for part in parts:
        offset += -offset % part.align
        section += part.kind != 0
        ahead = elf.base + part.segment * elf.page_align
        places[part.name] = Place(
            section if part.kind else 0,
            part.segment,
            offset,
            0 if part.segment == UNLOADED else offset + ahead,
            len(part.data),
        )
        offset += len(part.data)
    return places


def _parts(elf: Elf, places: Places) -> List[Part]:
    """Return the parts in file order; their tables contain the addresses of the last layout."""
    encoding, word = elf.encoding, elf.word
    parts = [
        Part("file header", _file_header(elf, places)),
        Part("program headers", _program_headers(elf, places), align=word),
    ]
    if elf.interp is not None:
        parts.append(Part(".interp", raw(elf.interp) + b"\0", 1))
    if elf.isa is not None:
        parts.append(Part(".note.gnu.property", isa_note(encoding, elf.isa), 7, align=word))
    if elf.notes:
        notes = b"".join(note(encoding, *fields) for fields in elf.notes)
        parts.append(Part(".note", notes, 7, align=4))
    if elf.dynamic:
        parts += _dynamic_parts(elf, places)
    # The data is a pointer to the code, which DT_RELR relocates.
    pointer = encoding.pack("W", places[".text"].address)
    parts.append(Part(".text", elf.code + bytes(elf.padding), 1, TEXT, 16))
    parts.append(Part(".data", pointer, 1, DATA, 16))
    parts.sort(key=lambda part: part.segment)
    if elf.comment:
        parts.append(Part(".comment", elf.comment, 1, UNLOADED))
    if elf.sections:
        names = Strings()
        for part in parts:
            names.add(part.name if part.kind else "")
        names.add(".shstrtab")
        parts.append(Part(".shstrtab", bytes(names.data), 3, UNLOADED))
        headers = _section_headers(elf, parts, places, names)
        parts.append(Part("section headers", headers, 0, UNLOADED, word))
    return parts


def _dynamic_parts(elf: Elf, places: Places) -> List[Part]:
    """Return the dynamic section and its tables; the string table is last, when it is complete."""
    encoding, word, strings = elf.encoding, elf.word, Strings()
    symbols = gnu_hash_order(elf.symbols) if elf.gnu_hash else list(elf.symbols)
    versions = Versions(elf.versions_defined, elf.symbols, elf.version_needs)
    moved = MOVED if elf.tables_last else TABLES
    parts: List[Part] = []
    tags: List[Tuple[int, Optional[int]]]
    if elf.gnu_hash:
        table = gnu_hash_table(encoding, symbols, like_ld=elf.empty_hash_like_ld)
        tags = [(0x6FFFFEF5, None)]
        parts.append(Part(".gnu.hash", table, 0x6FFFFFF6, 0, word, ".dynsym", tags=tags))
    if elf.sysv_hash:
        code = sysv_hash_word(encoding, elf.machine)
        size, table = encoding.size(code), sysv_hash_table(encoding, code, symbols)
        parts.append(Part(".hash", table, 5, 0, size, ".dynsym", 0, size, [(4, None)]))
    entry = 24 if elf.bits == 64 else 16
    # Without a section table, any section index except SHN_UNDEF marks a definition.
    section, address = places[".text"].section or 1, places[".text"].address
    table = bytes(entry) + b"".join(
        symbol.entry(encoding, strings.add(symbol.name), section, address) for symbol in symbols
    )
    tags = [(6, None), (11, entry)]
    parts.append(Part(".dynsym", table, 11, moved, word, ".dynstr", 1, entry, tags))
    if versions.defined or versions.needed:
        table = encoding.pack_all("H", [0, *map(versions.index, symbols)])
        tags = [(0x6FFFFFF0, None)]
        parts.append(Part(".gnu.version", table, 0x6FFFFFFF, 0, 2, ".dynsym", 0, 2, tags))
    if versions.defined:
        table = versions.definitions(encoding, strings, elf.soname or "unnamed.so")
        count = 1 + len(versions.defined)
        tags = [(0x6FFFFFFC, None), (0x6FFFFFFD, count)]
        parts.append(Part(".gnu.version_d", table, 0x6FFFFFFD, 0, 4, ".dynstr", count, tags=tags))
    if versions.needed:
        table = versions.needs(encoding, strings, elf.weak_versions)
        count = len(versions.needed)
        tags = [(0x6FFFFFFE, None), (0x6FFFFFFF, count)]
        parts.append(Part(".gnu.version_r", table, 0x6FFFFFFE, 0, 4, ".dynstr", count, tags=tags))
    if elf.relocations is not None:
        parts.append(_relocation_part(elf, elf.relocations, symbols, places))
    if elf.relr:
        table = encoding.pack("W", places[".data"].address)
        tags = [(36, None), (35, word), (37, word)]
        parts.append(Part(".relr.dyn", table, 19, 0, word, "", 0, word, tags))
    table = _dynamic_table(elf, parts, strings, places)
    parts.append(Part(".dynamic", table, 6, DATA, word, ".dynstr", 0, 2 * word))
    moved = MOVED if elf.strings_last else moved
    return [*parts, Part(".dynstr", bytes(strings.data), 3, moved)]


def _relocation_part(elf: Elf, name: str, symbols: Sequence[Symbol], places: Places) -> Part:
    """Relocate the data by symbols; type 0 is R_<machine>_NONE everywhere."""
    addend = name.startswith(".rela")
    entry = elf.word * (3 if addend else 2)
    chosen = {
        "undefined": [index for index, one in enumerate(symbols, 1) if not one.defined],
        "defined": [index for index, one in enumerate(symbols, 1) if one.defined],
        "no symbol": [0],
    }[elf.relocated]
    shift, kind = 32 if elf.bits == 64 else 8, elf.relocation_type
    table = b"".join(
        elf.encoding.pack("WW", places[".data"].address, index << shift | kind)
        + bytes(elf.word * addend)
        for index in chosen
    )
    # The tags from DT_RELA (7) and from DT_REL (17) have the same order. DT_PLTREL is the type of
    # DT_JMPREL.
    first = 7 if addend else 17
    tags: List[Tuple[int, Optional[int]]]
    if name.endswith(".plt"):
        tags = [(23, None), (2, len(table)), (20, first)]
    else:
        tags = [(first, None), (first + 1, len(table)), (first + 2, entry)]
    return Part(name, table, 4 if addend else 9, 0, elf.word, ".dynsym", 0, entry, tags)


def _dynamic_table(elf: Elf, parts: Sequence[Part], strings: Strings, places: Places) -> bytes:
    """Encode the dynamic section (gABI, "Dynamic Section")."""
    libraries = ((1, elf.needed), (0x7FFFFFFD, elf.auxiliary), (0x7FFFFFFF, elf.filters))
    entries = [(tag, strings.add(name)) for tag, names in libraries for name in names]
    named = ((14, elf.soname), (15, elf.rpath), (29, elf.runpath))
    entries += [(tag, strings.add(text)) for tag, text in named if text is not None]
    for part in parts:
        address = places[part.name].address
        entries += [(tag, address if value is None else value) for tag, value in part.tags]
    entries += [(5, places[".dynstr"].address), (10, len(strings.data))]
    entries += [(22, 0)] if elf.textrel else []
    numbers = ((30, elf.dt_flags), (0x6FFFFFFB, elf.dt_flags_1))
    entries += [(tag, value) for tag, value in numbers if value]
    entries += [*elf.tags, (0, 0)]
    return elf.encoding.pack_all("W", [number for pair in entries for number in pair])


def _file_header(elf: Elf, places: Places) -> bytes:
    """Encode the file header; only an executable has an entry point."""
    encoding = elf.encoding
    ident = [1 if elf.bits == 32 else 2, 1 if elf.little else 2, 1, elf.osabi, elf.abiversion]
    starts = elf.type == 2 or elf.interp is not None
    size, row = encoding.size("16s" + HEADER.codes), encoding.size(SEGMENTS[elf.bits].codes)
    headers, sections = places["program headers"], places["section headers"]
    section_row = encoding.size(SECTION.codes)
    return (
        b"\x7fELF"
        + bytes(ident).ljust(12, b"\0")
        + encoding.pack(
            HEADER.codes,
            *(elf.type, elf.machine, 1, places[".text"].address if starts else 0),
            *(headers.offset, sections.offset, elf.flags, size, row, headers.size // row),
            *(section_row, sections.size // section_row, places[".shstrtab"].section),
        )
    )


def _program_headers(elf: Elf, places: Places) -> bytes:
    """Encode a program header for each run of parts that a loader looks for."""
    rows: List[Dict[str, int]] = []

    def cover(kind: int, flags: int, align: int, covered: Sequence[Place]) -> None:
        if covered:
            first, last = covered[0], covered[-1]
            size = last.offset + last.size - first.offset
            row = {"type": kind, "flags": flags, "offset": first.offset, "vaddr": first.address}
            rows.append(
                {**row, "paddr": first.address, "filesz": size, "memsz": size, "align": align}
            )

    def named(name: str) -> List[Place]:
        return [places[name]] if name in places else []

    if elf.interp is not None:
        # Loaders derive the load address of an executable from PT_PHDR, which must come first.
        cover(6, 4, elf.word, named("program headers"))
        cover(3, 4, 1, named(".interp"))
    for segment, flags in ((TABLES, 4), (TEXT, 7 if elf.wx_segment else 5), (DATA, 6), (MOVED, 6)):
        if segment == DATA:
            rows += [_overlay(elf, *numbers) for numbers in elf.overlays]
        covered = [place for place in places.values() if place.segment == segment]
        cover(1, flags, elf.page_align, covered)
    cover(2, 6, elf.word, named(".dynamic"))
    cover(4, 4, 4, named(".note"))
    cover(4, 4, elf.word, named(".note.gnu.property"))
    cover(0x6474E553, 4, elf.word, named(".note.gnu.property"))
    if elf.tls_size is not None:
        cover(7, 4, elf.word, [places[".data"]._replace(size=0)])
        rows[-1]["memsz"] = elf.tls_size
    if elf.stack_flags is not None:
        cover(0x6474E551, elf.stack_flags, 16, [Place()])
    order, codes = SEGMENTS[elf.bits]
    return b"".join(
        elf.encoding.pack(codes, *(row[name] for name in order.split())) for row in rows
    )


def _overlay(
    elf: Elf, offset: int, address: int, file_size: int, memory_size: int
) -> Dict[str, int]:
    places = {"offset": offset, "vaddr": address, "paddr": address}
    sizes = {"filesz": file_size, "memsz": memory_size}
    return {"type": 1, "flags": 6, **places, **sizes, "align": elf.page_align}


def _section_headers(elf: Elf, parts: Sequence[Part], places: Places, names: Strings) -> bytes:
    """Encode the null section header, and one for each part that is a section."""
    table = bytes(elf.encoding.size(SECTION.codes))
    for part in parts:
        if part.kind:
            place = places[part.name]
            # SHF_ALLOC with SHF_EXECINSTR or SHF_WRITE.
            flags = {TABLES: 2, TEXT: 2 | 4, UNLOADED: 0}.get(part.segment, 2 | 1)
            table += elf.encoding.pack(
                SECTION.codes,
                *(names.add(part.name), part.kind, flags, place.address, place.offset),
                *(len(part.data), places[part.link].section, part.info, part.align, part.entry),
            )
    return table
