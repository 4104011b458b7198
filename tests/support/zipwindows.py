"""Windows over members in memory, and random steps that read them."""

from __future__ import annotations

import io
import random
import zlib
from typing import List

import pytest
from hypothesis import strategies as st

from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.directory import Entry
from manyshim.formats.zip.window import Window

STORED, DEFLATED = 0, 8
BEFORE, AFTER = b"before" * 7, b"after" * 9
MEBIBYTE = 1 << 20
# The window inflates in portions of this size at most.
PORTION = 1 << 18


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def window(data: bytes, method: int = DEFLATED) -> Window:
    payload = data if method == STORED else deflated(data)
    return over(payload, len(data), method)


def over(payload: bytes, size: int, method: int = DEFLATED) -> Window:
    file = io.BytesIO(BEFORE + payload + AFTER)
    return Window(file, len(BEFORE), len(payload), size, method)


def noise(size: int, seed: int = 0, *, packable: bool = False) -> bytes:
    source = random.Random(seed)  # noqa: S311 (test data)
    if packable:
        return b"".join(b"%d;" % source.getrandbits(9) for _ in range(size // 2))[:size]
    return source.getrandbits(8 * size).to_bytes(size, "little") if size else b""


SAMPLES = tuple(
    noise(size, packable=packable)
    for size in (0, 1, 4095, 4096, 4097, 70_000, 300_000, 900_000)
    for packable in (False, True)
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("read", "read", "read", "retain", "discard")),
        st.floats(0, 1),
        st.sampled_from((0, 1, 4, 64, 4096, 65_536, 262_144, 10**6)),
    ),
    max_size=12,
)


BODY = noise(300_000)
PACKED = deflated(BODY)


def recorded(monkeypatch: pytest.MonkeyPatch) -> List[Window]:
    """Return a list to which each window over a member is added that an archive opens from now on.

    Each tells how many bytes were `inflated`.
    """
    windows: List[Window] = []

    def opened(archive: Archive, entry: Entry) -> Window:
        windows.append(original(archive, entry))
        return windows[-1]

    original = Archive.window
    monkeypatch.setattr(Archive, "window", opened)
    return windows
