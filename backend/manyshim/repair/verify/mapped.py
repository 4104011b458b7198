"""Compare what a loader maps of two files, address by address, in bounded memory."""

from __future__ import annotations

from typing import Iterable, Iterator, List, Optional, Tuple

from manyshim.formats.elf.constants import PF_W, PF_X, PT_LOAD
from manyshim.formats.elf.image import Image, Segment
from manyshim.values import NamedTuple

_PORTION = 1 << 20
# In bytes. Linkers align tables with padding; a tool that moves the tables may overwrite it.
_MAX_PADDING = 63

Range = Tuple[int, int]


class Span(NamedTuple):
    """A run of addresses in one segment; `offset` is None if its memory is zeroed, not read."""

    segment: Optional[Segment]
    offset: Optional[int]
    length: int


class Memory:
    """The PT_LOAD segments of a file as a loader maps them."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.loads = [load for load in image.of_type(PT_LOAD) if load.memory_size]

    def span(self, address: int, length: int) -> Span:
        """Return what is mapped at an address, for at most `length` bytes."""
        # Later segments are mapped over earlier ones.
        for load in reversed(self.loads):
            inside = address - load.address
            if inside < 0:
                length = min(length, -inside)
            elif inside < load.file_size:
                return Span(load, load.offset + inside, min(length, load.file_size - inside))
            elif inside < load.memory_size:
                return Span(load, None, min(length, load.memory_size - inside))
        return Span(None, None, length)

    def read(self, start: int, end: int) -> Optional[bytes]:
        """Return the bytes of a short range; None if some are not mapped."""
        pieces: List[bytes] = []
        while start < end:
            found = self.span(start, end - start)
            if found.segment is None:
                return None
            pieces.append(self._bytes(found, found.length))
            start += found.length
        return b"".join(pieces)

    def _bytes(self, span: Span, length: int) -> bytes:
        return bytes(length) if span.offset is None else self.image.bytes_at(span.offset, length)

    def differences(self, after: Memory, ignored: Iterable[Range]) -> Iterator[str]:
        """Yield the first difference in each segment to another file, outside of `ignored`."""
        ranges = self._merged(ignored)
        for load in self.loads:
            for start, end in _without(load.address, load.address + load.memory_size, ranges):
                problem = self._difference(after, load, start, end)
                if problem:
                    yield problem
                    break

    def _difference(self, after: Memory, load: Segment, start: int, end: int) -> Optional[str]:
        what = _describe(load)
        while start < end:
            original = self.span(start, end - start)
            patched = after.span(start, end - start)
            length = min(original.length, patched.length)
            if patched.segment is None:
                return f"its {what} at {start:#x} is no longer mapped"
            if original.segment is not None and original.segment.flags != patched.segment.flags:
                return f"its {what} at {start:#x} is mapped as {_describe(patched.segment)}"
            if original.offset is not None or patched.offset is not None:
                length = min(length, _PORTION)
                old, new = self._bytes(original, length), after._bytes(patched, length)
                if old != new:
                    place = next(i for i, (a, b) in enumerate(zip(old, new)) if a != b)
                    return f"its {what} at {start + place:#x} has different bytes"
            start += length
        return None

    def _merged(self, ranges: Iterable[Range]) -> List[Range]:
        """Sort ranges, and join those that touch or have only zeroed padding between them."""
        found: List[Range] = []
        for start, end in sorted(one for one in ranges if one[0] < one[1]):
            if found and (start <= found[-1][1] or self._padding(found[-1][1], start)):
                found[-1] = found[-1][0], max(end, found[-1][1])
            else:
                found.append((start, end))
        return found

    def _padding(self, start: int, end: int) -> bool:
        if end - start > _MAX_PADDING:
            return False
        data = self.read(start, end)
        return data is not None and not any(data)


def _without(start: int, end: int, holes: List[Range]) -> Iterator[Range]:
    for first, last in holes:
        if last > start and first < end:
            if first > start:
                yield start, first
            start = last
    if start < end:
        yield start, end


def _describe(load: Segment) -> str:
    if load.flags & PF_X:
        return "writable code" if load.flags & PF_W else "code"
    return "data" if load.flags & PF_W else "read-only data"
