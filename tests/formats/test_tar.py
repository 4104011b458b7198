"""Tar archives: the same members as tarfile reads, and an error for each header that is damaged."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
from typing import List, Tuple

import pytest

from manyshim.formats import tar
from manyshim.formats.tar import GzipStream, TarStream
from manyshim.formats.tarheaders import TarError

END = bytes(1024)


def header(name: str, size: int = 0, kind: bytes = b"0", field: bytes = b"") -> bytes:
    """Return one header; `field` replaces that of the size."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT)[:512])
    block[124:136] = field or b"%011o\0" % size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def extension(data: bytes, kind: bytes = b"x") -> bytes:
    return header("extension", len(data), kind) + filled(data)


def record(key: str, value: str) -> bytes:
    text = f" {key}={value}\n".encode()
    size = len(text) + 1
    while len(b"%d" % size) + len(text) != size:
        size += 1
    return b"%d" % size + text


def members(data: bytes, at_most: int = 1 << 30) -> List[tar.Member]:
    return list(TarStream(GzipStream(io.BytesIO(gzip.compress(data)), at_most)))


FILE = header("top/file", 3) + filled(b"abc")
DAMAGED = {
    "no checksum": (FILE + b"x" * 512 + END, "wrong number|damaged"),
    "a wrong checksum": (FILE + header("a").replace(b"a", b"b", 1) + END, "damaged"),
    "part of a block": (FILE + b"x" * 100, "within a block"),
    "part of a member": (header("a", 3000) + b"abc", "within a member"),
    "a huge size": (header("a", field=b"\x80" + b"\x7f" * 11) + END, "within a member"),
    "a negative size": (header("a", field=b"\xff" * 12) + END, "wrong number"),
    "a size that is no number": (header("a", field=b"12x45678901\0") + END, "wrong number"),
    "a negative size (pax)": (extension(record("size", "-512")) + FILE + END, "wrong number"),
    "a size of many digits": (extension(record("size", "9" * 9000)) + FILE + END, "wrong number"),
    "a huge header": (header("a", 1 << 32, b"x") + END, "more than 1048576 bytes"),
    "a huge name": (header("a", 1 << 32, b"L") + END, "more than 1048576 bytes"),
    "a pax header of digits": (extension(b"1" * (1 << 20)) + FILE + END, "wrong number"),
    "a pax header of spaces": (extension(b" " * (1 << 20)) + FILE + END, "wrong number"),
    "a record without equals": (extension(b"7 abcd\n") + FILE + END, "damaged"),
    "a record that is too long": (extension(b"99 path=a\n") + FILE + END, "damaged"),
    "a record of no length": (extension(b"0 path=a\n") + FILE + END, "damaged"),
    "a record of its length alone": (extension(b"2 \n") + FILE + END, "damaged"),
    "a chain of headers": (extension(b"10 a=bcde\n") * 5000 + FILE + END, "extend the same one"),
    "a chain of names": (extension(b"name", b"L") * 5000 + FILE + END, "extend the same one"),
    "many global headers": (extension(b"10 a=bcde\n", b"g") * 5000 + FILE + END, "too many"),
    "a name for all": (extension(record("path", "x"), b"g") + FILE + END, "all members"),
    "a header for no member": (FILE + extension(b"10 a=bcde\n") + END, "the last one"),
}


@pytest.mark.parametrize(("data", "reason"), DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_archives_are_refused_at_once(data: bytes, reason: str) -> None:
    begin = time.process_time()
    with pytest.raises(TarError, match=reason):
        members(data)
    assert time.process_time() - begin < 2


def test_the_inflated_size_is_limited() -> None:
    with pytest.raises(TarError, match="inflates to more than 1000 bytes"):
        members(FILE + END, 1000)


NAMES = (
    *("top/a", "top/" + "long/" * 30 + "a", "top/" + "n" * 200, "top/\u00e9\u4e2d", "top/a b"),
    *("top/folder/", "./top/a", "/absolute", "top/../a"),
)
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
@pytest.mark.parametrize("name", NAMES)
def test_members_are_those_of_tarfile(name: str, form: int) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=form) as archive:
        for kind in (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, name if kind in b"12" else ""
            info.size = 700 if kind == tarfile.REGTYPE else 0
            info.pax_headers = {"comment": "some"}
            try:
                archive.addfile(info, io.BytesIO(b"x" * 700))
            except ValueError:
                pytest.skip("the format has no such name")
    sink.seek(0)
    with tarfile.open(fileobj=sink) as archive:
        # Old versions leave a slash behind the long name of a folder.
        expected = [
            (one.name.rstrip("/") if one.isdir() else one.name, one.type, one.linkname)
            for one in archive
        ]
    found = [(one.name, one.type, one.link) for one in members(sink.getvalue())]
    assert found == expected


def read_all(data: bytes) -> Tuple[bytes, int]:
    stream = GzipStream(io.BytesIO(data), 1 << 30)
    pieces = list(iter(lambda: stream.read(1000), b""))
    return b"".join(pieces), stream.parts


TEXT = bytes(range(256)) * 300
WHOLE = gzip.compress(TEXT)


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (WHOLE, 1),
        (gzip.compress(TEXT[:500]) + bytes(9) + gzip.compress(TEXT[500:]), 2),
        (WHOLE + bytes(200_000), 1),
        (WHOLE + bytes(200_000) + gzip.compress(b""), 2),
        (WHOLE + b"text", 1),
        (WHOLE + b"\x1f", 1),
        (WHOLE + gzip.compress(b"") * 2000, 2001),
    ],
    ids=["one", "two", "zeros", "behind zeros", "text", "half of a mark", "many"],
)
def test_gzip_streams_are_joined(data: bytes, parts: int) -> None:
    assert read_all(data) == (TEXT, parts)


@pytest.mark.parametrize("size", [0, 5, 18, 100, len(WHOLE) - 8, len(WHOLE) - 1])
def test_a_stream_that_ends_early_is_refused(size: int) -> None:
    with pytest.raises(TarError, match="ends too early"):
        read_all(WHOLE[:size])


@pytest.mark.parametrize("place", [-8, -1])
def test_the_checksums_of_gzip_are_verified(place: int) -> None:
    data = bytearray(WHOLE)
    data[place] ^= 1
    with pytest.raises(TarError, match="gzip: "):
        read_all(bytes(data))


def test_data_of_a_member_and_the_end() -> None:
    for end, complete in ((END, True), (bytes(512), False), (b"", False)):
        data = gzip.compress(header("a", 3) + filled(b"abc") + FILE + end)
        archive = TarStream(GzipStream(io.BytesIO(data), 1 << 30))
        assert [archive.read(2) for _ in archive] == [b"ab", b"ab"]
        assert archive.complete is complete


def test_sparse_files() -> None:
    old = bytearray(header("top/sparse", 512, tar.SPARSE))
    old[482] = 1
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    more = bytes(504) + b"\1" + bytes(7)
    data = bytes(old) + more + bytes(512) + b"x" * 512 + FILE
    pax = extension(record("GNU.sparse.major", "1")) + FILE
    kinds = [(one.name, one.type) for one in members(data + pax + END)]
    file = "top/file"
    assert kinds == [("top/sparse", tar.SPARSE), (file, tar.REGULAR), (file, tar.SPARSE)]
