"""Compare a patched file with its original and the plan; both files are read again."""

from __future__ import annotations

import os
import struct
from collections import Counter
from contextlib import ExitStack
from typing import Iterator, List, Tuple

from manyshim.audit.facts import ElfFile
from manyshim.audit.identity import OS_ABIS
from manyshim.errors import ToolError
from manyshim.formats.elf import dynamic as dynamics
from manyshim.formats.elf import reader
from manyshim.formats.elf.constants import (
    DT_AUDIT,
    DT_AUXILIARY,
    DT_CONFIG,
    DT_DEPAUDIT,
    DT_FILTER,
    DT_GNU_HASH,
    DT_HASH,
    DT_NEEDED,
    DT_NULL,
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    DT_STRSZ,
    DT_VERSYM,
    PT_GNU_PROPERTY,
    PT_INTERP,
    PT_NOTE,
)
from manyshim.formats.elf.dynamic import Dynamic
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import ElfError, Image
from manyshim.formats.zip.window import MemberError, Window
from manyshim.repair.verify import filler, segments
from manyshim.repair.verify.dynamic_tables import MOVING, RELOCATIONS, Node, Tables
from manyshim.repair.verify.mapped import Memory, Range

_PLANNED = frozenset((DT_NULL, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH, DT_NEEDED)) | MOVING
# Auxiliary, filter, audit, dependency audit, configuration: their values are offsets of names.
_NAMES = frozenset((DT_AUXILIARY, DT_FILTER, DT_AUDIT, DT_DEPAUDIT, DT_CONFIG))
_MAX_NOTES = 1 << 20

# Fields of ElfFile that must not change, each with its description in messages.
_FACTS = (
    ("interpreter", "interpreter"),
    ("isa_level", "x86 level"),
    ("android", "Android note"),
    ("tls_size", "size of thread-local data"),
    ("writable_code", "writable code"),
    ("textrel", "relocations in code"),
    ("static_tls", "static TLS flag"),
    ("pie", "PIE flag"),
    ("relr", "relative relocations"),
    ("module_init", "module init function"),
    ("undefined", "undefined symbols"),
    ("strong_versioned", "versioned undefined symbols"),
    ("versions_defined", "version definitions"),
    ("dynamic", "dynamic section"),
    ("detached", "detached state"),
)


def damage(
    before: str,
    after: str,
    patch: Patch,
    *,
    stripped: bool = False,
    execstack_cleared: bool = False,
) -> List[str]:
    """Return every difference between a patched file and its original that is not planned.

    `stripped` and `execstack_cleared` say what else was done to the file. Raises ToolError if the
    original cannot be read.
    """
    with ExitStack() as stack:
        windows: List[Window] = []
        for path in (before, after):
            try:
                file = stack.enter_context(open(path, "rb"))
            except OSError as error:
                raise ToolError(f"{path}: cannot be read: {error.strerror}") from error
            windows.append(Window(file, 0, 0, os.fstat(file.fileno()).st_size, 0))
        name = os.path.basename(before)
        try:
            original = _Side(name, windows[0])
        except (ElfError, MemberError) as error:
            raise ToolError(f"{before}: cannot be read: {error}") from error
        try:
            patched = _Side(name, windows[1])
            found = _differences(
                original, patched, patch, stripped=stripped, execstack_cleared=execstack_cleared
            )
            return list(dict.fromkeys(found))
        except (ElfError, MemberError, struct.error) as error:
            return [f"it can no longer be read: {error}"]


class _Side:
    """One of the two files, as it was read. Raises ElfError or MemberError."""

    def __init__(self, name: str, window: Window) -> None:
        self.facts: ElfFile = reader.read(name, window).facts
        self.image = Image(window)
        self.header = segments.header(self.image)
        self.memory = Memory(self.image)
        detached = self.image.detached()
        self.dynamic = None if detached else dynamics.read(self.image)
        self.tables = None if self.dynamic is None else Tables(self.dynamic)


def _differences(
    before: _Side, after: _Side, patch: Patch, *, stripped: bool, execstack_cleared: bool
) -> Iterator[str]:
    yield from _identity(before, after, stripped=stripped)
    page = segments.page_size(before.image, before.facts.page_size) or 1
    yield from segments.changes(
        before.image, after.image, page, execstack_cleared=execstack_cleared
    )
    for field, words in _FACTS:
        if getattr(before.facts, field) != getattr(after.facts, field):
            yield f"its {words} changed"
    yield from (one for one in after.facts.damage if one not in before.facts.damage)
    if _notes(before.image) != _notes(after.image):
        yield "its notes changed"
    ignored = [*_header_ranges(before), *filler.ranges(before.image, before.header)]
    if before.dynamic is not None and after.dynamic is not None:
        yield from _names(before.facts, after.facts, after.dynamic, patch)
        yield from _entries(before.dynamic, after.dynamic)
    if before.tables is not None and after.tables is not None:
        yield from _versions(before.tables, after.tables, patch)
        yield from _same_tables(before.tables, after.tables)
        ignored += _table_ranges(before.tables, after.tables)
    yield from before.memory.differences(after.memory, ignored)


def _identity(before: _Side, after: _Side, *, stripped: bool) -> Iterator[str]:
    original, patched = before.image.ident, after.image.ident
    # GNU strip changes ELFOSABI_GNU (3) to 0 or back, depending on the symbols.
    if stripped and {original.os_abi, patched.os_abi} <= set(OS_ABIS):
        patched = patched._replace(os_abi=original.os_abi)
    if original != patched:
        yield "its class, byte order, machine, type, ABI or flags changed"
    if before.header.entry != after.header.entry:
        yield f"its entry point is {after.header.entry:#x}, not {before.header.entry:#x}"


def _names(before: ElfFile, after: ElfFile, dynamic: Dynamic, patch: Patch) -> Iterator[str]:
    replaced = dict(patch.replace_needed)
    kept = (name for name in before.needed if name not in patch.remove_needed)
    wanted = tuple(replaced.get(name, name) for name in kept)
    if after.needed != wanted:
        yield f"it needs {_listed(after.needed)}, not {_listed(wanted)}"
    soname = before.soname if patch.soname is None else patch.soname
    if after.soname != soname:
        yield f"its soname is {after.soname}, not {soname}"
    if patch.rpath is None:
        paths = before.rpath, before.runpath
    else:
        paths = tuple(patch.rpath.split(":")) if patch.rpath else (), ()
    if (after.rpath, after.runpath) != paths:
        yield (
            f"its RPATH is {_listed(after.rpath)} and its RUNPATH {_listed(after.runpath)}, not "
            f"{_listed(paths[0])} and {_listed(paths[1])}"
        )
    several = len(dynamic.all(DT_RPATH)), len(dynamic.all(DT_RUNPATH))
    if patch.rpath is not None and several != (int(bool(patch.rpath)), 0):
        yield f"it has {several[0]} entries of DT_RPATH and {several[1]} of DT_RUNPATH"


def _entries(before: Dynamic, after: Dynamic) -> Iterator[str]:
    """Compare the dynamic sections, except entries that the plan or a moved table may change."""
    original, patched = (
        Counter(entry for entry in one.entries if entry[0] not in _PLANNED)
        for one in (before, after)
    )
    for tag, _ in sorted((original - patched) + (patched - original)):
        yield f"its dynamic section's entries of type {tag:#x} changed"
    present = [{tag for tag, _ in one.entries} & MOVING for one in (before, after)]
    for tag in sorted(present[0] ^ present[1]):
        yield f"its dynamic section's entry of type {tag:#x} is missing or new"
    named = [value for tag, value in before.entries if tag in _NAMES]
    if before.strings(named) != after.strings(named):
        yield "the names in its filter, audit or configuration entries changed"


def _versions(before: Tables, after: Tables, patch: Patch) -> Iterator[str]:
    replaced = dict(patch.replace_needed)
    needs = _named(before.dynamic, before.needs)
    wanted = [(replaced.get(library, library), rest) for library, rest in needs]
    found = list(_named(after.dynamic, after.needs))
    if found != wanted:
        yield "its version needs changed"
    for library in sorted({library for library, _ in found} & set(patch.remove_needed)):
        yield f"it needs versions of {library}, which it no longer loads"
    if list(_named(before.dynamic, before.definitions)) != list(
        _named(after.dynamic, after.definitions)
    ):
        yield "its version definitions changed"


def _named(dynamic: Dynamic, nodes: List[Node]) -> Iterator[Tuple[str, Tuple[object, ...]]]:
    """Yield version nodes with names instead of offsets; the library comes first."""
    names = dynamic.strings([place for node in nodes for place in (node.library, *node.names)])
    for node in nodes:
        texts = tuple(names[place] for place in node.names)
        yield names[node.library], (texts, node.hash, node.flags, node.version)


def _same_tables(before: Tables, after: Tables) -> Iterator[str]:
    symbols = before.symbol_difference(after)
    if symbols:
        yield symbols
    for tag, words in (
        (DT_VERSYM, "symbols' versions"),
        (DT_HASH, "hash table"),
        (DT_GNU_HASH, "GNU hash table"),
        *((tag, "relocations") for tag, _ in RELOCATIONS),
    ):
        if not before.same(after, tag):
            yield f"its {words} changed"


def _header_ranges(side: _Side) -> Iterator[Range]:
    """Yield the address ranges of headers and special segments.

    Their meaning is compared elsewhere, so their bytes may differ.
    """
    stated = side.header
    table = stated.program_headers
    for load in side.memory.loads:
        for start, size in ((0, stated.size), (table, stated.number * stated.entry_size)):
            if load.offset <= start and start + size <= load.offset + load.file_size:
                address = load.address + start - load.offset
                yield address, address + size
    for segment in side.image.of_type(PT_INTERP, PT_NOTE, PT_GNU_PROPERTY):
        yield segment.address, segment.address + segment.file_size
    for segment in side.image.dynamic_segment():
        yield segment.address, segment.address + segment.file_size


def _table_ranges(before: Tables, after: Tables) -> Iterator[Range]:
    """Yield the address ranges of the original's tables; relocations only if they have moved."""
    moved = after.ranges()
    relocations = {tag for tag, _ in RELOCATIONS}
    for tag, place in before.ranges().items():
        if tag not in relocations or place != moved.get(tag):
            yield place


def _notes(image: Image) -> Counter[bytes]:
    """Return the notes, regardless of how they are split into segments."""
    found: Counter[bytes] = Counter()
    word = struct.Struct(image.layout.order + "3I")
    for segment in image.of_type(PT_NOTE):
        size = min(segment.file_size, _MAX_NOTES)
        data = image.bytes_at(segment.offset, size)
        align = 8 if segment.align == 8 else 4
        place = 0
        while place + word.size <= size:
            owner, content, _ = word.unpack_from(data, place)
            start = -(-(place + word.size + owner) // align) * align
            found[data[place : start + content]] += 1
            place = -(-(start + content) // align) * align
    return found


def _listed(names: Tuple[str, ...]) -> str:
    return ":".join(names) or "nothing"
