"""The rows of RECORD, field by field; only for `check`. `record.py` reads what a build needs."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from typing import List, Set, Tuple

from manyshim.audit.gate.facts import RowFacts
from manyshim.formats.wheel.record import UNLISTED, is_padded
from manyshim.formats.wheel.wheel import Wheel

_MAX_SHOWN = 1000

# str.splitlines breaks lines there, and csv does not.
_BREAK = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def read(wheel: Wheel) -> RowFacts:
    """Return the rows that lack something, or that are there twice. RECORD was parsed before."""
    own, *signatures = (f"{wheel.dist_info}/{name}" for name in UNLISTED)
    unlisted = {own, *signatures}
    seen: Set[str] = set()
    no_hash: List[str] = []
    no_size: List[str] = []
    twice: List[str] = []
    columns: List[Tuple[str, str]] = []
    breaks: List[Tuple[str, str]] = []
    odd_size: List[Tuple[str, str]] = []
    data = wheel.record_data()
    text = io.TextIOWrapper(
        io.BytesIO(data), encoding="utf-8", errors="surrogateescape", newline=""
    )
    # Before Python 3.11, csv refuses NUL.
    for row in csv.reader(line.replace("\0", "") for line in text):
        path, digest, size = [*row, "", "", ""][:3]
        found = _BREAK.search(",".join(row))
        if found and len(breaks) < _MAX_SHOWN:
            breaks.append((path, f"U+{ord(found[0]):04X}"))
        # Rows of absent files have findings already, and may be very many.
        if not wheel.has(path):
            continue
        if path in seen:
            twice.append(path)
        seen.add(path)
        if len(row) != 3:
            columns.append((path, str(len(row))))
        elif path not in unlisted:
            no_hash += [] if digest else [path]
            no_size += [] if size or not digest else [path]
            # Another number has a finding of the audit.
            odd_size += [(path, size)] if is_padded(size) else []
    most = slice(_MAX_SHOWN)
    return RowFacts(
        *(tuple(no_hash[most]), tuple(no_size[most]), tuple(twice[most]), tuple(columns[most])),
        tuple(path for path in signatures if path in seen),
        data.startswith(BOM_UTF8),
        *(tuple(breaks), tuple(odd_size[most])),
    )
