"""The strict index refuses what the public one and its clients refuse, and takes what they take."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import tarfile
import warnings
import zipfile
from typing import TYPE_CHECKING, Iterator, Tuple

import pytest

import strict_index_samples as samples
from strict_index import (
    StrictIndex,
    problems,
    serve,
    twine_upload,
    uv_install,
    uv_publish,
)
from strict_index_samples import CODE, DIST_INFO, GOOD

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.mark.structures import ParameterSet


def case(name: str, data: bytes, gist: str = "") -> ParameterSet:
    """Return a row of a table: a file and what has to be said about it, if anything."""
    return pytest.param(data, gist, id=name)


def check(filename: str, data: bytes, gist: str) -> None:
    """Require that the file is refused with the gist, or taken when there is none."""
    found = problems(filename, data)
    assert found == [] if not gist else any(gist in problem for problem in found), found


def test_good_wheel_has_no_problems() -> None:
    assert problems(GOOD, samples.good()) == []


def doubled(path: str, content: bytes) -> bytes:
    """Return a wheel to which an entry was appended that it already has."""

    def finish(archive: zipfile.ZipFile) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive.writestr(zipfile.ZipInfo(path), content)

    return samples.finished(finish)


def set_extra(archive: zipfile.ZipFile) -> None:
    """Give an entry of the central directory a timestamp that its local header lacks."""
    archive.getinfo(CODE).extra = b"UT\x05\x00\x01" + bytes(4)


def forget(archive: zipfile.ZipFile) -> None:
    """Leave the first member out of the central directory."""
    del archive.filelist[0]


def add_folder(archive: zipfile.ZipFile) -> None:
    """Add an entry for a directory."""
    archive.writestr(zipfile.ZipInfo("probe/"), b"")


def test_descriptors_are_what_the_pipe_gets() -> None:
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
        case("twice", doubled(CODE, samples.members_for()[CODE]), "Duplicate filename"),
        case("rewritten", doubled(f"{DIST_INFO}/WHEEL", b""), "Duplicate filename in local"),
        case("unlisted", samples.finished(forget), "Filename not in central directory"),
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
        case("folder", samples.finished(add_folder)),
        case("order", samples.finished(lambda z: z.filelist.reverse())),
        case("central UT", samples.finished(set_extra)),
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


def test_file_of_more_than_100_mebibytes_is_refused() -> None:
    check(GOOD, bytes(100 * 1024 * 1024 + 1), "File too large. Limit for project 'probe'")


GOOD_PLATFORMS = """
any win32 win_amd64 win_arm64 win_ia64 linux_armv6l linux_armv7l
manylinux1_x86_64 manylinux1_i686 manylinux2010_x86_64 manylinux2014_ppc64 manylinux2014_s390x
manylinux_2_17_riscv64 manylinux_2_5_aarch64 manylinux_9_99_x86_64 manylinux_2_28_ppc64
manylinux1_x86_64.manylinux_2_5_x86_64 MANYLINUX_2_17_X86_64 musllinux_1_2_riscv64
musllinux_1_1_armv7l macosx_10_9_universal2 macosx_11_0_arm64 macosx_15_0_x86_64 macosx_26_0_arm64
ios_13_0_arm64_iphoneos ios_13_0_x86_64_iphonesimulator ios_13_0_arm64_iphoneosjunk
android_21_arm64_v8a pyemscripten_2026_0_wasm32 pyemscripten_2026_0_wasm32junk
"""
BAD_PLATFORMS = """
linux_x86_64 linux_aarch64 linux_i686 manylinux1_aarch64 manylinux2010_ppc64 manylinux2014_riscv64
manylinux_2_17_armv6l manylinux_2_36_loongarch64 manylinux_2_17_x86_64junk musllinux_1_2_ppc64
musllinux_1_1_mips64 macosx_11_1_arm64 macosx_16_0_arm64 macosx_27_0_arm64 macosx_10_9_armv7
android_21_riscv64 pyodide_2024_0_wasm32 emscripten_3_1_wasm32 wasi_0_wasm32
freebsd_14_x86_64 cygwin_3_x86_64 win_armv7
"""


@pytest.mark.parametrize("platform", GOOD_PLATFORMS.split())
def test_platform_is_taken(platform: str) -> None:
    filename = f"probe-1.0-py3-none-{platform}.whl"
    assert problems(filename, samples.good(filename)) == []


@pytest.mark.parametrize("platform", BAD_PLATFORMS.split())
def test_platform_is_refused(platform: str) -> None:
    filename = f"probe-1.0-py3-none-{platform}.whl"
    message = f"Binary wheel '{filename}' has an unsupported platform tag '{platform}'."
    assert problems(filename, samples.good(filename)) == [message]


def test_one_bad_platform_spoils_the_set() -> None:
    filename = "probe-1.0-py3-none-linux_x86_64.manylinux_2_17_x86_64.whl"
    message = f"Binary wheel '{filename}' has an unsupported platform tag 'linux_x86_64'."
    assert problems(filename, samples.good(filename)) == [message]


@pytest.mark.parametrize(
    ("filename", "gist"),
    [
        ("probe-1.0-1a-py3-none-any.whl", ""),
        ("probe-1.0-a1-py3-none-any.whl", "Invalid build number: a1"),
        ("probe-1.0-py3-any.whl", "wrong number of parts"),
        ("probe-1.0-1-2-py3-none-any.whl", "wrong number of parts"),
        ("probe-one-py3-none-any.whl", "invalid version"),
        ("pr__obe-1.0-py3-none-any.whl", "invalid project name"),
        ("Probe-1.0-py3-none-any.whl", "should contain the normalized project name 'probe'"),
        ("prober-1.0-py3-none-any.whl", "Start filename for 'probe'"),
        ("probe-1.1-py3-none-any.whl", "Version in filename should be '1.0' not '1.1'"),
        ("dir/probe-1.0-py3-none-any.whl", "with '/' or"),
        ("probe\n-1.0-py3-none-any.whl", "control characters"),
        ("probe-1.0-py3-none-any.zip", "Invalid file extension"),
    ],
)
def test_names(filename: str, gist: str) -> None:
    dist_info = "-".join(filename.split("-")[:2]) + ".dist-info"
    plain = samples.members_for("probe-1.0-py3-none-any.whl")
    moved = {path.replace(DIST_INFO, dist_info): content for path, content in plain.items()}
    check(filename, samples.pack(samples.with_record(moved, dist_info)), gist)


def test_dist_info_is_looked_for_under_the_file_name() -> None:
    other = GOOD.replace("1.0", "1.1")
    check(other, samples.good(), f"WHEEL not found at probe-1.1.dist-info/WHEEL in {other}")


@pytest.mark.parametrize(
    ("data", "gist"),
    [
        case(
            "not UTF-8",
            samples.pack({**samples.members_for(), f"{DIST_INFO}/RECORD": b"\xff"}),
            "cannot be decoded",
        ),
        case("missing", samples.pack(samples.members_for()), "RECORD not found"),
        case("blank line", samples.record_with(lambda rows: [*rows, "\n"]), "three fields"),
        case("row missing", samples.record_with(lambda rows: rows[1:]), f"not list '{CODE}'"),
        case("itself missing", samples.record_with(lambda rows: rows[:-1]), "RECORD'"),
        case("surplus", samples.record_with(lambda rows: [*rows, "gone.py,,\n"]), "gone.py"),
        case("folder", samples.record_with(lambda rows: [*rows, "probe/,,\n"]), "'probe/'"),
        case("twice", samples.record_with(lambda rows: [rows[0], *rows]), "twice"),
        case(
            "hash",
            samples.record_with(lambda rows: [samples.record_line(CODE, b"x" * 99), *rows[1:]]),
            "hash of 'probe/__init__.py'",
        ),
        case(
            "size",
            samples.record_with(lambda rows: [rows[0].replace(",99", ",98"), *rows[1:]]),
            "size of 'probe/__init__.py'",
        ),
        case("no hash", samples.record_with(lambda rows: [f"{CODE},,\n", *rows[1:]]), "or weak"),
        case(
            "own hash",
            samples.record_with(lambda rows: [*rows[:-1], f"{DIST_INFO}/RECORD,,9\n"]),
            "for itself",
        ),
        case("CRLF", samples.record_with(lambda rows: [r.replace("\n", "\r\n") for r in rows])),
        case(
            "signed",
            samples.pack(
                {**samples.with_record(samples.members_for()), f"{DIST_INFO}/RECORD.jws": b"{}"}
            ),
        ),
        case("signature listed", samples.replaced(**{"RECORD.jws": b"{}"}), "RECORD.jws"),
    ],
)
def test_record(data: bytes, gist: str) -> None:
    check(GOOD, data, gist)


TAG = "Tag: py3-none-manylinux_2_17_x86_64\n"


def wheel_file(text: str) -> bytes:
    """Return a wheel with another WHEEL file."""
    return samples.replaced(WHEEL=text.encode("utf-8"))


@pytest.mark.parametrize(
    ("data", "gist"),
    [
        case(
            "stale", wheel_file("Wheel-Version: 1.0\nTag: py3-none-linux_x86_64\n"), "has the tag"
        ),
        case("more", wheel_file(f"Wheel-Version: 1.0\n{TAG}Tag: py3-none-any\n"), "has the tags"),
        case("none", wheel_file("Wheel-Version: 1.0\n"), "WHEEL has the tags"),
        case(
            "packed",
            wheel_file("Wheel-Version: 1.0\n" + TAG.replace("py3", "py2.py3")),
            "not expanded",
        ),
        case("future", wheel_file(f"Wheel-Version: 2.0\n{TAG}"), "unsupported Wheel-Version 2.0"),
        case("unversioned", wheel_file(TAG), "unsupported Wheel-Version None"),
        case("minor", wheel_file(f"Wheel-Version: 1.9\n{TAG}")),
        case("WHEEL", samples.replaced(WHEEL=None), f"WHEEL not found at {DIST_INFO}/WHEEL"),
        case("METADATA", samples.replaced(METADATA=None), "METADATA not found"),
        case("licence", samples.replaced(**{"licenses/LICENSE": None}), "License-File LICENSE"),
        case("no scripts", samples.replaced(**{"entry_points.txt": None})),
        case("colon", samples.replaced(**{"entry_points.txt": b"[x]\na: b\n"}), "cannot be read"),
        case(
            "script",
            samples.replaced(**{"entry_points.txt": b"[gui_scripts]\na/b = c:d\n"}),
            "invalid name in gui_scripts: 'a/b'",
        ),
        case("plugin", samples.replaced(**{"entry_points.txt": b"[plugins]\na/b = c:d\n"})),
        case(
            "two",
            samples.pack(
                samples.with_record({**samples.members_for(), "b-1.dist-info/WHEEL": b""})
            ),
            "Multiple .dist-info",
        ),
    ],
)
def test_metadata_files(data: bytes, gist: str) -> None:
    check(GOOD, data, gist)


def test_older_metadata_may_name_license_files_that_lie_elsewhere() -> None:
    metadata = b"Metadata-Version: 2.1\nName: probe\nVersion: 1.0\nLicense-File: LICENSE\n"
    members = {"METADATA": metadata, "licenses/LICENSE": None}
    assert problems(GOOD, samples.replaced(**members)) == []


def make_sparse(info: tarfile.TarInfo) -> None:
    """Turn an entry into the old GNU format's sparse file."""
    info.type = tarfile.GNUTYPE_SPARSE


@pytest.mark.parametrize(
    ("filename", "data", "gist"),
    [
        ("foo_bar-1.0.tar.gz", samples.sdist(samples.sdist_members()), ""),
        ("foo_bar-1.0.tar.gz", samples.sdist(samples.sdist_members("Foo.Bar")), ""),
        ("foo-bar-1.0.tar.gz", samples.sdist(samples.sdist_members()), "be 'foo_bar-1.0.tar.gz'"),
        ("Foo_Bar-1.0.tar.gz", samples.sdist(samples.sdist_members()), "is invalid, should be"),
        ("foo_bar-1.0.0.tar.gz", samples.sdist(samples.sdist_members()), "is invalid, should be"),
        ("foo_bar-1.0.zip", samples.pack(samples.sdist_members()), "Invalid file extension"),
        ("foo_bar-1.0.tar.gz", samples.pack(samples.sdist_members()), "also a zipfile"),
        ("foo_bar-1.0.tar.gz", b"text", "not a tar.gz archive"),
        ("foo_bar-1.0.tar.gz", samples.sdist({"top/a": b""}), "PKG-INFO not found"),
        (
            "foo_bar-1.0.tar.gz",
            samples.sdist({**samples.sdist_members(), "more/a": b""}),
            "one top-level directory",
        ),
        (
            "foo_bar-1.0.tar.gz",
            samples.sdist({"top/PKG-INFO": samples.sdist_members()["top/PKG-INFO"]}),
            "License-File MIT does not exist",
        ),
        ("foo_bar-1.0.tar.gz", samples.sdist(samples.sdist_members(), make_sparse), "sparse"),
        (
            "foo_bar-one.tar.gz",
            samples.sdist(samples.sdist_members(version="one")),
            "Invalid version",
        ),
    ],
)
def test_sdists(filename: str, data: bytes, gist: str) -> None:
    check(filename, data, gist)


@pytest.fixture(name="index")
def running_index(tmp_path: Path) -> Iterator[StrictIndex]:
    """Run an index in a fresh folder."""
    with serve(tmp_path / "index") as index:
        yield index


def on_disk(folder: Path, filename: str) -> Tuple[Path, str]:
    """Write a wheel into a folder, and return it with the refusal of its platform."""
    path = folder / filename
    path.write_bytes(samples.good(filename))
    tag = path.stem.split("-")[-1]
    return path, f"Binary wheel '{filename}' has an unsupported platform tag '{tag}'."


def said(result: subprocess.CompletedProcess[str]) -> str:
    """Return everything that a client wrote."""
    return result.stdout + result.stderr


def test_uv_sees_the_refusal_and_the_acceptance(index: StrictIndex, tmp_path: Path) -> None:
    linux, refusal = on_disk(tmp_path, GOOD.replace("manylinux_2_17", "linux"))
    result = uv_publish(index, linux)
    assert result.returncode == 2, said(result)
    assert f"Server says: 400 {refusal}" in said(result)
    assert list(index.root.iterdir()) == []
    fixed, _ = on_disk(tmp_path, GOOD)
    result = uv_publish(index, fixed)
    assert result.returncode == 0, said(result)
    assert (index.root / GOOD).read_bytes() == fixed.read_bytes()


def test_twine_sees_the_refusal_and_the_acceptance(index: StrictIndex, tmp_path: Path) -> None:
    linux, refusal = on_disk(tmp_path, GOOD.replace("manylinux_2_17", "linux"))
    result = twine_upload(index, linux)
    assert result.returncode == 1, said(result)
    assert "HTTPError: 400" in said(result)
    assert refusal in said(result)
    assert list(index.root.iterdir()) == []
    fixed, _ = on_disk(tmp_path, GOOD)
    result = twine_upload(index, fixed)
    assert result.returncode == 0, said(result)
    assert (index.root / GOOD).read_bytes() == fixed.read_bytes()


def test_same_bytes_are_welcome_twice_and_others_are_not(
    index: StrictIndex, tmp_path: Path
) -> None:
    wheel, _ = on_disk(tmp_path, GOOD)
    assert twine_upload(index, wheel).returncode == 0
    assert twine_upload(index, wheel).returncode == 0
    wheel.write_bytes(samples.pack(samples.with_record(samples.members_for()), method=0))
    result = twine_upload(index, wheel)
    assert result.returncode == 1, said(result)
    assert "File already exists (" in said(result)


def test_uv_installs_over_http(index: StrictIndex, tmp_path: Path) -> None:
    wheel, _ = on_disk(tmp_path, GOOD)
    assert twine_upload(index, wheel).returncode == 0
    target = tmp_path / "target"
    result = uv_install(index, target, "--python-platform", "x86_64-manylinux_2_17", "probe==1.0")
    assert result.returncode == 0, said(result)
    code = f"import sys; sys.path.insert(0, {str(target)!r}); import probe; print(probe.VALUE)"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert output.stdout == "42\n"


def test_server_ends_with_its_context(tmp_path: Path) -> None:
    with serve(tmp_path) as index:
        port = int(index.upload_url.rstrip("/").rsplit(":", maxsplit=1)[1])
        socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
