"""Compute the CRC-32, the size and hashes of contents in one pass."""

from __future__ import annotations

import zlib
from hashlib import new

from manyshim.files import open_regular
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterable, Iterator, Tuple

# A larger buffer does not stay in the processor's cache.
_READ_AT_ONCE = 1 << 16


class Digest(NamedTuple):
    """The CRC-32, the size in bytes and the hash of contents."""

    crc: int
    size: int
    hash: bytes


class Tap:
    """Computes the CRC-32 and hashes of a member from the bytes that a window inflates.

    A window may inflate some bytes several times. Each byte counts once; `position` bytes of the
    member's `size` have been taken. Raises ValueError for an algorithm that Python does not have.
    """

    # zlib's, or a faster one.
    crc32: Callable[..., int] = zlib.crc32

    def __init__(self, size: int, algorithms: Tuple[str, ...] = ("sha256",)) -> None:
        self.size = size
        self.position = self.crc = 0
        self.hashes = {name: new(name) for name in algorithms}

    def take(self, begin: int, data: bytes) -> None:
        """Take the bytes at the offset `begin`, as far as they are new."""
        start, end = self.position - begin, self.size - begin
        if not 0 <= start < min(len(data), end):
            return
        fresh = memoryview(data)[start:end]
        self.crc = self.crc32(fresh, self.crc)
        for one in self.hashes.values():
            one.update(fresh)
        self.position += len(fresh)


def digest_of(portions: Iterable[bytes], crc32: Callable[..., int] = zlib.crc32) -> Digest:
    """Return the checksums of contents given in portions. Raises what the portions raise."""
    crc, size, digest = 0, 0, new("sha256")
    for portion in portions:
        crc = crc32(portion, crc)
        size += len(portion)
        digest.update(portion)
    return Digest(crc, size, digest.digest())


def sha256(path: str) -> str:
    """Return the SHA-256 of a file in hexadecimal digits, in bounded memory. Raises OSError."""
    digest = new("sha256")
    for portion in file_portions(path):
        digest.update(portion)
    return digest.hexdigest()


def file_portions(path: str) -> Iterator[bytes]:
    """Yield the contents of a file in portions of bounded size. Raises OSError."""
    with open_regular(path) as file:
        yield from iter(lambda: file.read(_READ_AT_ONCE), b"")
