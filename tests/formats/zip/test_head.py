"""The first bytes of a member, which decide whether the audit reads it."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import List, Tuple

import pytest

from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.window import MemberError

CONTENT = os.urandom(300) + b"abc" * 50_000
# An empty stored block, which a stream may have in front of all others (RFC 1951, 3.2.4).
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"


def saved(folder: Path, data: bytes) -> str:
    path = folder / "probe.whl"
    path.write_bytes(data)
    return str(path)


def packed(
    name: str, content: bytes, method: int, extra: bytes = b"", payload: bytes = b""
) -> bytes:
    """Return an archive of one member; `payload` is its stream, in place of zlib's."""
    info = zipfile.ZipInfo(name)
    info.compress_type, info.extra = method, extra
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, content)
    if not payload:
        return buffer.getvalue()
    data, length = buffer.getvalue(), info.compress_size
    start = 30 + len(name.encode()) + len(extra)
    data = data[:start] + payload + data[start + length :]
    added = len(payload) - length
    data = data[:18] + struct.pack("<I", len(payload)) + data[22:]
    central = data.rindex(b"PK\1\2")
    data = data[: central + 20] + struct.pack("<I", len(payload)) + data[central + 24 :]
    offset = struct.pack("<I", info.header_offset + start + length + added)
    return data[:-6] + offset + data[-2:]


def deflated(content: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["a", "d/" * 100 + "é.so"])
@pytest.mark.parametrize("extra", [b"", b"\xfe\xca" + struct.pack("<H", 900) + bytes(900)])
@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, len(CONTENT)])
def test_the_head_is_the_first_eight_bytes(
    tmp_path: Path, method: int, name: str, extra: bytes, length: int
) -> None:
    data = packed(name, CONTENT[:length], method, extra)
    with Archive(saved(tmp_path, data)) as archive:
        assert archive.head(archive.entries[0]) == CONTENT[: min(length, 8)]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_one_small_read_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: int
) -> None:
    reads: List[int] = []
    pread = os.pread

    def counting(descriptor: int, length: int, offset: int) -> bytes:
        reads.append(length)
        return pread(descriptor, length, offset)

    with Archive(saved(tmp_path, packed("pkg/data.bin", CONTENT, method))) as archive:
        monkeypatch.setattr(os, "pread", counting)
        archive.head(archive.entries[0])
    assert len(reads) == 1
    assert reads[0] < 600


@pytest.mark.parametrize("blocks", [1, 100, 1000])
def test_empty_blocks_before_the_first_bytes(tmp_path: Path, blocks: int) -> None:
    stream = EMPTY_BLOCK * blocks + deflated(CONTENT)
    data = packed("x", CONTENT, zipfile.ZIP_DEFLATED, payload=stream)
    with Archive(saved(tmp_path, data)) as archive:
        assert archive.head(archive.entries[0]) == CONTENT[:8]


@pytest.mark.parametrize(
    ("stream", "gist"),
    [
        (b"\x07" + bytes(40), "does not inflate: Error -3 while decompressing data: invalid block"),
        (b"\xff" * 99, "does not inflate"),
        (EMPTY_BLOCK * 3, "it inflates to 0 bytes; the archive states"),
        (deflated(b"abcd"), "it inflates to 4 bytes; the archive states"),
    ],
)
def test_a_damaged_stream_has_the_words_of_the_window(
    tmp_path: Path, stream: bytes, gist: str
) -> None:
    data = packed("x", CONTENT, zipfile.ZIP_DEFLATED, payload=stream)
    with Archive(saved(tmp_path, data)) as archive, pytest.raises(MemberError, match=gist):
        archive.head(archive.entries[0])


def headers(data: bytes) -> List[Tuple[str, bytes]]:
    return [
        ("not where", b"XX" + data[2:]),
        ("the archive ends", data[:28] + b"\xff\xff" + data[30:]),
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_damaged_local_headers(tmp_path: Path, number: int) -> None:
    gist, data = headers(packed("x", CONTENT, zipfile.ZIP_DEFLATED))[number]
    with Archive(saved(tmp_path, data)) as archive, pytest.raises(MemberError, match=gist):
        archive.head(archive.entries[0])
