"""Rewrite a wheel under other tags, without compressing it again (PEP 427, PEP 491)."""

from __future__ import annotations

import os
import stat
import time

from manyshim.audit.tags import WheelName
from manyshim.errors import InvalidWheelError, ToolError, shorten
from manyshim.formats.wheel import record
from manyshim.formats.wheel.fields import Field
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.directory import Entry, numbers
from manyshim.formats.zip.pack import Packer
from manyshim.formats.zip.window import MemberError
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet, Dict, List, Mapping, Optional, Tuple

    from manyshim.formats.zip.deflate import Deflated

_COPIED_AT_ONCE = 1 << 20

# APPNOTE.TXT 4.4.2: the system whose modes a member has.
_UNIX = 3

# The years 1980 to 2107, in seconds since 1970.
_FIRST_MOMENT, _LAST_MOMENT = 315532800, 4354819198


class Edits(NamedTuple):
    """What a rewrite changes: the platform tags, and how new contents are written.

    Without `platforms` the name and WHEEL stay. `level` is zlib's. `epoch` is SOURCE_DATE_EPOCH in
    seconds; None keeps the members' times. `files` and `texts` map members, existing or new ones,
    to their new contents: compressed files, and bytes to compress. `impure` writes
    `Root-Is-Purelib: false`. Without it the field stays as it is, so that no member is installed
    into another folder. A wheel that will be rewritten again need not be synced.
    """

    platforms: Tuple[str, ...]
    level: int = 6
    epoch: Optional[int] = None
    files: Mapping[str, Deflated] = {}
    texts: Mapping[str, bytes] = {}
    impure: bool = False
    sync: bool = True


def rewrite(source: Wheel, folder: str, edits: Edits) -> str:
    """Write the wheel into `folder` under the edited tags. Return the new file's path.

    Members keep their compressed bytes, modes and times; WHEEL and RECORD get new contents. The
    file is read back. It is not renamed, so `folder` has to be private. Raises ToolError
    if the file cannot be written, InvalidWheelError if a member cannot be read.
    """
    name = source.name._replace(platforms=edits.platforms or source.name.platforms)
    target = os.path.join(folder, str(name))
    difference = ""
    try:
        # If several members have one name, installers keep the last one.
        entries = tuple({entry.name: entry for entry in source.archive.entries}.values())
        entries = _with_new(source, entries, {*edits.files, *edits.texts})
        metadata = source.wheel_data()
        if edits.platforms:
            metadata = _metadata(source.metadata, name, impure=edits.impure)
        new = _contents(source, entries, metadata, edits)
        changed = edits.files.keys() | new.keys()
        # If a copied local header differs from the directory, all members are written one by one.
        for contiguous_prefix in (_contiguous_prefix(source.archive, entries, changed), 0):
            with open(target, "wb" if difference else "xb") as file:
                packer = Packer(file, source.archive)
                packer.copy_contiguous_prefix(contiguous_prefix)
                for entry in entries[contiguous_prefix:]:
                    if entry.name in new:
                        packer.add(_dated(entry, edits.epoch), new[entry.name], edits.level)
                    elif entry.name in edits.files:
                        packer.add_file(_dated(entry, edits.epoch), edits.files[entry.name])
                    else:
                        packer.copy(entry)
                packer.close()
                if edits.sync:
                    os.fsync(file.fileno())
            with open(target, "rb") as file:
                difference = packer.differs(file)
            if not difference:
                return target
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ToolError(f"{name}: cannot be written: {reason}") from error
    except MemberError as error:
        raise InvalidWheelError(f"{source.path}: {error}") from error
    raise ToolError(f"{name}: {difference} is not what was written")


def copy(source: Wheel, folder: str) -> str:
    """Write a copy of the wheel's file, byte by byte, into `folder`. Return the new file's path.

    The file is synced. It is not renamed, so `folder` has to be private. Raises ToolError if the
    file cannot be written, InvalidWheelError if the wheel cannot be read.
    """
    name = os.path.basename(source.path)
    target = os.path.join(folder, name)
    size = source.archive.size
    try:
        with open(target, "xb") as file:
            for at in range(0, size, _COPIED_AT_ONCE):
                length = min(_COPIED_AT_ONCE, size - at)
                data = source.archive.bytes_at(at, length)
                if len(data) < length:
                    raise InvalidWheelError(f"{source.path}: the file has become shorter")
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # The folder is private.
        raise ToolError(f"{name}: cannot be written: {error.strerror}") from error
    return target


def _with_new(
    source: Wheel, entries: Tuple[Entry, ...], fresh: AbstractSet[str]
) -> Tuple[Entry, ...]:
    """Insert new members before the metadata, and new metadata before RECORD (PEP 427)."""
    known = {entry.name for entry in entries}
    names = sorted(fresh - known)
    if not names:
        return entries
    like = next(entry for entry in entries if entry.name == f"{source.dist_info}/WHEEL")
    metadata = [name for name in names if name.startswith(f"{source.dist_info}/")]
    found: List[Entry] = []
    for entry in entries:
        if entry.name.startswith(f"{source.dist_info}/") and len(names) > len(metadata):
            found += (_new(like, name, 0o755) for name in names if name not in metadata)
            names = metadata
        if entry.name == f"{source.dist_info}/RECORD":
            found += (_new(like, name, 0o644) for name in metadata)
        found.append(entry)
    return tuple(found)


def _new(like: Entry, name: str, mode: int) -> Entry:
    external = (stat.S_IFREG | mode) << 16
    form = like.form._replace(made_by=(20, _UNIX), internal=0, external=external)
    return like._replace(name=name, form=form)


def _contiguous_prefix(
    archive: Archive, entries: Tuple[Entry, ...], changed: AbstractSet[str]
) -> int:
    """Return how many members can be copied in one piece, from the first one on."""
    pairs = enumerate(zip(entries, archive.entries))
    # If a name occurs twice, `entries` has its last member in the place of the first one.
    first = next(at for at, (new, old) in pairs if new is not old or new.name in changed)
    return min(first, archive.contiguous_prefix)


def _contents(
    source: Wheel, entries: Tuple[Entry, ...], metadata: bytes, edits: Edits
) -> Dict[str, bytes]:
    """Return the new contents of WHEEL (`metadata`), RECORD and all texts, by member."""
    texts = {f"{source.dist_info}/WHEEL": metadata, **edits.texts}
    rows = {member: record.row(text) for member, text in texts.items()}
    for member, made in edits.files.items():
        rows[member] = record.Row(record.stated(made.digest), str(made.size))
    return {**texts, f"{source.dist_info}/RECORD": _record(source, entries, rows)}


def _metadata(fields: List[Field], name: WheelName, *, impure: bool) -> bytes:
    """Return WHEEL with a Tag line for each tag of the name.

    The lines of other fields stay. Lines that belong to no field go, because no installer reads
    them.
    """
    tags = [f"Tag: {tag}" for tag in name.tags]
    written: List[str] = []
    for field in fields:
        key = field.name.lower()
        if key == "tag":
            written += tags
            tags = []
        elif key == "root-is-purelib" and impure:
            written.append("Root-Is-Purelib: false")
        else:
            written += field.lines
    return "\n".join((*written, *tags, "")).encode("utf-8")


def _record(source: Wheel, entries: Tuple[Entry, ...], changed: Mapping[str, record.Row]) -> bytes:
    """Return RECORD for the archive's members.

    A row is computed again if its size is wrong or its hash is not SHA-256.
    """
    own = f"{source.dist_info}/RECORD"
    if source.in_order and len(changed) == 1:
        ((path, row),) = changed.items()
        edited = record.edited(source.record_data(), own, path, row)
        if edited:
            return edited
    lines: List[str] = []
    rows = source.rows_of_members()
    unlisted = {f"{source.dist_info}/{name}" for name in record.UNLISTED}
    for entry in entries:
        if entry.folder or entry.name in unlisted:
            continue
        known = rows.get(entry.name, record.Row())
        lines.append(record.line(entry.name, changed.get(entry.name) or _row(source, entry, known)))
    lines += (record.line(own, record.Row()), "")
    data = "\n".join(lines).encode("utf-8", "surrogateescape")
    members = {entry.name: entry for entry in entries if not entry.folder}
    for name, row in changed.items():
        members[name] = members[name]._replace(numbers=numbers(0, 0, int(row.size)))
    try:
        facts, _ = record.compare(record.parse(data), members, source.dist_info)
    except ValueError as error:
        raise InvalidWheelError(f"{source.path}: its RECORD cannot be written: {error}") from error
    if any(facts):
        raise InvalidWheelError(f"{source.path}: RECORD cannot list all its members")
    return data


def _row(source: Wheel, entry: Entry, known: record.Row) -> record.Row:
    if entry.name in source.digests:
        return record.Row(record.stated(source.digests[entry.name]), str(entry.size))
    if known.size == str(entry.size) and known.digest.startswith("sha256="):
        return known
    crc, digest = source.archive.digest(entry)
    if crc != entry.crc:
        name = shorten(entry.name)
        raise InvalidWheelError(f"{source.path}: {name}: its CRC does not match")
    return record.Row(record.stated(digest), str(entry.size))


def _dated(entry: Entry, epoch: Optional[int]) -> Entry:
    """Return an entry with the time of SOURCE_DATE_EPOCH, limited to the years of zip."""
    if epoch is None:
        return entry
    moment = time.gmtime(min(max(epoch, _FIRST_MOMENT), _LAST_MOMENT))
    date = (moment.tm_year - 1980) << 9 | moment.tm_mon << 5 | moment.tm_mday
    clock = moment.tm_hour << 11 | moment.tm_min << 5 | moment.tm_sec // 2
    return entry._replace(form=entry.form._replace(date=date, time=clock))
