"""METADATA as packaging reads it, and RECORD as the library wheel reads it; only for `check`.

Sources: the core metadata specifications; PEP 427, PEP 440, PEP 503.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from typing import Optional, Tuple

from manyshim.audit.facts import MetadataFacts
from manyshim.errors import InvalidWheelError, ToolError
from manyshim.formats.wheel import fields
from manyshim.formats.wheel.wheel import Wheel

try:
    from packaging.metadata import parse_email
    from packaging.utils import InvalidName, canonicalize_name
    from packaging.version import InvalidVersion, Version
    from wheel.wheelfile import WheelFile
except ImportError as error:  # an in-tree copy of manyshim has no dependencies
    raise ToolError(
        "check reads METADATA with packaging and RECORD with wheel, and one of them is missing: "
        'pip install "packaging>=23.2" "wheel>=0.32"'
    ) from error

# In bytes. Long descriptions are part of METADATA, and it is read as a whole.
_MAX_METADATA = 16 << 20
# The fields before the description. The longest of 423 wheels have 74 KiB.
_MAX_FIELDS = 1 << 20
# In characters: what is printed of a name or a version, and the longest version that is parsed.
_MAX_SHOWN = 200


def read(wheel: Wheel) -> Optional[MetadataFacts]:
    """Read the name and the version of METADATA and of the file name, normalized.

    Returns None if there is no METADATA. Raises InvalidWheelError if it is too large or damaged.
    """
    data = wheel.metadata_data(_MAX_METADATA)
    if data is None:
        return None
    name, version = _stated(data)
    return MetadataFacts(
        _name(name),
        _version(version),
        _name(wheel.name.name) or wheel.name.name,
        # A file name has an underscore for each dash (PEP 427).
        _version(wheel.name.version.replace("_", "-")) or wheel.name.version,
        (name[:_MAX_SHOWN], version[:_MAX_SHOWN]),
    )


def _stated(data: bytes) -> Tuple[str, str]:
    """Return the name and the version as METADATA spells them; empty if they are missing."""
    try:
        read, _ = parse_email(_of_interest(data))
    except Exception:  # noqa: BLE001 (it fails with many errors on what is no plain message)
        return "", ""
    return read.get("name", ""), read.get("version", "")


def _of_interest(data: bytes) -> bytes:
    """Return only the fields Name and Version.

    packaging takes quadratic time for many other fields, and much memory for a description of
    many parts (RFC 2046).
    """
    text = data[:_MAX_FIELDS].decode("utf-8", "surrogateescape")
    found = (one for one in fields.parse(text) if one.name.lower() in ("name", "version"))
    lines = (line for one in found for line in one.lines)
    return "\n".join((*lines, "")).encode("utf-8", "surrogateescape")


def record_problem(wheel: Wheel) -> str:
    """Return why the library wheel cannot read RECORD; empty if it can.

    Raises InvalidWheelError if the file system cannot read the wheel.
    """
    try:
        _read_again(wheel)
    except Exception as error:
        # zipfile takes an error of the disk for a damaged archive, which says nothing about RECORD.
        for cause in (error, error.__context__):
            if isinstance(cause, OSError):
                raise InvalidWheelError(
                    f"{wheel.path}: cannot be read: {cause.strerror}"
                ) from error
        # Its rule for file names is not about RECORD, and the index has one of its own.
        return (
            ""
            if str(error).startswith("Bad wheel filename")
            else f"{type(error).__name__}: {error}"
        )
    return ""


def _read_again(wheel: Wheel) -> None:
    """Let the library read RECORD alone; raises what it raises.

    zipfile may see another archive than we do: it ends names at NUL, and takes quadratic time for
    extra fields. A RECORD that only it sees may have any size.
    """
    with tempfile.TemporaryDirectory(prefix="manyshim-") as folder:
        path = os.path.join(folder, os.path.basename(wheel.path))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{wheel.dist_info}/RECORD", wheel.record_data())
        WheelFile(path).close()


def _name(text: str) -> str:
    """Normalize a project's name (PEP 503); empty if it is not valid."""
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName:
        return ""


def _version(text: str) -> str:
    """Normalize a version (PEP 440); empty if it is not valid."""
    try:
        return str(Version(text)) if len(text) <= _MAX_SHOWN else ""
    except InvalidVersion:
        return ""
