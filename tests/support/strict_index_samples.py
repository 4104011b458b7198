"""Make valid and damaged wheels and source distributions in memory."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import tarfile
import warnings
import zipfile
from typing import Callable, Dict, List, Mapping, Optional

DIST_INFO = "probe-1.0.dist-info"
GOOD = "probe-1.0-py3-none-manylinux_2_17_x86_64.whl"
CODE = "probe/__init__.py"
# An extra field that every reader skips.
TIMESTAMP = b"UT\x05\x00\x01" + bytes(4)

# Offsets in a local header. In the central directory they are two bytes larger.
FIELDS = {
    "flags": (6, "<H"),
    "method": (8, "<H"),
    "date": (12, "<H"),
    "crc": (14, "<L"),
    "compressed": (18, "<L"),
    "size": (22, "<L"),
}

Members = Dict[str, bytes]


def record_line(path: str, content: bytes) -> str:
    """Return the line of RECORD for a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"{path},sha256={digest.decode('ascii')},{len(content)}\n"


def with_record(members: Mapping[str, bytes], dist_info: str = DIST_INFO) -> Members:
    """Add a RECORD that describes the other members."""
    lines = [record_line(path, content) for path, content in members.items()]
    record = f"{dist_info}/RECORD"
    return {**members, record: "".join([*lines, f"{record},,\n"]).encode("utf-8")}


def members_for(filename: str = GOOD) -> Members:
    """Return the files of a good wheel, without RECORD."""
    python, abi, platforms = filename[: -len(".whl")].split("-")[-3:]
    tags = [f"Tag: {python}-{abi}-{platform}\n" for platform in platforms.split(".")]
    wheel = "Wheel-Version: 1.0\nGenerator: probe\nRoot-Is-Purelib: false\n" + "".join(tags)
    metadata = (
        "Metadata-Version: 2.4\nName: probe\nVersion: 1.0\nSummary: A probe\n"
        "License-File: LICENSE\nDescription-Content-Type: text/plain\n\nA probe.\n"
    )
    return {
        CODE: b"VALUE = 42\n" * 9,
        "probe/data.txt": b"some data\n" * 9,
        f"{DIST_INFO}/METADATA": metadata.encode("utf-8"),
        f"{DIST_INFO}/licenses/LICENSE": b"Do as you like.\n",
        f"{DIST_INFO}/entry_points.txt": b"[console_scripts]\nprobe-it = probe:main\n",
        f"{DIST_INFO}/WHEEL": wheel.encode("utf-8"),
    }


def pack(
    members: Mapping[str, bytes],
    *,
    method: int = zipfile.ZIP_DEFLATED,
    sink: Optional[io.BytesIO] = None,
    stamp: Optional[Callable[[zipfile.ZipInfo], None]] = None,
    finish: Optional[Callable[[zipfile.ZipFile], None]] = None,
) -> bytes:
    """Return an archive; hooks may change each entry, and the archive before it is closed."""
    sink = io.BytesIO() if sink is None else sink
    with zipfile.ZipFile(sink, "w") as archive:
        for path, content in members.items():
            info = zipfile.ZipInfo(path)
            info.compress_type = method
            if stamp is not None:
                stamp(info)
            archive.writestr(info, content)
        if finish is not None:
            finish(archive)
    return sink.getvalue()


def good(filename: str = GOOD) -> bytes:
    """Return a wheel without faults."""
    return pack(with_record(members_for(filename)))


def patched(data: bytes, offset: int, layout: str, *values: int) -> bytes:
    """Return an archive with numbers overwritten."""
    blob = struct.pack(layout, *values)
    return data[:offset] + blob + data[offset + len(blob) :]


def local_offset(data: bytes, member: str = CODE) -> int:
    """Return where a member's local header starts."""
    return data.index(member.encode("utf-8")) - 30


def central_offset(data: bytes, member: str = CODE) -> int:
    """Return where a member's entry in the central directory starts."""
    return data.rindex(member.encode("utf-8")) - 46


def local(data: bytes, member: str = CODE, **fields: int) -> bytes:
    """Overwrite fields of a local header."""
    for name, value in fields.items():
        offset, layout = FIELDS[name]
        data = patched(data, local_offset(data, member) + offset, layout, value)
    return data


def both(data: bytes, member: str = CODE, **fields: int) -> bytes:
    """Overwrite fields of a local header and of its entry in the central directory."""
    for name, value in fields.items():
        offset, layout = FIELDS[name]
        data = patched(data, central_offset(data, member) + 2 + offset, layout, value)
    return local(data, member, **fields)


def end_patched(data: bytes, offset: int, layout: str, *values: int) -> bytes:
    """Overwrite numbers of the end record."""
    return patched(data, data.rindex(b"PK\x05\x06") + offset, layout, *values)


class Pipe(io.BytesIO):
    """An output that cannot seek, so that zipfile writes data descriptors."""

    def tell(self) -> int:
        """Raise, because the position is unknown."""
        raise OSError("not seekable")

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Raise, because the stream cannot seek."""
        raise OSError(f"not seekable: {offset} {whence}")


def streamed() -> bytes:
    """Return a wheel as it is written to a pipe."""
    return pack(with_record(members_for()), sink=Pipe())


def unstreamed(*, sizes: bool) -> bytes:
    """Return a streamed wheel without its descriptor flag; optionally fill in the sizes."""
    data = streamed()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            data = both(data, info.filename, flags=0)
            if sizes:
                numbers = {"compressed": info.compress_size, "size": info.file_size}
                data = local(data, info.filename, crc=info.CRC, **numbers)
    return data


def finished(finish: Callable[[zipfile.ZipFile], None]) -> bytes:
    """Return a wheel whose archive object was manipulated before it was closed."""
    return pack(with_record(members_for()), finish=finish)


def stamped(stamp: Callable[[zipfile.ZipInfo], None]) -> bytes:
    """Return a wheel whose entries were manipulated before they were written."""
    return pack(with_record(members_for()), stamp=stamp)


def needless_zip64(*, in_local: bool, in_central: bool) -> bytes:
    """Return a wheel with a zip64 extra field where no field asks for it."""
    size = len(members_for()[CODE])
    extra = struct.pack("<HHQQ", 1, 16, size, size)

    def stamp(info: zipfile.ZipInfo) -> None:
        if info.filename == CODE and in_local:
            info.extra = extra

    def finish(archive: zipfile.ZipFile) -> None:
        archive.getinfo(CODE).extra = extra if in_central else b""

    members = with_record(members_for())
    return pack(members, method=zipfile.ZIP_STORED, stamp=stamp, finish=finish)


def needed_zip64() -> bytes:
    """Return a wheel with a zip64 extra field that full 32-bit fields ask for."""
    data = needless_zip64(in_local=True, in_central=False)
    return local(data, compressed=0xFFFFFFFF, size=0xFFFFFFFF)


def zip64_ended(*, locator: bool = True, shift: int = 0, surplus: bytes = b"") -> bytes:
    """Return a wheel with a zip64 end record."""
    data = good()
    end = data.rindex(b"PK\x05\x06")
    records, size, offset = struct.unpack_from("<HLL", data, end + 10)
    numbers = (44 + len(surplus), 45, 45, 0, 0, records, records, size, offset)
    blob = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", *numbers) + surplus
    if locator:
        blob += b"PK\x06\x07" + struct.pack("<LQL", 0, end + shift, 1)
    return data[:end] + blob + data[end:]


def padded() -> bytes:
    """Return a wheel with padding before its last member, as zipalign writes it."""
    members = with_record(members_for())
    record = f"{DIST_INFO}/RECORD"

    def finish(archive: zipfile.ZipFile) -> None:
        assert archive.fp is not None
        archive.fp.seek(archive.start_dir)
        archive.fp.write(bytes(4))
        archive.start_dir += 4
        archive.writestr(record, members[record])

    return pack({path: members[path] for path in members if path != record}, finish=finish)


def sdist(
    members: Mapping[str, bytes],
    alter: Optional[Callable[[tarfile.TarInfo], None]] = None,
) -> bytes:
    """Return a tar.gz archive."""
    sink = io.BytesIO()
    # Without a fixed time the bytes would change each second, and so would the tests' names.
    packed = gzip.GzipFile(fileobj=sink, mode="wb", mtime=0)
    with packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            if alter is not None:
                alter(info)
            archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


def sdist_members(name: str = "foo-bar", version: str = "1.0") -> Members:
    """Return the files of a good source distribution."""
    fields = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", "License-File: MIT"]
    return {"top/PKG-INFO": "\n".join([*fields, "", ""]).encode("utf-8"), "top/MIT": b"Yes.\n"}


def record_with(change: Callable[[List[str]], List[str]]) -> bytes:
    """Return a wheel whose lines of RECORD were changed."""
    members = with_record(members_for())
    record = f"{DIST_INFO}/RECORD"
    lines = members[record].decode("utf-8").splitlines(keepends=True)
    return pack({**members, record: "".join(change(lines)).encode("utf-8")})


def replaced(**changes: Optional[bytes]) -> bytes:
    """Return a wheel with files of its dist-info replaced or removed, and a matching RECORD."""
    members = members_for()
    for name, content in changes.items():
        path = f"{DIST_INFO}/{name}"
        if content is None:
            del members[path]
        else:
            members[path] = content
    return pack(with_record(members))


def doubled(path: str, content: bytes) -> bytes:
    """Return a wheel with one more entry of a name that it has."""

    def finish(archive: zipfile.ZipFile) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive.writestr(zipfile.ZipInfo(path), content)

    return finished(finish)


def set_extra(archive: zipfile.ZipFile) -> None:
    """Give an entry of the central directory a timestamp that its local header lacks."""
    archive.getinfo(CODE).extra = TIMESTAMP


def forget(archive: zipfile.ZipFile) -> None:
    """Leave the first member out of the central directory."""
    del archive.filelist[0]


def add_folder(archive: zipfile.ZipFile) -> None:
    """Add an entry for a directory."""
    archive.writestr(zipfile.ZipInfo("probe/"), b"")
