"""METADATA as packaging reads it, and RECORD as the library wheel reads it; only for `check`.

Sources: the core metadata specifications; PEP 427, PEP 440, PEP 503; warehouse's forklift/metadata.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from contextlib import suppress
from email.utils import getaddresses
from typing import Dict, Iterator, List, Mapping, Optional, Tuple, cast

from manyshim.audit.gate.facts import InvalidField, MetadataFacts, NameFacts, Rendering
from manyshim.errors import InvalidWheelError, ToolError
from manyshim.formats.wheel import corefields
from manyshim.formats.wheel.corefields import CoreFields
from manyshim.formats.wheel.wheel import Wheel

try:
    from packaging.metadata import Metadata, RawMetadata, parse_email
    from packaging.requirements import Requirement
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
# In characters. docutils takes long for much text: the longest of 578 wheels has 230,391.
_MAX_RENDERED = 1 << 18
# In characters: what is printed of a name or a version, and the longest version that is parsed.
_MAX_SHOWN = 200
# The problems of each field that are listed.
_MAX_PROBLEMS = 1000

# packaging names only the first value that is not valid of each of these fields.
_LISTS = {
    "requires-dist": "requires_dist",
    "provides-extra": "provides_extra",
    "dynamic": "dynamic",
    "license-file": "license_files",
    "import-name": "import_names",
    "import-namespace": "import_namespaces",
}
_DISTRIBUTIONS = ("requires-dist", "provides-dist", "obsoletes-dist")


def read(wheel: Wheel) -> Optional[MetadataFacts]:
    """Read METADATA.

    Returns None if there is none. Raises InvalidWheelError if it is too large or damaged.
    """
    data = wheel.dist_info_data("METADATA", _MAX_METADATA)
    return None if data is None else parse(data)


def name_facts(project: str, version: str) -> NameFacts:
    """Return the project and the version of a file name, normalized."""
    return NameFacts(_name(project), _version(version))


def parse(data: bytes) -> MetadataFacts:
    """Read the bytes of METADATA or PKG-INFO."""
    found = corefields.parse(data)
    raw = _raw(found)
    name, version = str(raw.get("name", "")), str(raw.get("version", ""))
    judged = _knows(found.value("metadata-version"))
    direct, invalid = _distributions(found)
    unknown, old = _classifiers(found.values.get("classifier", ()))
    rendering, message = _render(found)
    return MetadataFacts(
        _name(name),
        _version(version),
        (name[:_MAX_SHOWN], version[:_MAX_SHOWN]),
        fields=found.values,
        incomplete=found.incomplete,
        utf8=found.utf8,
        judged=judged,
        invalid=(*(_invalid(raw) if judged else ()), *_python(found), *invalid),
        addresses=tuple(_addresses(found)),
        direct=direct,
        repeated=found.repeated,
        unknown=found.unknown,
        unknown_classifiers=unknown,
        old_classifiers=old,
        rendering=rendering,
        renderer_message=message,
    )


def _raw(found: CoreFields) -> Dict[str, object]:
    """Return the fields as packaging understands them, without those that clients do not send."""
    text = "\n".join((*found.lines, ""))
    try:
        read, _ = parse_email(text.encode("utf-8", "surrogateescape"))
    except Exception:  # noqa: BLE001 (it fails with many errors on what is no plain message)
        return {}
    raw = {key: value for key, value in read.items() if value not in ("", "UNKNOWN")}
    version = found.value("metadata-version")
    if version in ("1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "2.3"):
        # setuptools wrote it before it was specified, and clients do not send it.
        raw.pop("license_files", None)
    return raw


def _knows(version: str) -> bool:
    """Whether packaging knows a Metadata-Version."""
    return not list(_problems({"metadata_version": version, "name": "a", "version": "1"}))


def _problems(raw: Mapping[str, object]) -> Iterator[InvalidField]:
    """Yield what packaging refuses."""
    try:
        Metadata.from_raw(cast("RawMetadata", dict(raw)))
    except Exception as error:  # noqa: BLE001 (a deep marker or expression is a RecursionError)
        for one in getattr(error, "exceptions", (error,)):
            field = str(getattr(one, "field", "")) or "metadata"
            reason = str(one) or type(one).__name__
            yield InvalidField(field.lower().replace("_", "-"), " ".join(reason.split()))


def _invalid(raw: Mapping[str, object]) -> List[InvalidField]:
    """Return all problems that packaging finds, except those of fields that are judged apart."""
    apart = ("metadata-version", "name", "version", "requires-dist")
    found: List[InvalidField] = []
    needed = {key: raw[key] for key in ("metadata_version", "name", "version") if key in raw}
    if "requires_dist" in raw:
        # Its values are judged apart, but not whether this version of the metadata has the field.
        found += (
            one for one in _problems({**needed, "requires_dist": ["a"]}) if one.field in apart
        )
    for one in sorted(_problems(raw)):
        key = _LISTS.get(one.field, "")
        values = raw.get(key) if key else None
        if one.field in apart:
            continue
        each: List[InvalidField] = []
        for value in values if isinstance(values, list) else ():
            if len(each) < _MAX_PROBLEMS:
                problems = _problems({**needed, key: [value]})
                each += [other for other in problems if other.field == one.field]
        found += dict.fromkeys(each) or [one]
    return found


def _distributions(found: CoreFields) -> Tuple[Tuple[Tuple[str, str], ...], List[InvalidField]]:
    """Return the dependencies on an address, and those that are not valid, by their fields."""
    direct: List[Tuple[str, str]] = []
    invalid: List[InvalidField] = []
    for field in _DISTRIBUTIONS:
        for value in dict.fromkeys(found.values.get(field, ())):
            if value in ("", "UNKNOWN"):
                continue
            try:
                read = Requirement(value)
                if read.url is not None:
                    direct.append((field, value))
                reason = _no_version(read.specifier) if field == "requires-dist" else ""
            except Exception as error:  # noqa: BLE001 (a deep marker is a RecursionError)
                reason = (str(error) or type(error).__name__).partition("\n")[0]
            if reason:
                invalid.append(InvalidField(field, f"{value!r}: {reason}"))
    return tuple(direct[:_MAX_PROBLEMS]), invalid[:_MAX_PROBLEMS]


def _no_version(specifiers: SpecifierSet) -> str:
    """Return why uv cannot read specifiers that packaging reads; empty if it can."""
    texts = (one.version for one in specifiers if one.operator == "===")
    return "" if all(map(_version, texts)) else "uv takes only a version behind ==="


def _python(found: CoreFields) -> Iterator[InvalidField]:
    """Yield the Requires-Python that packaging takes, and uv does not."""
    with suppress(InvalidSpecifier):
        reason = _no_version(SpecifierSet(found.value("requires-python")))
        yield from [InvalidField("requires-python", reason)] if reason else []


def _addresses(found: CoreFields) -> Iterator[Tuple[str, str]]:
    """Yield the addresses of authors that the index verifies: those that are alone in a field."""
    for field in ("author-email", "maintainer-email"):
        value = found.value(field)
        try:
            listed = getaddresses([value]) if value not in ("", "UNKNOWN") else []
        except RecursionError:  # nested comments
            continue
        if len(listed) == 1 and listed[0][1]:
            yield field, listed[0][1]


def _classifiers(
    stated: Tuple[str, ...],
) -> Tuple[Tuple[str, ...], Tuple[Tuple[str, str], ...]]:
    """Return classifiers that do not exist, and deprecated ones with their replacements.

    Both are empty unless trove-classifiers is installed.
    """
    try:
        from trove_classifiers import (  # noqa: PLC0415 (optional)
            classifiers,
            deprecated_classifiers,
        )
    except ImportError:
        return (), ()
    names = sorted({name for name in stated if name not in ("", "UNKNOWN")})
    old = [
        (name, ", ".join(deprecated_classifiers[name]))
        for name in names
        if name in deprecated_classifiers
    ]
    unknown = [
        name for name in names if name not in classifiers and name not in deprecated_classifiers
    ]
    return tuple(unknown[:_MAX_PROBLEMS]), tuple(old)


def _render(found: CoreFields) -> Tuple[Rendering, str]:
    """Render a description as the index does, if it can fail: only reStructuredText can."""
    kind = found.value("description-content-type").partition(";")[0].strip().lower()
    text = found.description
    if kind not in ("", "text/x-rst") or text.strip() in ("", "UNKNOWN") or not found.utf8:
        return Rendering.NOT_NEEDED, ""
    if len(text) > _MAX_RENDERED:
        return Rendering.TOO_LARGE, ""
    try:
        from readme_renderer import rst  # noqa: PLC0415 (optional)
    except ImportError:
        return Rendering.NO_RENDERER, ""
    stream = io.StringIO()
    try:
        rendered = rst.render(text, stream=stream)
    except Exception:  # noqa: BLE001 (docutils fails with many errors, and on deep nesting)
        return Rendering.NOT_RENDERED, ""
    if rendered is not None:
        return Rendering.RENDERED, ""
    lines = stream.getvalue().strip().splitlines()
    return Rendering.FAILED, lines[0].replace("<string>:", "line ", 1) if lines else "no text"


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
    # The library looks for the folder of the file name, which may be another one. That has a
    # finding of its own.
    name = f"{wheel.dist_info[: -len('.dist-info')]}-py3-none-any.whl"
    with tempfile.TemporaryDirectory(prefix="manyshim-") as folder:
        path = os.path.join(folder, name)
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
