"""Writing a wheel anew under other tags; every other byte stays (PEP 427, PEP 491)."""

from __future__ import annotations

import os
import time
from typing import Iterator, List, Mapping, NamedTuple, Optional, Tuple

from manyshim.audit.tags import WheelName
from manyshim.errors import InvalidWheelError, ToolError
from manyshim.formats import record
from manyshim.formats.archive import Entry
from manyshim.formats.pack import Packer, local_header
from manyshim.formats.wheel import UNLISTED, Wheel
from manyshim.formats.window import MemberError

# The years 1980 to 2107, in seconds since 1970.
_FIRST_MOMENT, _LAST_MOMENT = 315532800, 4354819198


class Edits(NamedTuple):
    """What a rewrite changes: the platform tags, and how its own members are written.

    `epoch` is SOURCE_DATE_EPOCH in seconds, None to keep the times that the members have; `level`
    is deflate's.
    """

    platforms: Tuple[str, ...]
    level: int = 6
    epoch: Optional[int] = None


def rewrite(source: Wheel, folder: str, edits: Edits) -> str:
    """Write the wheel anew into `folder` under the edited tags; return the new file's path.

    Members keep their compressed bytes, modes and times; WHEEL and RECORD are made anew. The file
    is synced and read back, but not renamed: `folder` is a private one. ToolError where it cannot
    be written.
    """
    name = source.name._replace(platforms=edits.platforms)
    target = os.path.join(folder, str(name))
    try:
        with open(target, "xb") as file:
            packer = Packer(file)
            for entry, data in _contents(source, name):
                if data is None:
                    packer.copy(source.archive, entry)
                else:
                    packer.add(_dated(entry, edits.epoch), data, edits.level)
            packer.close()
            os.fsync(file.fileno())
        _read_back(source, target, packer.entries, name)
    except (OSError, EOFError) as error:
        raise ToolError(f"{target}: cannot be written: {error}") from error
    except MemberError as error:
        raise InvalidWheelError(f"{source.path}: {error}") from error
    return target


def _contents(source: Wheel, name: WheelName) -> Iterator[Tuple[Entry, Optional[bytes]]]:
    """Yield what the new wheel holds: entries, with contents where those are new."""
    # Of members with one name installers keep the last.
    entries = list({entry.name: entry for entry in source.archive.entries}.values())
    wheel_path = f"{source.dist_info}/WHEEL"
    record_path = f"{source.dist_info}/RECORD"
    metadata = _metadata(source.metadata, name)
    new = {wheel_path: metadata, record_path: _record(source, entries, {wheel_path: metadata})}
    for entry in entries:
        yield entry, new.get(entry.name)


def _metadata(lines: List[str], name: WheelName) -> bytes:
    """Write WHEEL: one Tag line for each tag of the name, the rest as it was."""
    tags = [f"Tag: {tag}" for tag in name.tags]
    written: List[str] = []
    for line in lines:
        key = line.partition(":")[0].strip().lower()
        if key == "tag":
            written += tags
            tags = []
        elif key == "root-is-purelib":
            written.append("Root-Is-Purelib: false")
        elif line.strip():
            written.append(line)
    return "\n".join((*written, *tags, "")).encode("utf-8")


def _record(source: Wheel, entries: List[Entry], new: Mapping[str, bytes]) -> bytes:
    """Write RECORD from the archive's members; a row that its size contradicts is made anew."""
    rows: List[Tuple[str, record.Row]] = []
    stated = dict(source.rows())
    unlisted = {f"{source.dist_info}/{name}" for name in UNLISTED}
    for entry in entries:
        if entry.folder or entry.name in unlisted:
            continue
        known = stated.get(entry.name, record.Row())
        if entry.name in new:
            known = record.row(new[entry.name])
        elif known.size != str(entry.size) or not known.digest.startswith("sha256="):
            crc, digest = source.archive.digest(entry)
            if crc != entry.crc:
                raise InvalidWheelError(f"{source.path}: {entry.name}: its CRC does not match")
            known = record.Row(record.stated(digest), str(entry.size))
        rows.append((entry.name, known))
    rows.append((f"{source.dist_info}/RECORD", record.Row()))
    return record.write(rows)


def _dated(entry: Entry, epoch: Optional[int]) -> Entry:
    """Give an entry the time of SOURCE_DATE_EPOCH, within the years that zip knows."""
    if epoch is None:
        return entry
    moment = time.gmtime(min(max(epoch, _FIRST_MOMENT), _LAST_MOMENT))
    date = (moment.tm_year - 1980) << 9 | moment.tm_mon << 5 | moment.tm_mday
    clock = moment.tm_hour << 11 | moment.tm_min << 5 | moment.tm_sec // 2
    return entry._replace(date=date, time=clock)


def _read_back(source: Wheel, target: str, written: List[Entry], name: WheelName) -> None:
    """Hold the new file against the source: framing, WHEEL, RECORD, every CRC and size."""
    before = {entry.name: (entry.crc, entry.size) for entry in source.archive.entries}
    changed = {f"{source.dist_info}/{name}" for name in ("WHEEL", "RECORD")}
    with Wheel(target) as result:
        position = 0
        for entry, expected in zip(result.archive.entries, written):
            header = local_header(entry)
            same = entry.name in changed or before[entry.name] == (entry.crc, entry.size)
            if (
                entry != expected
                or not same
                or result.archive.bytes_at(position, len(header)) != header
            ):
                raise ToolError(f"{target}: {entry.name} is not what was written")
            position += len(header) + entry.compressed
        if frozenset(result.fields("Tag")) != frozenset(name.tags):
            raise ToolError(f"{target}: its WHEEL is not what was written")
        if any(result.record):
            raise ToolError(f"{target}: its RECORD is not what was written")
