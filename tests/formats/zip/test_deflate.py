"""Files are compressed in threads, the largest first, by zlib and by libdeflate."""

from __future__ import annotations

import hashlib
import os
import random
import sys
import sysconfig
import threading
import zlib
from pathlib import Path
from typing import Dict, List, Optional

import pytest

from manyshim.formats.zip import compressors, deflate
from manyshim.formats.zip.compressors import CompressWhole, compressor, libdeflate
from manyshim.formats.zip.deflate import Deflated, Deflater, largest_first, usable_processors

LIBDEFLATE = libdeflate()
WAYS = pytest.mark.parametrize(
    "whole",
    [
        pytest.param(None, id="zlib"),
        pytest.param(
            LIBDEFLATE,
            id="libdeflate",
            marks=pytest.mark.skipif(LIBDEFLATE is None, reason="no extra `fast`"),
        ),
    ],
)


def noise(size: int, source: random.Random) -> bytes:
    return source.getrandbits(8 * size).to_bytes(size, "little")


def text(size: int, seed: int = 0) -> bytes:
    """Return bytes that compress about as well as machine code."""
    source = random.Random(seed)  # noqa: S311 (no secret)
    words = [noise(source.randrange(2, 9), source) for _ in range(300)]
    found = bytearray()
    while len(found) < size:
        found += source.choice(words)
    return bytes(found[:size])


CONTENTS: Dict[str, bytes] = {
    "empty.so": b"",
    "byte.so": b"x",
    "small.so": text(5_000),
    "portions.so": text(1_200_000, 1),
    "random.so": noise(300_000, random.Random(2)),  # noqa: S311
    "zeros.so": bytes(1_100_000),
}


@pytest.fixture
def files(tmp_path: Path) -> Dict[str, str]:
    found = {}
    for name, data in CONTENTS.items():
        (tmp_path / name).write_bytes(data)
        found[name] = str(tmp_path / name)
    return found


def deflated(
    folder: Path,
    files: Dict[str, str],
    whole: Optional[CompressWhole],
    *,
    level: int = 6,
    processors: Optional[int] = None,
) -> Dict[str, Deflated]:
    with Deflater(str(folder), level, whole, processors) as deflater:
        for member, path in files.items():
            deflater.add(member, path)
        return deflater.finish()


def payloads(made: Dict[str, Deflated]) -> Dict[str, bytes]:
    return {member: Path(one.path).read_bytes() for member, one in made.items()}


@WAYS
@pytest.mark.parametrize("level", range(10))
def test_the_same_contents_come_out(
    tmp_path: Path, files: Dict[str, str], whole: Optional[CompressWhole], level: int
) -> None:
    made = deflated(tmp_path / "out", files, whole, level=level)
    assert list(made) == sorted(CONTENTS)
    for member, payload in payloads(made).items():
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        data = CONTENTS[member]
        assert inflater.decompress(payload) + inflater.flush() == data
        assert inflater.eof
        assert inflater.unused_data == b""
        expected = zlib.crc32(data), len(payload), len(data), hashlib.sha256(data).digest()
        assert made[member][1:] == expected


@WAYS
def test_the_bytes_do_not_depend_on_threads_or_on_the_order(
    tmp_path: Path, files: Dict[str, str], whole: Optional[CompressWhole]
) -> None:
    first = payloads(deflated(tmp_path / "1", files, whole, processors=1))
    backwards = dict(reversed(list(files.items())))
    for processors in (1, 2, 3, 8):
        again = deflated(tmp_path / f"again{processors}", backwards, whole, processors=processors)
        assert payloads(again) == first


@WAYS
@pytest.mark.parametrize("level", range(1, 10))
def test_a_library_is_not_larger_than_by_zlib(
    tmp_path: Path, whole: Optional[CompressWhole], level: int
) -> None:
    """Some libraries are larger by a few bytes in a thousand; docs/performance.md has the table."""
    folder = Path(sysconfig.get_path("platstdlib"), "lib-dynload")
    library = min(folder.glob("*.so"), default=Path(sys.executable))
    (made,) = deflated(tmp_path / "out", {"x": str(library)}, whole, level=level).values()
    own = compressor(level, made.size, None)
    size = len(own.compress(library.read_bytes()) + own.flush())
    assert made.compressed <= size * 1.005


@WAYS
def test_level_0_does_not_compress(tmp_path: Path, whole: Optional[CompressWhole]) -> None:
    path = tmp_path / "zeros"
    path.write_bytes(bytes(100_000))
    (made,) = deflated(tmp_path / "out", {"x": str(path)}, whole, level=0).values()
    assert made.compressed > made.size


def test_a_file_that_is_too_large_for_memory_is_compressed_in_portions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressors, "MAX_WHOLE", 1000)
    sizes: List[int] = []

    def whole(data: bytearray, level: int) -> bytes:
        sizes.append(len(data))
        deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        return deflater.compress(bytes(data)) + deflater.flush()

    files = {str(size): str(tmp_path / str(size)) for size in (999, 1000, 1001, 5000)}
    for size, path in files.items():
        Path(path).write_bytes(bytes(int(size)))
    made = deflated(tmp_path / "out", files, whole)
    assert sorted(sizes) == [999, 1000]
    assert [one.size for one in made.values()] == [1000, 1001, 5000, 999]


def test_a_higher_level_is_not_lower_in_libdeflate() -> None:
    assert list(compressors.LEVELS) == sorted(compressors.LEVELS)
    assert len(compressors.LEVELS) == 10


def test_without_the_extra_there_is_no_libdeflate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deflate", None)
    assert libdeflate() is None


def test_the_largest_comes_first_and_names_decide_between_equals() -> None:
    assert largest_first({"b": 5, "tiny": 1, "a": 5, "big": 9}) == ["big", "a", "b", "tiny"]
    assert largest_first({}) == []


def test_of_the_files_that_wait_the_largest_is_next(tmp_path: Path) -> None:
    """One processor: nothing begins before `finish`."""
    order: List[int] = []

    def whole(data: bytearray, _: int) -> bytes:
        order.append(len(data))
        return b""

    files = {}
    for size in (10, 500, 20, 9_000, 1):
        (tmp_path / str(size)).write_bytes(bytes(size))
        files[str(size)] = str(tmp_path / str(size))
    deflated(tmp_path / "out", files, whole, processors=1)
    assert order == [9_000, 500, 20, 10, 1]


def test_a_file_is_compressed_while_the_caller_prepares_the_next(tmp_path: Path) -> None:
    begun = threading.Event()

    def whole(_data: bytearray, _level: int) -> bytes:
        begun.set()
        return b""

    path = tmp_path / "file"
    path.write_bytes(b"contents")
    with Deflater(str(tmp_path / "out"), 6, whole, 2) as deflater:
        deflater.add("one", str(path))
        assert begun.wait(60)
        assert list(deflater.finish()) == ["one"]


@pytest.mark.parametrize("processors", [1, 2, 4])
def test_an_error_reaches_the_caller_and_ends_all_threads(
    tmp_path: Path, files: Dict[str, str], processors: int
) -> None:
    def full(_data: bytearray, _level: int) -> bytes:
        raise OSError(28, "No space left on device")

    before = threading.active_count()
    with pytest.raises(OSError, match="No space left on device"):
        deflated(tmp_path / "out", files, full, processors=processors)
    assert threading.active_count() == before


def test_an_error_is_raised_when_the_next_file_is_added(
    tmp_path: Path, files: Dict[str, str]
) -> None:
    def full(_data: bytearray, _level: int) -> bytes:
        raise MemoryError

    def add_all(deflater: Deflater) -> None:
        deflater.add("small.so", files["small.so"])
        while threading.active_count() > before:
            pass
        deflater.add("byte.so", files["byte.so"])

    before = threading.active_count()
    with Deflater(str(tmp_path / "out"), 6, full, 2) as deflater, pytest.raises(MemoryError):
        add_all(deflater)


@WAYS
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupt_ends_all_threads(
    tmp_path: Path, whole: Optional[CompressWhole], error: type[BaseException]
) -> None:
    path = tmp_path / "large"
    path.write_bytes(text(4_000_000))
    before = threading.active_count()

    def interrupted() -> None:
        with Deflater(str(tmp_path / "out"), 9, whole, 4) as deflater:
            for number in range(6):
                deflater.add(str(number), str(path))
            raise error

    with pytest.raises(error):
        interrupted()
    assert threading.active_count() == before
    # What had not begun was not begun.
    assert len(os.listdir(tmp_path / "out")) <= 3


def test_without_new_threads_the_caller_compresses(
    tmp_path: Path, files: Dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert list(deflated(tmp_path / "out", files, None, processors=4)) == sorted(files)


def test_the_processors_are_those_of_this_process() -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no affinity")
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usable_processors() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert usable_processors() == len(allowed)


def test_nothing_added_gives_nothing_and_writes_nothing(tmp_path: Path) -> None:
    assert deflated(tmp_path / "out", {}, None) == {}
    assert not (tmp_path / "out").exists()
    assert deflate.deflater(str(tmp_path), 6).finish() == {}
