"""RECORD: one row for each file of a wheel, with its hash and size (PEP 376, PEP 427)."""

from __future__ import annotations

import io
from base64 import urlsafe_b64encode
from contextlib import suppress
from importlib import import_module
from itertools import chain
from typing import Iterator, List, Tuple, Union

from manyshim.values import NamedTuple

# csv.field_size_limit(), in characters.
_MAX_FIELD = 131_072


class Row(NamedTuple):
    """What RECORD states of one member; empty where it states nothing."""

    digest: str = ""
    size: str = ""


def parse(data: bytes) -> Iterator[Tuple[str, Row]]:
    """Yield the rows of RECORD, a blank line as one without a path.

    ValueError where it is no UTF-8 or no CSV.
    """
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    for line in text:
        if '"' in line or "\0" in line or len(line) > _MAX_FIELD:
            fields = _quoted(chain((line,), text))
        else:
            fields = line.rstrip("\r\n").split(",")
        if len(fields) != 3:
            fields = [*fields, "", "", ""][:3]
        path, digest, size = fields
        yield path, Row(digest, size)


def _quoted(lines: Iterator[str]) -> List[str]:
    """Read one row as csv does. ValueError where it is no CSV."""
    import csv  # noqa: PLC0415 (hardly any RECORD has quotes, and it costs what ten modules cost)

    try:
        return next(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def row(data: bytes) -> Row:
    """Describe contents."""
    return Row(stated(_sha256(data)), str(len(data)))


def _sha256(data: bytes) -> bytes:
    # The random module takes it from there too: hashlib loads OpenSSL, which costs 3 ms and 4 MiB.
    for module in ("_sha2", "_sha256", "hashlib"):
        with suppress(ImportError):
            digest: bytes = import_module(module).sha256(data).digest()
            return digest
    raise ImportError("sha256")


def stated(digest: bytes, algorithm: str = "sha256") -> str:
    """Spell a hash as RECORD does."""
    return f"{algorithm}={urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def algorithm(stated: str) -> str:
    """Name the hash that a row uses; a weak or unknown one counts as the usual, and differs."""
    name = stated.partition("=")[0]
    return name if name in ("sha256", "sha384", "sha512") else "sha256"


def line(path: str, row: Row) -> str:
    """Write a row, without its line break."""
    plain = f"{path},{row.digest},{row.size}"
    if plain.count(",") == 2 and not set('"\r\n').intersection(plain):
        return plain
    import csv  # noqa: PLC0415 (see above)

    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow((path, *row))
    return text.getvalue()[:-1]


def edited(data: bytes, own: str, path: str, row: Row) -> bytes:
    """Change the row of a path in RECORD and move its own one to the end; read no others.

    An empty string where the rows may be other than `line` would write them.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    last = _bytes(f"{line(own, Row())}\n")
    at, start = _row_at(data, last), _row_at(data, _bytes(f"{path},"))
    plain = b'"' not in data and b"\r" not in data and data.count(b",") == 2 * data.count(b"\n")
    if at < 0 or start < 0 or not plain:
        return b""
    end = data.index(b"\n", start) + 1
    new = _bytes(f"{line(path, row)}\n")
    pieces: List[Union[bytes, memoryview]] = []
    position, view = 0, memoryview(data)
    for begin, behind, text in sorted(((at, at + len(last), b""), (start, end, new))):
        pieces += (view[position:begin], text)
        position = behind
    return b"".join((*pieces, view[position:], last))


def _row_at(data: bytes, begin: bytes) -> int:
    """Find a row by its first bytes."""
    return 0 if data.startswith(begin) else data.find(b"\n" + begin) + 1 or -1


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
