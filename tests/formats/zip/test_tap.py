"""A tap takes every byte of a member once, in whatever order a window reads them."""

from __future__ import annotations

import hashlib
import random
import tracemalloc
import zlib
from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manyshim.formats.zip.digest import Tap
from manyshim.formats.zip.window import MemberError, Window
from zipwindows import DEFLATED, MEBIBYTE, PACKED, SAMPLES, STEPS, STORED, noise, over, window


def tapped(view: Window, *algorithms: str) -> Tap:
    view.tap = Tap(view.size, algorithms or ("sha256",))
    return view.tap


def act(view: Window, steps: List[Tuple[str, float, int]]) -> None:
    for action, where, length in steps:
        start = int(where * view.size)
        end = min(start + length, view.size)
        if action == "read":
            view.read(start, end - start)
        elif action == "retain":
            view.retain(start, end)
        else:
            view.discard(start)


@settings(max_examples=200, deadline=None, database=None)
@given(st.sampled_from(SAMPLES), st.sampled_from((STORED, DEFLATED)), STEPS, STEPS)
def test_every_byte_counts_once(
    data: bytes,
    method: int,
    before: List[Tuple[str, float, int]],
    after: List[Tuple[str, float, int]],
) -> None:
    view = window(data, method)
    tap = tapped(view)
    act(view, before)
    view.finish(tap)
    assert (tap.position, tap.crc) == (len(data), zlib.crc32(data))
    assert tap.hashes["sha256"].digest() == hashlib.sha256(data).digest()
    # The window reads as before.
    act(view, after)
    assert view.read(0, len(data)) == data


class _Counted(Tap):
    """A tap that counts all bytes that it is shown."""

    seen = 0

    def take(self, begin: int, data: bytes) -> None:
        self.seen += len(data)
        super().take(begin, data)


def test_what_was_inflated_is_not_inflated_again() -> None:
    data = noise(4 * MEBIBYTE, packable=True)
    view = window(data)
    tap = view.tap = _Counted(view.size)
    view.read(3 * MEBIBYTE, 100)
    view.discard()
    assert tap.position >= 3 * MEBIBYTE
    view.finish(tap)
    assert tap.crc == zlib.crc32(data)
    assert tap.seen == len(data)


def test_the_rest_is_no_sign_of_scattered_tables() -> None:
    view = window(noise(4 * MEBIBYTE, packable=True))
    tap = tapped(view)
    view.read(2 * MEBIBYTE, 100)
    inflated = view.inflated
    view.discard()
    view.finish(tap)
    assert view.inflated == inflated


@pytest.mark.parametrize(("less", "method"), [(1, DEFLATED), (1, STORED), (70_000, DEFLATED)])
def test_bytes_beyond_the_stated_size_do_not_count(less: int, method: int) -> None:
    data = noise(300_000)
    payload = data if method == STORED else PACKED
    view = over(payload, len(data) - less, method)
    tap = tapped(view)
    view.read(0, 8)
    view.finish(tap)
    assert tap.crc == zlib.crc32(data[:-less])


@pytest.mark.parametrize("view", [over(PACKED, 300_001), over(PACKED[:-9], 300_000)])
def test_a_member_that_ends_too_early(view: Window) -> None:
    tap = tapped(view)
    with pytest.raises(MemberError):
        view.finish(tap)
    assert view.read(0, 8) == noise(300_000)[:8]


def test_several_algorithms() -> None:
    data = noise(100_000)
    view = window(data)
    tap = tapped(view, "sha256", "sha512", "md5")
    view.finish(tap)
    wanted = {name: hashlib.new(name, data).digest() for name in ("sha256", "sha512", "md5")}
    assert {name: one.digest() for name, one in tap.hashes.items()} == wanted


def test_memory_stays_flat() -> None:
    source = random.Random(1)  # noqa: S311 (test data)
    block = source.getrandbits(8 * MEBIBYTE).to_bytes(MEBIBYTE, "little")
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    payload = b"".join(packer.compress(block) for _ in range(40)) + packer.flush()
    view = over(payload, 40 * MEBIBYTE)
    tap = tapped(view)
    tracemalloc.start()
    try:
        view.finish(tap)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * MEBIBYTE
