"""Read a ZIP archive from its first byte, as the index server and uv over HTTP do."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
END64 = b"PK\x06\x06"
LOCATOR = b"PK\x06\x07"

MAX16 = 0xFFFF
MAX32 = 0xFFFFFFFF
ZIP64_EXTRA = 0x0001
UNICODE_PATH_EXTRA = 0x7075
DATA_DESCRIPTOR_FLAG = 0x08

# The errors of zipfile for a directory or a member that it cannot read. It raises a RuntimeError
# for what it lacks: a version, a compression method, an encryption.
UNREADABLE = (zipfile.BadZipFile, RuntimeError, UnicodeDecodeError, struct.error)

Extras = List[Tuple[int, bytes]]


class FramingError(ValueError):
    """The archive as a stream differs from its central directory."""


class Sums(NamedTuple):
    """The checksum and the sizes of a member, in 32 bits each."""

    crc: int
    compressed: int
    size: int


class Header(NamedTuple):
    """The fields that local headers and entries of the central directory share."""

    flags: int
    method: int
    sums: Sums
    name: bytes
    extras: Extras


class Totals(NamedTuple):
    """The fields of an end record about the central directory."""

    records: int
    size: int
    offset: int


def split_extras(blob: bytes) -> Extras:
    """Split an extra field into its numbered parts."""
    extras: Extras = []
    while blob:
        if len(blob) < 4:
            raise FramingError("Malformed zip file")
        number, length = struct.unpack_from("<HH", blob)
        if len(blob) < 4 + length:
            raise FramingError("Malformed zip file")
        extras.append((number, blob[4 : 4 + length]))
        blob = blob[4 + length :]
    return extras


def check_name(name: bytes) -> None:
    """Refuse a member name with control characters."""
    if any(byte < 0x20 or byte == 0x7F for byte in name):
        raise FramingError("Invalid character in filename")


def check_extras(extras: Extras) -> None:
    """Refuse extra fields that allow two readings of one member."""
    numbers = [number for number, _ in extras]
    if any(numbers.count(number) > 1 for number in (ZIP64_EXTRA, UNICODE_PATH_EXTRA)):
        raise FramingError("Invalid duplicate extra in local file")
    for number, value in extras:
        if number == UNICODE_PATH_EXTRA:
            check_name(value[5:])


def streamed_sizes(header: Header) -> Tuple[int, int]:
    """Return the compressed and the full size according to the local header."""
    zip64 = dict(header.extras).get(ZIP64_EXTRA)
    if zip64 is None:
        return header.sums.compressed, header.sums.size
    if len(zip64) not in (0, 8, 16, 24, 28):
        raise FramingError("Malformed zip file")
    if len(zip64) >= 16:
        size, compressed = struct.unpack_from("<QQ", zip64)
        return compressed, size
    if len(zip64) == 8:
        if header.method != zipfile.ZIP_STORED:
            raise FramingError("Malformed zip file")
        (size,) = struct.unpack("<Q", zip64)
        return size, size
    if header.sums.compressed == MAX32:
        raise FramingError("Malformed zip file")
    return header.sums.compressed, header.sums.size


class Walk:
    """One pass over the records of an archive, in the order of the file."""

    def __init__(self, data: bytes, sizes: Dict[str, Set[Tuple[int, int]]]) -> None:
        self.data = data
        self.sizes = sizes
        self.position = 0
        self.locals: Dict[bytes, Header] = {}
        self.listed: Set[bytes] = set()
        self.directory_start: Optional[int] = None
        self.directory_end = 0
        self.end64: Optional[Tuple[int, Totals]] = None
        # Problems for a streaming installer that the index server does not detect.
        self.remarks: List[str] = []

    def take(self, count: int) -> bytes:
        """Read the next bytes."""
        chunk = self.data[self.position : self.position + count]
        if len(chunk) != count:
            raise FramingError("Malformed zip file")
        self.position += count
        return chunk

    def fields(self, layout: str) -> Tuple[int, ...]:
        """Read the next bytes as little-endian numbers."""
        layout = "<" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def run(self) -> None:
        """Read all records from the first byte to the last."""
        steps = {
            LOCAL: self.local,
            CENTRAL: self.central,
            END64: self.zip64_end,
            LOCATOR: self.locator,
            END: self.end,
        }
        previous = b""
        while previous != END:
            signature = self.take(4)
            step = steps.get(signature)
            if step is None:
                raise FramingError("Unknown record signature")
            lone_zip64_end = (previous == END64) != (signature == LOCATOR)
            if lone_zip64_end or (previous == LOCATOR and signature != END):
                raise FramingError("Malformed zip file")
            step()
            previous = signature
        if self.listed != set(self.locals):
            raise FramingError("Mis-matched local headers and central directory")
        if self.position != len(self.data):
            raise FramingError("Trailing data")

    def local(self) -> None:
        """Read a local header and skip its data."""
        numbers = self.fields("HHHHHLLLHH")
        name = self.take(numbers[8])
        extras = split_extras(self.take(numbers[9]))
        header = Header(numbers[1], numbers[2], Sums(*numbers[5:8]), name, extras)
        check_name(name)
        check_extras(extras)
        compressed, size = streamed_sizes(header)
        if header.flags & DATA_DESCRIPTOR_FLAG:
            raise FramingError("ZIP contains a data descriptor")
        expected = self.expected_sizes(name)
        if compressed not in {pair[0] for pair in expected}:
            raise FramingError("Mis-matched data size")
        if (compressed, size) not in expected:
            raise FramingError("Mis-matched file size")
        if name in self.locals:
            raise FramingError("Duplicate filename in local headers")
        self.locals[name] = header
        self.note_needless_zip64(header, (header.sums.compressed, header.sums.size))
        self.take(compressed)

    def expected_sizes(self, name: bytes) -> Set[Tuple[int, int]]:
        """Return the sizes of a member according to the central directory."""
        try:
            text = name.decode("utf-8")
        except UnicodeDecodeError:
            raise FramingError("Filename not unicode") from None
        if text not in self.sizes:
            raise FramingError("Filename not in central directory")
        return self.sizes[text]

    def central(self) -> None:
        """Read an entry of the central directory and compare it with its local header."""
        if self.directory_start is None:
            self.directory_start = self.position - 4
        numbers = self.fields("HHHHHHLLLHHHHHLL")
        if numbers[11]:
            raise FramingError("Comment in central directory")
        name = self.take(numbers[9])
        extras = split_extras(self.take(numbers[10]))
        header = Header(numbers[2], numbers[3], Sums(*numbers[6:9]), name, extras)
        check_name(name)
        if name in self.listed:
            raise FramingError("Duplicate filename in central directory")
        if name not in self.locals:
            raise FramingError("Missing filename in local headers")
        self.listed.add(name)
        self.directory_end = self.position
        self.note_stale_local(header)
        sixteen_bits_full = numbers[12] == MAX16
        widest = MAX32 if sixteen_bits_full else numbers[15]
        self.note_needless_zip64(header, (header.sums.compressed, header.sums.size, widest))

    def note_stale_local(self, header: Header) -> None:
        """Note a local header that differs from the central directory."""
        local = self.locals[header.name]
        label = header.name.decode("utf-8", "replace")
        if local.sums.crc != header.sums.crc:
            self.remarks.append(f"Local header of {label!r} has a stale CRC")
        if local.method != header.method:
            self.remarks.append(f"Local header of {label!r} has a stale compression method")

    def note_needless_zip64(self, header: Header, narrow: Tuple[int, ...]) -> None:
        """Note a zip64 extra field without a 32-bit field of all ones."""
        if ZIP64_EXTRA in dict(header.extras) and MAX32 not in narrow:
            label = header.name.decode("utf-8", "replace")
            self.remarks.append(f"Needless zip64 extra field of {label!r}")

    def zip64_end(self) -> None:
        """Read the zip64 end record; refuse extensible data."""
        start = self.position - 4
        numbers = self.fields("QHHLLQQQQ")
        if numbers[0] != 44:
            raise FramingError("ZIP64 extensible data not allowed")
        if numbers[5] != numbers[6]:
            raise FramingError("Malformed zip file")
        self.end64 = start, Totals(*numbers[6:9])

    def locator(self) -> None:
        """Compare the locator with the zip64 end record before it."""
        offset = self.fields("LQL")[1]
        if self.end64 is None or self.end64[0] != offset:
            raise FramingError("Mis-matched EOCD64 record and locator offset")

    def end(self) -> None:
        """Compare the end record with the central directory."""
        start = self.position - 4
        numbers = self.fields("HHHHLLH")
        self.take(numbers[6])
        if numbers[2] != numbers[3]:
            raise FramingError("Malformed zip file")
        said = Totals(*numbers[3:6]) if self.end64 is None else self.end64[1]
        offset = start if self.directory_start is None else self.directory_start
        size = 0 if self.directory_start is None else self.directory_end - offset
        if said.records != len(self.listed):
            raise FramingError("Mismatched central directory records")
        if said.offset != offset:
            raise FramingError("Mismatched central directory offset")
        if said.size != size:
            raise FramingError("Mismatched central directory size")


def framing_problems(data: bytes) -> Iterator[str]:
    """Yield the problems of the archive for the index server, then for uv over HTTP."""
    sizes: Dict[str, Set[Tuple[int, int]]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                pair = (info.compress_size, info.file_size)
                sizes.setdefault(info.orig_filename, set()).add(pair)
    except UNREADABLE as error:
        yield f"ZIP archive not accepted: {error}"
        return
    walk = Walk(data, sizes)
    try:
        walk.run()
    except FramingError as error:
        yield f"ZIP archive not accepted: {error}"
    yield from walk.remarks
