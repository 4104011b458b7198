"""Headers, extra fields and end records: each odd one is found, its good twin has no oddity."""

from __future__ import annotations

import struct
import time
import zlib
from typing import TYPE_CHECKING

import pytest

from gatecases import defects, with_payload
from gatecases_headers import Case, cases
from manyshim.audit.gate.facts import Framing
from manyshim.errors import InvalidWheelError
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.directory import CENTRAL, EOCD, LOCAL
from manyshim.formats.zip.framing import oddities
from strict_index_samples import CODE, GOOD, members_for

if TYPE_CHECKING:
    from pathlib import Path

CASES = cases()
# What a rewrite keeps, because the member itself is wrong.
KEPT = {Framing.FOLDER_NAME, Framing.FOLDER_DATA, Framing.FOLDER_OVER_FILE}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_oddities(tmp_path: Path, case: Case) -> None:
    data, expected = case
    path = tmp_path / GOOD
    path.write_bytes(data)
    with Archive(str(path)) as archive:
        assert {one.what for one in oddities(archive)} == set(expected)


@pytest.mark.parametrize(
    "data",
    [*defects().values(), *(data for data, _ in CASES.values())],
    ids=[*defects(), *CASES],
)
def test_a_rewritten_wheel_has_no_oddity(tmp_path: Path, data: bytes) -> None:
    path, out = tmp_path / GOOD, tmp_path / "out"
    out.mkdir()
    path.write_bytes(data)
    try:
        with Wheel(str(path)) as wheel:
            wheel.facts(verify=True)
            kept = KEPT & {one.what for one in oddities(wheel.archive)}
            refused = bool(wheel.streams or wheel.record.wrong_crc)
            made = "" if refused else rewrite(wheel, str(out), Edits(("any",)))
    except InvalidWheelError:
        return
    if made:
        with Archive(made) as archive:
            assert {one.what for one in oddities(archive)} == kept


def test_many_empty_blocks_may_end_a_stream(tmp_path: Path) -> None:
    contents = members_for()[CODE]
    stream = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    payload = stream.compress(contents) + stream.flush(zlib.Z_SYNC_FLUSH)
    payload += b"\0\0\0\xff\xff" * 20000
    path = tmp_path / GOOD
    for end, expected in (
        (b"\3\0", []),
        (b"", [Framing.UNENDED_STREAM]),
        (b"\3\0rest", [Framing.STREAM_REST]),
        (b"\1\1\0\xfe\xffx", [Framing.LONGER_STREAM]),
    ):
        path.write_bytes(with_payload(payload + end, zlib.crc32(contents), len(contents)))
        with Wheel(str(path)) as wheel:
            wheel.facts(verify=True)
            assert [one.what for one in wheel.streams] == expected


def sharing(count: int) -> bytes:
    """Return an archive whose local headers all have the same bytes as their extra field."""
    directory, area = bytearray(), bytearray()
    fields = b"".join(struct.pack("<2H", number, 0) for number in range(16383))
    for number in range(count):
        offset, name = len(area), b"%06d" % number
        to_fields = (count - number - 1) * LOCAL.size
        area += LOCAL.pack(b"PK\3\4", 20, *[0] * 7, to_fields, len(fields))
        numbers = (20, 3, 20, *[0] * 8, len(name), *[0] * 5, offset)
        directory += CENTRAL.pack(b"PK\1\2", *numbers) + name
    area += fields
    end = EOCD.pack(b"PK\5\6", 0, 0, count, count, len(directory), len(area), 0)
    return bytes(area + directory) + end


def test_headers_that_share_an_extra_field_take_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "probe.whl"
    path.write_bytes(sharing(2000))
    with Archive(str(path)) as archive:
        begin = time.process_time()
        found = [one.what for one in oddities(archive)]
        assert time.process_time() - begin < 2
    assert found.count(Framing.OVERLAP) == 1000
