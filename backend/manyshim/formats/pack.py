"""Writing a zip archive that every reader takes (APPNOTE.TXT; spec of strict streaming readers).

Local headers equal the central directory; no data descriptors, gaps, comments or extra fields, and
zip64 only where a number does not fit.
"""

from __future__ import annotations

import errno
import os
import zlib
from typing import BinaryIO, List

from manyshim.formats.archive import (
    CENTRAL,
    DEFLATED,
    EOCD,
    EOCD64,
    EOCD64_LOCATOR,
    LOCAL,
    UTF8_NAME,
    Archive,
    Entry,
)
from manyshim.formats.window import MemberError

_FULL = 0xFFFFFFFF

# What the kernel says where it cannot copy between these two files (copy_file_range(2)).
_CANNOT_COPY = (
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EBADF,
    errno.ETXTBSY,
)

_COPIED_AT_ONCE = 1 << 24
_READ_AT_ONCE = 1 << 20
_FLUSHED_FROM = 1 << 18


def _version_needed(zip64: bool) -> int:  # noqa: FBT001 (the one fact that decides it)
    return 45 if zip64 else 20


def _flags(name: bytes) -> int:
    return 0 if name.isascii() else UTF8_NAME


def _name(entry: Entry) -> bytes:
    name = entry.name.encode("utf-8", "surrogateescape")
    if len(name) > 0xFFFF:
        raise MemberError(f"the name {entry.name[:40]}... has {len(name)} bytes as UTF-8")
    return name


def local_header(entry: Entry) -> bytes:
    """Make the local file header of a member whose sizes are known."""
    name = _name(entry)
    large = max(entry.size, entry.compressed) >= _FULL
    extra = b""
    size, compressed = entry.size, entry.compressed
    if large:
        # The local header must state both sizes (APPNOTE.TXT 4.5.3).
        extra = _zip64_extra([size, compressed])
        size = compressed = _FULL
    fields = (
        _version_needed(large), _flags(name), entry.method, entry.time, entry.date, entry.crc,
        compressed, size, len(name), len(extra),
    )  # fmt: skip
    return LOCAL.pack(b"PK\3\4", *fields) + name + extra


def _zip64_extra(values: List[int]) -> bytes:
    body = b"".join(value.to_bytes(8, "little") for value in values)
    return (1).to_bytes(2, "little") + len(body).to_bytes(2, "little") + body


def _central_header(entry: Entry) -> bytes:
    name = _name(entry)
    numbers = [entry.size, entry.compressed, entry.offset]
    wide = [number for number in numbers if number >= _FULL]
    extra = _zip64_extra(wide) if wide else b""
    size, compressed, offset = (min(number, _FULL) for number in numbers)
    version, system = entry.made_by
    fields = (
        version, system, _version_needed(bool(wide)), 0, _flags(name), entry.method, entry.time,
        entry.date, entry.crc, compressed, size, len(name), len(extra), 0, 0, entry.internal,
        entry.external, offset,
    )  # fmt: skip
    return CENTRAL.pack(b"PK\1\2", *fields) + name + extra


class Packer:
    """Writes one archive front to back into an empty file; `entries` are what it holds so far."""

    def __init__(self, file: BinaryIO) -> None:
        self.entries: List[Entry] = []
        self._file = file
        self._pending: List[bytes] = []
        self._pending_size = 0
        self._position = 0

    def copy(self, source: Archive, entry: Entry) -> None:
        """Copy a member's compressed bytes as they are, under a header of our own."""
        start = source.payload(entry)
        self._begin(entry)
        if entry.compressed < _FLUSHED_FROM:
            payload = source.bytes_at(start, entry.compressed)
            if len(payload) != entry.compressed:
                raise EOFError("the source ended while it was copied")
            self._write(payload)
            return
        self._flush()
        _copy_range(source.file, start, self._file, entry.compressed)
        self._position += entry.compressed

    def add(self, like: Entry, data: bytes, level: int) -> None:
        """Write new contents under the name, time and mode of `like`, deflated."""
        deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        payload = deflater.compress(data) + deflater.flush()
        crc = zlib.crc32(data)
        entry = like._replace(method=DEFLATED, crc=crc, compressed=len(payload), size=len(data))
        self._begin(entry)
        self._write(payload)

    def close(self) -> None:
        """Write the central directory. The file stays open, and is not synced."""
        start = self._position
        for entry in self.entries:
            self._write(_central_header(entry))
        self._end(start, self._position - start)
        self._flush()

    def _begin(self, entry: Entry) -> None:
        self.entries.append(entry._replace(offset=self._position, flags=_flags(_name(entry))))
        self._write(local_header(entry))

    def _end(self, start: int, size: int) -> None:
        count = len(self.entries)
        if count >= 0xFFFF or max(start, size) >= _FULL:
            record = self._position
            fields = (EOCD64.size - 12, 45, 45, 0, 0, count, count, size, start)
            self._write(EOCD64.pack(b"PK\6\6", *fields))
            self._write(EOCD64_LOCATOR.pack(b"PK\6\7", 0, record, 1))
        short, size, start = min(count, 0xFFFF), min(size, _FULL), min(start, _FULL)
        self._write(EOCD.pack(b"PK\5\6", 0, 0, short, short, size, start, 0))

    def _write(self, data: bytes) -> None:
        self._pending.append(data)
        self._pending_size += len(data)
        self._position += len(data)
        if self._pending_size >= _FLUSHED_FROM:
            self._flush()

    def _flush(self) -> None:
        self._file.write(b"".join(self._pending))
        self._file.flush()
        self._pending.clear()
        self._pending_size = 0


def _copy_range(source: BinaryIO, start: int, target: BinaryIO, length: int) -> None:
    """Copy between files inside the kernel where it can, else through a buffer."""
    position = target.tell()
    end = position + length
    if hasattr(os, "copy_file_range"):
        try:
            while position < end:
                count = min(end - position, _COPIED_AT_ONCE)
                copied = os.copy_file_range(
                    source.fileno(), target.fileno(), count, start, position
                )
                if not copied:
                    break
                start += copied
                position += copied
        except OSError as error:
            # Some file systems, and some pairs of them, cannot: the buffer goes on from here.
            if error.errno not in _CANNOT_COPY:
                raise
    target.seek(position)
    source.seek(start)
    while position < end:
        data = source.read(min(end - position, _READ_AT_ONCE))
        if not data:
            raise EOFError("the source ended while it was copied")
        target.write(data)
        position += len(data)
