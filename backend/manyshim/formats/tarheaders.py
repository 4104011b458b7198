"""The headers of a tar archive: what pip or uv refuses of them, and the records of pax headers.

uv reads less than POSIX and GNU tar allow. What it refuses was found by asking uv 0.13.9.
"""

from __future__ import annotations

import re
from typing import Iterator, Tuple

GLOBAL, LOCAL = b"g", b"x"
LONG_NAME, LONG_LINK = b"L", b"K"
_LINKS = (b"1", b"2")
# Types of members that have no target.
_NO_LINKS = (b"0", b"\0", b"5", b"7")

_GNU, _POSIX = b"ustar  \0", b"ustar\x0000"
# At the end of a header of star.
_STAR = b"tar\0"
# A number has no spaces before it, and ends with a space or NUL; mode, owner and time may be empty.
_NUMBER = re.compile(rb"[0-7]+[ \0]+")
_EMPTY_NUMBER = re.compile(rb"\0+")
_MAY_BE_EMPTY = (slice(100, 108), slice(108, 116), slice(116, 124), slice(136, 148))
_SIZE, _CHECKSUM, _TIME = slice(124, 136), slice(148, 156), slice(136, 148)
_LARGE = 0x80
_UINT64 = 1 << 64
# The seconds that the system cannot set for a file.
_NO_TIME = 1 << 63

_KEYWORDS = frozenset(
    (
        *(b"path", b"linkpath", b"size", b"uid", b"gid", b"uname", b"gname", b"mtime", b"atime"),
        *(b"ctime", b"charset", b"hdrcharset", b"comment"),
    )
)
_VENDORS = (b"SCHILY.", b"LIBARCHIVE.", b"realtime.", b"security.", b"GNU.sparse.")
_VALUES = {
    **dict.fromkeys((b"uid", b"gid"), re.compile(rb"([0-9]*)")),
    **dict.fromkeys((b"mtime", b"atime", b"ctime"), re.compile(rb"(?:([0-9]+)(?:\.[0-9]+)?)?")),
    b"hdrcharset": re.compile(rb"()(?:BINARY|ISO-IR 10646 2000 UTF-8)?"),
}
# Of a number in decimal digits.
_MAX_DIGITS = 15
_MAX_VALUE = 100


class TarError(Exception):
    """The archive is damaged, or its readers would differ."""


class Headers:
    """What is odd about the headers of the current member; `odd` is empty if nothing is.

    It is `magic` or `format` for a header of no known format or of another one than the first,
    `number` for a field, `pax` for an extended header, `long name` for one of GNU tar, `time` for a
    time that pip cannot set, and `link name` for a target of what is no link.
    """

    def __init__(self) -> None:
        self.odd = ""
        self._format = b""
        self._local = self._target = False

    def next_member(self) -> None:
        """Forget what was about the last member."""
        self.odd = ""
        self._local = self._target = False

    def take(self, block: bytes) -> None:
        """Judge a header, of a member or one that extends it."""
        kind, magic = block[156:157], block[257:265]
        self._format = self._format or magic
        if magic not in (_GNU, _POSIX) or block[508:] == _STAR:
            self._note("magic")
        elif magic != self._format or kind in _OTHER_FORMAT[magic]:
            self._note("format")
        elif self._local and kind in (GLOBAL, LOCAL):
            self._note("pax")
        if _large(block[_TIME]) >= _NO_TIME:
            self._note("time")
        if not _numbers(block, large=magic == _GNU):
            self._note("number")
        self._target = self._target or block[157:158] != b"\0"
        if kind in _NO_LINKS and self._target:
            self._note("link name")

    def extend(self, kind: bytes, data: bytes) -> None:
        """Judge the data of a header that extends a member. Raises TarError."""
        if kind in (LONG_NAME, LONG_LINK):
            # Several NULs at the end are fine.
            if not data.endswith(b"\0") or b"\0" in data.rstrip(b"\0"):
                self._note("long name")
            self._target = self._target or kind == LONG_LINK
            return
        self._local = self._local or kind == LOCAL
        found = dict(records(data))
        late = _late(found.get(b"mtime", b""))
        self._target = self._target or bool(found.get(b"linkpath"))
        repeated = len(found) < sum(1 for _ in records(data))
        text = found.get(b"hdrcharset") == b"BINARY" or _is_text(data)
        right = all(_is_known(key) and _is_right(key, value) for key, value in found.items())
        taken = found and right and text and not repeated
        if late or not taken:
            self._note("time" if late else "pax")

    def _note(self, what: str) -> None:
        self.odd = self.odd or what


# The types of headers that uv knows only in the other format.
_OTHER_FORMAT = {_GNU: (GLOBAL, LOCAL), _POSIX: (LONG_NAME, LONG_LINK)}


def _large(field: bytes) -> int:
    """Return a number that GNU tar stores in binary; 0 for others."""
    return int.from_bytes(field[1:], "big") if field[0] == _LARGE else 0


def _numbers(block: bytes, *, large: bool) -> bool:
    """Whether uv reads all numbers of a header; `large` if they may be in binary."""
    for place in (*_MAY_BE_EMPTY, _SIZE, _CHECKSUM):
        field = block[place]
        binary = large and place != _CHECKSUM and field[0] == _LARGE and _large(field) < _UINT64
        empty = place in _MAY_BE_EMPTY and _EMPTY_NUMBER.fullmatch(field)
        if not (binary or empty or _NUMBER.fullmatch(field)):
            return False
    return True


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_known(key: bytes) -> bool:
    return key in _KEYWORDS or key.startswith(_VENDORS)


def _is_right(key: bytes, value: bytes) -> bool:
    """Whether uv takes the value of a keyword."""
    pattern = _VALUES.get(key)
    found = pattern.fullmatch(value) if pattern and len(value) <= _MAX_VALUE else None
    return pattern is None or (found is not None and int(found[1] or b"0") < _UINT64)


def _late(value: bytes) -> bool:
    """Whether Python reads a time that no system can set: NaN, and what is too far away."""
    try:
        number = float(value if len(value) <= _MAX_VALUE else b"")
    except ValueError:
        return False  # tarfile takes 0
    return not -_NO_TIME <= number < _NO_TIME


def records(data: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """Yield the records of a pax header. Raises TarError if it is damaged."""
    begin = 0
    while begin < len(data):
        space = data.find(b" ", begin, begin + _MAX_DIGITS)
        end = begin + decimal(data[begin : max(space, begin)])
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not (space + 1 < end <= len(data) and equals and data[end - 1 : end] == b"\n"):
            raise TarError("a pax header is damaged")
        yield key, value
        begin = end


def decimal(text: bytes) -> int:
    """Read a number in decimal digits. Raises TarError."""
    if not text.isdigit() or len(text) > _MAX_DIGITS:
        raise TarError("a header has a wrong number")
    return int(text)
