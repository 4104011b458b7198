"""The rows of RECORD, field by field; only for `check`. `record.py` reads what a build needs."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from typing import List, Set, Tuple

from manyshim.audit.gate.facts import RowFacts
from manyshim.formats.wheel.record import UNLISTED
from manyshim.formats.wheel.wheel import Wheel

_MAX_SHOWN = 1000


def read(wheel: Wheel) -> RowFacts:
    """Return the rows that lack something, or that are there twice. RECORD was parsed before."""
    own, *signatures = (f"{wheel.dist_info}/{name}" for name in UNLISTED)
    unlisted = {own, *signatures}
    seen: Set[str] = set()
    no_hash: List[str] = []
    no_size: List[str] = []
    twice: List[str] = []
    columns: List[Tuple[str, str]] = []
    data = wheel.record_data()
    text = io.TextIOWrapper(
        io.BytesIO(data), encoding="utf-8", errors="surrogateescape", newline=""
    )
    # Before Python 3.11, csv refuses NUL.
    for row in csv.reader(line.replace("\0", "") for line in text):
        path, digest, size = [*row, "", "", ""][:3]
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
    most = slice(_MAX_SHOWN)
    return RowFacts(
        *(tuple(no_hash[most]), tuple(no_size[most]), tuple(twice[most]), tuple(columns[most])),
        tuple(path for path in signatures if path in seen),
        data.startswith(BOM_UTF8),
    )
