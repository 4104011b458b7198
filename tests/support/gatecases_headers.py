"""Crafted wheels for the differential test of `check`: headers, extra fields and end records.

Each value is an archive, and what a reader from its first byte finds; nothing where all take it.
"""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from typing import Dict, Tuple

import strict_index_samples as samples
from gatecases import Crafted
from manyshim.audit.gate.facts import Framing
from strict_index_samples import CODE, DIST_INFO, GOOD

Case = Tuple[bytes, Tuple[Framing, ...]]

FULL = 0xFFFFFFFF
_DATA = "probe/data.txt"
_CRC = zlib.crc32(CODE.encode())


def headers() -> Dict[str, Crafted]:
    """Return the crafted wheels by name."""
    return {name: Crafted(GOOD, data) for name, (data, _) in cases().items()}


def cases() -> Dict[str, Case]:
    """Return all archives by name, each with what is odd in it."""
    return {**_flags(), **_zip64(), **_extras(), **_folders(), **_ends()}


def _flags() -> Dict[str, Case]:
    good = samples.good()
    found: Dict[str, Case] = {}
    for bit in (1, 2, 4, 7, 11, 13):
        found[f"flag bit {bit} in the local header"] = samples.local(good, flags=1 << bit), ()
        found[f"flag bit {bit} in the directory"] = _central(good, 8, "<H", 1 << bit), ()
    found["encrypted flag in the local header"] = (
        samples.local(good, flags=1),
        (Framing.OTHER_FLAGS,),
    )
    for version, odd in ((63, ()), (64, (Framing.UNSUPPORTED_VERSION,))):
        data = samples.patched(good, samples.local_offset(good) + 4, "<H", version)
        found[f"version {version} in the local header"] = data, odd
    found["date of the local header differs"] = samples.local(good, date=0x5000), ()
    return found


def _zip64() -> Dict[str, Case]:
    size, packed = sizes()
    right, stored = _field(size, packed), _field(size)
    needless, other = (Framing.NEEDLESS_LOCAL_ZIP64,), (Framing.LOCAL_ZIP64,)
    offset_full = _central(_extra(b"", _field(0)), 42, "<L", FULL)
    with_disk = _central(_extra(b"", struct.pack("<HHQL", 1, 12, 0, 0)), 42, "<L", FULL)
    return {
        "local zip64: lies": (_extra(_field(size + 9, packed + 9)), other),
        "local zip64: zeros": (_extra(_field(0, 0)), other),
        "local zip64: 8 bytes": (_extra(stored), other),
        "local zip64: 24 bytes": (_extra(_field(size, packed, 0)), other),
        "local zip64: 12 bytes": (_extra(struct.pack("<HH12x", 1, 12)), other),
        "local zip64: right, not needed": (_extra(right), needless),
        "local zip64: one size asks": (samples.local(_extra(right), size=FULL), other),
        "local zip64: both ask": (samples.local(_extra(right), size=FULL, compressed=FULL), ()),
        "local zip64: both ask, 24 bytes": (
            samples.local(_extra(_field(size, packed, 0)), size=FULL, compressed=FULL),
            other,
        ),
        "local zip64: both ask, wrong size": (
            samples.local(_extra(_field(size + 1, packed)), size=FULL, compressed=FULL),
            (Framing.OTHER_SIZE,),
        ),
        "local zip64: one value of a stored member": (
            samples.local(_extra(stored, method=0), compressed=FULL),
            (),
        ),
        "central zip64: both sizes": (_central(_extra(b"", right), 20, "<LL", FULL, FULL), ()),
        "central zip64: offset": (offset_full, ()),
        "central zip64: disk, not asked": (with_disk, (Framing.NEEDLESS_ZIP64,)),
        "central zip64: disk": (_central(with_disk, 34, "<H", 0xFFFF), (Framing.ZIP64_DISK,)),
        "central zip64: disk alone": (
            _central(_extra(b"", struct.pack("<HHL", 1, 4, 0)), 34, "<H", 0xFFFF),
            (Framing.ZIP64_DISK,),
        ),
        "central zip64: not asked": (_extra(b"", _field(0, 0)), (Framing.NEEDLESS_ZIP64,)),
    }


def _extras() -> Dict[str, Case]:
    found: Dict[str, Case] = {}
    for name, field in (("UT", b"UT\5\0\1abcd"), ("unknown", b"AA\2\0xx"), ("zero", bytes(4))):
        twice = (Framing.DUPLICATE_EXTRA,)
        found[f"extra {name} once"] = _extra(field, field), ()
        found[f"extra {name} twice, local"] = _extra(field * 2), twice
        found[f"extra {name} twice, central"] = _extra(b"", field * 2), twice
    other = _path(b"x/y.py", _CRC)
    short = struct.pack("<HHB", 0x7075, 1, 1)
    control = (Framing.CONTROL_PATH,)
    return {
        **found,
        "Unicode path: same name": (_extra(_path(CODE.encode(), _CRC)), ()),
        "Unicode path: stale": (_extra(_path(b"x/y.py", 5), _path(b"x/y.py", 5)), ()),
        "Unicode path: version 2": (_extra(b"", _path(b"x.py", _CRC, 2)), ()),
        "Unicode path: other, local": (_extra(other), (Framing.UNICODE_PATH,)),
        "Unicode path: other, central": (_extra(b"", other), (Framing.UNICODE_PATH,)),
        "Unicode path: short, local": (_extra(short), (Framing.BAD_EXTRA,)),
        "Unicode path: short, central": (_extra(b"", short), (Framing.BAD_EXTRA,)),
        "Unicode path: control, local": (_extra(_path(b"x/\1y.py", 5)), control),
        "Unicode path: control, central": (_extra(b"", _path(b"x/\1y.py", 5)), ()),
    }


def _folders() -> Dict[str, Case]:
    return {
        "folder twice": (_with_folders("probe/", "probe/"), (Framing.FOLDER_TWICE,)),
        "folder with a control character": (_with_folders("a\1b/"), (Framing.FOLDER_NAME,)),
        "folder with contents": (_with_folders("a/", data=b"data"), (Framing.FOLDER_DATA,)),
        "folder over a file": (_with_folders(f"{CODE}/"), (Framing.FOLDER_OVER_FILE,)),
        "folder, deflated": (_with_folders("a/", method=zipfile.ZIP_DEFLATED), ()),
    }


def _ends() -> Dict[str, Case]:
    wide = samples.zip64_ended()
    end, locator = wide.rindex(b"PK\6\6"), wide.rindex(b"PK\6\7")
    differ, signature = (Framing.END_RECORDS,), (Framing.COMMENT_SIGNATURE,)
    return {
        "comment: text": (_commented(b"hello " * 99), ()),
        "comment: PK": (_commented(b"PK"), ()),
        "comment: local header": (_commented(b"x PK\3\4 x"), signature),
        "comment: end record": (_commented(b"x PK\5\6 x"), signature),
        "comment: zip64 locator": (_commented(b"PK\6\7"), signature),
        "comment: shorter than stated": (
            samples.end_patched(samples.good(), 20, "<H", 5),
            (Framing.COMMENT_LENGTH,),
        ),
        "end record: other count here": (samples.end_patched(wide, 8, "<H", 3), differ),
        "end record: other offset": (samples.end_patched(wide, 16, "<L", 3), differ),
        "end record: other length": (samples.end_patched(wide, 12, "<L", 3), differ),
        "end record: other disk": (samples.end_patched(wide, 4, "<H", 1), differ),
        "end record: all ones": (
            samples.end_patched(wide, 4, "<4H2L", *[0xFFFF] * 4, FULL, FULL),
            (),
        ),
        "zip64 locator: other disk": (
            samples.patched(wide, locator + 4, "<L", 1),
            (Framing.LOCATOR,),
        ),
        "zip64 locator: no disks": (
            samples.patched(wide, locator + 16, "<L", 0),
            (Framing.LOCATOR_DISKS,),
        ),
        "zip64 locator: two disks": (
            samples.patched(wide, locator + 16, "<L", 2),
            (Framing.LOCATOR,),
        ),
        "zip64 end record: longer": (
            samples.patched(wide, end + 4, "<Q", 45),
            (Framing.END64_DATA,),
        ),
        "member inside an extra field": (_inside(), (Framing.OVERLAP, Framing.PADDING)),
    }


def sizes() -> Tuple[int, int]:
    """Return the size and the compressed size of the first member."""
    data = samples.good()
    packed, size = struct.unpack_from("<2L", data, samples.local_offset(data) + 18)
    return size, packed


def _field(*numbers: int) -> bytes:
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def _path(name: bytes, crc: int, version: int = 1) -> bytes:
    return struct.pack("<HHBL", 0x7075, 5 + len(name), version, crc) + name


def _central(data: bytes, offset: int, layout: str, *values: int) -> bytes:
    return samples.patched(data, samples.central_offset(data) + offset, layout, *values)


def _extra(local: bytes, central: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a wheel with these extra fields in the headers of its first member."""

    def stamp(info: zipfile.ZipInfo) -> None:
        if info.filename == CODE:
            info.extra = local

    def finish(archive: zipfile.ZipFile) -> None:
        archive.getinfo(CODE).extra = central

    members = samples.with_record(samples.members_for())
    return samples.pack(members, method=method, stamp=stamp, finish=finish)


def _with_folders(*names: str, data: bytes = b"", method: int = zipfile.ZIP_STORED) -> bytes:
    def finish(archive: zipfile.ZipFile) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in names:
                info = zipfile.ZipInfo(name)
                info.compress_type = method
                archive.writestr(info, data)

    return samples.finished(finish)


def _commented(comment: bytes) -> bytes:
    return samples.finished(lambda archive: setattr(archive, "comment", comment))


def _inside() -> bytes:
    """Return a wheel whose second member lies in an extra field of the first one."""
    data = samples.good()
    begin = samples.local_offset(data, _DATA)
    end = samples.local_offset(data, f"{DIST_INFO}/METADATA")
    second, (_, packed) = data[begin:end], sizes()
    name = 30 + len(CODE)
    extra = struct.pack("<HH", 0x4141, packed + len(second)) + bytes(packed) + second
    first = data[:28] + struct.pack("<H", len(extra)) + CODE.encode() + extra + data[name:begin]
    made = first + data[end:]
    shift = len(made) - len(data)
    for path in samples.with_record(samples.members_for()):
        at = samples.central_offset(made, path) + 42
        (old,) = struct.unpack_from("<L", made, at)
        moved = {CODE: 0, _DATA: name + 4 + packed}.get(path, old + shift)
        made = samples.patched(made, at, "<L", moved)
    (start,) = struct.unpack_from("<L", made, len(made) - 6)
    return samples.end_patched(made, 16, "<L", start + shift)
