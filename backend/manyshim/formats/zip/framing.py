"""How an archive is built: what a reader from its first byte sees, beside the central directory.

The package index and uv over http read so. Other readers take the directory only. Only `check`
loads this module. Source: APPNOTE.TXT 4.3 to 4.6.
"""

from __future__ import annotations

import re
from array import array
from typing import Counter, Iterator, Sequence, Tuple

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
from manyshim.formats.zip.extras import FULL, Header, of_central, of_local

_FULL_16 = 0xFFFF
_DESCRIPTOR = 0x8
# Patched data and strong encryption: zipfile and uv refuse both.
_UNSUPPORTED_FLAGS = 0x20 | 0x40
# uv reads these flags of the local header, too. No reader compares the other ones.
_LOCAL_FLAGS = 0x1 | _UNSUPPORTED_FLAGS
# zipfile.MAX_EXTRACT_VERSION; a newer version of the format is refused.
_MAX_VERSION = 63

# The index refuses archives whose members have more than this, and more than 50 times its size.
_RATIO_FROM, _MAX_RATIO = 64 << 20, 50

# uv takes a comment with the signature of a record for a second archive.
_SIGNATURE = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x06\x06|\x06\x07|\x07\x08)")
# What the index and uv refuse in the name of a folder: control characters, and bytes of no UTF-8.
_BAD_NAME = re.compile("[\x00-\x1f\x7f\udc80-\udcff]")

# A local header is read with this many bytes of its extra field at once.
_READ_AHEAD = 64
# Each kind of oddity is reported for this many members.
_MAX_SHOWN = 1000


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
    yield from _folders(archive)
    directory = archive.bytes_at(archive.directory, archive.size - archive.directory)
    places, length = _places(directory, len(archive.entries))
    # A reader from the first byte sees the members by their place.
    order = sorted(range(len(places)), key=lambda at: archive.entries[at].offset)
    position = 0
    for number, at in enumerate(order, 1):
        entry, record = archive.entries[at], _record(directory, places[at])
        end = archive.entries[order[number]].offset if number < len(order) else archive.directory
        yield from _gap(archive, position, entry.offset, entry.name)
        yield from _of_record(entry, record)
        data = archive.bytes_at(entry.offset, LOCAL.size + len(record.name) + _READ_AHEAD)
        if len(data) < LOCAL.size or data[:4] != b"PK\3\4":
            yield Oddity(Framing.NO_HEADER, entry.name)
            position = entry.offset
            continue
        fields = LOCAL.unpack_from(data)
        begin = entry.offset + LOCAL.size + fields[-2]
        position = begin + fields[-1] + entry.compressed
        overlaps = position > end
        if overlaps:
            yield Oddity(Framing.OVERLAP, entry.name)
        # Headers that share their bytes could take a quadratic time.
        extra = archive.bytes_at(begin, fields[-1]) if fields[-1] and not overlaps else b""
        name = data[LOCAL.size : LOCAL.size + fields[-2]]
        _, version, flags, method, _, _, crc, compressed, size, _, _ = fields
        header = Header(version & 0xFF, flags, method, crc, compressed, size, name, extra)
        yield from _of_header(entry, record, header, overlaps=overlaps)
        if (record.flags | flags) & _DESCRIPTOR:
            position = _behind_descriptor(archive, position)
    yield from _gap(archive, position, archive.directory, "")
    yield from _end(archive, length)


def _folders(archive: Archive) -> Iterator[Oddity]:
    """Yield the oddities of folder entries. The audit knows only files."""
    folders = [entry for entry in archive.entries if entry.folder]
    if not folders:
        return
    times = Counter(entry.name for entry in folders)
    bare = {name.rstrip("/") for name in times}
    files = {entry.name for entry in archive.entries if entry.name in bare}
    for name, count in times.items():
        if count > 1:
            yield Oddity(Framing.FOLDER_TWICE, name)
        if name.rstrip("/") in files:
            yield Oddity(Framing.FOLDER_OVER_FILE, name)
        if _BAD_NAME.search(name):
            yield Oddity(Framing.FOLDER_NAME, name)
    for entry in folders:
        if entry.size or entry.crc:
            yield Oddity(Framing.FOLDER_DATA, entry.name)


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


def _record(directory: bytes, position: int) -> Header:
    """Return the fields of a record in the directory, with those that `Entry` leaves out."""
    fields = CENTRAL.unpack_from(directory, position)
    name_size, extra_size, comment, disk = fields[12:16]
    begin = position + CENTRAL.size
    middle = begin + name_size
    numbers = (fields[3], fields[5], fields[6], *fields[9:12])
    texts = (directory[begin:middle], directory[middle : middle + extra_size])
    return Header._make((*numbers, *texts, comment, disk, fields[18]))


def _gap(archive: Archive, begin: int, end: int, before: str) -> Iterator[Oddity]:
    """Yield what lies between the end of one member and the begin of the next."""
    if begin >= end:
        return
    if archive.bytes_at(begin, 4) == b"PK\3\4":
        header = archive.bytes_at(begin, LOCAL.size)
        length = LOCAL.unpack(header)[-2] if len(header) == LOCAL.size else 0
        length = min(length, end - begin - LOCAL.size)
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


def _of_record(entry: Entry, record: Header) -> Iterator[Oddity]:
    """Yield the oddities of a record in the central directory."""
    if record.comment:
        yield Oddity(Framing.COMMENT, entry.name)
    if record.flags & _UNSUPPORTED_FLAGS:
        yield Oddity(Framing.UNSUPPORTED_FLAG, entry.name, (hex(record.flags),))
    yield from of_central(entry.name, record)


def _of_header(entry: Entry, record: Header, header: Header, *, overlaps: bool) -> Iterator[Oddity]:
    """Compare a local header with its record in the central directory."""
    if header.name != record.name:
        other = header.name.decode("utf-8", "surrogateescape")
        yield Oddity(Framing.OTHER_NAME, entry.name, (other,))
    if not record.name.isascii() and not record.flags & header.flags & UTF8_NAME:
        yield Oddity(Framing.NAME_ENCODING, entry.name)
    version = max(record.version, header.version)
    if version > _MAX_VERSION:
        yield Oddity(Framing.UNSUPPORTED_VERSION, entry.name, (f"{version / 10:.1f}",))
    if header.flags & ~record.flags & _LOCAL_FLAGS:
        stated = (hex(header.flags), hex(record.flags))
        yield Oddity(Framing.OTHER_FLAGS, entry.name, stated)
    if header.method != record.method:
        stated = (str(header.method), str(record.method))
        yield Oddity(Framing.OTHER_METHOD, entry.name, stated)
    if (header.flags | record.flags) & _DESCRIPTOR:
        # The sizes and the CRC may be in the descriptor only.
        yield Oddity(Framing.DESCRIPTOR, entry.name)
        return
    if header.crc != record.crc:
        yield Oddity(Framing.OTHER_CRC, entry.name)
    if not overlaps:
        yield from of_local(entry.name, header, (entry.size, entry.compressed))


def _end(archive: Archive, length: int) -> Iterator[Oddity]:
    """Yield the oddities of the end records, and what lies behind them."""
    position = archive.directory + length
    numbers = (len(archive.entries), length, archive.directory)
    wide = archive.bytes_at(position, EOCD64.size)
    if wide[:4] == b"PK\6\6" and len(wide) == EOCD64.size:
        begin, position = position, position + EOCD64.size
        fields = EOCD64.unpack(wide)
        numbers = fields[7:]
        if fields[1] != EOCD64.size - 12:
            yield Oddity(Framing.END64_DATA)
        locator = archive.bytes_at(position, EOCD64_LOCATOR.size)
        if len(locator) == EOCD64_LOCATOR.size:
            _, disk, offset, disks = EOCD64_LOCATOR.unpack(locator)
            if offset != begin or disk or disks > 1:
                yield Oddity(Framing.LOCATOR)
            elif not disks:
                yield Oddity(Framing.LOCATOR_DISKS)
        position += EOCD64_LOCATOR.size
        yield from _narrow(archive.bytes_at(position, EOCD.size), numbers)
    record = archive.bytes_at(position, EOCD.size)
    if len(record) < EOCD.size or record[:4] != b"PK\5\6":
        return
    stated = EOCD.unpack(record)[-1]
    comment = archive.bytes_at(position + EOCD.size, stated)
    if len(comment) < stated:
        yield Oddity(Framing.COMMENT_LENGTH)
    if _SIGNATURE.search(comment):
        yield Oddity(Framing.COMMENT_SIGNATURE)
    rest = archive.size - (position + EOCD.size + stated)
    if rest > 0:
        yield Oddity(Framing.TRAILING, details=(str(rest),))


def _narrow(record: bytes, numbers: Tuple[int, ...]) -> Iterator[Oddity]:
    """Compare the end record with that of zip64: each number is the same one, or all ones."""
    if len(record) < EOCD.size:
        return
    _, disk, first, here, count, length, offset, _ = EOCD.unpack(record)
    if (
        here != count
        or count not in (numbers[0], _FULL_16)
        or length not in (numbers[1], FULL)
        or offset not in (numbers[2], FULL)
        or not {disk, first} <= {0, _FULL_16}
    ):
        yield Oddity(Framing.END_RECORDS)


def _is_tar(block: bytes) -> bool:
    """Whether a file begins with the header of a tar archive: its checksum is right (POSIX)."""
    field = block[148:156].rstrip(b" \0").lstrip()
    if len(block) < 512 or not field or set(field) - set(b"01234567"):
        return False
    return int(field, 8) == sum(block[:148]) + 8 * ord(" ") + sum(block[156:])
