"""Which of the ways of the patcher made a patched file, as its program headers show."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

from elftools.elf.elffile import ELFFile

# What each way does with the program headers.
WAYS = {
    "in place": "no new string; only values are edited",
    "own segment": "the segment of an earlier patch grows",
    "strings": "the segment that held only the string table is used again",
    "null": "a PT_NULL becomes the new segment",
    "twin": "a PT_NOTE with the same notes as PT_GNU_PROPERTY becomes it",
    "phdr": "PT_PHDR of a library becomes it",
    "room": "the program headers grow in place, over notes or tables that move",
    "new table": "the program headers move (only without section headers)",
}
_Header = Tuple[str, int]  # type and offset


def _headers(path: Path) -> Tuple[int, List[_Header]]:
    """Return the offset of the program headers, and each of them."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        found = [(str(one["p_type"]), int(one["p_offset"])) for one in elf.iter_segments()]
        return int(elf["e_phoff"]), found


def way(before: Path, after: Path) -> str:
    """Return the way in which a file was patched, a key of WAYS."""
    (old_place, old), (new_place, new) = _headers(before), _headers(after)
    size = before.stat().st_size
    if after.stat().st_size == size:
        return "in place"
    if not any(kind == "PT_LOAD" and offset >= size for kind, offset in new):
        return "own segment"
    if old_place != new_place:
        return "new table"
    if len(new) > len(old):
        return "room"
    was, now = ([kind for kind, _ in headers] for headers in (old, new))
    for kind, name in (("PT_NULL", "null"), ("PT_NOTE", "twin"), ("PT_PHDR", "phdr")):
        if was.count(kind) > now.count(kind):
            return name
    return "strings"
