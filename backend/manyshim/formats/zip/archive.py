"""Read a zip archive: its central directory, and its members through windows (APPNOTE.TXT)."""

from __future__ import annotations

import io
import os
import struct
import zlib

from manyshim.errors import InvalidWheelError, shorten
from manyshim.files import open_regular, read_at
from manyshim.formats.zip.directory import (
    EOCD,
    EOCD64,
    EOCD64_LOCATOR,
    LOCAL,
    STORED,
    Entry,
    Reader,
)
from manyshim.formats.zip.kept import Shared
from manyshim.formats.zip.window import MemberError, Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Iterator, Tuple


# Metadata members are read whole. A RECORD of 100,000 rows has about 15 MB.
_MAX_WHOLE = 64 << 20

# The largest wheels of the index have 60,000 members. The directory of 200,000 has about 30 MB.
_MAX_MEMBERS = 200_000
_MAX_DIRECTORY = 32 << 20

_READ_AT_ONCE = 1 << 18

# At the end of a local header: how long the name and the extra field are, in bytes.
_LENGTHS = struct.Struct("<2H")

# How many bytes tell what a member is. So many compressed bytes are enough for them in nearly all
# members: the codes of a block (RFC 1951, 3.2.7) take up to 290.
_HEAD = 8
_HEAD_INPUT = 512

# The sum of all sizes may be this much, and this many times the size of the file. The most of 423
# wheels is 10 times; the index refuses 50 times beyond 64 MiB.
_MAX_SIZE = 1 << 29
_MAX_RATIO = 50

# Importing zlib-ng takes as long as it saves for an archive of this size, in bytes.
_WORTH_FROM = 1 << 20


def library(size: int) -> Any:  # noqa: ANN401 (a module)
    """Return the module that inflates the members of an archive of `size` bytes.

    It is zlib, or zlib-ng if that is installed (`manyshim[fast]`). Both accept the same streams,
    and refuse all others with the same words. ISA-L is faster, but it also inflates streams with
    incomplete codes (RFC 1951, 3.2.7), which zlib and so pip refuse. The module has
    `decompressobj`, `crc32` and `error`.
    """
    if size >= _WORTH_FROM:
        try:
            from zlib_ng import zlib_ng  # noqa: PLC0415 (only if it is worth its import)
        except ImportError:
            return zlib
        return zlib_ng
    return zlib


class Archive:
    """An open zip file. `entries` are in the order of the central directory.

    The first `contiguous_prefix` members follow each other without gaps from the first byte of the
    file. Their records contain only what is required; the records begin at offset `directory`.
    Raises InvalidWheelError if the file is no zip, contradicts itself, or uses a feature that no
    installer reads: encryption, several disks, or a method other than stored and deflated.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.file: BinaryIO = open_regular(path)
        except OSError as error:
            raise InvalidWheelError(f"{path}: cannot be opened: {error.strerror}") from error
        try:
            self.size = os.fstat(self.file.fileno()).st_size
            self.codec = library(self.size)
            self.contiguous_prefix = self.directory = 0
            self._shared = Shared(self.codec)
            self.entries = tuple(self._directory())
            self._refuse_overlaps()
            self._refuse_bomb()
        except InvalidWheelError as error:
            self.close()
            raise InvalidWheelError(f"{path}: {error}") from None
        except OSError as error:
            self.close()
            raise InvalidWheelError(f"{path}: cannot be read: {error.strerror}") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def window(self, entry: Entry) -> Window:
        """Return access to a member's bytes. Raises MemberError if its local header is missing."""
        start = self.payload(entry)
        stated = (entry.compressed, entry.size, entry.method)
        return Window(self.file, start, *stated, self._shared)

    def payload(self, entry: Entry) -> int:
        """Return the offset of a member's compressed bytes, computed from its local header.

        Raises MemberError if the header is missing, or the archive ends before the member.
        """
        return self._payload(entry, self.bytes_at(entry.offset, LOCAL.size))

    def _payload(self, entry: Entry, header: bytes) -> int:
        if not header.startswith(b"PK\3\4") or len(header) < LOCAL.size:
            raise MemberError("its local header is not where the central directory says")
        name, extra = _LENGTHS.unpack_from(header, LOCAL.size - _LENGTHS.size)
        start: int = entry.offset + LOCAL.size + name + extra
        if start + entry.compressed > self.size:
            raise MemberError("the archive ends before the member does")
        return start

    def head(self, entry: Entry) -> bytes:
        """Return the first 8 bytes of a member, by one small read. Raises MemberError.

        If the member has fewer, all of them are returned.
        """
        data = self.bytes_at(entry.offset, LOCAL.size + len(entry.name) + _HEAD_INPUT)
        start = self._payload(entry, data) - entry.offset
        length = min(entry.size, _HEAD)
        head = data[start : start + entry.compressed]
        if length and entry.method != STORED:
            try:
                head = zlib.decompressobj(-zlib.MAX_WBITS).decompress(head, length)
            except zlib.error:
                head = b""  # the window has the error's words
        return head[:length] if len(head) >= length else self.window(entry).read(0, length)

    def read(self, entry: Entry, at_most: int = _MAX_WHOLE) -> bytes:
        """Return all bytes of a small member. Raises InvalidWheelError if large or damaged."""
        if entry.size > at_most:
            raise InvalidWheelError(
                f"{self.path}: {shorten(entry.name)} has {entry.size} bytes, more than {at_most}"
            )
        # Joining portions would take twice the memory. This buffer gives its bytes away.
        buffer = io.BytesIO()
        try:
            for portion in self.portions(entry):
                buffer.write(portion)
        except MemberError as error:
            raise InvalidWheelError(f"{self.path}: {shorten(entry.name)}: {error}") from error
        data = buffer.getvalue()
        if self.codec.crc32(data) != entry.crc:
            raise InvalidWheelError(f"{self.path}: {shorten(entry.name)}: its CRC does not match")
        return data

    def portions(self, entry: Entry) -> Iterator[bytes]:
        """Yield a member's content in portions of bounded size. Raises MemberError."""
        window = self.window(entry)
        for start in range(0, entry.size, _READ_AT_ONCE):
            yield window.read(start, min(_READ_AT_ONCE, entry.size - start))

    def digest(self, entry: Entry) -> Tuple[int, bytes]:
        """Read a whole member in bounded memory. Return its CRC-32 and its SHA-256."""
        from manyshim.formats.zip.digest import digest_of  # noqa: PLC0415 (an audit needs no hash)

        crc, _, digest = digest_of(self.portions(entry), self.codec.crc32)
        return crc, digest

    def bytes_at(self, offset: int, length: int) -> bytes:
        """Read bytes from the file. Return fewer if the file ends before."""
        if not 0 <= offset <= self.size:
            return b""
        try:
            return read_at(self.file, offset, length)
        except OSError as error:
            raise InvalidWheelError(f"cannot be read: {error.strerror}") from error

    def _directory(self) -> Iterator[Entry]:
        end, count, length, offset = self._end_record()
        start = end - length
        self.directory = start
        # Bytes before the archive shift all offsets. Installers accept such files.
        reader = Reader(lambda at, size: self.bytes_at(start + at, size), length, start - offset)
        # Where the next member of the contiguous prefix has to begin; -1 after the prefix.
        position = found = expected = 0
        while position < length:
            entry, member_end, position = reader.record(position)
            if entry.offset == expected:
                # Only the offset of what follows confirms where a member ends.
                self.contiguous_prefix = found
                expected = member_end
            else:
                expected = -1
            found += 1
            yield entry
            if found > count:
                break
        if expected == start:
            self.contiguous_prefix = found
        if found != count:
            holds = "more" if found > count else found
            raise InvalidWheelError(
                f"its central directory holds {holds} entries, but {count} are stated"
            )

    def _end_record(self) -> Tuple[int, int, int, int]:
        """Return where the central directory ends, and its stated count, length and offset."""
        tail_start = max(self.size - EOCD.size - 0xFFFF, 0)
        tail = self.bytes_at(tail_start, self.size - tail_start)
        at = tail.rfind(b"PK\5\6", 0, max(len(tail) - EOCD.size + 4, 0))
        if at < 0:
            raise InvalidWheelError("not a zip file")
        _, disk, first, here, count, length, offset, _ = EOCD.unpack_from(tail, at)
        end = tail_start + at
        locator = self.bytes_at(max(end - EOCD64_LOCATOR.size, 0), EOCD64_LOCATOR.size)
        if locator[:4] == b"PK\6\7" and len(locator) == EOCD64_LOCATOR.size:
            # The locator's offset is wrong if bytes precede the archive. But the record has a fixed
            # size, and it is directly before the locator.
            record_end = end - EOCD64_LOCATOR.size
            record = self.bytes_at(max(record_end - EOCD64.size, 0), EOCD64.size)
            if record[:4] != b"PK\6\6" or len(record) < EOCD64.size:
                raise InvalidWheelError("its zip64 end record is not before its locator")
            disk, first, here, count, length, offset = EOCD64.unpack(record)[4:]
            end = record_end - EOCD64.size
        if disk or first or here != count:
            raise InvalidWheelError("it is one part of a multi-part archive")
        if end < length or offset > end - length:
            raise InvalidWheelError("not a zip file: its central directory is not where stated")
        if length > _MAX_DIRECTORY:
            raise InvalidWheelError(
                f"its central directory has {length} bytes, more than {_MAX_DIRECTORY}"
            )
        if count > _MAX_MEMBERS:
            raise InvalidWheelError(f"it has {count} members, more than {_MAX_MEMBERS}")
        return end, count, length, offset

    def _refuse_bomb(self) -> None:
        size = sum(entry.size for entry in self.entries)
        if size > _MAX_SIZE + _MAX_RATIO * self.size:
            raise InvalidWheelError(
                f"its members have {size} bytes, more than {_MAX_RATIO} times its {self.size}"
            )

    def _refuse_overlaps(self) -> None:
        end, previous = 0, ""
        for entry in sorted(self.entries, key=lambda entry: entry.offset):
            if entry.offset < end:
                names = f"'{shorten(previous)}' and '{shorten(entry.name)}'"
                raise InvalidWheelError(f"its members {names} overlap")
            end = entry.offset + LOCAL.size + entry.compressed
            previous = entry.name
