"""RECORD: one row for each file of a wheel, with its hash and size (PEP 376, PEP 427)."""

from __future__ import annotations

import csv
import hashlib
import io
from base64 import urlsafe_b64encode
from typing import Iterable, Iterator, NamedTuple, Tuple


class Row(NamedTuple):
    """What RECORD states of one member; empty where it states nothing."""

    digest: str = ""
    size: str = ""


def parse(data: bytes) -> Iterator[Tuple[str, Row]]:
    """Yield the rows of RECORD; ValueError where it is no UTF-8 or no CSV."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    try:
        for path, digest, size, *_ in (
            (*fields, "", "") for fields in csv.reader(text, strict=True) if fields
        ):
            yield path, Row(digest, size)
    except csv.Error as error:
        raise ValueError(str(error)) from error


def row(data: bytes) -> Row:
    """Describe contents."""
    return Row(stated(hashlib.sha256(data).digest()), str(len(data)))


def stated(sha256: bytes) -> str:
    """Spell a hash as RECORD does."""
    return f"sha256={urlsafe_b64encode(sha256).rstrip(b'=').decode()}"


def write(rows: Iterable[Tuple[str, Row]]) -> bytes:
    """Make RECORD from rows in their order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows((path, digest, size) for path, (digest, size) in rows)
    return text.getvalue().encode("utf-8", "surrogateescape")
