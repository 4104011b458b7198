"""How an archive is built: what a reader from its first byte sees, beside the central directory.

The package index and uv over http read so. Other readers take the directory only. Only `check`
loads this module. Source: APPNOTE.TXT 4.3 to 4.6.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from typing import Counter, Dict, Iterator, List, Optional, Sequence, Tuple

from manyshim.audit.gate.facts import Framing, Oddity
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.directory import (
    CENTRAL,
    EOCD,
    EOCD64,
    EOCD64_LOCATOR,
    LOCAL,
    UTF8_NAME,
    Entry,
)
from manyshim.values import NamedTuple

_FULL = 0xFFFFFFFF
_DESCRIPTOR = 0x8
# Patched data and strong encryption: zipfile and uv refuse both.
_UNSUPPORTED_FLAGS = 0x20 | 0x40
# zipfile.MAX_EXTRACT_VERSION; a newer version of the format is refused. The upper byte is a system.
_MAX_VERSION = 63
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075

# The index refuses archives whose members have more than this, and more than 50 times its size.
_RATIO_FROM, _MAX_RATIO = 64 << 20, 50

# A local header is read with this many bytes of its extra field at once.
_READ_AHEAD = 64
# Each kind of oddity is reported for this many members.
_MAX_SHOWN = 1000


class _Record(NamedTuple):
    """The raw fields of a record in the central directory. Sizes and the CRC have 32 bits."""

    version: int
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    name: bytes
    extra: bytes
    comment: int


def oddities(archive: Archive) -> Iterator[Oddity]:
    """Yield where an open archive differs from what every reader takes.

    At most 1,000 of each kind. Headers are read one by one, and no member is inflated.
    """
    counts: Counter[Framing] = Counter()
    for found in _all(archive):
        counts[found.what] += 1
        if counts[found.what] <= _MAX_SHOWN:
            yield found


def _all(archive: Archive) -> Iterator[Oddity]:
    if _is_tar(archive.bytes_at(0, 512)):
        yield Oddity(Framing.ALSO_TAR)
    total = sum(entry.size for entry in archive.entries)
    if total > max(_RATIO_FROM, _MAX_RATIO * archive.size):
        yield Oddity(Framing.RATIO, details=(str(total >> 20), str(archive.size >> 10)))
    directory = archive.bytes_at(archive.directory, archive.size - archive.directory)
    places, length = _places(directory, len(archive.entries))
    # A reader from the first byte sees the members by their place.
    order = sorted(range(len(places)), key=lambda at: archive.entries[at].offset)
    position = 0
    for at in order:
        entry, record = archive.entries[at], _record(directory, places[at])
        yield from _gap(archive, position, entry.offset, entry.name)
        yield from _of_record(entry, record)
        header = archive.bytes_at(entry.offset, LOCAL.size + len(record.name) + _READ_AHEAD)
        if len(header) < LOCAL.size or header[:4] != b"PK\3\4":
            yield Oddity(Framing.NO_HEADER, entry.name)
            position = entry.offset
            continue
        fields = LOCAL.unpack_from(header)
        begin = entry.offset + LOCAL.size + fields[-2]
        name = header[LOCAL.size : LOCAL.size + fields[-2]]
        extra = archive.bytes_at(begin, fields[-1]) if fields[-1] else b""
        yield from _of_header(entry, record, fields, name, extra)
        position = begin + fields[-1] + entry.compressed
        if (record.flags | fields[2]) & _DESCRIPTOR:
            position = _behind_descriptor(archive, position)
    yield from _gap(archive, position, archive.directory, "")
    yield from _end(archive, length)


def _places(directory: bytes, count: int) -> Tuple[Sequence[int], int]:
    """Return where each record of the central directory begins, and where the last one ends.

    The records themselves would take much memory.
    """
    places = array("Q")
    position = 0
    for _ in range(count):
        places.append(position)
        position += CENTRAL.size + sum(CENTRAL.unpack_from(directory, position)[12:15])
    return places, position


def _record(directory: bytes, position: int) -> _Record:
    """Return the fields of a record in the central directory that `Entry` leaves out."""
    fields = CENTRAL.unpack_from(directory, position)
    name_size, extra_size, comment = fields[12:15]
    begin = position + CENTRAL.size
    middle = begin + name_size
    numbers = (fields[3], fields[5], fields[6], *fields[9:12], fields[18])
    texts = (directory[begin:middle], directory[middle : middle + extra_size], comment)
    return _Record._make((*numbers, *texts))


def _gap(archive: Archive, begin: int, end: int, before: str) -> Iterator[Oddity]:
    """Yield what lies between the end of one member and the begin of the next."""
    if begin >= end:
        return
    if archive.bytes_at(begin, 4) == b"PK\3\4":
        header = archive.bytes_at(begin, LOCAL.size)
        length = LOCAL.unpack(header)[-2] if len(header) == LOCAL.size else 0
        name = archive.bytes_at(begin + LOCAL.size, length).decode("utf-8", "surrogateescape")
        yield Oddity(Framing.HIDDEN, name, (str(begin),))
    elif begin == 0:
        yield Oddity(Framing.PREFIX, details=(str(end),))
    else:
        yield Oddity(Framing.PADDING, before, (str(end - begin), str(begin)))


def _behind_descriptor(archive: Archive, position: int) -> int:
    """Return where a data descriptor ends; `position` if there is none that can be recognized."""
    data = archive.bytes_at(position, 24)
    for length in (16, 24):
        if data[:4] == b"PK\7\10" and archive.bytes_at(position + length, 2) == b"PK":
            return position + length
    return position


def _of_record(entry: Entry, record: _Record) -> Iterator[Oddity]:
    """Yield the oddities of a record in the central directory."""
    if not record.name.isascii() and not record.flags & UTF8_NAME:
        yield Oddity(Framing.NAME_ENCODING, entry.name)
    if record.comment:
        yield Oddity(Framing.COMMENT, entry.name)
    if record.version > _MAX_VERSION:
        yield Oddity(Framing.UNSUPPORTED_VERSION, entry.name, (f"{record.version / 10:.1f}",))
    if record.flags & _UNSUPPORTED_FLAGS:
        yield Oddity(Framing.UNSUPPORTED_FLAG, entry.name, (hex(record.flags),))
    values = (record.size, record.compressed, record.offset)
    yield from _of_extra(entry, record.name, record.extra, values.count(_FULL), central=True)


def _of_header(
    entry: Entry, record: _Record, fields: Tuple[int, ...], name: bytes, extra: bytes
) -> Iterator[Oddity]:
    """Compare a local header with its record in the central directory."""
    _, _, flags, method, _, _, crc, compressed, size, _, _ = fields
    if name != record.name:
        yield Oddity(Framing.OTHER_NAME, entry.name, (name.decode("utf-8", "surrogateescape"),))
    if (flags | record.flags) & _DESCRIPTOR:
        # The sizes and the CRC may be in the descriptor only.
        yield Oddity(Framing.DESCRIPTOR, entry.name)
    else:
        if crc != record.crc:
            yield Oddity(Framing.OTHER_CRC, entry.name)
        sizes = _zip64_sizes(extra, size, compressed)
        if sizes is not None and sizes != (entry.size, entry.compressed):
            yield Oddity(Framing.OTHER_SIZE, entry.name, (str(sizes[1]), str(entry.compressed)))
    if (flags ^ record.flags) & ~_DESCRIPTOR:
        yield Oddity(Framing.OTHER_FLAGS, entry.name, (hex(flags), hex(record.flags)))
    if method != record.method:
        yield Oddity(Framing.OTHER_METHOD, entry.name, (str(method), str(record.method)))
    full = 2 if _FULL in (size, compressed) else 0
    yield from _of_extra(entry, record.name, extra, full, central=False)


def _zip64_sizes(extra: bytes, size: int, compressed: int) -> Optional[Tuple[int, int]]:
    """Return both sizes of a local header; None if its zip64 field lacks them."""
    if _FULL not in (size, compressed):
        return size, compressed
    field = dict(_split(extra)).get(_ZIP64, b"")
    if len(field) < 16:
        return None
    wide_size, wide_compressed = struct.unpack_from("<2Q", field)
    return (
        wide_size if size == _FULL else size,
        wide_compressed if compressed == _FULL else compressed,
    )


def _of_extra(
    entry: Entry, name: bytes, extra: bytes, asked: int, *, central: bool
) -> Iterator[Oddity]:
    """Yield the oddities of an extra field; `asked` values have to be in a zip64 field."""
    fields = _split(extra)
    if sum(len(value) + 4 for _, value in fields) != len(extra):
        yield Oddity(Framing.BAD_EXTRA, entry.name)
    kinds = [kind for kind, _ in fields]
    for kind in (_ZIP64, _UNICODE_PATH):
        if kinds.count(kind) > 1:
            yield Oddity(Framing.DUPLICATE_EXTRA, entry.name, (f"0x{kind:04x}",))
    known: Dict[int, bytes] = dict(fields)
    length = len(known.get(_ZIP64, b""))
    # The number of the disk may follow in the directory (APPNOTE.TXT 4.5.3).
    if _ZIP64 in known and length not in (8 * asked, 8 * asked + (4 if central and asked else 0)):
        if length < 8 * asked:
            yield Oddity(Framing.BAD_EXTRA, entry.name)
        else:
            needless = Framing.NEEDLESS_ZIP64 if central else Framing.NEEDLESS_LOCAL_ZIP64
            yield Oddity(needless, entry.name)
    if asked and _ZIP64 not in known:
        yield Oddity(Framing.BAD_EXTRA, entry.name)
    path = known.get(_UNICODE_PATH)
    if path is not None and path[5:] != name:
        stated = struct.unpack_from("<L", path, 1)[0] if len(path) >= 5 else None
        # Readers ignore the field if its CRC is not that of the name in the header.
        if stated == zlib.crc32(name):
            other = path[5:].decode("utf-8", "surrogateescape")
            yield Oddity(Framing.UNICODE_PATH, entry.name, (other,))


def _split(extra: bytes) -> List[Tuple[int, bytes]]:
    """Return the fields of an extra field, up to the first one that is cut off."""
    found: List[Tuple[int, bytes]] = []
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        position += 4 + length
        if position > len(extra):
            break
        found.append((kind, extra[position - length : position]))
    return found


def _end(archive: Archive, length: int) -> Iterator[Oddity]:
    """Yield the oddities of the end records, and what lies behind them."""
    position = archive.directory + length
    count = len(archive.entries)
    wide = archive.bytes_at(position, EOCD64.size)
    if wide[:4] == b"PK\6\6" and len(wide) == EOCD64.size:
        begin, position = position, position + EOCD64.size
        locator = archive.bytes_at(position, EOCD64_LOCATOR.size)
        if len(locator) == EOCD64_LOCATOR.size and EOCD64_LOCATOR.unpack(locator)[2] != begin:
            yield Oddity(Framing.LOCATOR)
        position += EOCD64_LOCATOR.size
    record = archive.bytes_at(position, EOCD.size)
    if len(record) < EOCD.size or record[:4] != b"PK\5\6":
        return
    stated = EOCD.unpack(record)
    if stated[4] not in (count, 0xFFFF) or stated[5] not in (length, _FULL):
        yield Oddity(Framing.END_RECORDS)
    rest = archive.size - (position + EOCD.size + stated[7])
    if rest > 0:
        yield Oddity(Framing.TRAILING, details=(str(rest),))


def _is_tar(block: bytes) -> bool:
    """Whether a file begins with the header of a tar archive: its checksum is right (POSIX)."""
    field = block[148:156].rstrip(b" \0").lstrip()
    if len(block) < 512 or not field or set(field) - set(b"01234567"):
        return False
    return int(field, 8) == sum(block[:148]) + 8 * ord(" ") + sum(block[156:])
