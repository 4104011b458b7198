"""The memory of a loaded file: which bytes of the file, or zeros, the loader maps to an address.

The loader maps whole pages, in the order of the program headers. So a segment's first and last page
also have bytes of the file from before and after it, and hide what is mapped there already.
Sources: glibc elf/dl-map-segments.h; Linux fs/binfmt_elf.c; musl ldso/dynlink.c.
"""

from __future__ import annotations

from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator, List, Optional, Tuple, TypeAlias

# The smallest page of every architecture that a wheel is for.
PAGE = 4096
# Stands for an origin: after the zeros of a segment, the kernel has more zeros on the page, and
# glibc bytes of the file.
_EITHER = -1 << 80

# The offset, the address, the size in the file and the size in memory of a segment.
Load: TypeAlias = "Tuple[int, int, int, int]"
# Addresses from a start to before an end, and how far they are ahead of their offsets in the file;
# None for zeros. The last is false for bytes that are mapped only because pages are mapped whole,
# and true for those that the segment states.
_Range: TypeAlias = "Tuple[int, int, Optional[int], bool]"
# The first three of these. Ranges that continue each other are one run.
_Run: TypeAlias = "Tuple[int, int, Optional[int]]"


class Mapping:
    """The memory of a file after all of its segments are mapped.

    `overlaps` are the addresses for which a segment states bytes, and over which a later segment
    maps others: starts and ends, in order. `hidden` are those of them where it states bytes of the
    file, not zeros.
    """

    def __init__(self, loads: Iterable[Load], file_size: int) -> None:
        self.overlaps: List[Tuple[int, int]] = []
        self.hidden: List[Tuple[int, int]] = []
        self._file_size = file_size
        ranges: List[_Range] = []
        for load in loads:
            for new in _mapped(*load):
                if not ranges or ranges[-1][1] <= new[0]:
                    ranges.append(new)
                else:
                    self._put(ranges, new)
        self._runs = _runs(ranges)
        self.overlaps = _merged(self.overlaps)
        self.hidden = _merged(self.hidden)

    def find(self, address: int) -> Optional[Tuple[int, int]]:
        """Return an address's file offset, and how many bytes follow it in file and memory.

        None if its bytes are not of the file.
        """
        _, end, ahead = self._run(address)
        if ahead in (None, _EITHER):
            return None
        offset = address - ahead
        return offset, min(end - address, self._file_size - offset)

    def zeros(self, address: int) -> int:
        """Return how many zeros that are not in the file start at an address.

        They are behind the bytes of a segment, or behind the end of the file on its last page.
        """
        _, end, ahead = self._run(address)
        if ahead is None:
            return max(end - address, 0)
        offset = address - ahead
        if ahead == _EITHER or offset < self._file_size:
            return 0
        return min(end - address, max(_page_end(self._file_size) - offset, 0))

    def hides(self, address: int, length: int) -> bool:
        """Return whether some of these addresses are hidden."""
        index = bisect_right(self.hidden, (address + length - 1, address + length))
        return index > 0 and address < self.hidden[index - 1][1]

    def _run(self, address: int) -> _Run:
        """Return the run with an address. Where nothing is mapped, it is empty and of no file."""
        index = bisect_right(self._runs, (address + 1,)) - 1
        run = self._runs[index] if index >= 0 else (0, 0, None)
        return run if address < run[1] else (address, address, None)

    def _put(self, ranges: List[_Range], new: _Range) -> None:
        """Map a range over those that are there."""
        first = max(bisect_right(ranges, (new[0] + 1,)) - 1, 0)
        if ranges[first][1] <= new[0]:
            first += 1
        last = bisect_right(ranges, (new[1],))
        ranges[first:last] = self._over(ranges[first:last], new)

    def _over(self, covered: List[_Range], new: _Range) -> Iterator[_Range]:
        """Yield what remains of ranges after a new one is mapped over them, in order."""
        start, new_end, ahead, stated = new
        for old_start, old_end, old_ahead, old_stated in covered:
            common = max(old_start, start), min(old_end, new_end)
            if old_start < new[0]:
                yield old_start, new[0], old_ahead, old_stated
            if old_stated and old_ahead != ahead:
                self.overlaps.append(common)
                if old_ahead is not None:
                    self.hidden.append(common)
            elif old_stated and not stated:
                # The same bytes: they stay stated.
                if start < common[0]:
                    yield start, common[0], ahead, stated
                yield (*common, ahead, True)
                start = common[1]
        if start < new_end:
            yield start, new_end, ahead, stated
        if covered and covered[-1][1] > new_end:
            yield (new_end, *covered[-1][1:])


def _mapped(offset: int, address: int, file_size: int, memory_size: int) -> List[_Range]:
    """Return what a loader maps for a segment, in order of the addresses."""
    ahead, end = address - offset, address + file_size
    made: List[_Range] = []
    if address % PAGE:
        made.append((address - address % PAGE, address, ahead, False))
    if file_size:
        made.append((address, end, ahead, True))
    if memory_size > file_size:
        memory_end = address + memory_size
        made.append((end, memory_end, None, True))
        if memory_end % PAGE:
            after = _EITHER if memory_end < _page_end(end) else None
            made.append((memory_end, _page_end(memory_end), after, False))
    elif end % PAGE:
        made.append((end, _page_end(end), ahead, False))
    return made


def _runs(ranges: List[_Range]) -> List[_Run]:
    """Return the runs of ranges that are in order."""
    runs: List[_Run] = []
    start, end, ahead = 0, 0, None
    for next_start, next_end, next_ahead, _ in ranges:
        if (next_start, next_ahead) != (end, ahead):
            runs.append((start, end, ahead))
            start, ahead = next_start, next_ahead
        end = next_end
    runs.append((start, end, ahead))
    return runs


def _merged(ranges: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
    """Return the same addresses as ranges in order that do not overlap."""
    merged: List[Tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _page_end(address: int) -> int:
    return -(-address // PAGE) * PAGE
