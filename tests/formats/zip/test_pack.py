"""Archives at the limits of the zip format, and archives that cannot be written."""

from __future__ import annotations

import base64
import hashlib
import struct
import zipfile
from typing import TYPE_CHECKING, Tuple

import pytest

import needs
import strict_index_samples as samples
from manyshim.errors import InvalidWheelError
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.directory import Entry, Form, numbers
from manyshim.formats.zip.pack import headers
from rewriting import SO, built, contents, installer, python_zipfile, rewritten, run, without_row
from strict_index import problems
from wheelwriter import wheel, wheel_name

if TYPE_CHECKING:
    from pathlib import Path


def entry(name: str = SO, size: int = 5 << 30, compressed: int = 5 << 30) -> Entry:
    return Entry(name, Form((20, 3), 0, 8, 0, 33, 0, 0), numbers(1, compressed, size))


@pytest.mark.parametrize("name", [SO, "demo/ø.so"])
@pytest.mark.parametrize("sizes", [(7, 7), (5 << 30, 7), (1 << 40, 5 << 30), (7, 5 << 30)])
def test_local_header_equals_that_of_zipfile(name: str, sizes: Tuple[int, int]) -> None:
    info = zipfile.ZipInfo(name)
    info.compress_type, info.CRC = 8, 1
    info.file_size, info.compress_size = sizes
    assert headers(entry(name, *sizes), 0)[0] == info.FileHeader(zip64=max(sizes) > 7)


@pytest.mark.parametrize(("size", "extra"), [(0xFFFFFFFE, 0), (0xFFFFFFFF, 20)])
def test_zip64_begins_where_a_number_does_not_fit(size: int, extra: int) -> None:
    for one in (entry(size=size, compressed=9), entry(SO, 9, size)):
        header, _ = headers(one, 0)
        assert struct.unpack_from("<H", header, 28)[0] == extra


@pytest.mark.parametrize(("count", "zip64"), [(65_534, False), (65_535, True)])
def test_many_members(tmp_path: Path, count: int, zip64: bool) -> None:  # noqa: FBT001
    data = wheel({f"d/{number}": b"" for number in range(count - 3)}, compress=False)
    path = rewritten(tmp_path, data)
    written = path.read_bytes()
    assert (written[-42:-38] == b"PK\6\7") == zip64
    assert problems(path.name, written) == []
    with Archive(str(path)) as archive:
        assert len(archive.entries) == count
    assert run(needs.tool("unzip", "unzip"), "-tq", str(path)) == ""


@pytest.mark.full
def test_member_beyond_four_gibibytes(tmp_path: Path) -> None:
    block, blocks, digest = bytes(1 << 20), (1 << 12) + 1, hashlib.sha256()
    source = tmp_path / wheel_name()
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("demo/large.bin", "w", force_zip64=True) as member:
            for _ in range(blocks):
                member.write(block)
                digest.update(block)
        text = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
        row = f"demo/large.bin,sha256={text},{blocks << 20}\n"
        for name, data in contents(built(edit_record=lambda old: row + old)).items():
            archive.writestr(name, data)
    path = rewritten(tmp_path, source.read_bytes())
    assert python_zipfile(path, tmp_path) == ""
    assert installer(path, tmp_path) == ""
    assert run(needs.tool("unzip", "unzip"), "-tq", str(path)) == ""


UNWRITABLE = {
    "name too long as UTF-8": samples.pack({**contents(built()), "x" * 40_000: b""}).replace(
        b"x" * 40_000, b"\x82" * 40_000
    ),
    "CRC of a member to be hashed": samples.both(built(edit_record=without_row), SO, crc=1),
    "no local header": built().replace(b"PK\3\4", b"PK\3\5", 1),
}


@pytest.mark.parametrize("case", UNWRITABLE)
def test_wheels_that_cannot_be_rewritten_are_invalid(tmp_path: Path, case: str) -> None:
    with pytest.raises(InvalidWheelError) as caught:
        rewritten(tmp_path, UNWRITABLE[case])
    assert str(tmp_path / wheel_name()) in str(caught.value)


def test_large_members_are_hashed_too(tmp_path: Path) -> None:
    """A row may be missing for a member that is larger than metadata may be."""
    data = built({"demo/large.bin": bytes((64 << 20) + 1)}, edit_record=lambda _: "")
    path = rewritten(tmp_path, data)
    assert installer(path, tmp_path) == ""
