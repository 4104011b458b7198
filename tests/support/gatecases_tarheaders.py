"""Crafted tar archives for the differential test of `check`: headers that some reader refuses.

Each value is an archive, and how `formats/tarheaders.py` names what is odd in it; empty if nothing.
"""

from __future__ import annotations

import gzip
import tarfile
from typing import Dict, Literal, Mapping, Tuple

Case = Tuple[bytes, str]

_Format = Literal[0, 1, 2]
_GNU: _Format = 1
_USTAR: _Format = 0
_END = bytes(1024)
_MODE, _OWNER, _SIZE, _TIME, _CHECKSUM, _TARGET, _MAGIC = 100, 108, 124, 136, 148, 157, 257


def archives(good: Mapping[str, bytes], top: str) -> Dict[str, Case]:
    """Return archives of the good members with one more, below the top-level folder."""
    return {
        name: (gzip.compress(data, mtime=0), odd)
        for rows in (_formats(good, top), _numbers(good, top), _pax(good, top))
        for name, (data, odd) in rows.items()
    }


def _member(name: str, data: bytes = b"", kind: bytes = b"0", form: _Format = _USTAR) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = len(data), kind
    return info.tobuf(form) + data + bytes(-len(data) % 512)


def _all(good: Mapping[str, bytes], form: _Format = _USTAR) -> bytes:
    return b"".join(_member(name, data, form=form) for name, data in good.items())


def _set(member: bytes, *fields: Tuple[int, bytes]) -> bytes:
    """Replace fields of a header, and its checksum unless that is one of them."""
    block = bytearray(member)
    for place, field in fields:
        block[place : place + len(field)] = field
    if all(place != _CHECKSUM for place, _ in fields):
        block[_CHECKSUM : _CHECKSUM + 8] = b"%06o\0 " % checksum(bytes(block[:512]))
    return bytes(block)


def checksum(block: bytes) -> int:
    """Return the checksum of a header."""
    return sum(block[:_CHECKSUM] + b" " * 8 + block[_CHECKSUM + 8 :])


def pax(*pairs: Tuple[str, str], kind: bytes = b"x", more: bytes = b"") -> bytes:
    """Return an extended header of POSIX."""
    data = b""
    for key, value in pairs:
        text = f" {key}={value}\n".encode("utf-8", "surrogateescape")
        size = len(text) + 1
        while len(b"%d" % size) + len(text) != size:
            size += 1
        data += b"%d" % size + text
    return _member("header", data + more, kind)


def _long(data: bytes, kind: bytes = b"L", form: _Format = _GNU) -> bytes:
    return _member("././@LongLink", data, kind, form)


def _formats(good: Mapping[str, bytes], top: str) -> Dict[str, Case]:
    ustar, gnu = _all(good), _all(good, _GNU)
    name = f"{top}/odd"
    posix, other = _member(name, b"x"), _member(name, b"x", form=_GNU)
    comment, path = pax(("comment", "x"), kind=b"g"), name.encode()
    return {
        "GNU behind POSIX": (ustar + other + _END, "format"),
        "POSIX behind GNU": (gnu + posix + _END, "format"),
        "pax behind GNU": (gnu + pax(("comment", "x")) + posix + _END, "format"),
        "global header, then GNU": (comment + gnu + _END, "format"),
        "global header, then POSIX": (comment + ustar + _END, ""),
        "global header in the middle": (ustar + comment + posix + _END, ""),
        "global header at the end": (ustar + comment + _END, "surplus"),
        "the header of V7": (ustar + _set(posix, (_MAGIC, bytes(8))) + _END, "magic"),
        "another magic": (ustar + _set(posix, (_MAGIC, b"ustar\x0001")) + _END, "magic"),
        "the header of star": (ustar + _set(posix, (508, b"tar\0")) + _END, "magic"),
        "a file with a target": (ustar + _set(posix, (_TARGET, b"x")) + _END, "link name"),
        "long name": (gnu + _long(path + b"\0") + other + _END, ""),
        "long name, two NULs": (gnu + _long(path + b"\0\0") + other + _END, ""),
        "long name without NUL": (gnu + _long(path) + other + _END, "long name"),
        "long name with NUL in it": (gnu + _long(path + b"\0x\0") + other + _END, "long name"),
        "long name in POSIX": (ustar + _long(path + b"\0", form=_USTAR) + posix + _END, "format"),
        "long target of a file": (gnu + _long(b"x\0", b"K") + other + _END, "link name"),
    }


def _numbers(good: Mapping[str, bytes], top: str) -> Dict[str, Case]:
    posix, gnu = _member(f"{top}/odd", b"x"), _member(f"{top}/odd", b"x", form=_GNU)
    rows: Dict[str, Tuple[int, bytes, str]] = {
        "mode of NULs": (_MODE, bytes(8), ""),
        "mode of spaces": (_MODE, b" " * 8, "number"),
        "mode behind spaces": (_MODE, b"   644 \0", "number"),
        "mode with spaces behind it": (_MODE, b"644     ", ""),
        "mode without an end": (_MODE, b"00000644", "number"),
        "mode in letters": (_MODE, b"rw-r--r\0", "number"),
        "large mode": (_MODE, b"7777777\0", ""),
        "owner in letters": (_OWNER, b"nobody \0", "number"),
        "negative owner": (_OWNER, b"\xff" * 8, "number"),
        "size without an end": (_SIZE, b"000000000001", "number"),
        "size behind spaces": (_SIZE, b"          1\0", "number"),
        "time in letters": (_TIME, b"yesterday  \0", "number"),
        "time of NULs": (_TIME, bytes(12), ""),
        "negative time": (_TIME, b"\xff" * 12, "number"),
    }
    found = {
        name: (_all(good) + _set(posix, (place, field)) + _END, odd)
        for name, (place, field, odd) in rows.items()
    }
    large, huge = b"\x80" + bytes(10) + b"\1", b"\x80" + b"\x7f" * 11
    padded = b"%7o\0" % checksum(posix[:512])
    found["binary time in POSIX"] = (_all(good) + _set(posix, (_TIME, large)) + _END, "number")
    found["binary time in GNU"] = (_all(good, _GNU) + _set(gnu, (_TIME, large)) + _END, "")
    found["huge time in GNU"] = (_all(good, _GNU) + _set(gnu, (_TIME, huge)) + _END, "time")
    found["checksum behind a space"] = (
        _all(good) + _set(posix, (_CHECKSUM, padded)) + _END,
        "number",
    )
    return found


def _pax(good: Mapping[str, bytes], top: str) -> Dict[str, Case]:
    taken = (
        *(
            ("mtime", "1.5"),
            ("mtime", ""),
            ("atime", "0.5"),
            ("uid", "01"),
            ("gid", str(2**64 - 1)),
        ),
        *(("SCHILY.dev", "1"), ("LIBARCHIVE.creationtime", "1"), ("hdrcharset", "BINARY")),
    )
    refused = (
        *(("mtime", "-1.5"), ("mtime", "1e3"), ("mtime", "+5"), ("mtime", "5."), ("atime", "x")),
        *(("uid", "x"), ("gid", "-1"), ("uid", str(2**64)), ("hdrcharset", "x")),
        *(("FOO", "x"), ("vendor.key", "x"), ("comment", "\udcff"), ("linkpath", "x")),
    )
    late = (("mtime", "1e300"), ("mtime", "nan"), ("mtime", "inf"), ("mtime", str(2**63)))
    found: Dict[str, Tuple[bytes, str]] = {}
    for rows, odd in ((taken, ""), (refused, "pax"), (late, "time")):
        for pair in rows:
            name = "pax {}={}".format(*pair).replace("\udcff", "\\xff")
            found[name] = pax(pair), "link name" if pair[0] == "linkpath" else odd
    one = ("mtime", "1")
    found["pax, one keyword twice"] = pax(one, one), "pax"
    found["pax without a record"] = pax(), "pax"
    found["pax, then pax for all"] = pax(one) + pax(("comment", "x"), kind=b"g"), "pax"
    member = _member(f"{top}/odd", b"x")
    return {
        name: (_all(good) + header + member + _END, odd) for name, (header, odd) in found.items()
    }
