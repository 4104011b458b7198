"""Read the headers and import tables of PE members: DLLs, extension modules and programs.

Source: Microsoft's PE Format. The headers are at the beginning. The import tables are at 90 % of
most files, with the names behind them, so that one forward pass reads all.
"""

from __future__ import annotations

import re
import struct
from typing import Dict, Iterator, List, Optional, Tuple

from manyshim.audit.nativefacts import PeFile
from manyshim.formats.bounds import Bound
from manyshim.formats.zip.window import Window
from manyshim.values import NamedTuple

_MACHINES = {0x14C: "x86", 0x8664: "amd64", 0xAA64: "arm64"}
_IS_DLL = 0x2000
_MAGIC, _MAGIC_64 = 0x10B, 0x20B
# The data directories.
_IMPORT, _DELAY, _CLR = 1, 13, 14

_DOS_HEADER = 0x40
_COFF = struct.Struct("<4sHH12xHH")
_SECTION = struct.Struct("<8x4I16x")
_DESCRIPTOR = struct.Struct("<5I")
_DELAYED = struct.Struct("<8I")
# The loader rounds the place of a section in the file down to this.
_ALIGNMENT = 0x200

# Windows refuses more; the most of 2,332 published files are far below each.
_MAX_SECTIONS = 96
_MAX_LIBRARIES = 1000
_MAX_NAMES = 20_000
# In bytes: a name of a file, and of a C function.
_MAX_FILE_NAME = 260
_MAX_NAME = 512
# In these files, the names begin at most 81 KB behind the import table.
_KEPT = 1 << 17
_THUNKS_AT_ONCE = 256

_PYTHON = re.compile(r"python3\d*t?(?:_d)?\.dll", re.IGNORECASE)


class PeError(Exception):
    """A file is a PE file, and Windows would not load it."""


def is_pe(head: bytes) -> bool:
    """Return whether a member may be a PE file. Its name does not matter."""
    return head[:2] == b"MZ"


class _Section(NamedTuple):
    address: int
    size: int
    offset: int
    stored: int


class _Image(NamedTuple):
    """What the headers state. `base` is the preferred address, `directories` by their number."""

    window: Window
    bound: Bound
    machine: int
    dll: bool
    wide: bool
    base: int
    directories: Dict[int, int]
    sections: Tuple[_Section, ...]

    def offset(self, address: int) -> int:
        """Return the offset in the file of an address relative to the image. Raises PeError."""
        for section in self.sections:
            inside = address - section.address
            if 0 <= inside < max(section.size, section.stored):
                if inside < section.stored:
                    return section.offset + inside
                break
        else:
            if self.sections and address < min(one.address for one in self.sections):
                return address
        raise PeError(f"its import table refers to {address:#x}, which is not in the file")

    def text(self, address: int, most: int) -> str:
        """Return a string of at most `most` bytes. Raises PeError."""
        self.bound.spend(1)
        offset = self.offset(address)
        data = self.window.read(offset, min(most, self.window.size - offset))
        text, end, _ = data.partition(b"\0")
        if not end:
            raise PeError("a name in its import table does not end")
        return text.decode("utf-8", "surrogateescape")


def read(path: str, window: Window, bound: Bound) -> Optional[PeFile]:
    """Read a member; None if it only begins like a PE file.

    Raises PeError, MemberError or TooMuchError.
    """
    image = _image(window, bound)
    if image is None:
        return None
    found = PeFile(path, _MACHINES.get(image.machine, f"{image.machine:#x}"), image.dll)
    if _CLR in image.directories:
        return found._replace(managed=True)
    places = [
        image.offset(image.directories[one])
        for one in (_IMPORT, _DELAY)
        if one in image.directories
    ]
    if places:
        window.retain(min(places), min(places) + _KEPT)
    imports = [(image.text(name, _MAX_FILE_NAME), table) for name, table in _imports(image)]
    tables = [table for name, table in imports if _PYTHON.fullmatch(name)]
    delayed = tuple(image.text(name, _MAX_FILE_NAME) for name in _delayed(image))
    names = {name for table in tables for name in _names(image, table)}
    return found._replace(
        imports=tuple(name for name, _ in imports),
        delayed=delayed,
        python_names=tuple(sorted(names)),
    )


def _image(window: Window, bound: Bound) -> Optional[_Image]:
    if window.size < _DOS_HEADER:
        return None
    start = int.from_bytes(window.read(0x3C, 4), "little")
    if start + _COFF.size > window.size:
        return None
    signature, machine, count, optional, flags = _COFF.unpack(window.read(start, _COFF.size))
    if signature != b"PE\0\0":
        return None
    if not 0 < count <= _MAX_SECTIONS:
        raise PeError(f"it has {count} sections")
    header = window.read(start + _COFF.size, optional)
    magic = int.from_bytes(header[:2], "little")
    if magic not in (_MAGIC, _MAGIC_64):
        raise PeError(f"its optional header has the unknown type {magic:#x}")
    wide = magic == _MAGIC_64
    directories = _directories(header, 112 if wide else 96)
    base = header[24:32] if wide else header[28:32]
    table = window.read(start + _COFF.size + optional, count * _SECTION.size)
    sections = tuple(_sections(table))
    # What lies behind a section's size in memory is only there to round it up.
    if any(one.offset + min(one.size or one.stored, one.stored) > window.size for one in sections):
        raise PeError("a section extends beyond the end of the file")
    return _Image(
        window,
        bound,
        machine,
        bool(flags & _IS_DLL),
        wide,
        int.from_bytes(base, "little"),
        directories,
        sections,
    )


def _directories(header: bytes, first: int) -> Dict[int, int]:
    """Return the addresses of the data directories that are used, by their number."""
    if len(header) < first:
        raise PeError("its optional header is too short")
    stated = int.from_bytes(header[first - 4 : first], "little")
    count = min(stated, (len(header) - first) // 8, 16)
    found = struct.unpack_from(f"<{2 * count}I", header, first)
    return {number: found[2 * number] for number in range(count) if found[2 * number]}


def _sections(table: bytes) -> Iterator[_Section]:
    for size, address, stored, offset in _SECTION.iter_unpack(table):
        yield _Section(address, size, offset - offset % _ALIGNMENT, stored)


def _imports(image: _Image) -> List[Tuple[int, int]]:
    """Return the address of each library's name, and of its table of imported names."""
    found: List[Tuple[int, int]] = []
    for names, _, _, library, addresses in _rows(image, _IMPORT, _DESCRIPTOR):
        if not library or not addresses:
            break
        found.append((library, names or addresses))
    return found


def _delayed(image: _Image) -> List[int]:
    """Return the addresses of the names of the libraries that are loaded when they are used."""
    found: List[int] = []
    for attributes, library, *_ in _rows(image, _DELAY, _DELAYED):
        if not library:
            break
        # Bit 0 is clear in old files, whose addresses are absolute.
        found.append(library if attributes & 1 else library - image.base)
    return found


def _rows(image: _Image, number: int, form: struct.Struct) -> Iterator[Tuple[int, ...]]:
    """Yield the rows of an import table, to an end that the caller recognizes."""
    if number not in image.directories:
        return
    start = image.offset(image.directories[number])
    for row in range(_MAX_LIBRARIES + 1):
        yield form.unpack(image.window.read(start + row * form.size, form.size))
    raise PeError(f"it imports from more than {_MAX_LIBRARIES} libraries")


def _names(image: _Image, table: int) -> Iterator[str]:
    """Yield the names in a table of imports; those that are numbers have none."""
    for seen, thunk in enumerate(_thunks(image, table)):
        if seen >= _MAX_NAMES:
            raise PeError(f"it imports more than {_MAX_NAMES} names of one library")
        if not thunk >> (63 if image.wide else 31):
            # Two bytes of a hint precede the name.
            yield image.text((thunk & 0x7FFFFFFF) + 2, _MAX_NAME)


def _thunks(image: _Image, table: int) -> Iterator[int]:
    size, code = (8, "Q") if image.wide else (4, "I")
    offset = image.offset(table)
    while True:
        count = min(_THUNKS_AT_ONCE, (image.window.size - offset) // size)
        if count <= 0:
            raise PeError("a table of its imports does not end")
        for thunk in struct.unpack(f"<{count}{code}", image.window.read(offset, count * size)):
            if not thunk:
                return
            yield thunk
        offset += count * size
