"""A wheel file: its metadata, and the facts of its members (PEP 427, PEP 491)."""

from __future__ import annotations

import io
import os

from manyshim.audit.facts import Unreadable, WheelFacts
from manyshim.audit.tags import parse_wheel_name
from manyshim.errors import InvalidWheelError, shorten
from manyshim.formats.elf import reader
from manyshim.formats.elf.image import ElfError
from manyshim.formats.wheel import fields, record
from manyshim.formats.wheel.members import Members, copies
from manyshim.formats.zip.archive import Archive
from manyshim.formats.zip.window import MemberError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Dict, FrozenSet, Iterator, List, Mapping, Optional, Set, Tuple

    from manyshim.audit.gate.facts import Oddity
    from manyshim.formats.wheel.members import Exporter
    from manyshim.formats.wheel.native import NativeReader
    from manyshim.formats.wheel.verification import Verification

# To read debug information, the whole file is held in memory.
_MAX_IN_MEMORY = 64 << 20

# WHEEL has a few hundred bytes.
_MAX_METADATA = 1 << 18
# RECORD of 200,000 members has about 30 MB.
_MAX_RECORD = 32 << 20
_MAX_FOLDERS_SHOWN = 4


class Wheel:
    """An open wheel. Raises InvalidWheelError if the file is not a wheel."""

    def __init__(self, path: str) -> None:
        name = parse_wheel_name(os.path.basename(path))
        if name is None and not os.path.isfile(path):
            what = "is not a file" if os.path.exists(path) else "no such file"
            raise InvalidWheelError(f"{path}: {what}")
        if name is None:
            raise InvalidWheelError(f"{path}: its name is not that of a wheel (PEP 427)")
        self.name = name
        self.path = path
        self.archive = Archive(path)
        try:
            self.entries = self.archive.entries
            if any(entry.folder for entry in self.entries):
                self.entries = tuple(entry for entry in self.entries if not entry.folder)
            self._exporters: Dict[str, Exporter] = {}
            self._rust: Set[str] = set()
            self._by_name = {entry.name: entry for entry in self.entries}
            self.dist_info = self._find_dist_info()
            self.metadata = self._read_metadata()
            self.record, self.in_order = record.compare(self.rows(), self._by_name, self.dist_info)
            # Known after all members were read: the SHA-256 of those that need a new row, those
            # whose row stated another hash, and those whose compressed stream ends elsewhere.
            self.digests: Mapping[str, bytes] = {}
            self.rebuilt: Tuple[str, ...] = ()
            self.streams: Tuple[Oddity, ...] = ()
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
            listed = ", ".join(map(shorten, found[:_MAX_FOLDERS_SHOWN]))
            what = f"has {len(found)}: {listed}" if found else "has none"
            raise InvalidWheelError(
                f"{self.path}: a wheel must have one .dist-info folder, but this one {what}"
            )
        return found[0]

    def _member(self, name: str, at_most: int) -> bytes:
        entry = self._by_name.get(f"{self.dist_info}/{name}")
        if entry is None:
            raise InvalidWheelError(f"{self.path}: it has no {shorten(self.dist_info)}/{name}")
        return self.archive.read(entry, at_most)

    def wheel_data(self) -> bytes:
        """Return the bytes of WHEEL, unchanged."""
        return self._member("WHEEL", _MAX_METADATA)

    def _read_metadata(self) -> List[fields.Field]:
        try:
            return fields.parse(self.wheel_data().decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InvalidWheelError(f"{self.path}: its WHEEL is not UTF-8: {error}") from error

    def rows(self) -> Iterator[Tuple[str, record.Row]]:
        """Yield the rows of RECORD."""
        try:
            yield from record.parse(self.record_data())
        except ValueError as error:
            raise InvalidWheelError(f"{self.path}: its RECORD cannot be read: {error}") from error

    def record_data(self) -> bytes:
        """Return the bytes of RECORD, unchanged."""
        # Enough for one row for each member with its hash and size, and for some absent files.
        at_most = _MAX_METADATA + sum(4 * len(entry.name) + 150 for entry in self.entries)
        return self._member("RECORD", min(at_most, _MAX_RECORD))

    def rows_of_members(self) -> Dict[str, record.Row]:
        """Return the rows of RECORD by member. Rows without a member are left out."""
        return {path: row for path, row in self.rows() if path in self._by_name}

    def dist_info_data(self, name: str, at_most: int) -> Optional[bytes]:
        """Return a file of .dist-info, or None. InvalidWheelError beyond `at_most` bytes."""
        there = f"{self.dist_info}/{name}" in self._by_name
        return self._member(name, at_most) if there else None

    def has(self, path: str) -> bool:
        """Whether the archive has a member of this name."""
        return path in self._by_name

    def fields(self, key: str) -> Tuple[str, ...]:
        """Return the values of a field of WHEEL."""
        return tuple(one.value for one in self.metadata if one.name.lower() == key.lower())

    def facts(self, *, verify: bool = False) -> WheelFacts:
        """Read every ELF file, whatever its name, and what the audit needs of other members.

        RECORD does not matter here: installers unpack what the archive holds. With `verify`, every
        member is read to its end, and `record` tells whose CRC or hash is wrong.
        """
        verification = self._verification() if verify else None
        native = self._native_reader()
        found = Members(self.archive, native)
        for entry in self.entries:
            if verification:
                found.verify(entry, verification)
            else:
                found.look_at(entry)
        self._exporters, self._rust = found.exporters, found.rust
        if verification:
            self._verified(verification)
        return WheelFacts(
            name=self.name,
            distribution=self.dist_info[: -len(".dist-info")],
            paths=tuple(entry.name for entry in self.entries),
            symlinks=tuple(entry.name for entry in self.entries if entry.symlink),
            tags=self.fields("Tag"),
            purelib=any(text.lower() == "true" for text in self.fields("Root-Is-Purelib")[:1]),
            wheel_version="".join(self.fields("Wheel-Version")[:1]),
            elfs=tuple(found.elfs),
            unreadable=tuple(found.unreadable),
            static_objects=tuple(found.static_objects),
            record=self.record,
            size=self.archive.size,
            copies=copies(self.entries, {elf.path for elf in found.elfs if elf.loadable}),
            native=native.facts() if native else None,
        )

    def _native_reader(self) -> Optional[NativeReader]:
        if not self.name.native:
            return None
        from manyshim.formats.wheel.native import NativeReader  # noqa: PLC0415 (no ELF)

        return NativeReader(self.path, self.dist_info_data)

    def _verification(self) -> Verification:
        from manyshim.formats.wheel.verification import (  # noqa: PLC0415 (a build needs no hash)
            Verification,
        )

        in_order = self.in_order and len(self.entries) == len(self._by_name)
        return Verification(self.rows(), self._by_name, self.dist_info, in_order=in_order)

    def _verified(self, found: Verification) -> None:
        self.digests = found.digests
        self.streams = tuple(found.streams)
        self.record = self.record._replace(
            wrong_crc=tuple(found.wrong_crc),
            wrong_hash=tuple(found.wrong_hash),
            weak_hash=tuple(found.weak),
        )

    def rebuild_record(self) -> None:
        """Let a rewrite replace the rows whose hash is wrong, which are `rebuilt` from now on."""
        self.rebuilt = self.record.wrong_hash
        self.in_order = self.in_order and not self.rebuilt
        self.record = self.record._replace(wrong_hash=())

    def corrections(self) -> str:
        """Return what a rewrite corrects in RECORD, for a line; empty if it corrects nothing."""
        if self.in_order:
            return ""
        names = (self._by_name, self.dist_info)
        return record.corrections(self.rows(), *names, self.record, self.rebuilt)

    def content(self, path: str) -> Optional[BinaryIO]:
        """Return a member as a file in memory, or None if it is too large or broken."""
        entry = self._by_name[path]
        if entry.size > _MAX_IN_MEMORY:
            return None
        try:
            return io.BytesIO(self.archive.read(entry))
        except InvalidWheelError:
            return None

    def made_by_rust(self, path: str) -> bool:
        """Return whether Rust's compiler wrote into an ELF file; false if it cannot be told."""
        return path in self._rust

    def exports(
        self, asked: Mapping[str, FrozenSet[str]]
    ) -> Tuple[Dict[str, FrozenSet[str]], Tuple[Unreadable, ...]]:
        """Return which names each member defines, and the members that cannot be read.

        `asked` has the names to look for, by member. The wheel's facts must be read before.
        """
        found: Dict[str, FrozenSet[str]] = {}
        unreadable: List[Unreadable] = []
        for path, names in asked.items():
            try:
                found[path] = self._reading(self._exporters[path]).defined(names)
            except (ElfError, MemberError) as error:
                unreadable.append(Unreadable(path, str(error)))
        return found, tuple(unreadable)

    def _reading(self, exporter: Exporter) -> reader.Reading:
        if isinstance(exporter, reader.Reading):
            return exporter
        return reader.read(exporter.name, self.archive.window(exporter))
