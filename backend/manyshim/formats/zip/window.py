"""Random access to one member's bytes in bounded memory. Reading forward is the cheapest."""

from __future__ import annotations

import zlib
from bisect import bisect_right

from manyshim.errors import InvalidWheelError
from manyshim.formats.zip.kept import MAX_MORE, Kept, Shared, gather

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, List, Optional, Sequence, Tuple

    from manyshim.formats.zip.digest import Tap

    # The position after some compressed bytes were inflated, their number, and the inflater then.
    _Checkpoint = Tuple[int, int, Any]

# The portions of deflate's input and output. Memory use is a few of them. The first ones are small,
# because the headers of a file are read first.
_FIRST = 1 << 12
_INPUT = 1 << 17
# zlib copies its pending input at each call, so smaller portions cost more than they save.
_LEAST = 1 << 13

# Reading a member may inflate this many times its size.
_MAX_PASSES = 4

# How many bytes `retain` may keep in all.
_MAX_KEPT = 5 << 20

# A checkpoint is a copy of the inflater, which takes 40 KiB and some microseconds. Each part of a
# member has one, and a part has at least this many bytes.
_MAX_CHECKPOINTS = 64
_LEAST_PART = 1 << 20


class MemberError(Exception):
    """A member's bytes cannot be read: they are missing, or do not inflate."""


class Window:
    """A member's uncompressed bytes; `size` is what the archive states.

    Raises MemberError if the archive does not hold the bytes, InvalidWheelError if the file cannot
    be read.

    Ranges passed to `retain` stay in memory once they are inflated. Reading a byte that is not in
    memory inflates from the nearest checkpoint before it, or from the start. `inflated` counts the
    bytes inflated so far. Windows of one archive are given one `shared`. A `tap` takes each byte
    that is inflated.
    """

    # These are set only where they differ, because a wheel may have thousands of files.
    tap: Optional[Tap] = None
    # The inflater at the tap's position, if the window has gone back from there.
    _at_tap: Optional[_Checkpoint] = None
    _position: int
    _fed: int
    _allowed = 0
    _checkpoints: Sequence[_Checkpoint] = ()
    _next_checkpoint = _LEAST_PART

    def __init__(  # noqa: PLR0913, PLR0917 (what the archive states)
        self,
        file: BinaryIO,
        start: int,
        compressed: int,
        size: int,
        method: int,
        shared: Optional[Shared] = None,
    ) -> None:
        self.size = size
        self.shared = shared or Shared()
        self.inflated = 0
        self._file = file
        self._start = start
        self._compressed = compressed
        self._stored = method == 0
        self._forget()

    def _forget(self) -> None:
        self._kept: List[Kept] = [Kept(0, _FIRST)]
        self._budget = _MAX_KEPT
        self._rewind()

    def discard(self, *needed: int) -> None:
        """Forget all bytes. Later reads from the `needed` offsets on start at a checkpoint."""
        found = sorted({one[0]: one for one in map(self._checkpoint, needed) if one}.values())
        self.shared.left += self._allowed
        if len(found) > self.shared.left:
            found = []
        self._allowed = len(found)
        self.shared.left -= self._allowed
        self._checkpoints = found
        self._forget()

    def retain(self, start: int, end: int) -> None:
        """Keep a range of bytes once they are inflated, as far as the limit of memory allows.

        A range that starts before the last inflated portion is not kept.
        """
        begin = self._position - len(self._tail)
        end = min(end, start + self._budget)
        if self._stored or start < begin or end <= start:
            return
        self._budget -= end - start
        kept = Kept(start, end)
        self._kept.append(kept)
        gather(kept, self._tail, begin)

    def is_buffered(self, offset: int, length: int) -> bool:
        """Return whether these bytes can be read without inflating any."""
        end = offset + length
        return self._stored or any(
            kept.start <= offset and end <= kept.start + len(kept.data) for kept in self._kept
        )

    def is_near(self, offset: int, most: int) -> bool:
        """Return whether going forward to an offset inflates at most so many bytes."""
        return self._stored or 0 <= offset - self._position <= most

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset`. Raises MemberError if there are fewer."""
        end = offset + length
        if offset < 0 or length < 0 or end > self.size:
            raise MemberError(f"bytes {offset} to {end} lie outside its {self.size} bytes")
        if self._stored:
            return self._read_file(self._start + offset, length)
        for kept in self._kept:
            if kept.start <= offset and end <= kept.start + len(kept.data):
                return bytes(kept.data[offset - kept.start : end - kept.start])
        if offset < self._position - len(self._tail):
            self._rewind()
        if self._checkpoints and offset > self._position:
            self._resume(offset)
        return self._advance(offset, end)

    def _read_file(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(offset)
            data = self._file.read(length)
        except OSError as error:
            where = self._file.name
            raise InvalidWheelError(f"{where}: cannot be read: {error.strerror}") from error
        if len(data) != length:
            raise MemberError("the archive ends before the member does")
        return data

    def _new_inflater(self) -> Any:  # noqa: ANN401 (zlib does not name the type)
        return self.shared.codec.decompressobj(-zlib.MAX_WBITS)

    def _rewind(self) -> None:
        if self.tap and self._position == self.tap.position:
            self._at_tap = self._position, self._fed, self._inflater
        # Created on first use: it takes 8 KiB, and a wheel may have thousands of libraries.
        self._inflater: Any = None
        self._fed = 0
        self._position = 0
        self._tail = b""

    def finish(self, tap: Tap) -> str:
        """Give the tap all bytes that it has not taken; then remove it. Raises MemberError.

        Bytes that were inflated before are not inflated again. Returns how the compressed stream
        differs from what the archive states behind these bytes: `unended`, `longer` or `rest`.
        """
        # The rest of one pass is no sign of scattered tables, and needs no checkpoints.
        before = self.inflated, self._next_checkpoint
        self.inflated, self._next_checkpoint = 0, self.size + 1
        if self._at_tap and self._position != tap.position:
            self._position, self._fed, self._inflater = self._at_tap
        try:
            while tap.position < self.size:
                if self._stored:
                    length = min(self.shared.portion, self.size - tap.position)
                    tap.take(tap.position, self._read_file(self._start + tap.position, length))
                else:
                    self._inflate(self.shared.portion)
            return "" if self._stored else self._stream_end()
        finally:
            self.inflated, self._next_checkpoint = before
            self.tap = self._at_tap = None
            self._rewind()

    def _stream_end(self) -> str:
        """Return how the stream continues behind the bytes of the member; empty if it ends."""
        while self._position < self.size:
            self._inflate(self.shared.portion)
        inflater = self._inflater or self._new_inflater()
        pending, more = inflater.unconsumed_tail, b""
        # Empty blocks may follow. They are read to the end, as all readers do.
        while not (more or inflater.eof) and (pending or self._fed < self._compressed):
            take = 0 if pending else min(_INPUT, self._compressed - self._fed)
            pending += self._read_file(self._start + self._fed, take)
            self._fed += take
            try:
                more = inflater.decompress(pending, 1)
            except self.shared.codec.error:
                return "unended"
            pending = inflater.unconsumed_tail
        if more or self._position > self.size:
            return "longer"
        if not inflater.eof:
            return "unended"
        return "rest" if inflater.unused_data or self._fed < self._compressed else ""

    def _checkpoint(self, offset: int) -> Optional[_Checkpoint]:
        """Return the last checkpoint at or before an offset, or None."""
        index = bisect_right(self._checkpoints, (offset, self._compressed + 1))
        return self._checkpoints[index - 1] if index else None

    def _resume(self, offset: int) -> None:
        """Go forward to the last checkpoint at or before an offset, if there is one."""
        found = self._checkpoint(offset)
        if found and found[0] > self._position:
            self._position, self._fed, inflater = found
            self._inflater = inflater.copy()
            self._tail = b""

    def _advance(self, offset: int, end: int) -> bytes:
        """Inflate up to `end`. Return the bytes from `offset` to `end`."""
        pieces = []
        begin = self._position - len(self._tail)
        if offset < self._position:
            pieces.append(self._tail[offset - begin : end - begin])
        while self._position < end:
            begin = self._position
            chunk = self._inflate(self._portion(end))
            for kept in self._kept:
                gather(kept, chunk, begin)
            if offset < self._position:
                pieces.append(chunk[max(offset - begin, 0) : end - begin])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _portion(self, end: int) -> int:
        """Return how many bytes to inflate next: few after the last byte that is needed."""
        if self._position < _FIRST:
            return _FIRST
        return min(max(end - self._position, _LEAST), self.shared.portion)

    def _inflate(self, most: int) -> bytes:
        first = self._position < _FIRST
        if self._inflater is None:
            self._inflater = self._new_inflater()
        while True:
            pending = self._inflater.unconsumed_tail
            if not pending:
                if self._position >= self._next_checkpoint:
                    self._add_checkpoint()
                take = min(_FIRST if first else _INPUT, self._compressed - self._fed)
                pending = self._read_file(self._start + self._fed, take)
                self._fed += take
            try:
                chunk: bytes = self._inflater.decompress(pending, most)
            except self.shared.codec.error as error:
                raise MemberError(f"it does not inflate: {error}") from error
            if chunk:
                break
            if self._inflater.eof or not pending:
                raise MemberError(
                    f"it inflates to {self._position} bytes; the archive states {self.size}"
                )
        if self.tap:
            self.tap.take(self._position, chunk)
        self._position += len(chunk)
        self._count(len(chunk))
        self._tail = chunk
        return chunk

    def _count(self, length: int) -> None:
        """Count inflated bytes. Raises MemberError if too many are inflated more than once."""
        self.inflated += length
        again = min(self.inflated - self.size, length)
        if again > 0:
            self.shared.more -= again
            most = _MAX_PASSES * min(self.size, _LEAST_PART)
            if self.shared.more < 0 and self.inflated > most:
                raise MemberError(
                    "its tables are scattered: to read them, and those of the files before it, "
                    f"inflates {MAX_MORE} bytes more than once"
                )

    def _add_checkpoint(self) -> None:
        """Add a checkpoint. The inflater must have used all its input, or the copy keeps it too."""
        self._checkpoints = [
            *self._checkpoints,
            (self._position, self._fed, self._inflater.copy()),
        ]
        part = max(_LEAST_PART, self.size // _MAX_CHECKPOINTS)
        self._next_checkpoint = self._position + part
