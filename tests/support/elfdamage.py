"""Change single fields of a written ELF file, and make the damages that tests share."""

from __future__ import annotations

import struct
from typing import Iterator, Tuple

from elftables import HEADER, SECTION, SEGMENTS, Encoding, Record

PT_LOAD, PT_DYNAMIC = 1, 2
# e_ident is before the header's fields.
IDENT = 16


def encoding_of(data: bytes) -> Encoding:
    """Return the encoding that e_ident states."""
    return Encoding(64 if data[4] == 2 else 32, data[5] == 1)


def patched(data: bytes, offset: int, value: bytes) -> bytes:
    """Return the data with bytes replaced at an offset."""
    if not 0 <= offset <= len(data) - len(value):
        raise ValueError(f"{len(value)} bytes at {offset:#x} are not inside of the file")
    return data[:offset] + value + data[offset + len(value) :]


def _get(data: bytes, start: int, record: Record, name: str) -> int:
    """Read a field of the record at an offset."""
    encoding = encoding_of(data)
    offset, code = record.locate(encoding, name)
    value: int = struct.unpack_from(encoding.format(code), data, start + offset)[0]
    return value


def _with(data: bytes, start: int, record: Record, **fields: int) -> bytes:
    """Overwrite fields of the record at an offset."""
    encoding = encoding_of(data)
    for name, value in fields.items():
        offset, code = record.locate(encoding, name)
        data = patched(data, start + offset, encoding.pack(code, value))
    return data


def with_header(data: bytes, **fields: int) -> bytes:
    """Overwrite fields of the file header: ``with_header(data, shoff=0)``."""
    return _with(data, IDENT, HEADER, **fields)


def _segments(data: bytes, kind: int) -> Iterator[int]:
    """Yield the offsets of the program headers of one type."""
    record = SEGMENTS[encoding_of(data).bits]
    start = _get(data, IDENT, HEADER, "phoff")
    for _ in range(_get(data, IDENT, HEADER, "phnum")):
        if _get(data, start, record, "type") == kind:
            yield start
        start += encoding_of(data).size(record.codes)


def with_segment(data: bytes, kind: int, nth: int = 0, **fields: int) -> bytes:
    """Overwrite fields of the nth program header of a type."""
    start = list(_segments(data, kind))[nth]
    return _with(data, start, SEGMENTS[encoding_of(data).bits], **fields)


def file_offset(data: bytes, address: int) -> int:
    """Find the file offset of an address by the PT_LOADs."""
    record = SEGMENTS[encoding_of(data).bits]
    for start in _segments(data, PT_LOAD):
        inside = address - _get(data, start, record, "vaddr")
        if 0 <= inside < _get(data, start, record, "filesz"):
            return _get(data, start, record, "offset") + inside
    raise ValueError(f"no segment holds address {address:#x}")


def _dynamic(data: bytes, tag: int, nth: int) -> Tuple[int, int]:
    """Return the value of the nth entry of a tag, and the offset of the value."""
    encoding = encoding_of(data)
    start = next(_segments(data, PT_DYNAMIC))
    record = SEGMENTS[encoding.bits]
    offset, size = (_get(data, start, record, name) for name in ("offset", "filesz"))
    pair = encoding.format("WW")
    for found, value in struct.iter_unpack(pair, data[offset : offset + size]):
        if found == tag:
            if nth == 0:
                return value, offset + encoding.size("W")
            nth -= 1
        offset += encoding.size("WW")
    raise ValueError(f"the dynamic section has no such entry of tag {tag:#x}")


def with_dynamic(data: bytes, tag: int, value: int, nth: int = 0) -> bytes:
    """Overwrite the value of the nth entry of a tag in the dynamic section."""
    offset = _dynamic(data, tag, nth)[1]
    return patched(data, offset, encoding_of(data).pack("W", value))


def without_dynamic(data: bytes, tag: int, nth: int = 0) -> bytes:
    """Change the tag of an entry of the dynamic section to an unknown one."""
    word = encoding_of(data).pack("W", 0x6FFFF000)
    return patched(data, _dynamic(data, tag, nth)[1] - len(word), word)


def without_dynamic_end(data: bytes) -> bytes:
    """Overwrite the last entry of the dynamic section, DT_NULL, and all that follows."""
    start = _dynamic(data, 0, 0)[1] - encoding_of(data).size("W")
    return data[:start] + b"x" * (len(data) - start)


def table_offset(data: bytes, tag: int) -> int:
    """Find the file offset of the table whose address a dynamic entry states."""
    return file_offset(data, _dynamic(data, tag, 0)[0])


def blank_sections(data: bytes) -> bytes:
    """Hide the section table as packers do."""
    return with_header(data, shoff=0, shnum=0, shstrndx=0)


def section_table_past_end(data: bytes) -> bytes:
    """Move the section table behind the end of the file."""
    return with_header(data, shoff=len(data) + 64)


def scrambled_section_names(data: bytes) -> bytes:
    """Overwrite the names of all sections; the section table is unchanged."""
    row = encoding_of(data).size(SECTION.codes)
    index = _get(data, IDENT, HEADER, "shstrndx")
    start = _get(data, IDENT, HEADER, "shoff") + row * index
    offset, size = (_get(data, start, SECTION, name) for name in ("offset", "size"))
    names = data[offset : offset + size]
    return patched(data, offset, bytes(byte and ord("x") for byte in names))


def note_offset(data: bytes) -> int:
    """Return the file offset of the first PT_NOTE."""
    record = SEGMENTS[encoding_of(data).bits]
    return _get(data, next(_segments(data, 4)), record, "offset")
