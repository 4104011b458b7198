"""A wheel file: its metadata, the facts of its members, and rewriting it (PEP 427, PEP 491)."""

from __future__ import annotations

import io
import os
import time
from typing import (
    BinaryIO,
    Dict,
    FrozenSet,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Set,
    Tuple,
)

from manyshim.audit.facts import ElfFile, RecordFacts, Unreadable, WheelFacts
from manyshim.audit.tags import WheelName, parse_wheel_name
from manyshim.errors import InvalidWheelError, ToolError
from manyshim.formats import elf, record
from manyshim.formats.archive import Archive, Entry
from manyshim.formats.image import ElfError
from manyshim.formats.pack import Packer, local_header
from manyshim.formats.window import MemberError

# Debug information is read with the whole file in memory.
_IN_MEMORY_AT_MOST = 64 << 20

# The years 1980 to 2107, in seconds since 1970.
_FIRST_MOMENT, _LAST_MOMENT = 315532800, 4354819198

# ar(5): what a static library begins with.
_ARCHIVE = b"!<arch>\n"

# PEP 427: signatures of RECORD are not listed in it.
_UNLISTED = ("RECORD", "RECORD.jws", "RECORD.p7s")


class Edits(NamedTuple):
    """What a rewrite changes: the platform tags, and how its own members are written.

    `epoch` is SOURCE_DATE_EPOCH in seconds, None to keep the times that the members have; `level`
    is deflate's.
    """

    platforms: Tuple[str, ...]
    level: int = 6
    epoch: Optional[int] = None


class Wheel:
    """An open wheel. Raises InvalidWheelError where it is none."""

    def __init__(self, path: str) -> None:
        name = parse_wheel_name(os.path.basename(path))
        if name is None:
            raise InvalidWheelError(f"{path}: its name is not that of a wheel (PEP 427)")
        self.name = name
        self.path = path
        self.archive = Archive(path)
        try:
            self.entries = [entry for entry in self.archive.entries if not entry.folder]
            self._readings: Dict[str, elf.Reading] = {}
            self._by_name = {entry.name: entry for entry in self.entries}
            self.dist_info = self._find_dist_info()
            self.metadata = self._read_metadata()
            self.record = self._compare_record()
        except BaseException:
            self.archive.close()
            raise

    def __enter__(self) -> Wheel:
        return self

    def __exit__(self, *_: object) -> None:
        self.archive.close()

    def _find_dist_info(self) -> str:
        tops = {entry.name.split("/", 1)[0] for entry in self.entries if "/" in entry.name}
        found = sorted(top for top in tops if top.endswith(".dist-info"))
        if len(found) != 1:
            what = f"has {len(found)}: {', '.join(found)}" if found else "has none"
            raise InvalidWheelError(
                f"{self.path}: a wheel has one .dist-info folder, and this one {what}"
            )
        return found[0]

    def _member(self, name: str) -> bytes:
        entry = self._by_name.get(f"{self.dist_info}/{name}")
        if entry is None:
            raise InvalidWheelError(f"{self.path}: it has no {self.dist_info}/{name}")
        return self.archive.read(entry)

    def _read_metadata(self) -> List[str]:
        try:
            return self._member("WHEEL").decode("utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise InvalidWheelError(f"{self.path}: its WHEEL is not UTF-8: {error}") from error

    def rows(self) -> Iterator[Tuple[str, record.Row]]:
        """Yield the rows of RECORD."""
        try:
            yield from record.parse(self._member("RECORD"))
        except ValueError as error:
            raise InvalidWheelError(f"{self.path}: its RECORD cannot be read: {error}") from error

    def _compare_record(self) -> RecordFacts:
        """Hold RECORD's names and sizes against the archive; its rows are not kept in memory."""
        unlisted = self._by_name.keys() - {f"{self.dist_info}/{name}" for name in _UNLISTED[1:]}
        absent: List[str] = []
        wrong_size: Set[str] = set()
        blank = False
        for path, row in self.rows():
            if not path:
                blank = True
                continue
            entry = self._by_name.get(path)
            unlisted.discard(path)
            if entry is None:
                absent.append(path)
            elif row.size in ("", str(entry.size)):
                wrong_size.discard(path)
            else:
                wrong_size.add(path)
        return RecordFacts(
            unlisted=tuple(sorted(unlisted)),
            absent=tuple(sorted(absent)),
            wrong_size=tuple(sorted(wrong_size)),
            blank=blank,
        )

    def fields(self, key: str) -> Tuple[str, ...]:
        """Return the values of a field of WHEEL."""
        pairs = (line.partition(":") for line in self.metadata)
        return tuple(
            value.strip() for name, _, value in pairs if name.strip().lower() == key.lower()
        )

    def facts(self) -> WheelFacts:
        """Read every ELF file of the wheel, whatever its name, and what the audit asks of the rest.

        RECORD is not consulted: installers unpack what the archive holds.
        """
        elfs: List[ElfFile] = []
        unreadable: List[Unreadable] = []
        static_objects: List[str] = []
        for entry in self.entries:
            try:
                window = self.archive.window(entry)
                head = window.read(0, min(entry.size, len(_ARCHIVE)))
                if head == _ARCHIVE:
                    static_objects.append(entry.name)
                elif elf.is_elf(head) and not entry.symlink:
                    reading = elf.read(entry.name, window)
                    self._readings[entry.name] = reading
                    elfs.append(reading.facts)
            except (ElfError, MemberError) as error:
                unreadable.append(Unreadable(entry.name, str(error)))
        return WheelFacts(
            name=self.name,
            distribution=self.dist_info[: -len(".dist-info")],
            paths=tuple(entry.name for entry in self.entries),
            symlinks=tuple(entry.name for entry in self.entries if entry.symlink),
            tags=self.fields("Tag"),
            purelib=any(text.lower() == "true" for text in self.fields("Root-Is-Purelib")[:1]),
            elfs=tuple(elfs),
            unreadable=tuple(unreadable),
            static_objects=tuple(static_objects),
            record=self.record,
            size=self.archive.size,
        )

    def broken(self) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
        """Read every member; list those whose CRC is wrong, and those that RECORD's hash denies."""
        wrong_crc: List[str] = []
        wrong_hash: List[str] = []
        rows = dict(self.rows())
        for entry in self.entries:
            try:
                stated = rows.get(entry.name, record.Row()).digest
                crc, digest = self.archive.digest(entry, record.algorithm(stated))
            except MemberError:
                wrong_crc.append(entry.name)
                continue
            if crc != entry.crc:
                wrong_crc.append(entry.name)
            if stated and stated != record.stated(digest, record.algorithm(stated)):
                wrong_hash.append(entry.name)
        return tuple(wrong_crc), tuple(wrong_hash)

    def content(self, path: str) -> Optional[BinaryIO]:
        """Return a member as a file in memory; None where it is too large for that."""
        entry = self._by_name[path]
        if entry.size > _IN_MEMORY_AT_MOST:
            return None
        return io.BytesIO(self.archive.read(entry))

    def exports(
        self, asked: Mapping[str, FrozenSet[str]]
    ) -> Tuple[Dict[str, FrozenSet[str]], Tuple[Unreadable, ...]]:
        """Find which of the names asked for each member defines, and which members cannot say."""
        found: Dict[str, FrozenSet[str]] = {}
        unreadable: List[Unreadable] = []
        for path, names in asked.items():
            try:
                found[path] = self._readings[path].defined(names)
            except (ElfError, MemberError) as error:
                unreadable.append(Unreadable(path, str(error)))
        return found, tuple(unreadable)


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
    unlisted = {f"{source.dist_info}/{name}" for name in _UNLISTED}
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
