"""Compare a stripped file with its original by what loaders see.

strip lays a file out anew: offsets change, addresses do not. So the bytes are compared address by
address, and each segment with the one of the same place in the table.
Sources: ELF gABI chapter 5; glibc elf/dl-load.c (before 2.35 it checks every p_align, since then
the page size); Linux fs/binfmt_elf.c (before 5.18 AT_PHDR comes from e_phoff).
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Iterator, List, Tuple

from manyshim.audit.identity import OS_ABIS
from manyshim.formats.elf import constants as c
from manyshim.formats.elf.headers import ProgramHeader, SectionHeader
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.payload import check_payload
from manyshim.repair.verify_file import BLOCK, StoredFile, changed_facts, compare_files

# The smallest page of every architecture that a wheel is for.
_PAGE = 4096


def strip_differences(before: str, after: str) -> List[str]:
    """Return what a loader would see differently in a stripped file.

    Raises ToolError if the original cannot be read.
    """
    return compare_files(before, after, _differences)


def _differences(old: StoredFile, new: StoredFile) -> Iterator[str]:
    expected, found = old.facts, new.facts
    if {expected.ident.os_abi, found.ident.os_abi} <= set(OS_ABIS):
        # GNU strip changes ELFOSABI_GNU to 0 or back, by the symbols that are left.
        ident = expected.ident._replace(os_abi=found.ident.os_abi)
        expected = expected._replace(ident=ident)
    yield from changed_facts(expected, found)
    try:
        check_payload(old)
    except ElfError as error:
        # strip removes them.
        yield str(error)
    if new.header.entry != old.header.entry:
        yield f"its entry point is {new.header.entry:#x}, not {old.header.entry:#x}"
    yield from _segments(old, new)
    faults = {kind for kind, _ in _faults(old)}
    yield from (sentence for kind, sentence in _faults(new) if kind not in faults)
    if _notes(old) != _notes(new):
        yield "its notes changed"
    for start, end, name in _ranges(old):
        yield from _changed_bytes(old, new, start, end, name)


def _segments(old: StoredFile, new: StoredFile) -> Iterator[str]:
    """Compare what loaders use of the segments, without their offsets."""
    # GNU strip cuts off the end of a loaded segment that no section claims.
    cut = bool(old.sections)
    was, now = (Counter(_used(one, cut=cut) for one in file.programs) for file in (old, new))
    for kind in sorted({kind for kind, *_ in (was - now) + (now - was)} - {c.PT_NULL}):
        yield f"its segments of type {kind:#x} have other addresses, sizes, alignments or flags"
    for one in old.sections:
        if one.allocated and not one.flags & c.SHF_TLS:
            name = old.name_of(one)
            if _is_loaded(old, one) and not _is_loaded(new, one):
                yield f"its {name} at {one.address:#x} is in no segment"
            zero = one.type == c.SHT_NOBITS and old.mapping.find(one.address) is None
            if zero and new.mapping.find(one.address):
                yield f"its {name} at {one.address:#x} is no longer zero"


def _used(one: ProgramHeader, *, cut: bool) -> Tuple[int, ...]:
    size = 0 if cut and one.type == c.PT_LOAD else one.memory_size
    return one.type, one.flags, one.address, size, one.align


def _is_loaded(file: StoredFile, section: SectionHeader) -> bool:
    return any(
        one.address <= section.address and section.range[1] <= one.end
        for one in file.programs
        if one.type == c.PT_LOAD
    )


def _faults(file: StoredFile) -> Iterator[Tuple[str, str]]:
    """Yield why kernels and loaders would not map a file as it states, each with its kind."""
    loads = [one for one in file.programs if one.type == c.PT_LOAD]
    for one in loads:
        ahead, place = one.address - one.offset, f"its segment at {one.address:#x}"
        if one.align > 1 and ahead % one.align:
            yield "align", f"{place} is at offset {one.offset:#x}, not aligned to {one.align:#x}"
        if ahead % _PAGE:
            yield "page", f"{place} is at offset {one.offset:#x}, which cannot be mapped there"
    size = file.count * file.row
    for one in file.programs:
        if one.type == c.PT_PHDR and one.offset != file.table:
            yield "table", "its PT_PHDR is not at its program header table"
        if one.type == c.PT_PHDR and loads and _ahead(one) != _ahead(loads[0]):
            yield "kernel", "its program headers are not where kernels before 5.18 look for them"
        if one.type == c.PT_PHDR and one.memory_size != size:
            yield "size", "its PT_PHDR has another size than its program header table"


def _ahead(one: ProgramHeader) -> int:
    return one.address - one.offset


def _notes(file: StoredFile) -> Counter[Tuple[bytes, int, bytes]]:
    found: Counter[Tuple[bytes, int, bytes]] = Counter()
    for one in file.programs:
        if one.type in (c.PT_NOTE, c.PT_GNU_PROPERTY):
            # An old patchelf leaves a PT_NOTE behind that no longer leads to notes.
            with suppress(ElfError):
                found.update([(note.owner, note.kind, note.content) for note in file.notes(one)])
    return found


def _ranges(file: StoredFile) -> Iterator[Tuple[int, int, str]]:
    """Yield the addresses whose bytes count, in order: those of sections, or else of segments."""
    if file.sections:
        found = [(one.address, one.address + one.size, one) for one in file.sections if one.loaded]
        position = 0
        for start, end, section in sorted(found):
            # Sections may overlap, but their bytes are compared once.
            if end > position:
                yield max(start, position), end, file.name_of(section)
                position = end
        return
    table = file.table, file.table + file.count * file.row
    for load in file.programs:
        if load.type == c.PT_LOAD:
            offset, end = load.offset, load.offset + load.file_size
            for first, last in (*sorted(((0, file.header_size), table)), (end, end)):
                if offset < min(first, end):
                    yield _at(load, offset), _at(load, min(first, end)), "segment"
                offset = max(offset, last)


def _at(load: ProgramHeader, offset: int) -> int:
    return load.address + offset - load.offset


def _changed_bytes(
    old: StoredFile, new: StoredFile, start: int, end: int, name: str
) -> Iterator[str]:
    while start < end:
        (place, length), (moved, other) = (_find(file, start) for file in (old, new))
        if length <= 0:
            # Not even the original maps it.
            return
        if other <= 0:
            yield f"its {name} at {start:#x} is no longer mapped"
            return
        length = min(length, other, end - start, BLOCK)
        was, now = old.read(place, length), new.read(moved, length)
        if was != now:
            index = next(i for i, (a, b) in enumerate(zip(was, now)) if a != b)
            yield f"its {name} at {start + index:#x} has other bytes"
            return
        start += length


def _find(file: StoredFile, address: int) -> Tuple[int, int]:
    """Return the offset of an address, and how many bytes follow it; not more than 0 without."""
    offset, length = file.mapping.find(address) or (0, 0)
    return offset, length if offset >= 0 else 0
