"""Read the load commands of Mach-O members: what dyld checks before a file runs.

Source: mach-o/loader.h and mach-o/fat.h of Apple's SDK. Of each slice only the header and the load
commands are read, 1.8 KB in most files; the code behind them is not inflated.
"""

from __future__ import annotations

import struct
from typing import Dict, Iterator, List, Optional, Tuple

from manyshim.audit.nativefacts import (
    IOS,
    MACHO_LOADABLE,
    MACOS,
    Built,
    Dylib,
    MachoFile,
    Release,
    Slice,
)
from manyshim.formats.bounds import Bound
from manyshim.formats.zip.window import Window
from manyshim.values import NamedTuple

_FAT, _FAT_64 = b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"
# The byte order and the size of the header, by the first bytes of a thin file.
_THIN: Dict[bytes, Tuple[str, int]] = {
    b"\xcf\xfa\xed\xfe": ("<", 32),
    b"\xce\xfa\xed\xfe": ("<", 28),
    b"\xfe\xed\xfa\xcf": (">", 32),
    b"\xfe\xed\xfa\xce": (">", 28),
}
# The slices of a static library: archives, and bitcode with and without a header.
_OTHER_SLICES = (b"!<ar", b"\xde\xc0\x17\x0b", b"BC\xc0\xde")
# Java classes begin as fat files do, and have their version there, which is 45 or more.
_FIRST_JAVA = 40

_ARCHES = {
    7: "i386",
    18: "ppc",
    12: "arm",
    0x1000007: "x86_64",
    0x100000C: "arm64",
    0x1000012: "ppc64",
    0x200000C: "arm64_32",
}
# These are not the plain architecture: a process of the plain one does not load them.
_SUBTYPES = {("arm64", 2): "arm64e", ("x86_64", 8): "x86_64h"}
_SUBTYPE_MASK = 0xFFFFFF

_LC_SEGMENT, _LC_SEGMENT_64 = 0x1, 0x19
_LC_LOAD, _LC_ID, _LC_LAZY = 0xC, 0xD, 0x20
_LC_WEAK, _LC_REEXPORT, _LC_UPWARD = 0x80000018, 0x8000001F, 0x80000023
_LC_RPATH = 0x8000001C
_LC_CODE_SIGNATURE = 0x1D
_LC_BUILD_VERSION = 0x32
# LC_VERSION_MIN_MACOSX, _IPHONEOS, _TVOS and _WATCHOS.
_VERSION_MIN = {0x24: MACOS, 0x25: IOS, 0x2F: 3, 0x30: 4}
_DYLIBS = {
    _LC_LOAD: False,
    _LC_REEXPORT: False,
    _LC_UPWARD: False,
    _LC_WEAK: True,
    _LC_LAZY: True,
}
# dyld refuses a command with bit 31 that it does not know: LC_DYLD_EXPORTS_TRIE and
# LC_DYLD_CHAINED_FIXUPS.
_NEW_COMMANDS: Dict[int, Release] = {0x80000033: (10, 15, 0), 0x80000034: (10, 15, 0)}

# The longest commands of 1,898 published files have 6.2 KB.
_MAX_COMMANDS = 1 << 18
# A fat file has two slices, rarely four.
_MAX_SLICES = 16
# The names of one slice. The most of these files are some hundreds.
_MAX_NAMES = 2000


class MachoError(Exception):
    """A file begins like a Mach-O file, and dyld would not read it."""


def is_macho(head: bytes) -> bool:
    """Return whether a member begins like a Mach-O file. `head` are its first 8 bytes."""
    if head[:4] in (_FAT, _FAT_64):
        return len(head) >= 8 and int.from_bytes(head[4:8], "big") < _FIRST_JAVA
    return head[:4] in _THIN


def read(path: str, window: Window, bound: Bound) -> MachoFile:
    """Read the loadable slices of a member. Raises MachoError, MemberError or TooMuchError."""
    magic = window.read(0, 4)
    places = [(0, window.size)] if magic in _THIN else _fat(window, wide=magic == _FAT_64)
    found = (_slice(_Place(window, *place), bound) for place in places)
    return MachoFile(path, tuple(one for one in found if one))


def _fat(window: Window, *, wide: bool) -> List[Tuple[int, int]]:
    """Return the offsets and sizes of the slices of a fat file, in the order of the file."""
    count = int.from_bytes(window.read(4, 4), "big")
    entry = struct.Struct(">IIQQII" if wide else ">IIIII")
    if count > _MAX_SLICES:
        raise MachoError(f"it has {count} slices, more than {_MAX_SLICES}")
    data = window.read(8, count * entry.size)
    places = sorted(one[2:4] for one in entry.iter_unpack(data))
    for offset, size in places:
        if offset + size > window.size:
            raise MachoError("a slice extends beyond the end of the file")
    return places


class _Place(NamedTuple):
    """Where a slice lies in a member."""

    window: Window
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the slice. Raises MachoError beyond its end."""
        if offset + length > self.size:
            raise MachoError("its load commands extend beyond the end of the file")
        return self.window.read(self.start + offset, length)


def _slice(place: _Place, bound: Bound) -> Optional[Slice]:
    """Return a slice; None if dyld does not load it: static archives, objects, debug files."""
    magic = place.read(0, min(place.size, 4))
    if magic in _OTHER_SLICES:
        return None
    if magic not in _THIN:
        raise MachoError("one of its slices is no Mach-O file")
    order, header = _THIN[place.read(0, 4)]
    cpu, subtype, kind, count, length = struct.unpack(order + "5I", place.read(4, 20))
    if kind not in MACHO_LOADABLE:
        return None
    if length > _MAX_COMMANDS:
        raise MachoError(f"its load commands have {length} bytes, more than {_MAX_COMMANDS}")
    name = _ARCHES.get(cpu, f"the processor {cpu:#x}")
    arch = _SUBTYPES.get((name, subtype & _SUBTYPE_MASK), name)
    # A command has at least 8 bytes.
    bound.spend(min(count, length // 8) + 1)
    reading = _Reading(order, place.size)
    for command, data in _commands(place.read(header, length), order, count):
        reading.take(command, data)
    return reading.result(arch, kind)


def _commands(data: bytes, order: str, count: int) -> Iterator[Tuple[int, bytes]]:
    """Yield the load commands of a slice with their bytes."""
    head = struct.Struct(order + "II")
    position = 0
    for _ in range(count):
        if position + head.size > len(data):
            raise MachoError("its load commands are shorter than its header states")
        command, size = head.unpack_from(data, position)
        if size < head.size or position + size > len(data):
            raise MachoError(f"its load command at {position} has a wrong size")
        yield command, data[position : position + size]
        position += size


class _Reading:
    """Collects the facts of a slice from its load commands."""

    def __init__(self, order: str, size: int) -> None:
        self._order = order
        self._size = size
        self._builds: List[Built] = []
        self._oldest_dyld: Optional[Release] = None
        self._needed: List[Dylib] = []
        self._rpaths: List[str] = []
        self._install_name = ""
        self._signed = False

    def take(self, command: int, data: bytes) -> None:
        """Take one load command."""
        if command in _DYLIBS:
            self._needed.append(Dylib(self._text(data), _DYLIBS[command]))
        elif command == _LC_ID:
            self._install_name = self._text(data)
        elif command == _LC_RPATH:
            self._rpaths.append(self._text(data))
        elif command in _NEW_COMMANDS:
            needed = _NEW_COMMANDS[command]
            self._oldest_dyld = max(self._oldest_dyld or needed, needed)
        else:
            self._take_build(command, data)
            self._check_extent(command, data)
        if len(self._needed) + len(self._rpaths) > _MAX_NAMES:
            raise MachoError(f"it names more than {_MAX_NAMES} libraries and search paths")

    def _take_build(self, command: int, data: bytes) -> None:
        if command == _LC_BUILD_VERSION:
            system, oldest, sdk = (self._word(data, offset) for offset in (8, 12, 16))
        elif command in _VERSION_MIN:
            system, (oldest, sdk) = _VERSION_MIN[command], (self._word(data, at) for at in (8, 12))
        else:
            return
        self._builds.append(Built(system, _release(oldest), _release(sdk)))

    def _check_extent(self, command: int, data: bytes) -> None:
        """Raise MachoError if a segment or the signature extends beyond the end of the file."""
        if command == _LC_CODE_SIGNATURE:
            self._signed = True
            end, what = self._word(data, 8) + self._word(data, 12), "its signature"
        elif command == _LC_SEGMENT:
            end, what = self._word(data, 32) + self._word(data, 36), "a segment"
        elif command == _LC_SEGMENT_64:
            end, what = self._long(data, 40) + self._long(data, 48), "a segment"
        else:
            return
        if end > self._size:
            raise MachoError(f"{what} extends beyond the end of the file")

    def result(self, arch: str, kind: int) -> Slice:
        """Return the slice."""
        return Slice(
            arch,
            kind,
            tuple(self._builds),
            self._oldest_dyld,
            tuple(self._needed),
            self._install_name,
            tuple(self._rpaths),
            self._signed,
        )

    def _text(self, data: bytes) -> str:
        """Return the string of a command, whose offset is behind the command's size."""
        start = self._word(data, 8)
        if start >= len(data):
            raise MachoError("a name lies outside of its load command")
        return data[start:].partition(b"\0")[0].decode("utf-8", "surrogateescape")

    def _word(self, data: bytes, offset: int) -> int:
        return self._number("I", data, offset)

    def _long(self, data: bytes, offset: int) -> int:
        return self._number("Q", data, offset)

    def _number(self, code: str, data: bytes, offset: int) -> int:
        form = struct.Struct(self._order + code)
        if offset + form.size > len(data):
            raise MachoError("a load command is too short")
        number: int = form.unpack_from(data, offset)[0]
        return number


def _release(packed: int) -> Release:
    """Return a version that is packed as xxxx.yy.zz."""
    return packed >> 16, packed >> 8 & 0xFF, packed & 0xFF
