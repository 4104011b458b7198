"""Write Mach-O files of headers and load commands (mach-o/loader.h, mach-o/fat.h)."""

from __future__ import annotations

import struct
from typing import Sequence, Tuple

# By architecture: cputype and cpusubtype.
CPUS = {
    "i386": (7, 3),
    "x86_64": (0x1000007, 3),
    "x86_64h": (0x1000007, 8),
    "arm64": (0x100000C, 0),
    "arm64e": (0x100000C, 0x80000002),
    "ppc": (18, 0),
    "ppc64": (0x1000012, 0),
}
_BIG = ("ppc", "ppc64")
PROGRAM, DYLIB, BUNDLE, OBJECT, SYMBOLS = 2, 6, 8, 1, 10
LOAD, WEAK, REEXPORT, LAZY, UPWARD = 0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023
ID, RPATH = 0xD, 0x8000001C
BUILD, MIN_MACOS, MIN_IOS = 0x32, 0x24, 0x25
SIGNATURE, CHAINED, EXPORTS = 0x1D, 0x80000034, 0x80000033
SEGMENT, SEGMENT_64 = 0x1, 0x19

# A load command: its number, and its content behind the 8 bytes of its head, which is a format of
# struct with values, or bytes.
Command = Tuple[int, str, Tuple[object, ...]]


def version(major: int, minor: int = 0, patch: int = 0) -> int:
    """Return a packed version."""
    return major << 16 | minor << 8 | patch


def dylib(name: str, command: int = LOAD) -> Command:
    """Return a command that names a library."""
    return command, "IIII", (24, 0, 0, 0, name.encode())


def rpath(name: str) -> Command:
    """Return a search path."""
    return RPATH, "I", (12, name.encode())


def build(system: int, *release: int) -> Command:
    """Return LC_BUILD_VERSION."""
    return BUILD, "IIII", (system, version(*release), version(14), 0)


def minimum(command: int, *release: int) -> Command:
    """Return LC_VERSION_MIN_MACOSX or that of another system."""
    return command, "II", (version(*release), version(14))


def extent(command: int, offset: int, size: int) -> Command:
    """Return a command about bytes of the file: LC_CODE_SIGNATURE, or an old segment."""
    if command == SEGMENT:
        return command, "16xIIII8x", (0, 0, offset, size)
    if command == SEGMENT_64:
        return command, "16xQQQQ16x", (0, 0, offset, size)
    return command, "II", (offset, size)


def plain(command: int) -> Command:
    """Return a command whose content does not matter."""
    return command, "II", (0, 0)


def thin(*commands: Command, arch: str = "arm64", kind: int = DYLIB, tail: int = 0) -> bytes:
    """Return a file of one architecture with commands, and `tail` bytes behind them."""
    order = ">" if arch in _BIG else "<"
    wide = arch not in ("i386", "ppc")
    cpu, subtype = CPUS[arch]
    data = b"".join(_command(order, 8 if wide else 4, one) for one in commands)
    magic = 0xFEEDFACF if wide else 0xFEEDFACE
    head = struct.pack(order + "7I", magic, cpu, subtype, kind, len(commands), len(data), 0)
    return head + (bytes(4) if wide else b"") + data + bytes(tail)


def _command(order: str, align: int, one: Command) -> bytes:
    number, form, values = one
    text = b"".join(value for value in values if isinstance(value, bytes))
    numbers = [value for value in values if not isinstance(value, bytes)]
    data = struct.pack(order + form, *numbers) + (text + b"\0" if text else b"")
    data += bytes(-len(data) % align)
    return struct.pack(order + "II", number, len(data) + 8) + data


def fat(slices: Sequence[bytes], *, wide: bool = False, align: int = 12) -> bytes:
    """Return a file of several architectures."""
    form = ">IIQQII" if wide else ">5I"
    head = 8 + struct.calcsize(form) * len(slices)
    entries, body = b"", b""
    for data in slices:
        start = head + len(body)
        start += -start % (1 << align)
        body += bytes(start - head - len(body)) + data
        cpu = data[4:12] if data[:4] != b"!<ar" else bytes(8)
        order = "<" if data[:1] in b"\xcf\xce" else ">"
        numbers = (*struct.unpack(order + "II", cpu), start, len(data), align)
        entries += struct.pack(form, *numbers, *((0,) if wide else ()))
    magic = 0xCAFEBABF if wide else 0xCAFEBABE
    return struct.pack(">II", magic, len(slices)) + entries + body


def module(arch: str = "arm64", *release: int) -> bytes:
    """Return a bundle without faults for macOS."""
    commands = [build(1, *(release or (11, 0))), dylib("/usr/lib/libSystem.B.dylib")]
    if arch == "arm64":
        commands.append(extent(SIGNATURE, 0, 16))
    return thin(*commands, arch=arch, kind=BUNDLE)
