"""The strict index checks archives: records, sizes, compression and names of members."""

from __future__ import annotations

import io
import zipfile

import pytest

import strict_index_samples as samples
from strict_index_cases import case, check
from strict_index_samples import CODE, DIST_INFO, GOOD


def test_a_pipe_gets_data_descriptors() -> None:
    with zipfile.ZipFile(io.BytesIO(samples.streamed())) as archive:
        assert all(info.flag_bits & 8 for info in archive.infolist())


@pytest.mark.parametrize(
    ("data", "gist"),
    [
        case("streamed", samples.streamed(), "accepted: ZIP contains a data descriptor"),
        case("bit 3 only", samples.local(samples.good(), flags=8), "a data descriptor"),
        case("left behind", samples.unstreamed(sizes=True), "Unknown record signature"),
        case("sizes 0", samples.unstreamed(sizes=False), "Mis-matched data size"),
        case("compressed", samples.local(samples.good(), compressed=5), "Mis-matched data size"),
        case("size", samples.local(samples.good(), size=5), "Mis-matched file size"),
        case("crc", samples.local(samples.good(), crc=5), "stale CRC"),
        case("method", samples.local(samples.good(), method=0), "stale compression method"),
        case("both crcs", samples.both(samples.good(), crc=5), "file. None"),
        case("crc of data", samples.both(samples.good(), "probe/data.txt", crc=5), "file. None"),
        case(
            "zip64 local",
            samples.needless_zip64(in_local=True, in_central=False),
            "Needless zip64",
        ),
        case(
            "zip64 central",
            samples.needless_zip64(in_local=False, in_central=True),
            "Needless zip64",
        ),
        case("zip64 needed", samples.needed_zip64()),
        case("zip64 end", samples.zip64_ended()),
        case("no locator", samples.zip64_ended(locator=False), "not accepted"),
        case("locator", samples.zip64_ended(shift=1), "not accepted"),
        case("zip64 data", samples.zip64_ended(surplus=b"1234"), "not accepted"),
        case("twice", samples.doubled(CODE, samples.members_for()[CODE]), "Duplicate filename"),
        case(
            "rewritten", samples.doubled(f"{DIST_INFO}/WHEEL", b""), "Duplicate filename in local"
        ),
        case("unlisted", samples.finished(samples.forget), "Filename not in central directory"),
        case("local name", samples.good().replace(b"probe/__init", b"probe/__INIT", 1), "None"),
        case("prefix", b"#!/bin/sh\n" + samples.good(), "Unknown record signature"),
        case("padding", samples.padded(), "Unknown record signature"),
        case("NULs", samples.good() + bytes(9), "Trailing data"),
        case("junk", samples.good() + b"junk", "Trailing data"),
        case("comment", samples.finished(lambda z: setattr(z, "comment", b"hello"))),
        case("entry comment", samples.stamped(lambda i: setattr(i, "comment", b"x")), "Comment in"),
        case("encrypted", samples.both(samples.good(), flags=1), "encrypted"),
        case("count", samples.end_patched(samples.good(), 8, "<HH", 2, 2), "directory records"),
        case("counts", samples.end_patched(samples.good(), 8, "<H", 2), "Malformed zip file"),
        case("folder", samples.finished(samples.add_folder)),
        case("order", samples.finished(lambda z: z.filelist.reverse())),
        case("central UT", samples.finished(samples.set_extra)),
        case("both UT", samples.stamped(lambda i: setattr(i, "extra", b"UT\x05\x00\x01abcd"))),
        case("extra", samples.stamped(lambda i: setattr(i, "extra", b"UT\x09\x00\x01")), "not acc"),
        case("no date", samples.both(samples.good(), date=0)),
        case("no attr", samples.stamped(lambda i: setattr(i, "external_attr", 0))),
        case("cut", samples.good()[:-4], "File is not a zipfile"),
    ],
)
def test_framing(data: bytes, gist: str) -> None:
    check(GOOD, data, gist)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused(method: int) -> None:
    data = samples.pack(samples.with_record(samples.members_for()), method=method)
    check(GOOD, data, "unsupported compression type")


@pytest.mark.parametrize(
    ("path", "flags", "gist"),
    [
        ("probe/\u00e4.txt", 0x800, ""),
        ("probe/\u00e4.txt", 0, "Filename not in central directory"),
        ("probe/a\x01b.txt", 0, "Invalid character in filename"),
        ("probe/plain.txt", 0x800, ""),
    ],
)
def test_member_names(path: str, flags: int, gist: str) -> None:
    data = samples.pack(samples.with_record({**samples.members_for(), path: b""}))
    check(GOOD, samples.both(data, path, flags=flags), gist)


def test_compression_bomb_is_refused() -> None:
    members = {**samples.members_for(), "probe/zeros": bytes(65 * 1024 * 1024)}
    check(GOOD, samples.pack(samples.with_record(members)), "compression ratio")
