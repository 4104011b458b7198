"""A gzipped tar archive, read once from its first byte to its last, in bounded memory and time.

Python's tarfile is not used: it takes quadratic time for some headers, recurses for each header
that extends another one, and never ends for a member that states a huge size. Where readers differ,
this one raises an error. Sources: RFC 1952, POSIX (pax), and the manual of GNU tar.
"""

from __future__ import annotations

import zlib
from typing import BinaryIO, Dict, Iterator, List, Optional

from manyshim.formats.tarheaders import (
    GLOBAL,
    LOCAL,
    LONG_LINK,
    LONG_NAME,
    Headers,
    TarError,
    decimal,
    records,
)
from manyshim.values import NamedTuple

BLOCK = 512
_ZEROS = bytes(BLOCK)

# The type of a member.
REGULAR = b"0"
HARD_LINK = b"1"
SYMLINK = b"2"
FOLDER = b"5"
SPARSE = b"S"
# Old archives have NUL for a file. A contiguous file (7) is a file for all readers.
_REGULAR_TYPES = (REGULAR, b"\0", b"7")
_WITHOUT_DATA = (HARD_LINK, SYMLINK, b"3", b"4", FOLDER, b"6")
# Headers that extend the next one: of GNU tar for a long name and link, and of POSIX.
_EXTENSIONS = (LONG_NAME, LONG_LINK, GLOBAL, LOCAL)

# In bytes: one header that extends another one.
_MAX_EXTENSION = 1 << 20
_MAX_GLOBAL = 100
_READ_AT_ONCE = 1 << 16
_GZIP = b"\x1f\x8b"
_SELECTS_GZIP = 31


class Member(NamedTuple):
    """One member. Names that are not UTF-8 contain surrogate escapes.

    A file has the type REGULAR, whatever it has in the archive. `payload` is what a member that is
    no file states as its size. A folder's name has no slash at its end. `odd` is what pip or uv
    refuses of its headers, as `Headers` names it.
    """

    name: str
    type: bytes
    link: str = ""
    payload: int = 0
    odd: str = ""


class GzipStream:
    """The inflated bytes of a gzip file; gzip's checksums are verified.

    `parts` counts the gzip streams of which it consists, as far as it was read. Bytes behind them
    are ignored, as all readers do.
    """

    def __init__(self, file: BinaryIO, at_most: int) -> None:
        self._file = file
        self._at_most = self._left = at_most
        self._input = b""
        self._inflater = zlib.decompressobj(_SELECTS_GZIP)
        self._ended = False
        self.parts = 1

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer at the end."""
        pieces: List[bytes] = []
        while size:
            data = self._some(size)
            if not data:
                break
            pieces.append(data)
            size -= len(data)
        return b"".join(pieces)

    def _some(self, size: int) -> bytes:
        while not self._ended:
            if self._inflater.eof and not self._next_part():
                break
            data = self._inflate(size)
            if data:
                self._left -= len(data)
                if self._left < 0:
                    raise TarError(f"it inflates to more than {self._at_most} bytes")
                return data
        return b""

    def _inflate(self, size: int) -> bytes:
        self._input = self._input or self._file.read(_READ_AT_ONCE)
        at_end = not self._input
        try:
            data = self._inflater.decompress(self._input, size)
        except zlib.error as error:
            raise TarError(f"gzip: {error}") from error
        eof = self._inflater.eof
        self._input = self._inflater.unused_data if eof else self._inflater.unconsumed_tail
        if at_end and not data and not eof:
            raise TarError("it ends too early")
        return data

    def _next_part(self) -> bool:
        """Begin with the next gzip stream, if there is one behind zeros."""
        self._input = self._input.lstrip(b"\0")
        while len(self._input) < len(_GZIP):
            more = self._file.read(_READ_AT_ONCE)
            if not more:
                break
            self._input = (self._input + more).lstrip(b"\0")
        self._ended = not self._input.startswith(_GZIP)
        if not self._ended:
            self._inflater = zlib.decompressobj(_SELECTS_GZIP)
            self.parts += 1
        return not self._ended


class TarStream:
    """The members of a tar archive, in order. Raises TarError.

    `complete` tells, after the last member, whether the archive ends with two blocks of zeros, and
    `surplus` whether the last header is a global one, behind all members.
    """

    def __init__(self, stream: GzipStream) -> None:
        self._stream = stream
        # Of the current member: its data, and with what fills its last block.
        self._size = 0
        self._stored = 0
        self._headers = Headers()
        self.complete = self.surplus = False

    def __iter__(self) -> Iterator[Member]:
        while True:
            self._headers.next_member()
            member = self._next()
            if member is None:
                return
            yield member._replace(odd=self._headers.odd)
            self._skip()

    def read(self, at_most: int) -> bytes:
        """Return the first bytes of the current member's data."""
        data = self._exact(min(at_most, self._size))
        self._size -= len(data)
        self._stored -= len(data)
        return data

    def _next(self) -> Optional[Member]:
        extended: Dict[bytes, bytes] = {}
        for number in range(_MAX_GLOBAL):
            block = self._block()
            if block is None or block == _ZEROS:
                if extended:
                    raise TarError("a header that extends another one is the last one")
                self.surplus = number > 0
                self.complete = block is not None and self._block() == _ZEROS
                return None
            _verify(block)
            self._headers.take(block)
            kind, size = block[156:157], _number(block[124:136])
            if kind not in _EXTENSIONS:
                return self._member(block, kind, size, extended)
            if size > _MAX_EXTENSION:
                raise TarError(f"a header has more than {_MAX_EXTENSION} bytes")
            data = self._exact(_padded(size))[:size]
            self._headers.extend(kind, data)
            if kind == GLOBAL:
                if _interesting(data):
                    raise TarError("a header gives one name or size to all members")
            elif kind in extended:
                raise TarError("two headers extend the same one")
            else:
                extended[kind] = data
        raise TarError("too many headers extend one member")

    def _member(self, block: bytes, kind: bytes, size: int, extended: Dict[bytes, bytes]) -> Member:
        name, link = _text(block[:100]), _text(block[157:257])
        folder = kind == FOLDER or (kind == b"\0" and name.endswith("/"))
        prefix = _text(block[345:500])
        name = f"{prefix}/{name}" if prefix and kind != SPARSE else name
        if kind == SPARSE:
            self._skip_sparse_map(block)
        name = _text(extended[LONG_NAME]) if LONG_NAME in extended else name
        link = _text(extended[LONG_LINK]) if LONG_LINK in extended else link
        pax = _interesting(extended.get(LOCAL, b""))
        if b"path" in pax:
            name = _decoded(pax[b"path"]).rstrip("/")
        link = _decoded(pax[b"linkpath"]) if b"linkpath" in pax else link
        size = decimal(pax[b"size"]) if b"size" in pax else size
        sparse = any(key.startswith(b"GNU.sparse.") for key in pax)
        if kind in _REGULAR_TYPES:
            kind = FOLDER if folder else SPARSE if sparse else REGULAR
        name = name.rstrip("/") if folder else name
        if kind in _WITHOUT_DATA:
            return Member(name, kind, link, size)
        self._size, self._stored = size, _padded(size)
        return Member(name, kind, link)

    def _skip_sparse_map(self, block: bytes) -> None:
        more = block[482]
        while more:
            more = self._exact(BLOCK)[504]

    def _skip(self) -> None:
        while self._stored:
            self._stored -= len(self._exact(min(self._stored, _READ_AT_ONCE)))
        self._size = 0

    def _block(self) -> Optional[bytes]:
        data = self._stream.read(BLOCK)
        if data and len(data) < BLOCK:
            raise TarError("it ends within a block")
        return data or None

    def _exact(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) < size:
            raise TarError("it ends within a member")
        return data


def _verify(block: bytes) -> None:
    """Verify the checksum of a header. Some old programs add up signed bytes."""
    stated = _number(block[148:156])
    rest = block[:148] + b" " * 8 + block[156:]
    total = sum(rest)
    if total != stated and total - 256 * sum(byte > 127 for byte in rest) != stated:
        raise TarError("a header is damaged")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _number(field: bytes) -> int:
    """Read a number: octal digits, or the bytes of a large one (GNU tar)."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.partition(b"\0")[0].strip()
    if text.strip(b"01234567"):
        raise TarError("a header has a wrong number")
    return int(text or b"0", 8)


def _text(field: bytes) -> str:
    return _decoded(field.partition(b"\0")[0])


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _interesting(data: bytes) -> Dict[bytes, bytes]:
    """Return the records of a pax header that are about names, sizes and sparse files."""
    wanted = (b"path", b"linkpath", b"size")
    return {
        key: value
        for key, value in records(data)
        if key in wanted or key.startswith(b"GNU.sparse.")
    }
