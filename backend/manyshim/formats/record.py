"""RECORD: one row for each file of a wheel, with its hash and size (PEP 376, PEP 427)."""

from __future__ import annotations

import csv
import io
from base64 import urlsafe_b64encode
from typing import Iterable, Iterator, NamedTuple, Tuple


class Row(NamedTuple):
    """What RECORD states of one member; empty where it states nothing."""

    digest: str = ""
    size: str = ""


def parse(data: bytes) -> Iterator[Tuple[str, Row]]:
    """Yield the rows of RECORD, a blank line as one without a path.

    ValueError where it is no UTF-8 or no CSV.
    """
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    try:
        for path, digest, size, *_ in (
            (*fields, "", "", "") for fields in csv.reader(text, strict=True)
        ):
            yield path, Row(digest, size)
    except csv.Error as error:
        raise ValueError(str(error)) from error


def row(data: bytes) -> Row:
    """Describe contents."""
    from hashlib import sha256  # noqa: PLC0415 (an audit alone hashes nothing)

    return Row(stated(sha256(data).digest()), str(len(data)))


def stated(digest: bytes, algorithm: str = "sha256") -> str:
    """Spell a hash as RECORD does."""
    return f"{algorithm}={urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def algorithm(stated: str) -> str:
    """Name the hash that a row uses; a weak or unknown one counts as the usual, and differs."""
    name = stated.partition("=")[0]
    return name if name in ("sha256", "sha384", "sha512") else "sha256"


def write(rows: Iterable[Tuple[str, Row]]) -> bytes:
    """Make RECORD from rows in their order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows((path, digest, size) for path, (digest, size) in rows)
    return text.getvalue().encode("utf-8", "surrogateescape")
