"""The rules for uploads that depend only on the file and its name."""

from __future__ import annotations

import email
import io
import re
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, Dict, Iterator, List, NamedTuple, Optional, Set

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from strict_index_wheel import (
    address_problems,
    entry_point_problems,
    record_problems,
    wheel_file_problems,
)
from strict_index_zip import UNREADABLE, framing_problems

if TYPE_CHECKING:
    from email.message import Message

MEBIBYTE = 1024 * 1024
FILE_LIMIT = 100 * MEBIBYTE
BOMB_FLOOR = 64 * MEBIBYTE
BOMB_RATIO = 50
ENCRYPTED_FLAG = 0x01
UNREADABLE_TAR = (tarfile.TarError, OSError, EOFError, zlib.error)

STATIC_PLATFORMS = frozenset(
    ("any", "win32", "win_amd64", "win_arm64", "win_ia64", "linux_armv6l", "linux_armv7l")
)
MUSL_ARCHES = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
MAC_ARCHES = "ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2"
PLATFORM_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"manylinux(1|2010)_(x86_64|i686)\Z",
        r"manylinux2014_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)\Z",
        rf"manylinux_\d+_\d+_({MUSL_ARCHES}|ppc64)\Z",
        rf"musllinux_\d+_\d+_({MUSL_ARCHES})\Z",
        rf"macosx_(10_\d+|(11|12|13|14|15|26)_0)_({MAC_ARCHES})\Z",
        r"android_\d+_(armeabi_v7a|arm64_v8a|x86|x86_64)\Z",
        # The index anchors these two patterns only at the start.
        r"ios_\d+_\d+_(arm64|x86_64)_(iphoneos|iphonesimulator)",
        r"pyemscripten_\d+_\d+_wasm32",
    )
)


class WheelName(NamedTuple):
    """The parts of a wheel's file name, as they are spelled there."""

    project: str
    version: str
    build: Optional[str]
    tags: Set[str]
    platforms: List[str]


def problems(filename: str, data: bytes) -> List[str]:
    """Return the reasons to refuse this file, in the order in which they are checked."""
    found = list(upload_problems(filename, data))
    if not found and filename.endswith(".whl"):
        found.extend(wheel_problems(filename, data))
    elif not found:
        found.extend(sdist_problems(filename, data))
    return found


def upload_problems(filename: str, data: bytes) -> Iterator[str]:
    """Yield the problems that any kind of file may have."""
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in filename):
        yield "Cannot upload a file with control characters in its name."
    if "/" in filename or "\\" in filename:
        yield "Cannot upload a file with '/' or '\\' in the name."
    if not filename.endswith((".whl", ".tar.gz")):
        yield "Invalid file extension: Use .tar.gz or .whl extension."
    if len(data) > FILE_LIMIT:
        project = filename.split("-", maxsplit=1)[0]
        yield f"File too large. Limit for project {project!r} is {FILE_LIMIT // MEBIBYTE} MB."


def platform_allowed(tag: str) -> bool:
    """Tell whether the index accepts wheels with this platform tag."""
    return tag in STATIC_PLATFORMS or any(pattern.match(tag) for pattern in PLATFORM_PATTERNS)


def is_zip(data: bytes) -> bool:
    """Whether zipfile finds an end record. Some of its versions raise for a second disk."""
    try:
        return zipfile.is_zipfile(io.BytesIO(data))
    except zipfile.BadZipFile:
        return False


def wheel_problems(filename: str, data: bytes) -> Iterator[str]:
    """Yield the problems of a wheel."""
    if not is_zip(data):
        yield "Invalid distribution file. File is not a zipfile"
        return
    if is_tar(data):
        yield "Invalid distribution file. File is also a tarfile"
        return
    refusals: List[str] = []
    members = read_members(data, refusals)
    yield from refusals
    dist_info = "-".join(filename[: -len(".whl")].split("-")[:2]) + ".dist-info"
    if f"{dist_info}/WHEEL" not in members:
        yield f"WHEEL not found at {dist_info}/WHEEL in {filename}"
    yield from framing_problems(data)
    unparsed: List[str] = []
    name = parse_wheel_name(filename, unparsed)
    yield from unparsed
    if name is None:
        return
    for tag in name.platforms:
        if not platform_allowed(tag):
            yield f"Binary wheel '{filename}' has an unsupported platform tag '{tag}'."
    yield from content_problems(filename, name, dist_info, members)


def content_problems(
    filename: str, name: WheelName, dist_info: str, members: Dict[str, bytes]
) -> Iterator[str]:
    """Yield the problems of a wheel's metadata files."""
    metadata = members.get(f"{dist_info}/METADATA")
    if metadata is not None:
        fields = parse_fields(metadata)
        yield from identity_problems(filename, name, fields)
        yield from address_problems(fields)
        yield from license_problems(filename, fields, f"{dist_info}/licenses", set(members))
    yield from record_problems(filename, dist_info, members)
    yield from entry_point_problems(members.get(f"{dist_info}/entry_points.txt", b""))
    if metadata is None:
        yield f"METADATA not found at {dist_info}/METADATA in {filename}"
    if f"{dist_info}/WHEEL" in members:
        fields = parse_fields(members[f"{dist_info}/WHEEL"])
        yield from wheel_file_problems(fields, name.tags)
    others = {member.split("/")[0] for member in members} - {dist_info}
    for other in sorted(others):
        if other.endswith(".dist-info"):
            yield f"Multiple .dist-info directories: {dist_info} and {other}"


def is_tar(data: bytes) -> bool:
    """Tell whether the bytes are also a valid tar archive."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data)):
            return True
    except UNREADABLE_TAR:
        return False


def read_members(data: bytes, refusals: List[str]) -> Dict[str, bytes]:
    """Read all members except directories; yield the problems of those that cannot be read."""
    members: Dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            total = sum(info.file_size for info in archive.infolist())
            if total > BOMB_FLOOR and total > BOMB_RATIO * len(data):
                refusals.append("Invalid distribution file. File compression ratio is too high")
                return members
            for info in archive.infolist():
                if not info.is_dir():
                    members[info.filename] = read_member(archive, info, refusals)
    except UNREADABLE as error:
        refusals.append(f"Invalid distribution file. {error}")
    return members


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, refusals: List[str]) -> bytes:
    """Read one member, and report it when it cannot be read."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        refusals.append(
            f"Invalid distribution file. {info.filename!r} has an unsupported compression type"
        )
    elif info.flag_bits & ENCRYPTED_FLAG:
        refusals.append(f"Invalid distribution file. {info.filename!r} is encrypted")
    else:
        try:
            return archive.read(info)
        except (*UNREADABLE, EOFError, zlib.error) as error:
            # The public index's message has the word None here.
            refusals.append(f"Invalid distribution file. None ({error})")
    return b""


def parse_wheel_name(filename: str, refusals: List[str]) -> Optional[WheelName]:
    """Split the name of a wheel, and report a name that cannot be split."""
    parts = filename[: -len(".whl")].split("-")
    if len(parts) not in (5, 6):
        refusals.append(f"Invalid wheel filename (wrong number of parts): {filename!r}")
        return None
    project, version = parts[:2]
    build = parts[2] if len(parts) == 6 else None
    if not re.match(r"[\w.]+\Z", project) or "__" in project:
        refusals.append(f"Invalid wheel filename (invalid project name): {filename!r}")
    if parse_version(version) is None:
        refusals.append(f"Invalid wheel filename (invalid version): {filename!r}")
    if build is not None and not build[:1].isdigit():
        refusals.append(f"Invalid build number: {build} in {filename!r}")
    pythons, abis, platforms = (part.lower().split(".") for part in parts[-3:])
    tags = {f"{py}-{abi}-{platform}" for py in pythons for abi in abis for platform in platforms}
    return None if refusals else WheelName(project, version, build, tags, platforms)


def parse_version(text: str) -> Optional[Version]:
    """Return a PEP 440 version, or None for anything else."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def parse_fields(data: bytes) -> Message:
    """Read a file of `Name: value` lines."""
    return email.message_from_string(data.decode("utf-8", "replace"))


def normalised(name: str) -> str:
    """Spell a project's name as file names must spell it."""
    return canonicalize_name(name).replace("-", "_")


def identity_problems(filename: str, name: WheelName, fields: Message) -> Iterator[str]:
    """Yield the contradictions between a wheel's file name and its METADATA."""
    project = str(fields.get("Name", ""))
    version = str(fields.get("Version", ""))
    if canonicalize_name(name.project) != canonicalize_name(project):
        yield f"Start filename for {project!r} with {normalised(project)!r}."
    elif name.project != normalised(project):
        yield (
            f"Filename {filename!r} should contain the normalized project name "
            f"{normalised(project)!r}, not {name.project!r}."
        )
    if parse_version(name.version) != parse_version(version):
        yield f"Version in filename should be {version!r} not {name.version!r}."


def license_problems(
    filename: str, fields: Message, folder: str, members: Set[str]
) -> Iterator[str]:
    """Yield the license files that the metadata promises and the archive lacks."""
    # Clients send the field only if the metadata version defines it.
    if (parse_version(str(fields.get("Metadata-Version", "0"))) or Version("0")) < Version("2.4"):
        return
    for path in fields.get_all("License-File", []):
        if f"{folder}/{path}" not in members:
            yield (
                f"License-File {path} does not exist in distribution file {filename} "
                f"at {folder}/{path}"
            )


def sdist_problems(filename: str, data: bytes) -> Iterator[str]:
    """Yield the problems of a source distribution."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        yield "Invalid distribution file. File is also a zipfile"
        return
    members: Dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for info in archive:
                if info.issparse():
                    yield f"Invalid distribution file. {info.name!r} is a sparse member"
                stream = archive.extractfile(info) if info.isreg() else None
                members[info.name] = stream.read() if stream else b""
    except UNREADABLE_TAR:
        yield "Invalid distribution file. File is not a tar.gz archive"
        return
    tops = {member.split("/")[0] for member in members}
    if len(tops) != 1:
        yield f"Invalid distribution file. Not exactly one top-level directory: {sorted(tops)}"
        return
    top = tops.pop()
    if f"{top}/PKG-INFO" not in members:
        yield f"Invalid distribution file. PKG-INFO not found at {top}/PKG-INFO"
        return
    yield from sdist_name_problems(filename, parse_fields(members[f"{top}/PKG-INFO"]))
    fields = parse_fields(members[f"{top}/PKG-INFO"])
    yield from license_problems(filename, fields, top, set(members))


def sdist_name_problems(filename: str, fields: Message) -> Iterator[str]:
    """Yield the problems of a source distribution's file name."""
    version = parse_version(str(fields.get("Version", "")))
    if version is None:
        yield f"Invalid distribution file. Invalid version in PKG-INFO of {filename!r}"
        return
    expected = f"{normalised(str(fields.get('Name', '')))}-{version}.tar.gz"
    if filename != expected:
        yield f"Filename {filename!r} is invalid, should be {expected!r}."
