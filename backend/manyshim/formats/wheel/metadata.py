"""METADATA as packaging reads it, and RECORD as the library wheel reads it; only for `check`.

Sources: the core metadata specifications; PEP 427, PEP 440, PEP 503.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from typing import Dict, List, Optional

from manyshim.audit.gate.facts import MetadataFacts, NameFacts
from manyshim.errors import InvalidWheelError, ToolError
from manyshim.formats.wheel import fields
from manyshim.formats.wheel.wheel import Wheel

try:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
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
# Requirements that are parsed, and how many characters each may have.
_MAX_REQUIREMENTS = 2000
_MAX_REQUIREMENT = 2000
# The fields that the index and packaging refuse more than once.
_ONCE = ("Metadata-Version", "Name", "Version", "Summary", "Requires-Python", "License-Expression")


def read(wheel: Wheel) -> Optional[MetadataFacts]:
    """Read METADATA; None if there is none.

    Raises InvalidWheelError if it is too large or damaged.
    """
    data = wheel.dist_info_data("METADATA", _MAX_METADATA)
    return None if data is None else metadata_facts(data)


def name_facts(project: str, version: str) -> NameFacts:
    """Return the project and the version of a file name, normalized."""
    return NameFacts(_name(project), _version(version))


def metadata_facts(data: bytes) -> MetadataFacts:
    """Read the fields of METADATA or PKG-INFO, as far as the index and installers judge them."""
    head = data[:_MAX_FIELDS]
    values: Dict[str, List[str]] = {}
    for one in fields.parse(head.decode("utf-8", "surrogateescape")):
        values.setdefault(one.name.lower(), []).append(one.value)
    first = {name: found[0] for name, found in values.items()}
    name, version = first.get("name", ""), first.get("version", "")
    requirements = values.get("requires-dist", [])[:_MAX_REQUIREMENTS]
    invalid = [("Requires-Dist", text) for text in requirements if _requirement(text) is None]
    python = first.get("requires-python")
    if python is not None and not _is_specifier(python):
        invalid.append(("Requires-Python", python))
    return MetadataFacts(
        _name(name),
        _version(version),
        (name[:_MAX_SHOWN], version[:_MAX_SHOWN]),
        first.get("metadata-version", "")[:_MAX_SHOWN],
        tuple(values.get("license-file", [])[:_MAX_REQUIREMENTS]),
        tuple((field, text[:_MAX_SHOWN]) for field, text in invalid),
        tuple(text[:_MAX_SHOWN] for text in requirements if _requirement(text)),
        tuple(name for name in _ONCE if len(values.get(name.lower(), ())) > 1),
        len(first.get("summary", "")),
        "license" in first and "license-expression" in first,
        _is_utf8(data),
    )


def _requirement(text: str) -> Optional[str]:
    """Return the address of a requirement, empty if it has none; None if it is not valid."""
    try:
        return Requirement(text).url or "" if len(text) <= _MAX_REQUIREMENT else ""
    except InvalidRequirement:
        return None


def _is_specifier(text: str) -> bool:
    try:
        SpecifierSet(text[:_MAX_REQUIREMENT])
    except InvalidSpecifier:
        return False
    return True


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


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
