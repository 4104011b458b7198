"""What stays in memory while members are inflated: ranges of bytes, and how much may be."""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How many bytes are inflated at once, at most. zlib-ng takes 5 % less time for twice as many.
_PORTION = 1 << 18
# All members of an archive share the bytes that are inflated beyond one pass over each. Of 423
# wheels none takes more than two passes; the largest member that does has some MiB.
MAX_MORE = 1 << 28
# How many checkpoints all discarded windows of an archive keep: 4 MiB in all.
_MAX_AFTER_DISCARD = 96


class Kept:
    """A range of bytes that stays in memory, as far as it was inflated."""

    __slots__ = ("data", "end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.data = bytearray()


def gather(kept: Kept, chunk: bytes, begin: int) -> None:
    """Append to a kept range the bytes of a chunk that continue it."""
    wanted = kept.start + len(kept.data)
    if begin <= wanted < kept.end and wanted < begin + len(chunk):
        kept.data.extend(chunk[wanted - begin : kept.end - begin])


class Shared:
    """What the windows of one archive share.

    `codec` is the module that inflates: zlib, or one like it. `portion` is how many bytes are
    inflated at once, at most. `left` is how many checkpoints the windows that were discarded may
    still keep. `more` is how many bytes all may still inflate beyond one pass over each member.
    """

    def __init__(self, codec: Any = zlib) -> None:  # noqa: ANN401 (a module)
        self.codec = codec
        self.portion = _PORTION if codec is zlib else 2 * _PORTION
        self.left = _MAX_AFTER_DISCARD
        self.more = MAX_MORE
