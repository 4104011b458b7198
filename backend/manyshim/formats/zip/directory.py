"""The records of a zip's central directory (APPNOTE.TXT 4.3 and 4.5)."""

from __future__ import annotations

import stat
import struct

from manyshim.errors import InvalidWheelError, shorten
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Tuple

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
# The version of the format that deflated members require.
_VERSION = 20
_NONE = bytes(6)
_AT_ONCE = 1 << 18
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
        return self.numbers >> 160

    @property
    def offset(self) -> int:
        """Where the local header begins, in bytes."""
        return self.numbers >> 96 & _64_BITS

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
    """Return the numbers of an entry as one. All are less than 2**64."""
    # The last one takes no more bits than it has, and offsets have more than sizes.
    return crc | compressed << 32 | offset << 96 | size << 160


class Record(NamedTuple):
    """An entry with what its record states about its neighbours, in bytes.

    If the record has only what is required, the member ends at `end`, which else is -1. `following`
    is where the next record begins in the directory.
    """

    entry: Entry
    end: int
    following: int


class Reader:
    """Reads the records of a directory, some at a time: one of 100,000 members has 9 MB.

    `read` returns bytes of the directory by offset and length; `length` is that of the directory.
    `shift` is how far all offsets in the records are too small. Raises InvalidWheelError for a
    damaged record, and for a member that no installer reads.
    """

    def __init__(self, read: Callable[[int, int], bytes], length: int, shift: int) -> None:
        self._read = read
        self._length = length
        self._shift = shift
        # The part of the directory that was read, and its offset.
        self._data, self._start = b"", 0
        # By the bytes that state them: a form, and what a record of this form states if it is
        # minimal and its name is ASCII (1) or not (2).
        self._forms: Dict[bytes, Tuple[Form, int]] = {}

    def _part(self, position: int, length: int) -> int:
        """Make sure that so many bytes are read; return where they are in `_data`."""
        if position + length > self._length:
            raise InvalidWheelError("its central directory is damaged")
        at = position - self._start
        if at + length > len(self._data):
            size = min(max(length, _AT_ONCE), self._length - position)
            self._data, self._start, at = self._read(position, size), position, 0
            if len(self._data) < size:  # the file became shorter
                raise InvalidWheelError("its central directory is damaged")
        return at

    def record(self, position: int) -> Record:
        """Read the record at an offset of the directory."""
        at = self._part(position, CENTRAL.size)
        header = self._data[at : at + CENTRAL.size]
        if header[:4] != b"PK\1\2":
            raise InvalidWheelError("its central directory is damaged")
        crc, compressed, size, name_size, extra_size, comment_size = _SIZES.unpack_from(header, 16)
        length = CENTRAL.size + name_size + extra_size + comment_size
        at = self._part(position, length)
        data, name_end = self._data, at + CENTRAL.size + name_size
        (offset,) = _OFFSET.unpack_from(header, 42)
        form, plain = self._form(header[4:16] + header[36:42])
        raw = data[at + CENTRAL.size : name_end]
        ascii_name = raw.isascii()
        # Both encodings contain ASCII, and cp437's decoder is slow.
        encoding = "utf-8" if form.flags & UTF8_NAME or ascii_name else "cp437"
        name = raw.decode(encoding, "surrogateescape")
        minimal = plain == (1 if ascii_name else 2) and header[30:36] == _NONE
        if extra_size:
            extra = data[name_end : name_end + extra_size]
            size, compressed, offset = _zip64(extra, [size, compressed, offset])
        begin = min(offset + self._shift, _64_BITS)
        end = begin + LOCAL.size + name_size + compressed
        if max(size, compressed, begin) >= 0xFFFFFFFF:
            minimal = False
        entry = Entry(name, form, numbers(crc, compressed, size, begin))
        if form.flags & _ENCRYPTED or form.method != DEFLATED:
            _refuse_unreadable(entry)
        return Record(entry, end if minimal else -1, position + length)

    def _form(self, stated: bytes) -> Tuple[Form, int]:
        known = self._forms.get(stated)
        if known is None:
            version, system, needed, flags, *rest = _FORM.unpack(stated)
            plain = {0: 1, UTF8_NAME: 2}.get(flags, 0) if needed == _VERSION else 0
            known = Form((version, system), flags, *rest), plain
            self._forms[stated] = known
        return known


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


def _refuse_unreadable(entry: Entry) -> None:
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
