"""zlib-ng and zlib accept the same streams, and refuse the others with the same words."""

from __future__ import annotations

import io
import sys
import zlib
from pathlib import Path
from typing import Any, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attacks
from manyshim import operations
from manyshim.audit.request import Request
from manyshim.formats.zip import archive
from manyshim.formats.zip.kept import Shared
from manyshim.formats.zip.window import MemberError, Window
from zipwindows import BODY, SAMPLES

# CI runs the suite on the oldest Python without it.
zlib_ng = pytest.importorskip("zlib_ng.zlib_ng", reason="zlib-ng is not installed (PyPI: zlib-ng)")

# Streams of zlib at several levels and strategies (RFC 1951), which are then damaged.
LEVELS = ((1, 0), (6, 0), (9, 0), (6, zlib.Z_HUFFMAN_ONLY), (6, zlib.Z_FIXED), (0, 0))


def streams(data: bytes) -> List[bytes]:
    made = []
    for level, strategy in LEVELS:
        deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9, strategy)
        made.append(deflater.compress(data) + deflater.flush())
    return made


STREAMS = [stream for data in (*SAMPLES[:4], BODY[:40_000]) for stream in streams(data)]


def outcome(stream: bytes, size: int, library: Any) -> List[Tuple[str, Any]]:
    """Read a member in several steps; return what each step gives, or the words of its error."""
    window = Window(io.BytesIO(stream), 0, len(stream), size, 8, Shared(library))
    window.retain(10, 5000)
    steps = [(0, 8), (size // 2, size - size // 2), (0, size), (size // 3, 5)]
    found: List[Tuple[str, Any]] = []
    for offset, length in steps:
        try:
            found.append(("read", window.read(offset, length)))
        except MemberError as error:
            found.append(("error", str(error)))
    return found


@settings(max_examples=400, deadline=None, database=None)
@given(
    st.sampled_from(STREAMS),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 7)), max_size=4),
    st.floats(0, 1),
    st.integers(-9, 9),
)
def test_damaged_streams(
    stream: bytes, flips: List[Tuple[float, int]], cut: float, more: int
) -> None:
    size = max(len(zlib.decompress(stream, -zlib.MAX_WBITS)) + more, 0)
    damaged = bytearray(stream)
    for where, bit in flips:
        damaged[int(where * len(damaged))] ^= 1 << bit
    if cut < 0.3:
        damaged = damaged[: int(len(damaged) * cut / 0.3)]
    data = bytes(damaged)
    assert outcome(data, size, zlib_ng) == outcome(data, size, zlib)


@settings(max_examples=400, deadline=None, database=None)
@given(st.binary(min_size=1, max_size=60))
def test_noise(data: bytes) -> None:
    assert outcome(data, 100, zlib_ng) == outcome(data, 100, zlib)


# A block whose codes for distances, or for literals and lengths, do not use all bits (RFC 1951,
# 3.2.7). ISA-L 2.31 inflates both.
INCOMPLETE = {
    "invalid distances set": (
        "a5cbc101c0400802b059114174ff01ae3bf41f88b1504c5560d8882f4c970fe0946837b55bfa84e5aca58fc2423f"
        "ee03"
    ),
    "invalid literal/lengths set": (
        "a5cbb101c0300c02b05ba90d01fe3f20fda19b161d964272166aed941d38b9bc1a2ee0e1e75a898aa9115bd8e0fe"
        "b80f"
    ),
}


@pytest.mark.parametrize("words", INCOMPLETE)
def test_incomplete_codes_are_refused_alike(words: str) -> None:
    stream = bytes.fromhex(INCOMPLETE[words])
    for library in (zlib_ng, zlib):
        window = Window(io.BytesIO(stream), 0, len(stream), 25, 8, Shared(library))
        with pytest.raises(MemberError, match=f"does not inflate: Error -3 .*: {words}"):
            window.read(0, 25)


# These take seconds for what the audit does afterwards, and not for inflating.
SLOW = {
    "5,000 libraries that all need each other",
    "400,000 names that nobody has, musl",
    "400,000 names that nobody has, glibc",
    "1.2 million members",
    "150 modules that load 150 libraries",
}
NAMES = [
    pytest.param(name, marks=[pytest.mark.full] if name in SLOW else [])
    for name in sorted(attacks.ATTACKS)
]


@pytest.mark.parametrize("name", NAMES)
def test_attacks_have_the_same_verdict(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "demo-1.0-cp311-cp311-linux_x86_64.whl"
    path.write_bytes(attacks.ATTACKS[name]())

    def verdict(library: Any) -> Tuple[int, Any, Any]:
        monkeypatch.setattr(archive, "library", lambda _size: library)
        made = operations.guarded(lambda one: operations.show(one, Request()), str(path))
        return made.code, made.lines, made.data

    assert verdict(zlib_ng) == verdict(zlib)


def test_small_archives_use_zlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing zlib-ng takes longer than it saves there."""
    assert archive.library(1 << 10) is zlib
    assert archive.library(1 << 30) is zlib_ng
    monkeypatch.setitem(sys.modules, "zlib_ng", None)
    assert archive.library(1 << 30) is zlib
