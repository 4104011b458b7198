"""An sdist is read once, in bounded memory, and a damaged one is an error with a reason."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from typing import TYPE_CHECKING, Callable, Dict, List

import pytest

from gatecases_sdists import FILE, TOP, all_sdists
from gatecases_tarheaders import archives as tarheaders
from manyshim.errors import InvalidWheelError
from manyshim.formats import sdist

if TYPE_CHECKING:
    from pathlib import Path


def packed(write: Callable[[tarfile.TarFile], None], format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=format) as archive:
        write(archive)
    return gzip.compress(sink.getvalue())


def many(archive: tarfile.TarFile) -> None:
    for number in range(201_000):
        archive.addfile(tarfile.TarInfo(f"{TOP}/{number}"))


def huge_header(archive: tarfile.TarFile) -> None:
    member = tarfile.TarInfo(f"{TOP}/a")
    member.pax_headers = {"comment": "x" * (80 << 20)}
    archive.addfile(member)


def bomb() -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = tarfile.TarInfo(f"{TOP}/zeros")
    block.size = 200 << 20
    data = deflater.compress(block.tobuf())
    for _ in range(200):
        data += deflater.compress(bytes(1 << 20))
    return data + deflater.flush()


def long_names(archive: tarfile.TarFile) -> None:
    for number in range(1200):
        archive.addfile(tarfile.TarInfo(f"{TOP}/{number:04}{'/..' * 20_000}"))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: packed(many), "more than 200000 members"),
        (lambda: packed(huge_header), "a header has more than 1048576 bytes"),
        (lambda: packed(long_names, tarfile.GNU_FORMAT), "its names have more than"),
        (bomb, "it inflates to more than"),
        (lambda: b"", "not a whole .tar.gz archive"),
        (lambda: gzip.compress(b"x" * 5000), "not a whole .tar.gz archive"),
    ],
    ids=["many members", "huge header", "long names", "bomb", "empty", "no tar"],
)
def test_hostile_files_are_refused(make: Callable[[], bytes], reason: str, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(make())
    with pytest.raises(InvalidWheelError, match=reason):
        sdist.read(str(path))


ODD = {
    "climbs": ("a member that climbs", "an absolute member", "a part that goes back"),
    "special": ("a FIFO", "a device", "an unknown type"),
    "sparse": ("a sparse member",),
    "link": (
        *("a link that leaves the folder", "an absolute link"),
        *("a link out of the top-level folder", "a link out of the folder and back"),
        *("a hard link that leaves", "an absolute hard link"),
        "a hard link by another spelling",
    ),
    "target": ("a link with an empty target", "a link that goes back", "a link with a colon"),
    "no target": (
        *("a hard link to a later file", "a hard link to nothing", "a hard link to itself"),
        *("a hard link to a link", "a hard link to a folder", "a hard link without the folder"),
    ),
    "name": (
        *("a control character", "a DEL character", "a colon", "a backslash"),
        *("a space at the end", "a name that is not UTF-8", "a slash behind a file"),
    ),
    "long": ("a name of 256 bytes", "a link with a long target"),
    "folder": (
        *("a file that is a folder", "a folder that is a file", "a folder entry, then a file"),
        "a file below a link",
    ),
    "payload": ("a hard link with a size",),
    "unended": ("no end", "one block of zeros", "a block of zeros between members"),
    "parts": ("two gzip streams", "an empty gzip stream first"),
}
UNREADABLE = {
    *("a zip", "no gzip", "cut off", "an empty file", "no archive", "a wrong CRC"),
    *("a damaged header", "the gzip stream ends early"),
}


GOOD = {f"{TOP}/PKG-INFO": b"Name: foo\n", f"{TOP}/setup.py": b"\n"}
HEADERS = tarheaders(GOOD, TOP)


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_a_reader_refuses(name: str, tmp_path: Path) -> None:
    data, odd = HEADERS[name]
    path = tmp_path / FILE
    path.write_bytes(data)
    found = {what for what, _ in sdist.read(str(path)).odd}
    assert found == ({odd} if odd else set())


def test_facts_of_the_crafted_sdists(tmp_path: Path) -> None:
    odd: Dict[str, List[str]] = {}
    unreadable = set()
    for title, crafted in all_sdists().items():
        name = title[len("sdist: ") :]
        if name.startswith("header: "):
            continue
        path = tmp_path / crafted.filename
        path.write_bytes(crafted.data)
        if not crafted.filename.endswith(sdist.EXTENSION):
            continue
        try:
            facts = sdist.read(str(path))
        except InvalidWheelError:
            unreadable.add(name)
            continue
        for what, _ in facts.odd:
            odd.setdefault(what, []).append(name)
    assert {what: sorted(names) for what, names in odd.items()} == {
        what: sorted(names) for what, names in ODD.items()
    }
    assert unreadable == UNREADABLE
