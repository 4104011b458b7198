"""Extra fields of headers, as a reader from the first byte judges them (APPNOTE.TXT 4.5, 4.6)."""

from __future__ import annotations

import struct
import zlib
from typing import Dict, Iterator, List, Optional, Tuple

from manyshim.audit.gate.facts import Framing, Oddity
from manyshim.formats.zip.directory import STORED
from manyshim.values import NamedTuple

FULL = 0xFFFFFFFF
_FULL_DISK = 0xFFFF
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075


class Header(NamedTuple):
    """The raw fields of a header. Sizes, the offset and the CRC have 32 bits.

    `version` is what a reader needs, without the upper byte. `disk`, `offset` and `comment`, a
    length, are 0 in a local header.
    """

    version: int
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    name: bytes
    extra: bytes
    comment: int = 0
    disk: int = 0
    offset: int = 0


def of_central(path: str, header: Header) -> Iterator[Oddity]:
    """Yield the oddities of the extra field of a record in the central directory."""
    fields = dict(split(header.extra))
    yield from _form(path, header)
    yield from _unicode_path(path, header, fields)
    asked = (header.size, header.compressed, header.offset).count(FULL)
    field = fields.get(_ZIP64)
    if field is None or len(field) < 8 * asked:
        if asked:
            yield Oddity(Framing.BAD_EXTRA, path)
    elif len(field) == 8 * asked + 4 and header.disk == _FULL_DISK:
        yield Oddity(Framing.ZIP64_DISK, path)
    elif len(field) != 8 * asked:
        yield Oddity(Framing.NEEDLESS_ZIP64, path)


def of_local(path: str, header: Header, sizes: Tuple[int, int]) -> Iterator[Oddity]:
    """Yield the oddities of a local header's sizes and extra field; `sizes` are the right ones.

    Both are the size and the compressed size.
    """
    fields = dict(split(header.extra))
    yield from _form(path, header)
    yield from _unicode_path(path, header, fields)
    if any(byte < 0x20 or byte == 0x7F for byte in fields.get(_UNICODE_PATH, b"")[5:]):
        yield Oddity(Framing.CONTROL_PATH, path)
    field = fields.get(_ZIP64)
    short = (header.size, header.compressed)
    if FULL not in short:
        if short != sizes:
            yield _other_size(path, short, sizes)
        # Any other length or value: the index and uv take these sizes for those of the member.
        if field and field != struct.pack("<2Q", *sizes):
            yield Oddity(Framing.LOCAL_ZIP64, path)
        elif field:
            yield Oddity(Framing.NEEDLESS_LOCAL_ZIP64, path)
        return
    if not field:
        yield Oddity(Framing.BAD_EXTRA, path)
        return
    wide = _wide_sizes(header, field)
    if wide is None:
        yield Oddity(Framing.LOCAL_ZIP64, path)
    elif wide != sizes:
        yield _other_size(path, wide, sizes)


def split(extra: bytes) -> List[Tuple[int, bytes]]:
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


def _form(path: str, header: Header) -> Iterator[Oddity]:
    """Yield what is wrong with the fields whatever they mean."""
    if not header.extra:
        return
    fields = split(header.extra)
    if sum(len(value) + 4 for _, value in fields) != len(header.extra):
        yield Oddity(Framing.BAD_EXTRA, path)
    seen: Dict[int, int] = {}
    for kind, _ in fields:
        seen[kind] = seen.get(kind, 0) + 1
    # One is enough: a field may have 16,000 kinds.
    twice = next((kind for kind, times in seen.items() if times > 1), None)
    if twice is not None:
        yield Oddity(Framing.DUPLICATE_EXTRA, path, (f"0x{twice:04x}",))


def _unicode_path(path: str, header: Header, fields: Dict[int, bytes]) -> Iterator[Oddity]:
    field = fields.get(_UNICODE_PATH)
    if field is None:
        return
    if len(field) < 5:
        yield Oddity(Framing.BAD_EXTRA, path)
        return
    version, crc = struct.unpack_from("<BL", field)
    # Readers ignore the field if its CRC is not that of the name in the header.
    if version == 1 and field[5:] != header.name and crc == zlib.crc32(header.name):
        other = field[5:].decode("utf-8", "surrogateescape")
        yield Oddity(Framing.UNICODE_PATH, path, (other,))


def _wide_sizes(header: Header, field: bytes) -> Optional[Tuple[int, int]]:
    """Return both sizes where a field of zip64 holds what its header asks for."""
    both = header.size == header.compressed == FULL
    if both and len(field) == 16:
        size, compressed = struct.unpack("<2Q", field)
        return size, compressed
    # The index takes one value for both sizes, if the member is stored.
    if not both and len(field) == 8 and header.method == STORED:
        (wide,) = struct.unpack("<Q", field)
        return (
            wide if header.size == FULL else header.size,
            wide if header.compressed == FULL else header.compressed,
        )
    return None


def _other_size(path: str, found: Tuple[int, int], right: Tuple[int, int]) -> Oddity:
    """Return the oddity of two sizes: the compressed ones are shown if they differ."""
    at = 1 if found[1] != right[1] else 0
    return Oddity(Framing.OTHER_SIZE, path, (str(found[at]), str(right[at])))
