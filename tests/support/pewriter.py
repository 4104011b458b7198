"""Write PE files of headers and import tables (Microsoft's PE Format)."""

from __future__ import annotations

import struct
from typing import Dict, List, Mapping, Sequence, Union

MACHINES = {"x86": 0x14C, "amd64": 0x8664, "arm64": 0xAA64, "arm": 0x1C4}
_RVA, _RAW, _BASE = 0x1000, 0x400, 0x10000000
# Imported names, and numbers for those that are imported by number.
Names = Sequence[Union[str, int]]


class _Section:
    """Bytes that refer to each other by addresses."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)

    def add(self, data: bytes) -> int:
        """Append bytes; return their address."""
        self.data += bytes(-len(self.data) % 8)
        address = _RVA + len(self.data)
        self.data += data
        return address


def write(
    imports: Mapping[str, Names] = {},
    *,
    delayed: Sequence[str] = (),
    machine: str = "amd64",
    dll: bool = True,
    managed: bool = False,
    absolute: bool = False,
    bound: bool = False,
    filler: int = 0,
) -> bytes:
    """Return a file that imports from DLLs.

    `absolute` writes the old form of delay loads, `bound` no table of names beside the addresses.
    `filler` bytes are between the headers and the tables.
    """
    wide = machine in ("amd64", "arm64")
    section = _Section(20 * (len(imports) + 1) + 32 * (len(delayed) + 1))
    rows: List[bytes] = []
    for name, names in imports.items():
        table = _table(section, names, wide=wide)
        address = section.add(name.encode() + b"\0")
        thunks = section.add(bytes(8)) if not bound else table
        rows.append(struct.pack("<5I", 0 if bound else table, 0, 0, address, thunks))
    late: List[bytes] = []
    for name in delayed:
        address = section.add(name.encode() + b"\0")
        address += _BASE if absolute else 0
        late.append(struct.pack("<8I", 0 if absolute else 1, address, 0, 0, 0, 0, 0, 0))
    start = 20 * (len(imports) + 1)
    section.data[: 20 * len(rows)] = b"".join(rows)
    section.data[start : start + 32 * len(late)] = b"".join(late)
    directories: Dict[int, int] = {1: _RVA} if imports else {}
    if delayed:
        directories[13] = _RVA + start
    if managed:
        directories[14] = _RVA
    return _headers(machine, directories, bytes(section.data), dll=dll, filler=filler)


def _table(section: _Section, names: Names, *, wide: bool) -> int:
    """Add a table of imported names; return its address."""
    size, code = (8, "Q") if wide else (4, "I")
    thunks = []
    for name in names:
        if isinstance(name, int):
            thunks.append(name | 1 << (8 * size - 1))
        else:
            thunks.append(section.add(b"\0\0" + name.encode() + b"\0"))
    return section.add(struct.pack(f"<{len(thunks) + 1}{code}", *thunks, 0))


def _headers(
    machine: str, directories: Mapping[int, int], data: bytes, *, dll: bool, filler: int
) -> bytes:
    wide = machine in ("amd64", "arm64")
    pairs = b"".join(struct.pack("<II", directories.get(number, 0), 0) for number in range(16))
    if wide:
        optional = struct.pack("<H22xQ76xI", 0x20B, _BASE, 16)
    else:
        optional = struct.pack("<H26xI60xI", 0x10B, _BASE, 16)
    optional += pairs
    flags = 0x2002 if dll else 0x2
    coff = struct.pack("<4sHH12xHH", b"PE\0\0", MACHINES[machine], 1, len(optional), flags)
    section = struct.pack("<8s4I16x", b".idata", len(data), _RVA, len(data), _RAW + filler)
    dos = b"MZ" + bytes(58) + struct.pack("<I", 0x40)
    head = dos + coff + optional + section
    return head + bytes(_RAW + filler - len(head)) + data
