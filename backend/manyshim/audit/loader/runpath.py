"""Expands RPATH and RUNPATH entries as the loaders of the two libc families do.

Sources: glibc elf/dl-load.c; musl ldso/dynlink.c; ld.so(8).
"""

from __future__ import annotations

from manyshim.audit.facts import ElfFile
from manyshim.audit.tags import MUSL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Sequence, Tuple

_SPELLINGS = ("${ORIGIN}", "$ORIGIN")
# The kernel opens no longer path (PATH_MAX).
_MAX_PATH = 4096


def used_entries(elf: ElfFile, libc: str) -> Tuple[str, ...]:
    """Return the entries of a file's RPATH or RUNPATH that the loader reads, in order.

    With a RUNPATH, even an empty one, no loader reads the RPATH. glibc ignores a RUNPATH that is
    empty as a whole; an empty entry is its current folder. musl skips every empty entry, and
    ignores all entries if one of them has a variable other than `$ORIGIN`.
    """
    entries = elf.runpath or elf.rpath
    if libc == MUSL:
        return tuple(filter(None, entries)) if all(map(_expands, entries)) else ()
    return () if entries == ("",) else entries


def after_origin(entries: Sequence[str]) -> Iterator[str]:
    """Yield the rest of each entry that begins with `$ORIGIN`.

    Other entries cannot lead to a file of the wheel.
    """
    for entry in entries:
        spelling = next(filter(entry.startswith, _SPELLINGS), "")
        rest = entry[len(spelling) :]
        if spelling and rest[:1] in ("", "/") and len(entry) < _MAX_PATH:
            yield rest


def _expands(entry: str) -> bool:
    """Whether an entry has no variable other than `$ORIGIN`, as musl spells it."""
    for spelling in _SPELLINGS:
        entry = entry.replace(spelling, "/")
    return "$" not in entry
