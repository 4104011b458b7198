"""Crafted wheels for the differential test of `check`: the archive. Each breaks one rule alone."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Dict, Mapping, NamedTuple, Optional

import strict_index_samples as samples
from strict_index_samples import CODE, DIST_INFO, GOOD

DATA = "probe/data.txt"


class Crafted(NamedTuple):
    """A file as it would be uploaded."""

    filename: str
    data: bytes


def framing() -> Dict[str, Crafted]:
    """Return wheels with one oddity of the archive each; some are what every reader takes."""
    return {name: Crafted(GOOD, data) for name, data in {**defects(), **unusual()}.items()}


def defects() -> Dict[str, bytes]:
    """Return archives with one defect each."""
    good = samples.good()
    return {
        "data descriptors": samples.streamed(),
        "bit 3 without a descriptor": samples.local(good, flags=8),
        "descriptors left behind": samples.unstreamed(sizes=True),
        "local sizes are zero": samples.unstreamed(sizes=False),
        "stale local compressed size": samples.local(good, compressed=5),
        "stale local size": samples.local(good, size=5),
        "stale local CRC": samples.local(good, crc=5),
        "local method differs": samples.local(good, method=0),
        "wrong CRC in both, Python": samples.both(good, crc=5),
        "wrong CRC in both, data": samples.both(good, DATA, crc=5),
        "needless zip64 extra, local": samples.needless_zip64(in_local=True, in_central=False),
        "needless zip64 extra, central": samples.needless_zip64(in_local=False, in_central=True),
        "zip64 end record without locator": samples.zip64_ended(locator=False),
        "zip64 locator leads elsewhere": samples.zip64_ended(shift=1),
        "zip64 end record with data": samples.zip64_ended(surplus=b"1234"),
        "zip64 end record lies": _zip64_lies(),
        "duplicate, same bytes": samples.doubled(CODE, samples.members_for()[CODE]),
        "duplicate, other bytes": samples.doubled(CODE, b"VALUE = 1\n"),
        "WHEEL rewritten in place": samples.doubled(f"{DIST_INFO}/WHEEL", b""),
        "member not listed": samples.finished(samples.forget),
        "local name differs": good.replace(b"probe/__init", b"probe/__INIT", 1),
        "bytes before the archive": b"#!/bin/sh\n" + good,
        "padding between members": samples.padded(),
        "trailing NUL bytes": good + bytes(3),
        "trailing bytes": good + b"more",
        "comment of a member": samples.stamped(_comment),
        "bzip2": _method(zipfile.ZIP_BZIP2),
        "lzma": _method(zipfile.ZIP_LZMA),
        "name not UTF-8": _renamed(b"probe/d\xe4ta.txt"),
        "control character in a name": _renamed(b"probe/d\x01ta.txt"),
        "DEL in a name": _renamed(b"probe/d\x7fta.txt"),
        "NUL in a name": _renamed(b"probe/d\x00ta.txt"),
        "end record counts one more": samples.end_patched(good, 8, "<HH", 9, 9),
        "end record counts one less": samples.end_patched(good, 8, "<HH", 6, 6),
        "encrypted flag": samples.both(good, flags=1),
        "patched data flag": samples.both(good, flags=0x20),
        "strong encryption flag": samples.both(good, flags=0x40),
        "masked headers flag": samples.both(good, flags=0x2000),
        "local flags differ": samples.local(good, flags=0x20),
        "version 6.3 needed": _version(63),
        "version 9.9 needed": _version(99),
        "Unicode path of another name": _unicode_path(b"probe/other.py"),
        "Unicode path twice": _unicode_path(CODE.encode(), times=2),
        "extra field cut off": _local_extra(b"UT\x20\x00\x01"),
        "extra field of two bytes": _local_extra(b"UT"),
        "zip64 extra twice": _local_extra(b"\1\0\0\0" * 2),
        "stream ends early": _stream(ends="early"),
        "stream does not end": _stream(ends="never"),
        "bytes behind the end of a stream": _stream(ends="late"),
        "stream inflates to more": _stream(ends="more"),
        "end record in the archive comment": good + samples.good()[-22:],
        "two archives, one after another": good + good,
        "directory offset is one less": samples.end_patched(
            good, 16, "<L", struct.unpack_from("<L", good, len(good) - 6)[0] - 1
        ),
        "the file ends early": good[:-30],
        "no zip at all": b"Wheel",
        "empty file": b"",
    }


def unusual() -> Dict[str, bytes]:
    """Return archives that are unusual, and that every reader takes."""
    return {
        "good": samples.good(),
        "archive comment": samples.finished(_archive_comment),
        "folder entries": samples.finished(samples.add_folder),
        "central directory in another order": samples.finished(_reverse),
        "timestamp in the directory only": samples.finished(samples.set_extra),
        "timestamp in both headers": samples.stamped(_timestamp_of),
        "no date": samples.both(samples.good(), date=0),
        "no attributes": samples.stamped(_no_attributes),
        "all members stored": samples.pack(samples.with_record(samples.members_for()), method=0),
        "UTF-8 flag on ASCII names": samples.both(samples.good(), flags=0x800),
        "zip64 sizes that are needed": samples.needed_zip64(),
        "zip64 end record": samples.zip64_ended(),
        "name in UTF-8": _with_member("probe/d\u00e4ta.txt"),
        "empty member": _with_member("probe/empty.txt", b""),
    }


def with_members(members: Mapping[str, Optional[bytes]], dist_info: str = DIST_INFO) -> bytes:
    """Return the good wheel with members added, replaced or (None) removed; RECORD lists all."""
    all_members = {**samples.members_for(), **members}
    kept = {path: data for path, data in all_members.items() if data is not None}
    return samples.pack(samples.with_record(kept, dist_info))


def _with_member(path: str, data: bytes = b"1") -> bytes:
    return with_members({path: data})


def _renamed(name: bytes) -> bytes:
    """Return a wheel with the raw bytes of a name in both headers, and with RECORD as it was."""
    return samples.good().replace(DATA.encode(), name)


def _zip64_lies() -> bytes:
    data = samples.zip64_ended()
    at = data.rindex(b"PK\x06\x06")
    return samples.patched(data, at + 24, "<QQ", 3, 3)


def _comment(info: zipfile.ZipInfo) -> None:
    if info.filename == CODE:
        info.comment = b"a comment"


def _archive_comment(archive: zipfile.ZipFile) -> None:
    archive.comment = b"a comment"


def _reverse(archive: zipfile.ZipFile) -> None:
    archive.filelist.reverse()


def _timestamp_of(info: zipfile.ZipInfo) -> None:
    info.extra = samples.TIMESTAMP


def _no_attributes(info: zipfile.ZipInfo) -> None:
    info.external_attr = 0


def _method(method: int) -> bytes:
    return samples.pack(samples.with_record(samples.members_for()), method=method)


def _version(version: int) -> bytes:
    """Return a wheel whose first member states the version that a reader needs."""
    data = samples.good()
    data = samples.patched(data, samples.central_offset(data) + 6, "<H", version)
    return samples.patched(data, samples.local_offset(data) + 4, "<H", version)


def _unicode_path(name: bytes, times: int = 1) -> bytes:
    """Return a wheel with Info-ZIP's Unicode path (APPNOTE.TXT 4.6.9) in both headers."""
    body = b"\x01" + struct.pack("<L", zlib.crc32(CODE.encode())) + name

    def stamp(info: zipfile.ZipInfo) -> None:
        if info.filename == CODE:
            info.extra = (struct.pack("<HH", 0x7075, len(body)) + body) * times

    return samples.stamped(stamp)


def _local_extra(extra: bytes) -> bytes:
    """Return a wheel with an extra field in the local header of its first member only."""

    def stamp(info: zipfile.ZipInfo) -> None:
        if info.filename == CODE:
            info.extra = extra

    def finish(archive: zipfile.ZipFile) -> None:
        archive.getinfo(CODE).extra = b""

    return samples.pack(samples.with_record(samples.members_for()), stamp=stamp, finish=finish)


def _stream(ends: str) -> bytes:
    """Return a wheel whose first member's deflate stream does not end with its contents."""
    contents = samples.members_for()[CODE]
    full = contents + b"more" if ends == "more" else contents
    stream = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    payload = stream.compress(full)
    payload += stream.flush(zlib.Z_SYNC_FLUSH if ends == "never" else zlib.Z_FINISH)
    if ends == "late":
        payload += b"trash"
    size = len(contents) + (3 if ends == "early" else 0)
    return with_payload(payload, zlib.crc32(contents), size)


def with_payload(payload: bytes, crc: int, size: int) -> bytes:
    """Return a wheel whose first member has these compressed bytes."""
    sink = io.BytesIO()
    members = samples.with_record(samples.members_for())
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(CODE)
        info.compress_type = zipfile.ZIP_STORED
        archive.writestr(info, payload)
        for path, data in members.items():
            if path != CODE:
                archive.writestr(zipfile.ZipInfo(path), data)
    data = sink.getvalue()
    return samples.both(data, method=8, crc=crc, compressed=len(payload), size=size)
