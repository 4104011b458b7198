"""The records of a zip's central directory (APPNOTE.TXT 4.3 and 4.5)."""

from __future__ import annotations

import stat
import struct

from manyshim.errors import InvalidWheelError, shorten
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

STORED = 0
DEFLATED = 8
UTF8_NAME = 0x800
_ENCRYPTED = 0x1

EOCD = struct.Struct("<4s4H2LH")
EOCD64_LOCATOR = struct.Struct("<4sLQL")
EOCD64 = struct.Struct("<4sQ2H2L4Q")
CENTRAL = struct.Struct("<4s4B4H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
# Parts of CENTRAL: what is a Form, the CRC, the sizes and lengths, and the offset.
_FORM = struct.Struct("<2B6HL")
_SIZES = struct.Struct("<3L3H")
_OFFSET = struct.Struct("<L")
_64_BITS = (1 << 64) - 1


class Form(NamedTuple):
    """What many entries of an archive have in common, as its records state it. DOS times."""

    made_by: Tuple[int, int]
    flags: int
    method: int
    time: int
    date: int
    internal: int
    external: int


class Entry(NamedTuple):
    """One record of the central directory.

    A wheel may have 100,000 of them. So entries of one form share it, and all numbers are in one.
    """

    name: str
    form: Form
    numbers: int

    @property
    def crc(self) -> int:
        """The CRC-32 of the contents."""
        return self.numbers & 0xFFFFFFFF

    @property
    def compressed(self) -> int:
        """The size of the compressed contents, in bytes."""
        return self.numbers >> 32 & _64_BITS

    @property
    def size(self) -> int:
        """The size of the contents, in bytes."""
        return self.numbers >> 96 & _64_BITS

    @property
    def offset(self) -> int:
        """Where the local header begins, in bytes."""
        return self.numbers >> 160

    @property
    def method(self) -> int:
        """The method of compression."""
        return self.form.method

    @property
    def folder(self) -> bool:
        """Whether the entry is a directory entry."""
        return self.name.endswith("/")

    @property
    def symlink(self) -> bool:
        """Whether the entry is a symbolic link by its Unix mode; its contents are the target."""
        return stat.S_ISLNK(self.form.external >> 16)


def numbers(crc: int, compressed: int, size: int, offset: int = 0) -> int:
    """Return the numbers of an entry as one. The sizes are less than 2**64."""
    return crc | compressed << 32 | size << 96 | offset << 160


def central(data: bytes, position: int, shift: int, forms: Dict[bytes, Form]) -> Tuple[Entry, int]:
    """Read the record at an offset of the directory; return it and where the next one begins.

    `shift` is the number of bytes before the archive, which all stated offsets leave out. `forms`
    has the forms of the records before it, by the bytes that state them.
    """
    stated = data[position + 4 : position + 16] + data[position + 36 : position + 42]
    form = forms.get(stated)
    if form is None:
        version, system, _, flags, method, time, date, internal, external = _FORM.unpack(stated)
        form = Form((version, system), flags, method, time, date, internal, external)
        forms[stated] = form
    crc, compressed, size, name_size, extra_size, comment_size = _SIZES.unpack_from(
        data, position + 16
    )
    (offset,) = _OFFSET.unpack_from(data, position + 42)
    name_end = position + CENTRAL.size + name_size
    raw = data[position + CENTRAL.size : name_end]
    if extra_size:
        extra = data[name_end : name_end + extra_size]
        size, compressed, offset = _zip64(extra, [size, compressed, offset])
    # Both encodings contain ASCII, and cp437's decoder is slow.
    encoding = "utf-8" if form.flags & UTF8_NAME or raw.isascii() else "cp437"
    name = raw.decode(encoding, "surrogateescape")
    entry = Entry(name, form, numbers(crc, compressed, size, offset + shift))
    return entry, name_end + extra_size + comment_size


def is_minimal(data: bytes, position: int, entry: Entry) -> bool:
    """Return whether a record has only the version, flags and fields that its member requires."""
    stated = b"\x14\0\0\0" if entry.name.isascii() else b"\x14\0\0\x08"
    return (
        data[position + 6 : position + 10] == stated
        and data[position + 30 : position + 36] == b"\0\0\0\0\0\0"
        and entry.size < 0xFFFFFFFF
        and entry.compressed < 0xFFFFFFFF
        and entry.offset < 0xFFFFFFFF
    )


def _zip64(extra: bytes, values: List[int]) -> List[int]:
    """Replace each value of 0xFFFFFFFF by the next one in the zip64 extra field."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        field = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind != 1:
            continue
        for index, value in enumerate(values):
            if value == 0xFFFFFFFF and len(field) >= 8:
                values[index] = struct.unpack_from("<Q", field)[0]
                field = field[8:]
    return values


def refuse_unreadable(entry: Entry) -> None:
    """Raise InvalidWheelError for a member that no installer reads."""
    if entry.form.flags & _ENCRYPTED:
        raise InvalidWheelError(f"its member '{shorten(entry.name)}' is encrypted")
    if entry.method not in (STORED, DEFLATED):
        raise InvalidWheelError(
            f"its member '{shorten(entry.name)}' is compressed with method {entry.method}; "
            "installers read only stored and deflated members"
        )
    if entry.method == STORED and entry.compressed != entry.size:
        name = shorten(entry.name)
        raise InvalidWheelError(f"its stored member '{name}' states two different sizes")
