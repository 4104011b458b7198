"""The members of a wheel, read one after the other for the audit."""

from __future__ import annotations

from manyshim.audit.facts import Copies, ElfFile, Unreadable
from manyshim.errors import InvalidWheelError
from manyshim.formats.elf import reader
from manyshim.formats.elf.image import ElfError
from manyshim.formats.zip.window import MemberError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Container, Dict, List, Optional, Sequence, Set, Tuple, Union

    from manyshim.formats.wheel.native import NativeReader
    from manyshim.formats.wheel.verification import Verification
    from manyshim.formats.zip.archive import Archive
    from manyshim.formats.zip.directory import Entry
    from manyshim.formats.zip.window import Window

    Exporter = Union[reader.Reading, Entry]

# The names that all files of a wheel refer to: 36,000 in scipy, the most of 75 wheels.
_MAX_NAMES = 500_000
# Their bytes: 2 MiB in casadi, the most of 423 wheels.
_MAX_NAME_BYTES = 32 << 20

# How to look up the exports of a file takes about 4 KiB. Below this size in bytes it is forgotten:
# a wheel may have 10,000 files, and the few that are asked for exports are read again.
_LARGE = 1 << 18

_SHARED = (tuple, frozenset)

# The first bytes of a static library (ar(5)).
_ARCHIVE = b"!<arch>\n"


class Members:
    """What was found in the members that were read so far.

    `exporters` has, by path, what the exports of an ELF file are looked up in: the reading of a
    large one, and the entry of a small one, which is read again. It is the last one of several ELF
    files with one name. `rust` are the files that Rust's compiler made. `native` reads what is for
    other systems.
    """

    def __init__(self, archive: Archive, native: Optional[NativeReader] = None) -> None:
        self.exporters: Dict[str, Exporter] = {}
        self.rust: Set[str] = set()
        self.elfs: List[ElfFile] = []
        self.unreadable: List[Unreadable] = []
        self.static_objects: List[str] = []
        self._archive = archive
        self._native = native
        self._known: Dict[Any, Any] = {}
        self._names = self._bytes = 0

    def look_at(self, entry: Entry) -> None:
        """Read a member if its first bytes are those of a file that the audit reads.

        Raises InvalidWheelError if the members so far refer to too many names.
        """
        try:
            head = self._archive.head(entry)
            if self._native or head == _ARCHIVE or reader.is_elf(head):
                self._read(entry, head, self._archive.window(entry))
        except (ElfError, MemberError) as error:
            self.unreadable.append(Unreadable(entry.name, str(error)))

    def verify(self, entry: Entry, verification: Verification) -> None:
        """Read a member to its end, and judge its checksums on the way. Raises as `look_at`."""
        window, tap = None, verification.tap(entry)
        tap.crc32 = self._archive.codec.crc32
        try:
            window = self._archive.window(entry)
            window.tap = tap
            self._read(entry, window.read(0, min(entry.size, len(_ARCHIVE))), window)
        except (ElfError, MemberError) as error:
            self.unreadable.append(Unreadable(entry.name, str(error)))
        verification.judge(entry, tap, window)

    def _read(self, entry: Entry, head: bytes, window: Window) -> None:
        if head == _ARCHIVE:
            self.static_objects.append(entry.name)
        elif reader.is_elf(head) and not entry.symlink:
            reading = reader.read(entry.name, window, self._known)
            facts = self._shared(reading.facts)
            large = window.size >= _LARGE
            self.exporters[entry.name] = reading._replace(facts=facts) if large else entry
            self.rust.discard(entry.name)
            if reading.rust:
                self.rust.add(entry.name)
            self.elfs.append(facts)
            self._count(facts)
        elif self._native and not entry.symlink:
            self._native.read(entry.name, window, head)

    def _shared(self, facts: ElfFile) -> ElfFile:
        """Return equal facts, which share what the files before have too: names, needs, headers."""
        share = self._known.setdefault
        return ElfFile._make(share(one, one) if isinstance(one, _SHARED) else one for one in facts)

    def _count(self, facts: ElfFile) -> None:
        """Count the names that a file refers to, and their characters."""
        lists = [
            *(facts.needed, facts.undefined, facts.rpath, facts.runpath, facts.auxiliary),
            *(facts.filters, facts.versions_defined),
            *((need.version, *need.symbols) for need in facts.versions_needed),
        ]
        # A file may refer to more names, which are not among its facts and so not counted.
        for names in lists:
            self._known.update(zip(names, names))
        self._names += sum(map(len, lists))
        # A name that occurs twice may count twice.
        self._bytes += sum(sum(map(len, one)) for one in lists) + len(facts.soname or "")
        self._bytes += sum(len(need.library) for need in facts.versions_needed)
        if self._names > _MAX_NAMES or self._bytes > _MAX_NAME_BYTES:
            raise InvalidWheelError(
                f"{self._archive.path}: its files refer to more than {_MAX_NAMES} names, or to "
                f"names of more than {_MAX_NAME_BYTES >> 20} MiB"
            )


def copies(entries: Sequence[Entry], paths: Container[str]) -> Tuple[Copies, ...]:
    """Return those of `paths` that have equal contents, by their size and CRC."""
    groups: Dict[Tuple[int, int], Set[str]] = {}
    for entry in entries:
        if entry.name in paths:
            groups.setdefault((entry.size, entry.crc), set()).add(entry.name)
    found = (Copies(tuple(sorted(same)), size) for (size, _), same in groups.items())
    return tuple(sorted(one for one in found if len(one.paths) > 1))
