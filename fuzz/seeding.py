"""The inputs that fuzzing starts from: those in `seeds/`, and those that the writers make."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Dict, Iterator, List

from archives import DIST_INFO, SEPARATOR
from elfvariants import VARIANTS, described
from elfwriter import TARGETS as ARCHES
from elfwriter import write
from nativeseeds import mach_o, portable
from wheelwriter import record_text, wheel

_SEEDS = Path(__file__).resolve().parent / "seeds"


def seeds(target: str) -> List[bytes]:
    """Return the inputs that a target starts from."""
    files = sorted((_SEEDS / target).iterdir()) if (_SEEDS / target).is_dir() else []
    made = _MAKERS.get(target)
    return [*(file.read_bytes() for file in files), *(made() if made else ())]


def _elf() -> Iterator[bytes]:
    for arch in ARCHES:
        for name, changes in VARIANTS.items():
            # Their padding would fill the input.
            if name != "tables last":
                yield write(described(arch, **changes))
    yield write(described("x86_64", tables_last=True, padding=64))


def _zip() -> Iterator[bytes]:
    members: Dict[str, bytes] = {"demo/": b"", "demo/a.py": b"pass\n" * 99, "b\xe9.so": b"\x7fELF"}
    for compress in (False, True):
        data = wheel(members, compress=compress, modes={"demo/a.py": 0o120777})
        yield data
        yield b"a program before the archive" + data
        yield data + b"\0" * 8
    yield wheel({})
    yield _zip64(b"demo.py", b"pass\n")


def _zip64(name: bytes, content: bytes) -> bytes:
    """Return an archive that has all its sizes and offsets in 64 bits (APPNOTE.TXT 4.3, 4.5.3)."""
    crc, size = zlib.crc32(content), len(content)
    unknown = 0xFFFFFFFF
    extra = struct.pack("<2H3Q", 1, 24, size, size, 0)
    same = (0, 0, 0x21, crc, unknown, unknown, len(name), len(extra))
    member = struct.pack("<4s5H3L2H", b"PK\3\4", 45, 0, *same) + name + extra + content
    record = struct.pack("<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, *same, 0, 0, 0, 0, unknown)
    record += name + extra
    place = (1, 1, len(record), len(member))
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, *place)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(member) + len(record), 1)
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, unknown, unknown, 0)
    return member + record + end + locator + last


def _record() -> Iterator[bytes]:
    names = ("demo/__init__.py", "demo/_x.so", "a,b.py", f"{DIST_INFO}/WHEEL", "\u00e9.py", 'a"b')
    text = record_text([(name, name.encode()) for name in names], f"{DIST_INFO}/RECORD")
    yield text.encode()
    yield text.replace("\n", "\r\n").encode()
    # Only such a RECORD is changed in place.
    plain = record_text(
        [(name, name.encode()) for name in (names[0], names[3], names[1])], f"{DIST_INFO}/RECORD"
    )
    yield plain.encode()


def _wheel() -> Iterator[bytes]:
    metadata = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\nText\n"
    for tag in (b"cp311-cp311-linux_x86_64", b"py3-none-any"):
        text = b"Wheel-Version: 1.0\nGenerator: a (1)\nRoot-Is-Purelib: false\nTag: %b\n" % tag
        data = b"print()\n"
        names = ("WHEEL", "METADATA")
        pairs = [(f"{DIST_INFO}/{name}", part) for name, part in zip(names, (text, metadata))]
        listing = record_text([*pairs, ("demo/data.txt", data)], f"{DIST_INFO}/RECORD").encode()
        yield SEPARATOR.join((text, listing, metadata, data))
    yield SEPARATOR.join((b"Tag: py3-none-any\n  py2-none-any\n", b",,\n"))


_MAKERS = {
    "elf": _elf,
    "macho": mach_o,
    "pe": portable,
    "patch": _elf,
    "zip": _zip,
    "record": _record,
    "wheel": _wheel,
}
