"""An sdist is read once, in bounded memory, and a damaged one is an error with a reason."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from typing import TYPE_CHECKING, Callable, Dict

import pytest

from gatecases_sdists import FILE, TOP, all_sdists
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


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: packed(many), "more than 200000 members"),
        (lambda: packed(huge_header), "inflates to more than 50 times"),
        (bomb, "inflates to more than 50 times"),
        (lambda: b"", "not a whole .tar.gz archive"),
        (lambda: gzip.compress(b"x" * 5000), "not a whole .tar.gz archive"),
    ],
    ids=["many members", "huge header", "bomb", "empty", "no tar"],
)
def test_hostile_files_are_refused(make: Callable[[], bytes], reason: str, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(make())
    with pytest.raises(InvalidWheelError, match=reason):
        sdist.read(str(path))


def test_facts_of_the_crafted_sdists(tmp_path: Path) -> None:
    odd: Dict[str, str] = {}
    for name, crafted in all_sdists().items():
        path = tmp_path / crafted.filename
        path.write_bytes(crafted.data)
        if not crafted.filename.endswith(sdist.EXTENSION):
            continue
        try:
            facts = sdist.read(str(path))
        except InvalidWheelError:
            continue
        if facts.odd:
            odd[name[len("sdist: ") :]] = facts.odd[0][0]
    assert odd == {
        "a member that climbs": "climbs",
        "an absolute member": "climbs",
        "a link that leaves the folder": "link",
        "an absolute link": "link",
        "a FIFO": "special",
        "a device": "special",
        "a sparse member": "sparse",
    }
