"""Archives are read as zipfile reads them, and what installers do not read is refused."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Callable, Dict, List, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import strict_index_samples as samples
from manyshim.errors import InvalidWheelError
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.window import MemberError
from strict_index_samples import CODE, DIST_INFO, both, end_patched, patched

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.mark.structures import ParameterSet

GOOD = samples.good()
MEMBERS = samples.with_record(samples.members_for())
STORED = samples.pack(MEMBERS, method=zipfile.ZIP_STORED)
RECORD = f"{DIST_INFO}/RECORD"
LAST_64 = (1 << 64) - 1


def saved(folder: Path, data: bytes) -> str:
    path = folder / "probe.whl"
    path.write_bytes(data)
    return str(path)


def with_member(name: str, data: bytes = b"", external: int = 0, flags: int = 0) -> bytes:
    """Return the good archive with one more member, whose name zipfile may have to encode."""

    def add(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.flag_bits, info.create_system = external, flags, 3
        archive.writestr(info, data)

    return samples.finished(add)


def with_raw_name(name: bytes, flags: int) -> bytes:
    """Return an archive whose code member has a name of the same length as `name`, in bytes."""
    stand_in = "x" * len(name)
    data = samples.pack({stand_in: b"content"}).replace(stand_in.encode(), name)
    for offset in (6, data.rindex(b"PK\1\2") + 8):
        data = patched(data, offset, "<H", flags)
    return data


def commented(archive: zipfile.ZipFile) -> None:
    archive.comment = b"a comment of the archive"


def entry_commented(info: zipfile.ZipInfo) -> None:
    info.comment = b"a comment of the entry"


def stamped_times(info: zipfile.ZipInfo) -> None:
    info.extra = b"UT\x05\x00\x01" + bytes(4)


def central_zip64(*numbers: int, offset: int = 0) -> bytes:
    """Return the good archive with the code's sizes, or its offset, in a central zip64 field."""
    at = samples.central_offset(GOOD)
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
    data = patched(GOOD, at + 30, "<H", len(extra))
    if offset:
        data = patched(data, at + 42, "<L", offset)
    else:
        data = patched(data, at + 20, "<2L", 0xFFFFFFFF, 0xFFFFFFFF)
    data = data[: at + 46 + len(CODE)] + extra + data[at + 46 + len(CODE) :]
    length = struct.unpack_from("<L", data, data.rindex(b"PK\5\6") + 12)[0]
    return end_patched(data, 12, "<L", length + len(extra))


def sizes() -> Dict[str, int]:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        info = archive.getinfo(CODE)
        return {"size": info.file_size, "compressed": info.compress_size}


READABLE: Dict[str, Callable[[], bytes]] = {
    "good": lambda: GOOD,
    "stored": lambda: STORED,
    "data descriptors": samples.streamed,
    "prefix": lambda: b"#!/bin/sh\n" * 100 + GOOD,
    "archive comment": lambda: samples.finished(commented),
    "prefix and archive comment": lambda: b"MZ" * 50 + samples.finished(commented),
    "entry comments": lambda: samples.stamped(entry_commented),
    "extra fields": lambda: samples.stamped(stamped_times),
    "zip64 end": samples.zip64_ended,
    "prefix and zip64 end": lambda: b"MZ" * 50 + samples.zip64_ended(),
    "zip64 sizes in the local header": samples.needed_zip64,
    "zip64 sizes in the directory": lambda: central_zip64(sizes()["size"], sizes()["compressed"]),
    "needless zip64": lambda: samples.needless_zip64(in_local=True, in_central=True),
    "padding": samples.padded,
    "trailing zeros": lambda: GOOD + bytes(9),
    "empty member": lambda: with_member("probe/py.typed"),
    "folder": lambda: with_member("probe/sub/", external=(stat.S_IFDIR | 0o755) << 16 | 0x10),
    "symbolic link": lambda: with_member("probe/l.so", b"x.so", (stat.S_IFLNK | 0o777) << 16),
    "program": lambda: with_member("probe/run", b"#!", (stat.S_IFREG | 0o755) << 16),
    "non-ASCII name": lambda: with_member("probe/żółw-ø.txt", b"turtle"),
    "cp437 name": lambda: with_raw_name(b"caf\x82\xe1.txt", 0),
    "longest name": lambda: with_member("n" * 0xFFFF),
    "no members": lambda: samples.pack({}),
}


@pytest.mark.parametrize("case", READABLE)
def test_agrees_with_zipfile(tmp_path: Path, case: str) -> None:
    data = READABLE[case]()
    with Archive(saved(tmp_path, data)) as archive, zipfile.ZipFile(io.BytesIO(data)) as expected:
        infos = expected.infolist()
        assert [entry.name for entry in archive.entries] == [info.filename for info in infos]
        for entry, info in zip(archive.entries, infos):
            assert (entry.crc, entry.compressed, entry.size, entry.method, entry.offset) == (
                *(info.CRC, info.compress_size, info.file_size, info.compress_type),
                info.header_offset,
            )
            day, clock = entry.form.date, entry.form.time
            moment = (day >> 9) + 1980, day >> 5 & 15, day & 31, clock >> 11, clock >> 5 & 63
            assert (*moment, (clock & 31) * 2) == info.date_time
            assert (entry.form.external, entry.form.internal) == (
                info.external_attr,
                info.internal_attr,
            )
            assert entry.form.made_by == (info.create_version, info.create_system)
            assert entry.folder == info.is_dir()
            assert entry.symlink == (info.filename == "probe/l.so")
            assert archive.read(entry) == expected.read(info)


def test_names_that_are_no_utf8_keep_their_bytes(tmp_path: Path) -> None:
    with Archive(saved(tmp_path, with_raw_name(b"caf\xff.txt", 0x800))) as archive:
        (entry,) = archive.entries
    assert entry.name.encode("utf-8", "surrogateescape") == b"caf\xff.txt"


def test_names_are_not_cut_at_nul(tmp_path: Path) -> None:
    with Archive(saved(tmp_path, with_raw_name(b"x.so\0.txt", 0))) as archive:
        assert [entry.name for entry in archive.entries] == ["x.so\0.txt"]


def overlapping() -> bytes:
    """Return the good archive with two entries that share their bytes."""
    return patched(GOOD, samples.central_offset(GOOD, "probe/data.txt") + 42, "<L", 1)


def overlapping_bomb() -> bytes:
    """Return it with 4 GiB in one member: the overlap is what tells how it was made."""
    data = overlapping()
    return patched(data, samples.central_offset(data, CODE) + 24, "<L", 0xFFFFFFFE)


def longer_name() -> bytes:
    """Return the good archive with a last entry whose name has 64 KiB by its record."""
    return patched(GOOD, samples.central_offset(GOOD, RECORD) + 28, "<H", 0xFFFF)


def cut_directory(start: int, count: int) -> bytes:
    at = GOOD.index(b"PK\1\2") + start
    return GOOD[:at] + GOOD[at + count :]


def directory_length() -> int:
    length: int = struct.unpack_from("<L", GOOD, GOOD.rindex(b"PK\5\6") + 12)[0]
    return length


def refused(name: str, data: bytes, gist: str) -> ParameterSet:
    return pytest.param(data, gist, id=name)


@pytest.mark.parametrize(
    ("data", "gist"),
    [
        refused("empty", b"", "not a zip file"),
        refused("text", b"This is no archive.\n" * 9, "not a zip file"),
        refused("signature only", b"PK\5\6", "not a zip file"),
        refused("cut end record", b"PK\5\6" + bytes(8), "not a zip file"),
        refused("cut end record behind text", b"text PK\5\6" + bytes(8), "not a zip file"),
        refused("encrypted", both(GOOD, flags=1), f"'{CODE}' is encrypted"),
        refused("bzip2", samples.pack(MEMBERS, method=zipfile.ZIP_BZIP2), "method 12"),
        refused("lzma", samples.pack(MEMBERS, method=zipfile.ZIP_LZMA), "method 14"),
        refused("deflate64", both(GOOD, method=9), "method 9"),
        refused("overlap", overlapping(), f"'{CODE}' and 'probe/data.txt' overlap"),
        refused("overlapping bomb", overlapping_bomb(), f"'{CODE}' and 'probe/data.txt' overlap"),
        refused("two sizes", both(STORED, size=7), "states two different sizes"),
        refused("too many", end_patched(GOOD, 8, "<2H", 99, 99), "7 entries, but 99 are stated"),
        refused("too few", end_patched(GOOD, 8, "<2H", 3, 3), "more entries, but 3 are stated"),
        refused("counts differ", end_patched(GOOD, 8, "<2H", 6, 7), "multi-part"),
        refused("disk", end_patched(GOOD, 4, "<H", 1), "multi-part"),
        refused("first disk", end_patched(GOOD, 6, "<H", 1), "multi-part"),
        refused("long name", longer_name(), "directory is damaged"),
        refused("entry cut", cut_directory(0, 46), "not where stated"),
        refused("bytes cut", cut_directory(60, 3), "not where stated"),
        refused("entry overwritten", GOOD.replace(b"PK\1\2", b"PK\1\3"), "directory is damaged"),
        refused("wild offset", end_patched(GOOD, 16, "<L", 0x7FFFFFFF), "not where stated"),
        refused("wild length", end_patched(GOOD, 12, "<L", 0x7FFFFFFF), "not where stated"),
        refused("no length", end_patched(GOOD, 12, "<L", 0), "0 entries, but 7 are stated"),
        refused("short", end_patched(GOOD, 12, "<L", directory_length() - 60), "damaged"),
        refused("zip64 bytes", samples.zip64_ended(surplus=b"surplus"), "zip64 end record"),
        refused("zip64 end cut", samples.zip64_ended()[-22 - 20 :], "zip64 end record"),
    ],
)
def test_refusals(tmp_path: Path, data: bytes, gist: str) -> None:
    path = saved(tmp_path, data)
    with pytest.raises(InvalidWheelError) as caught:
        Archive(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert gist in str(caught.value)


@pytest.mark.parametrize("data", [GOOD, STORED, samples.zip64_ended()])
def test_truncated_archives_are_refused(tmp_path: Path, data: bytes) -> None:
    for end in range(0, len(data), 5):
        with pytest.raises(InvalidWheelError):
            Archive(saved(tmp_path, data[:end]))


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.whl"):
        with pytest.raises(InvalidWheelError, match="cannot be opened"):
            Archive(str(path))


def far(offset: int) -> bytes:
    return central_zip64(offset, offset=0xFFFFFFFF)


@pytest.mark.parametrize(
    ("data", "gist"),
    [
        refused("no local header", GOOD.replace(b"PK\3\4", b"PK\3\5"), "local header"),
        refused("CRC", both(GOOD, crc=1), "CRC"),
        refused("too long", both(GOOD, size=sizes()["size"] + 1), "inflates to"),
        refused("too short", both(GOOD, size=sizes()["size"] - 1), "CRC"),
        refused("beyond the file", far(1 << 40), "local header"),
        refused("beyond every file", far(1 << 62), "local header"),
        refused("beyond signed numbers", far(LAST_64), "local header"),
    ],
)
def test_members_that_cannot_be_read(tmp_path: Path, data: bytes, gist: str) -> None:
    with Archive(saved(tmp_path, data)) as archive:
        entry = next(entry for entry in archive.entries if entry.name == CODE)
        with pytest.raises(InvalidWheelError, match=gist) as caught:
            archive.read(entry)
    assert CODE in str(caught.value)


def test_member_beyond_the_end_of_the_file(tmp_path: Path) -> None:
    at = samples.central_offset(GOOD, RECORD)
    with Archive(saved(tmp_path, patched(GOOD, at + 20, "<L", 1 << 20))) as archive:
        with pytest.raises(MemberError, match="archive ends before"):
            archive.window(archive.entries[-1])
        archive.read(archive.entries[0])


def test_metadata_members_have_a_limit(tmp_path: Path) -> None:
    data = samples.pack({"RECORD": bytes((64 << 20) + 1)})
    with Archive(saved(tmp_path, data)) as archive:
        with pytest.raises(InvalidWheelError, match="RECORD has 67108865 bytes, more than "):
            archive.read(archive.entries[0])
        assert archive.window(archive.entries[0]).read(64 << 20, 1) == b"\0"


@settings(
    max_examples=400,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from([GOOD, STORED, samples.zip64_ended(), samples.streamed(), far(LAST_64 >> 8)]),
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)), max_size=4
    ),
)
def test_no_other_error_is_raised(
    tmp_path: Path, data: bytes, edits: List[Tuple[float, bytes]]
) -> None:
    for where, blob in edits:
        # Nearly all structure is in the last kilobyte.
        at = max(len(data) - 1024, 0) + int(where * min(len(data), 1024))
        data = data[:at] + blob + data[at + len(blob) :]
    path = saved(tmp_path, data)
    with suppress(InvalidWheelError), Archive(path) as archive:
        for entry in archive.entries:
            with suppress(MemberError):
                window = archive.window(entry)
                assert len(window.read(0, min(window.size, 4))) <= 4
