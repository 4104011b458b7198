"""Check that kernels and loaders map a patched file as they mapped the original.

Sources: ELF gABI chapter 5; glibc elf/dl-load.c (before 2.35 it checks every p_align, since then
the page size); Linux fs/binfmt_elf.c (before 5.18 AT_PHDR comes from the first PT_LOAD).
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, Iterator, List, Tuple

from manyshim.formats.elf.constants import (
    PF_W,
    PF_X,
    PT_DYNAMIC,
    PT_GNU_EH_FRAME,
    PT_GNU_PROPERTY,
    PT_GNU_RELRO,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
    PT_NOTE,
    PT_NULL,
    PT_PHDR,
    PT_TLS,
)
from manyshim.formats.elf.image import Image, Segment
from manyshim.values import NamedTuple

_NAMES: Dict[int, str] = {
    PT_TLS: "PT_TLS",
    PT_GNU_STACK: "PT_GNU_STACK",
    PT_GNU_RELRO: "PT_GNU_RELRO",
    PT_GNU_EH_FRAME: "PT_GNU_EH_FRAME",
}
# Their contents are compared elsewhere, at any address.
_COMPARED_ELSEWHERE = frozenset(
    (PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_GNU_PROPERTY, PT_PHDR)
)
# The largest page size in bytes, by e_machine, where it is not 64 KiB: x86, s390x, riscv64.
_MAX_PAGE = {3: 4096, 62: 4096, 22: 4096, 243: 4096}
_DEFAULT_MAX_PAGE = 65536


class Header(NamedTuple):
    """The fields of the file header; offsets and sizes in bytes."""

    type: int
    machine: int
    version: int
    entry: int
    program_headers: int
    sections: int
    flags: int
    size: int
    entry_size: int
    number: int
    section_size: int
    section_count: int
    section_names: int


def header(image: Image) -> Header:
    """Read the file header again, because `Image` does not keep all of its fields."""
    layout = image.layout.header
    return Header(*layout.unpack(image.window.read(16, layout.size)))


def changes(before: Image, after: Image, page: int, *, execstack_cleared: bool) -> Iterator[str]:
    """Yield what kernels or loaders would do differently with the patched file.

    `page` is the page size in bytes for which the original was made.
    """
    yield from _special(before, after, execstack_cleared=execstack_cleared)
    known = {kind for kind, _ in _faults(before, page)}
    for kind, sentence in _faults(after, page):
        if kind not in known:
            yield sentence
    if _writable_dynamic(before) and not _writable_dynamic(after):
        yield "its dynamic section is in read-only memory, but loaders write to it"


def page_size(image: Image, possible: int) -> int:
    """Return the page size in bytes with which the file must be mappable.

    `possible` is the largest one that its segments allow.
    """
    return min(possible, _MAX_PAGE.get(image.ident.machine, _DEFAULT_MAX_PAGE))


def _special(before: Image, after: Image, *, execstack_cleared: bool) -> Iterator[str]:
    """Compare the segments that loaders treat specially and patchelf does not move."""
    original, patched = _listed(before), _listed(after)
    if execstack_cleared:
        original = [
            one._replace(flags=one.flags & ~PF_X) if one.type == PT_GNU_STACK else one
            for one in original
        ]
    lost = Counter(original) - Counter(patched)
    new = Counter(patched) - Counter(original)
    for segment in sorted({one.type for one in (*lost, *new)}):
        name = _NAMES.get(segment, f"segment of type {segment:#x}")
        gone = [one for one in lost if one.type == segment]
        added = [one for one in new if one.type == segment]
        if gone and added:
            yield f"its {name} has a different address, size, alignment or flags"
        else:
            yield f"its {name} {'is missing' if gone else 'is new'}"


def _listed(image: Image) -> List[Segment]:
    found = (one for one in image.segments if one.type not in _COMPARED_ELSEWHERE)
    return [one._replace(offset=0) for one in found]


def _faults(image: Image, page: int) -> Iterator[Tuple[str, str]]:
    """Yield the problems of the segments, each with its kind first."""
    loads = [load for load in image.of_type(PT_LOAD) if load.memory_size]
    for load in loads:
        align = load.align
        if align > 1 and (align & (align - 1) or (load.address - load.offset) % align):
            place = f"its segment at {load.address:#x}"
            yield "align", f"{place} is not aligned to its p_align {align:#x} (glibc before 2.35)"
        if (load.address - load.offset) % page:
            yield "page", f"its segment at {load.address:#x} cannot be mapped with pages of {page}"
        if align < page:
            yield "small", f"its segment at {load.address:#x} is not aligned to pages of {page}"
        if load.flags & PF_X and load.flags & PF_W:
            yield "code", f"its segment at {load.address:#x} is both executable and writable"
        if load.memory_size < load.file_size:
            yield "size", f"its segment at {load.address:#x} is smaller in memory than in the file"
    for first, second in zip(loads, loads[1:]):
        if second.address < first.address:
            yield "order", f"its segment at {second.address:#x} follows one with a higher address"
        elif second.address // page * page < first.address + first.memory_size and not (
            _continues(first, second)
        ):
            yield "overlap", f"its segment at {second.address:#x} overlaps the one before it"
    yield from _program_header_faults(image, loads)


def _program_header_faults(image: Image, loads: List[Segment]) -> Iterator[Tuple[str, str]]:
    stated = header(image)
    size = stated.number * stated.entry_size
    for segment in image.of_type(PT_PHDR):
        if segment.offset != stated.program_headers or segment.memory_size != size:
            yield "phdr", "its PT_PHDR is not its program header table"
        inside = any(
            load.offset <= segment.offset
            and segment.offset + size <= load.offset + load.file_size
            and load.address - load.offset == segment.address - segment.offset
            for load in loads
        )
        if not inside:
            yield "mapped", "its PT_PHDR is not inside any loaded segment"
        if loads and segment.address - segment.offset != loads[0].address - loads[0].offset:
            yield "kernel", "its program headers are not where kernels before 5.18 look for them"


def _continues(first: Segment, second: Segment) -> bool:
    """Return whether a page shared by two segments is the same file page with the same flags."""
    return (
        first.flags == second.flags
        and first.file_size == first.memory_size
        and first.address + first.memory_size == second.address
        and first.offset + first.file_size == second.offset
    )


def _writable_dynamic(image: Image) -> bool:
    return any(
        load.flags & PF_W and load.address <= segment.address < load.address + load.file_size
        for segment in image.dynamic_segment()
        for load in image.of_type(PT_LOAD)
    )
