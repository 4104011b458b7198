"""Fuzz targets: a zip archive, RECORD, and the metadata of a whole wheel."""

from __future__ import annotations

import csv
import io
import sys
from functools import lru_cache
from typing import Dict, List, Tuple

from manyshim.errors import InvalidWheelError
from manyshim.formats.wheel import metadata, record
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.directory import Entry
from manyshim.formats.zip.window import MemberError, Window
from outcome import READ, REFUSED, agree, stored
from wheelwriter import wheel, wheel_name

DIST_INFO = "demo-1.0.dist-info"
# What separates the files of an input that has several.
SEPARATOR = b"\n\0\n"
# Enough to pass the portions of a window, which have 64 KiB at most.
_MAX_READ = 1 << 20


def zip_archive(data: bytes) -> str:
    """Read the directory of an archive and every member, at once and in parts."""
    outcome = READ
    try:
        with Archive(stored("zip", "archive.zip", data)) as archive:
            for entry in archive.entries:
                agree("folder", entry.folder, entry.name.endswith("/"))
                agree("symlink", entry.symlink, entry.form.external >> 28 == 0xA)
                outcome = outcome if _member(archive, entry) else REFUSED
    except InvalidWheelError:
        return REFUSED
    return outcome


def _member(archive: Archive, entry: Entry) -> bool:
    """Read a member in four ways that must agree; false if it cannot be read."""
    length = min(entry.size, _MAX_READ)
    try:
        whole = archive.window(entry).read(0, length)
        agree("length", len(whole), length)
        _in_parts(archive.window(entry), whole)
        archive.digest(entry)
        archive.read(entry)
    except (MemberError, InvalidWheelError):
        return False
    return True


def _in_parts(window: Window, whole: bytes) -> None:
    """Read a member backwards and in parts, some of which the window retains."""
    size = len(whole)
    places = [(0, 8), (size // 3, size // 2), (size - 9, size), (0, size), (1, 2)]
    window.retain(size // 4, size // 4 + 100)
    for start, end in places:
        if 0 <= start <= end <= size:
            agree("bytes", window.read(start, end - start), whole[start:end])
            window.is_buffered(start, end - start)


def record_rows(data: bytes) -> str:
    """Parse RECORD, compare it with members, and edit a row."""
    own, edited = f"{DIST_INFO}/RECORD", f"{DIST_INFO}/WHEEL"
    try:
        rows = list(record.parse(data))
        record.compare(rows, _members(), DIST_INFO)
    except ValueError:
        return REFUSED
    # Before 3.11, csv reads no NUL, so it is no judge of such rows.
    if sys.version_info >= (3, 11) or b"\0" not in data:
        agree("rows", rows, _judged(data))
    for path, row in rows:
        record.line(path, row)
    new = record.row(b"Wheel-Version: 1.0\n")
    changed = record.edited(data, own, edited, new)
    others = [(path, row) for path, row in rows if path != own]
    # Wheels ask for it only if RECORD lists each member once, with its hash and size.
    complete = all(path and all(row) for path, row in others) and len(dict(rows)) == len(rows)
    if changed and complete:
        expected = [(path, new if path == edited else row) for path, row in others]
        agree("edited", list(record.parse(changed))[:-1], expected)
    return READ


def _judged(data: bytes) -> List[Tuple[str, record.Row]]:
    """Read RECORD with the csv module alone."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    found = []
    for fields in csv.reader(text, strict=True):
        path, digest, size = [*fields, "", "", ""][:3]
        # Installers refuse a row of more fields, so it counts as one without a size.
        found.append((path, record.Row(digest, size if len(fields) <= 3 else "")))
    return found


@lru_cache(maxsize=None)
def _members() -> Dict[str, Entry]:
    data = wheel({"demo/__init__.py": b"", "demo/_x.so": b"\x7fELF", "a,b.py": b"1"})
    with Archive(stored("record", wheel_name(), data)) as archive:
        return {entry.name: entry for entry in archive.entries}


def whole_wheel(data: bytes) -> str:
    """Read a wheel whose WHEEL, RECORD and METADATA are the parts of the input."""
    parts = data.split(SEPARATOR)
    names = ("WHEEL", "RECORD", "METADATA", "demo/data.txt")
    members = {
        name if "/" in name else f"{DIST_INFO}/{name}": part for name, part in zip(names, parts)
    }
    path = stored("wheel", wheel_name(), wheel(members, compress=len(data) % 2 == 1))
    try:
        with Wheel(path) as opened:
            for key in ("Tag", "Root-Is-Purelib", "Wheel-Version", "Build", ""):
                opened.fields(key)
            opened.facts()
            opened.facts(verify=True)
            metadata.read(opened)
            metadata.record_problem(opened)
    except InvalidWheelError:
        return REFUSED
    return READ
