"""Ranges of a member's bytes that stay in memory while it is inflated."""

from __future__ import annotations


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
