"""Change the names, the search path and the stack flag of an ELF file in place.

The file is copied. New strings are appended in one new segment, and a few bytes are edited where
they are. Only what is in the way of the segment's header moves, into that segment.
Sources: ELF gABI chapters 4 and 5; LSB "Symbol Versioning"; glibc elf/dl-load.c and dl-version.c.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from contextlib import suppress
from typing import BinaryIO, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from manyshim.audit.facts import EXECUTABLE, SHARED
from manyshim.formats.elf.constants import (
    DF_1_PIE,
    DT_DEBUG,
    DT_FLAGS_1,
    DT_NEEDED,
    DT_RELACOUNT,
    DT_RELCOUNT,
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    DT_STRSZ,
    DT_STRTAB,
    DT_VERNEED,
    PF_X,
    PT_GNU_STACK,
    PT_INTERP,
)
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.growth import Changes, place_names
from manyshim.formats.elf.headers import (
    DynamicSection,
    Entry,
    Headers,
    ProgramHeader,
    dynamic_section,
)
from manyshim.formats.elf.image import ElfError
from manyshim.values import NamedTuple

_MAX_VERSIONS = 20_000
# The largest that is known has 5 MiB. It is read into memory.
_MAX_STRINGS = 64 << 20
_BLOCK = 1 << 20


def patch_file(source: str, target: str, patch: Patch) -> None:
    """Write a patched copy of `source` to `target`, which appears whole or not at all.

    The same patch on the copy changes nothing. Raises ElfError with the reason if the file cannot
    be patched, and OSError.
    """
    with open(source, "rb") as file:
        changes = _planned(Headers(file), patch)
    # The folder may have a file of any name.
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target) or os.curdir)
    os.close(descriptor)
    try:
        shutil.copyfile(source, temporary)
        with open(temporary, "r+b") as out:
            for place, offset, size in changes.copies:
                for start in range(0, size, _BLOCK):
                    out.seek(offset + start)
                    block = out.read(min(_BLOCK, size - start))
                    out.seek(place + start)
                    out.write(block)
            for offset, data in sorted(changes.edits.items()):
                out.seek(offset)
                out.write(data)
        shutil.copymode(source, temporary)
        os.replace(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            os.remove(temporary)


def check_patch(file: BinaryIO, patch: Patch) -> None:
    """Raise ElfError if an open file cannot be patched, with the reason; write nothing."""
    _planned(Headers(file), patch)


def _encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


class _Strings:
    """The dynamic string table: the old bytes, and what is new behind them.

    Raises ElfError if it does not end with NUL.
    """

    def __init__(self, data: bytes) -> None:
        if data[-1]:
            raise ElfError("its dynamic string table does not end with NUL")
        self._data = bytearray(data)
        self._old_size = len(data)
        # A file may need one name thousands of times, and the table may be large.
        self._places: Dict[bytes, int] = {}

    @property
    def appended(self) -> bytes:
        """What is new."""
        return bytes(self._data[self._old_size :])

    def at(self, index: int) -> bytes:
        """Return the old string at an index."""
        if not 0 <= index < self._old_size:
            raise ElfError(f"a string at {index} is outside its string table's {self._old_size}")
        return bytes(self._data[index : self._data.index(b"\0", index)])

    def place(self, text: bytes, now: Optional[int] = None) -> int:
        """Return the index of a string: `now` if it is there, else the first, else a new one.

        The end of another string will do.
        """
        if b"\0" in text:
            raise ElfError(f"the name {text!r} contains NUL")
        if now is not None and self.at(now) == text:
            return now
        found = self._places.get(text, -1)
        if found < 0:
            found = self._data.find(text + b"\0")
        if found < 0:
            found = len(self._data)
            self._data += text + b"\0"
        self._places[text] = found
        return found


class _Names(NamedTuple):
    """What the names become: strings, entries, and version needs as edits by offset."""

    strings: _Strings
    entries: List[Entry]
    versions: Dict[int, bytes]


def _planned(headers: Headers, patch: Patch) -> Changes:
    """Return all changes of a file."""
    changes = Changes(headers)
    if patch.plain_stack:
        changes.programs = [
            one._replace(flags=one.flags & ~PF_X) if one.type == PT_GNU_STACK else one
            for one in changes.programs
        ]
    if patch._replace(plain_stack=False) != Patch():
        if headers.header.type not in (EXECUTABLE, SHARED):
            raise ElfError("it is no program and no shared library, so no loader reads its names")
        dynamic = dynamic_section(headers)
        if _is_static(headers, dynamic):
            raise ElfError("it is a static program, so no loader reads its names")
        names = _names(headers, dynamic, patch)
        changes.edits.update(names.versions)
        entries = _with_room(names.entries, dynamic.capacity, headers.programs)
        place_names(changes, dynamic, names.strings.appended, entries, names.entries)
    changes.finish()
    return changes


def _is_static(headers: Headers, dynamic: DynamicSection) -> bool:
    """Return whether a program has no loader. glibc's start code stops if it has a search path."""
    program = headers.header.type == EXECUTABLE or (dynamic.get(DT_FLAGS_1) or 0) & DF_1_PIE
    return bool(program) and not any(one.type == PT_INTERP for one in headers.programs)


def _names(headers: Headers, dynamic: DynamicSection, patch: Patch) -> _Names:
    address, size = dynamic.get(DT_STRTAB), dynamic.get(DT_STRSZ)
    if not address or not size:
        raise ElfError("its dynamic section has no string table")
    if size > _MAX_STRINGS:
        raise ElfError(
            f"its dynamic string table has {size} bytes, more than {_MAX_STRINGS >> 20} MiB"
        )
    strings = _Strings(headers.read(headers.locate(address, size, "dynamic string table"), size))
    new = {_encode(old): _encode(name) for old, name in patch.replace_needed}
    removed = set(map(_encode, patch.remove_needed))
    entries, needed = [], set()
    for tag, value in dynamic.entries:
        if tag == DT_NEEDED:
            name = strings.at(value)
            needed.add(name)
            if name not in removed:
                entries.append((tag, strings.place(new.get(name, name), value)))
        elif tag == DT_SONAME and patch.soname is not None:
            entries.append((tag, strings.place(_encode(patch.soname), value)))
        else:
            entries.append((tag, value))
    # A name that was replaced before is no mistake.
    replaced = {old for old, name in new.items() if name in needed}
    for name in sorted({*new, *removed} - needed - replaced):
        raise ElfError(f"it does not need {_decode(name)}, which is to be changed")
    if patch.soname is not None and dynamic.get(DT_SONAME) is None:
        entries.append((DT_SONAME, strings.place(_encode(patch.soname))))
    if patch.rpath is not None:
        entries = _with_search_path(entries, strings, _encode(patch.rpath))
    versions = dict(_version_edits(headers, dynamic, strings, new, removed))
    return _Names(strings, entries, versions)


def _with_search_path(entries: List[Entry], strings: _Strings, path: bytes) -> List[Entry]:
    """Return the entries with one DT_RPATH, in the place of the first search path.

    A DT_RPATH comes before LD_LIBRARY_PATH, and holds for what the library loads, too.
    """
    found: List[Entry] = []
    wanted = bool(path)
    for tag, value in entries:
        if tag not in (DT_RPATH, DT_RUNPATH):
            found.append((tag, value))
        elif wanted:
            found.append((DT_RPATH, strings.place(path, value)))
            wanted = False
    if wanted:
        found.append((DT_RPATH, strings.place(path)))
    return found


def _version_edits(
    headers: Headers,
    dynamic: DynamicSection,
    strings: _Strings,
    new: Mapping[bytes, bytes],
    removed: Set[bytes],
) -> Iterator[Tuple[int, bytes]]:
    """Yield the changed file names of version needs (vn_file), by offset.

    As in glibc, the last one has no next one; DT_VERNEEDNUM is not read.
    """
    address = dynamic.get(DT_VERNEED)
    if not address:
        return
    order = headers.layout.order
    node, name_index = struct.Struct(f"{order}HHIII"), struct.Struct(f"{order}I")
    for _ in range(_MAX_VERSIONS):
        offset = headers.locate(address, node.size, "version needs")
        _, _, value, _, following = node.unpack(headers.read(offset, node.size))
        name = strings.at(value)
        if name in removed:
            raise ElfError(
                f"it needs versions of {_decode(name)}, and glibc stops without that library"
            )
        if name in new:
            yield offset + 4, name_index.pack(strings.place(new[name], value))
        if not following:
            return
        address += following


def _with_room(
    entries: Sequence[Entry], capacity: int, programs: Sequence[ProgramHeader]
) -> Optional[Sequence[Entry]]:
    """Return entries that fit with their DT_NULL; None if the dynamic section must move.

    Two entries are hints: a debugger reads DT_DEBUG in programs only, and DT_RELACOUNT saves time.
    """
    if len(entries) < capacity:
        return entries
    fewer = list(entries)
    if not any(one.type == PT_INTERP for one in programs):
        fewer = [entry for entry in fewer if entry[0] != DT_DEBUG]
    hints = [entry for entry in fewer if entry[0] in (DT_RELACOUNT, DT_RELCOUNT)]
    if len(fewer) == capacity and hints:
        fewer.remove(hints[0])
    return fewer if len(fewer) < capacity else None
