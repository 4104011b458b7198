"""Compares the contents of all members with the CRC-32 of the archive and the hash of RECORD."""

from __future__ import annotations

from hashlib import algorithms_guaranteed

from manyshim.audit.gate.facts import Framing, Oddity
from manyshim.formats.wheel import record
from manyshim.formats.wheel.record import Row
from manyshim.formats.zip.digest import Tap
from manyshim.formats.zip.directory import Entry
from manyshim.formats.zip.window import MemberError, Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Mapping, Optional, Tuple

# A hash is at least as strong as SHA-256 (PEP 427); in bytes.
_MIN_DIGEST = 32

# What Window.finish returns.
_STREAM_ENDS = {
    "unended": Framing.UNENDED_STREAM,
    "longer": Framing.LONGER_STREAM,
    "rest": Framing.STREAM_REST,
}


class Verification:
    """Judges the members of a wheel while the audit reads them, so that each is inflated once.

    `wrong_crc` are the members that do not have the CRC of the archive, or cannot be read.
    `wrong_hash` are those that do not have the hash of their row, `weak` those whose row has a hash
    that installers do not accept. `digests` has the SHA-256 of each member whose row is missing,
    wrong, or not SHA-256. `streams` are the members whose compressed stream does not end where the
    archive says.
    """

    def __init__(
        self,
        rows: Iterator[Tuple[str, Row]],
        members: Mapping[str, Entry],
        dist_info: str,
        *,
        in_order: bool,
    ) -> None:
        self.wrong_crc: List[str] = []
        self.wrong_hash: List[str] = []
        self.weak: List[str] = []
        self.streams: List[Oddity] = []
        self.digests: Dict[str, bytes] = {}
        self._members = members
        self._no_row = {f"{dist_info}/{name}" for name in record.UNLISTED}
        # A list of all rows would take more memory than the rest of an audit.
        self._rows = (row for path, row in rows if path not in self._no_row) if in_order else None
        self._by_name = {} if in_order else {path: row for path, row in rows if path in members}
        self._row = Row()

    def tap(self, entry: Entry) -> Tap:
        """Return what has to take the bytes of the next member of the archive."""
        listed = entry.name not in self._no_row
        if self._rows is not None and listed:
            self._row = next(self._rows, Row())
        else:
            self._row = self._by_name.get(entry.name, Row())
        # Installers refuse upper case, but it shows which hash is meant.
        stated = self._row.digest.partition("=")[0].lower()
        known = stated in algorithms_guaranteed and not stated.startswith("shake")
        if known and stated != "sha256":
            try:
                return Tap(entry.size, ("sha256", stated))
            except ValueError:  # Python may be built without weak algorithms
                pass
        return Tap(entry.size)

    def judge(self, entry: Entry, tap: Tap, window: Optional[Window]) -> None:
        """Read the rest of a member, and judge it; without a window it cannot be read."""
        try:
            end = window.finish(tap) if window else ""
            if end:
                self.streams.append(Oddity(_STREAM_ENDS[end], entry.name))
        except MemberError:
            window = None
        if window is None or tap.crc != entry.crc:
            self.wrong_crc.append(entry.name)
        # Of several members with one name, installers keep the last one.
        if window is None or self._members[entry.name] is not entry:
            return
        row, listed = self._row, entry.name not in self._no_row
        algorithm = row.digest.partition("=")[0]
        found = tap.hashes.get(algorithm.lower())
        right = found is not None and row.digest == record.stated(found.digest(), algorithm)
        if listed and found and not right:
            self.wrong_hash.append(entry.name)
        strong = found is not None and found.digest_size >= _MIN_DIGEST and algorithm.islower()
        if row.digest and not (strong and (listed or right)):
            self.weak.append(entry.name)
        if listed and not (right and algorithm == "sha256" and row.size == str(entry.size)):
            self.digests[entry.name] = tap.hashes["sha256"].digest()
