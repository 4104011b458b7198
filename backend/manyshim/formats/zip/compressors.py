"""Choose what compresses a file: zlib, or libdeflate with the extra `fast` (RFC 1951).

libdeflate compresses a whole file at once, and holds the GIL meanwhile. It takes a fraction of
zlib's time for files that are not larger (docs/performance.md).
"""

from __future__ import annotations

import zlib
from typing import Callable, Optional, Protocol, Union

# A larger file would take more memory than a repair may use, so zlib compresses it in portions.
MAX_WHOLE = 32 << 20

# libdeflate's level for each of zlib's from 0 to 9: the fastest whose files are not larger than
# zlib's. 7 to 9 are for users who want smaller files, so each of them is a step further.
# `python -m bench.levels` measures all levels.
LEVELS = (0, 1, 2, 2, 2, 5, 5, 6, 7, 10)

# Compresses contents at a level from 1 to 12 in one piece.
CompressWhole = Callable[[bytearray, int], Union[bytes, bytearray]]


class Compressor(Protocol):
    """Compresses portions of one file. The output is complete after `flush`."""

    def compress(self, data: bytes, /) -> bytes:
        """Take a portion; return the compressed bytes that are ready."""

    def flush(self) -> Union[bytes, bytearray]:
        """Return the remaining compressed bytes."""


def libdeflate() -> Optional[CompressWhole]:
    """Return libdeflate's function, or None if the extra `fast` is not installed."""
    try:
        from deflate import deflate_compress  # noqa: PLC0415 (only where files are compressed)
    except ImportError:
        return None
    function: CompressWhole = deflate_compress
    return function


def compressor(level: int, size: int, whole: Optional[CompressWhole]) -> Compressor:
    """Return the compressor for a file of `size` bytes at zlib's `level`, from 0 to 9.

    `whole` is what `libdeflate` returned. Level 0 means no compression.
    """
    if whole is None or not takes_whole(level, size):
        return zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return _Whole(level, whole)


def takes_whole(level: int, size: int) -> bool:
    """Return whether libdeflate may compress a file, which is then kept in memory."""
    return level > 0 and size <= MAX_WHOLE


class _Whole:
    """Collects a file and compresses it at the end."""

    def __init__(self, level: int, compress: CompressWhole) -> None:
        self._level = level
        self._compress = compress
        self._contents = bytearray()

    def compress(self, data: bytes) -> bytes:
        self._contents += data
        return b""

    def flush(self) -> Union[bytes, bytearray]:
        contents, self._contents = self._contents, bytearray()
        return self._compress(contents, LEVELS[self._level])
