"""Compute the CRC-32, the size and a hash of contents in one pass."""

from __future__ import annotations

import zlib
from hashlib import new
from typing import Iterable, Iterator

from manyshim.files import open_regular
from manyshim.values import NamedTuple

_READ_AT_ONCE = 1 << 20


class Digest(NamedTuple):
    """The CRC-32, the size in bytes and the hash of contents."""

    crc: int
    size: int
    hash: bytes


def digest_of(portions: Iterable[bytes], algorithm: str = "sha256") -> Digest:
    """Return the checksums of contents given in portions. Raises what the portions raise."""
    crc, size, digest = 0, 0, new(algorithm)
    for portion in portions:
        crc = zlib.crc32(portion, crc)
        size += len(portion)
        digest.update(portion)
    return Digest(crc, size, digest.digest())


def file_portions(path: str) -> Iterator[bytes]:
    """Yield the contents of a file in portions of bounded size. Raises OSError."""
    with open_regular(path) as file:
        yield from iter(lambda: file.read(_READ_AT_ONCE), b"")
