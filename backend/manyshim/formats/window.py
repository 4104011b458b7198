"""Random access to one member's bytes in bounded memory, cheapest when read forward."""

from __future__ import annotations

import zlib
from typing import BinaryIO

# Deflate's input and output are taken in these portions; memory stays within a few of them.
_INPUT = 1 << 16
_OUTPUT = 1 << 18

# What is kept of a member's beginning, so that tables which the end describes need no second pass.
_KEPT_AT_MOST = 2 << 20


class MemberError(Exception):
    """A member's bytes cannot be had: they are missing, or do not inflate."""


class Window:
    """A member's uncompressed bytes; `size` is what the archive states.

    The beginning stays in memory as far as `keep` asked for; reading further back than that
    starts the inflation again.
    """

    def __init__(self, file: BinaryIO, start: int, compressed: int, size: int, method: int) -> None:
        self.size = size
        self._file = file
        self._start = start
        self._compressed = compressed
        self._stored = method == 0
        self._keep = _INPUT
        self._kept = bytearray()
        self.inflated = 0
        self._rewind()

    def keep(self, end: int) -> None:
        """Keep the bytes before `end`, up to a bound, while reading on behind them."""
        self._keep = max(self._keep, min(end, _KEPT_AT_MOST))

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset`; MemberError where they are not there."""
        end = offset + length
        if offset < 0 or length < 0 or end > self.size:
            raise MemberError(f"bytes {offset} to {end} lie outside its {self.size} bytes")
        if self._stored:
            return self._read_file(self._start + offset, length)
        if end <= len(self._kept):
            return bytes(self._kept[offset:end])
        if offset < self._position - len(self._tail):
            self._rewind()
        return self._advance(offset, end)

    def _read_file(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length:
            raise MemberError("the archive ends before the member does")
        return data

    def _rewind(self) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._fed = 0
        self._position = 0
        self._tail = b""

    def _advance(self, offset: int, end: int) -> bytes:
        """Inflate up to `end` and return what lies from `offset` on; the rest is let go."""
        pieces = []
        begin = self._position - len(self._tail)
        if offset < self._position:
            pieces.append(self._tail[offset - begin : end - begin])
        while self._position < end:
            chunk_start = self._position
            chunk = self._inflate()
            if chunk_start == len(self._kept) < self._keep:
                self._kept += chunk[: self._keep - chunk_start]
            if offset < self._position:
                pieces.append(chunk[max(offset - chunk_start, 0) : end - chunk_start])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _inflate(self) -> bytes:
        while True:
            pending = self._inflater.unconsumed_tail
            if not pending:
                take = min(_INPUT, self._compressed - self._fed)
                pending = self._read_file(self._start + self._fed, take)
                self._fed += take
            try:
                chunk = self._inflater.decompress(pending, _OUTPUT)
            except zlib.error as error:
                raise MemberError(f"it does not inflate: {error}") from error
            if chunk:
                break
            if self._inflater.eof or not pending:
                raise MemberError(
                    f"it inflates to {self._position} bytes; the archive states {self.size}"
                )
        self._position += len(chunk)
        self.inflated += len(chunk)
        self._tail = chunk
        return chunk
