"""The strict index's rules about RECORD, WHEEL and entry_points.txt."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import re
from email.utils import parseaddr
from typing import TYPE_CHECKING, Dict, Iterator, List, Set

if TYPE_CHECKING:
    from email.message import Message

# The specification of RECORD requires sha256 or better.
RECORD_HASHES = frozenset(
    ("sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256", "sha3_384", "sha3_512")
)
NAMED_GROUPS = ("console_scripts", "gui_scripts")


def record_problems(filename: str, dist_info: str, members: Dict[str, bytes]) -> Iterator[str]:
    """Yield the differences between RECORD and the members of the wheel."""
    record = f"{dist_info}/RECORD"
    if record not in members:
        yield f"RECORD not found at {record} in {filename}"
        return
    try:
        text = members[record].decode("utf-8")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        yield f"RECORD of {filename} cannot be decoded: {error}"
        return
    if any(len(row) != 3 for row in rows):
        yield f"RECORD of {filename} has a line without three fields"
        return
    # RECORD cannot list its own signatures.
    wanted = set(members) - {f"{record}.jws", f"{record}.p7s"}
    yield from name_set_problems(filename, wanted, [row[0] for row in rows])
    for path, digest, size in rows:
        if path == record:
            if digest or size:
                yield f"RECORD of {filename} gives a hash or a size for itself"
        elif path in wanted:
            yield from row_problems(path, digest, size, members[path])


def name_set_problems(filename: str, wanted: Set[str], listed: List[str]) -> Iterator[str]:
    """Yield the names that are only in RECORD or only in the archive."""
    for path in sorted(wanted - set(listed)):
        yield f"RECORD of {filename} does not list {path!r}"
    for path in sorted(set(listed) - wanted):
        yield f"RECORD of {filename} lists {path!r}, which is no file of the wheel"
    if len(set(listed)) != len(listed):
        yield f"RECORD of {filename} lists a file twice"


def row_problems(path: str, digest: str, size: str, content: bytes) -> Iterator[str]:
    """Yield the differences between a line of RECORD and its member."""
    algorithm, _, value = digest.partition("=")
    if algorithm not in RECORD_HASHES:
        yield f"RECORD hash of {path!r} is missing or weak"
    else:
        actual = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest())
        if value != actual.decode("ascii").rstrip("="):
            yield f"RECORD hash of {path!r} does not match"
    if size != str(len(content)):
        yield f"RECORD size of {path!r} does not match"


def address_problems(fields: Message) -> Iterator[str]:
    """Yield the addresses that the library of the index refuses, if it is installed."""
    try:
        from email_validator import (
            EmailNotValidError,
            validate_email,
        )
    except ImportError:
        return
    for field in ("Author-email", "Maintainer-email"):
        address = parseaddr(str(fields.get(field, "")))[1]
        try:
            if address:
                validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            yield f"Invalid value for {field}: {address!r} is not a valid email address: {error}"


def wheel_file_problems(fields: Message, tags: Set[str]) -> Iterator[str]:
    """Yield the problems of WHEEL, and its contradictions with the file name."""
    if not re.match(r"1\.\d+\Z", str(fields.get("Wheel-Version", ""))):
        yield f"WHEEL has an unsupported Wheel-Version {fields.get('Wheel-Version')}"
    lines = [str(line) for line in fields.get_all("Tag", [])]
    found: Set[str] = set()
    for line in lines:
        expanded = expand_tag(line)
        if expanded != {line.lower()}:
            yield f"WHEEL has a Tag that is not expanded: {line}"
        found |= expanded
    if found != tags:
        yield (
            f"WHEEL has the tags {', '.join(sorted(found))}, "
            f"the file name has {', '.join(sorted(tags))}"
        )


def expand_tag(line: str) -> Set[str]:
    """Return the single tags that a compressed tag set stands for."""
    parts = line.lower().split("-")
    expanded = {""}
    for part in parts:
        expanded = {f"{head}-{choice}" for head in expanded for choice in part.split(".")}
    return {tag[1:] for tag in expanded}


def entry_point_problems(content: bytes) -> Iterator[str]:
    """Yield the problems of entry_points.txt."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    # Names of entry points are case-sensitive.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(content.decode("utf-8"))
    except (UnicodeDecodeError, configparser.Error) as error:
        yield f"entry_points.txt cannot be read: {error}"
        return
    for group in NAMED_GROUPS:
        if parser.has_section(group):
            for name in parser.options(group):
                if not re.match(r"[\w.-]+\Z", name):
                    yield f"entry_points.txt has an invalid name in {group}: {name!r}"
