"""A window returns a member's bytes in any order, in bounded memory, and stops early."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elfwriter import Elf, Symbol, write
from manyshim.formats.elf import reader
from manyshim.formats.zip.kept import Shared
from manyshim.formats.zip.window import MemberError, Window
from zipwindows import (
    BODY,
    DEFLATED,
    MEBIBYTE,
    PACKED,
    PORTION,
    SAMPLES,
    STEPS,
    STORED,
    deflated,
    noise,
    over,
    window,
)

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet


@settings(max_examples=200, deadline=None, database=None)
@given(st.sampled_from(SAMPLES), st.sampled_from((STORED, DEFLATED)), STEPS)
def test_random_access(data: bytes, method: int, steps: List[Tuple[str, float, int]]) -> None:
    view = window(data, method)
    for action, where, length in steps:
        start = int(where * len(data))
        end = min(start + length, len(data))
        if action == "read":
            assert view.read(start, end - start) == data[start:end]
        elif action == "retain":
            view.retain(start, end)
        else:
            view.discard()


@pytest.mark.parametrize("method", [STORED, DEFLATED])
@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, -1), (0, 101), (100, 1), (1 << 70, 1)])
def test_outside(method: int, start: int, length: int) -> None:
    with pytest.raises(MemberError, match="outside its 100 bytes"):
        window(noise(100), method).read(start, length)


def damaged(name: str, view: Window, gist: str) -> ParameterSet:
    return pytest.param(view, gist, id=name)


@pytest.mark.parametrize(
    ("view", "gist"),
    [
        damaged("stated too long", over(PACKED, len(BODY) + 1), "it inflates to 300000 bytes"),
        damaged("stated far too long", over(PACKED, 1 << 62), "it inflates to 300000 bytes"),
        damaged("cut payload", over(PACKED[:-70_000], len(BODY)), "the archive states 300000"),
        damaged("no payload", over(b"", len(BODY)), "it inflates to 0 bytes"),
        damaged("bad block type", over(b"\x07" + PACKED[1:], len(BODY)), "does not inflate"),
        damaged("noise", over(b"\xff" * 99, len(BODY)), "does not inflate"),
        damaged("cut file", Window(io.BytesIO(PACKED[:9]), 0, 99, 300_000, 8), "archive ends"),
        damaged("cut stored file", Window(io.BytesIO(BODY), 99, 300_000, 300_000, 0), "archive"),
    ],
)
def test_damage(view: Window, gist: str) -> None:
    for _ in range(2):
        with pytest.raises(MemberError, match=gist):
            view.read(min(view.size, 300_001) - 2, 2)


def test_damage_at_the_end_leaves_the_beginning() -> None:
    view = over(PACKED[:-70_000], len(BODY))
    assert view.read(100, 50_000) == BODY[100:50_100]


def test_few_bytes_inflate_few() -> None:
    view = window(noise(MEBIBYTE, packable=True))
    view.read(0, 4)
    assert 4 <= view.inflated <= 4096
    view.read(0, 64)
    view.read(2, 9)
    assert view.inflated <= 4096, "the first bytes are kept"


def test_retained_ranges_are_not_inflated_again() -> None:
    data = noise(2 * MEBIBYTE, packable=True)
    view = window(data)
    view.retain(500_000, 900_000)
    view.read(len(data) - 1, 1)
    assert view.inflated == len(data)
    for start, length in ((500_000, 400_000), (899_999, 1), (700_000, 9), (0, 4096)):
        assert view.read(start, length) == data[start : start + length]
    assert view.inflated == len(data)
    assert view.read(499_999, 2) == data[499_999:500_001], "half of it was not retained"
    assert view.inflated > len(data)
    view.discard()
    before = view.inflated
    assert view.read(600_000, 9) == data[600_000:600_009]
    assert view.inflated > before


def test_stored_members_inflate_nothing() -> None:
    data = noise(MEBIBYTE)
    view = window(data, STORED)
    view.retain(0, MEBIBYTE)
    assert view.read(MEBIBYTE - 9, 9) == data[-9:]
    assert view.read(0, 9) == data[:9]
    assert view.inflated == 0


LARGE = noise(24 * MEBIBYTE)
LARGE_PACKED = deflated(LARGE)
# A checkpoint for each part of this size, and the input that is read at once.
PART = MEBIBYTE + (1 << 16)


def large() -> Window:
    return over(LARGE_PACKED, len(LARGE))


def test_going_back_inflates_one_part() -> None:
    view = large()
    view.read(len(LARGE) - 9, 9)
    assert view.inflated == len(LARGE)
    for mebibytes in (23, 3, 20, 1, 22, 7, 23.5, 0.5):
        start, before = int(mebibytes * MEBIBYTE), view.inflated
        assert view.read(start, 70_000) == LARGE[start : start + 70_000]
        assert view.inflated - before <= PART + 70_000 + PORTION


def test_damaged_input_is_an_error_from_each_checkpoint() -> None:
    view = over(LARGE_PACKED[: 20 * MEBIBYTE], len(LARGE))
    for _ in range(3):
        with pytest.raises(MemberError, match="it inflates to"):
            view.read(22 * MEBIBYTE, 9)
        assert view.read(3 * MEBIBYTE, 9) == LARGE[3 * MEBIBYTE : 3 * MEBIBYTE + 9]


def test_a_discarded_window_keeps_the_checkpoints_that_are_needed() -> None:
    for needed, costs in (((20 * MEBIBYTE,), PART), ((), 20 * MEBIBYTE)):
        view = large()
        view.read(len(LARGE) - 9, 9)
        view.discard(*needed)
        before = view.inflated
        assert view.read(20 * MEBIBYTE + 5, 9) == LARGE[20 * MEBIBYTE + 5 : 20 * MEBIBYTE + 14]
        assert costs - MEBIBYTE <= view.inflated - before <= costs + PORTION


def test_the_discarded_windows_of_an_archive_share_a_limit() -> None:
    shared, views = Shared(), [large() for _ in range(3)]
    shared.left = 3
    for view in views:
        view.shared = shared
        view.read(8 * MEBIBYTE, 9)
        view.discard(5 * MEBIBYTE, 7 * MEBIBYTE)
    assert shared.left == 1
    costs = []
    for view in views:
        before = view.inflated
        assert view.read(7 * MEBIBYTE, 9) == LARGE[7 * MEBIBYTE : 7 * MEBIBYTE + 9]
        costs.append(view.inflated - before > 5 * MEBIBYTE)
    assert costs == [False, True, True]
    views[0].discard()
    assert shared.left == 3


def test_checkpoints_take_little_memory() -> None:
    view = large()
    tracemalloc.start()
    try:
        view.read(len(LARGE) - 4, 4)
        assert tracemalloc.get_traced_memory()[1] < 4 * MEBIBYTE
        view.discard(*range(0, len(LARGE), MEBIBYTE))
        assert tracemalloc.get_traced_memory()[0] < 2 * MEBIBYTE
        view.discard()
        assert tracemalloc.get_traced_memory()[0] < MEBIBYTE // 2
    finally:
        tracemalloc.stop()


def test_memory_is_bounded() -> None:
    size = 64 * MEBIBYTE
    payload = deflated(bytes(size))
    view = over(payload, size)
    tracemalloc.start()
    try:
        view.retain(0, size)
        view.retain(MEBIBYTE, size)
        assert view.read(size - 4, 4) == bytes(4)
        assert view.read(3 * MEBIBYTE, 4) == bytes(4)
        assert view.inflated == size, "retained bytes are still there"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MEBIBYTE


SYMBOLS = (
    Symbol("PyInit_demo", defined=True),
    Symbol("malloc", "libc.so.6", "GLIBC_2.17"),
    Symbol("demo_new", version="DEMO_2", defined=True),
)
ELF = Elf(needed=("libc.so.6",), soname="libdemo.so", symbols=SYMBOLS, versions_defined=("DEMO_2",))


def facts(data: bytes) -> Tuple[reader.Reading, Window]:
    view = window(data)
    return reader.read("demo.so", view), view


def test_reading_stops_after_the_tables() -> None:
    """Bytes after the loaded segments, such as debug information, are not inflated."""
    data = write(ELF)
    reading, view = facts(data + noise(4 * MEBIBYTE))
    assert reading.facts == facts(data)[0].facts
    assert view.inflated < len(data) + PORTION


@pytest.mark.parametrize("tables_last", [False, True])
@pytest.mark.parametrize("padding", [600_000, 1_800_000, 9_000_000])
def test_each_byte_is_inflated_once(padding: int, tables_last: bool) -> None:  # noqa: FBT001
    data = write(Elf(**{**vars(ELF), "padding": padding, "tables_last": tables_last}))
    reading, view = facts(data)
    assert (reading.facts.soname, reading.facts.needed) == ("libdemo.so", ("libc.so.6",))
    assert [need.symbols for need in reading.facts.versions_needed] == [("malloc",)]
    assert padding < view.inflated <= len(data)


@pytest.mark.parametrize("sysv_hash", [False, True])
def test_names_far_from_their_symbols_take_one_pass(sysv_hash: bool) -> None:  # noqa: FBT001
    """A string table that has grown is moved to the end of the file, away from the symbols."""
    own = [f"own_{number:05}" for number in range(20_000)]
    symbols = [Symbol("malloc", "libc.so.6", "GLIBC_2.17")]
    symbols += [Symbol(name, defined=True) for name in own]
    elf = Elf(needed=("libc.so.6",), symbols=symbols, code=LARGE[: 12 * MEBIBYTE])
    elf = replace(elf, sysv_hash=sysv_hash, gnu_hash=not sysv_hash)
    data = write(replace(elf, strings_last=True))
    reading, view = facts(data)
    assert [need.symbols for need in reading.facts.versions_needed] == [("malloc",)]
    assert view.inflated < len(data) + 3 * PART
    assert reading.defined(frozenset((*own, "malloc", "absent"))) == frozenset(own)
    assert view.inflated < len(data) + 7 * PART
    assert reading.facts == facts(write(elf))[0].facts


def test_exports_are_found_after_the_bytes_were_discarded() -> None:
    reading, view = facts(write(ELF) + noise(MEBIBYTE))
    before = view.inflated
    names = frozenset(("PyInit_demo", "demo_new", "malloc", "absent"))
    assert reading.defined(names) == {"PyInit_demo", "demo_new"}
    assert view.inflated > before
