r"""Write the grafted libraries as a CycloneDX document for `.dist-info/sboms` (PEP 770). Pure.

The document has version 1.6, the first that can mark a licence as declared by the package. Many
readers refuse JSON with names that are not UTF-8. So an invalid byte is written as `\xff` and a
backslash as two; different names stay different.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from hashlib import new
from typing import Dict, List, Optional, Sequence, Tuple
from urllib.parse import quote

from manyshim.audit.tags import WheelName
from manyshim.repair.sbom import licenses
from manyshim.repair.sbom.packages import Distro, Package
from manyshim.values import NamedTuple

# auditwheel writes auditwheel.cdx.json; a wheel may have both files.
FILE_NAME = "manyshim.cdx.json"

# Systems in FIPS mode refuse SHA-1 otherwise. Python 3.8 does not know the argument.
_NOT_FOR_SECURITY: Dict[str, bool] = (
    {"usedforsecurity": False} if sys.version_info >= (3, 9) else {}
)
# The name-based UUID of "manyshim sbom" in the namespace of OIDs.
_NAMESPACE = bytes.fromhex("596ca44a04115d48b50236b0a5e2ec96")
# In seconds since 1970: the end of the year 9999, the last one of RFC 3339.
_MAX_TIMESTAMP = 253402300799
_PATCHED = (
    "The file was renamed in the wheel, and its DT_SONAME, DT_NEEDED or DT_RPATH was changed;"
    " the hash is that of the original file."
)


class Grafted(NamedTuple):
    """A library that was copied into the wheel.

    `source` is its path on the system that built the wheel. `sha256` (in hexadecimal digits) and
    `size` (in bytes) are those of that file. `needs` are the new names of grafted libraries that it
    needs. `needed_by` are the members of the wheel that need it. Names that are not UTF-8 contain
    surrogate escapes.
    """

    soname: str
    new_name: str
    path_in_wheel: str
    source: str
    sha256: str
    size: int
    needs: Tuple[str, ...] = ()
    needed_by: Tuple[str, ...] = ()
    package: Optional[Package] = None


def document(
    wheel: WheelName, grafted: Sequence[Grafted], *, version: str, epoch: Optional[int] = None
) -> bytes:
    """Return the document in ASCII, with a final newline; the order of `grafted` does not matter.

    `wheel` is the finished wheel's name, `version` is manyshim's own, `epoch` is SOURCE_DATE_EPOCH
    in seconds. Raises KeyError if a library needs one that is not in `grafted`.
    """
    libraries = sorted(grafted, key=lambda library: library.path_in_wheel)
    metadata: Dict[str, object] = {
        "component": {
            "type": "library",
            "bom-ref": wheel_purl(wheel),
            "name": wheel.name,
            "version": wheel.version,
            "purl": wheel_purl(wheel),
        },
        "tools": {"components": [{"type": "application", "name": "manyshim", "version": version}]},
    }
    if epoch is not None:
        from datetime import datetime, timezone  # noqa: PLC0415 (only with SOURCE_DATE_EPOCH)

        moment = datetime.fromtimestamp(min(max(epoch, 0), _MAX_TIMESTAMP), timezone.utc)
        metadata["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    content: Dict[str, object] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": [_component(library) for library in libraries],
        "dependencies": _dependencies(wheel_purl(wheel), libraries),
    }
    # Equal content gets an equal serial number, so builds are reproducible to the byte.
    content["serialNumber"] = _urn(_json(content))
    return _json(content).encode("ascii") + b"\n"


def _urn(text: str) -> str:
    """Return the name-based UUID of a text as a URN (RFC 9562, version 5).

    The module uuid takes longer to import than everything else in this module.
    """
    sha1 = new("sha1", _NAMESPACE + text.encode("ascii"), **_NOT_FOR_SECURITY)  # noqa: S324
    digest = bytearray(sha1.digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    found = digest.hex()
    parts = (found[:8], found[8:12], found[12:16], found[16:20], found[20:])
    return f"urn:uuid:{'-'.join(parts)}"


def _json(content: Dict[str, object]) -> str:
    return json.dumps(content, indent=2, sort_keys=True)


def _component(library: Grafted) -> Dict[str, object]:
    package = library.package
    stated = [
        ("manyshim:path", library.path_in_wheel),
        ("manyshim:size", str(library.size)),
        ("manyshim:source", library.source),
        *(("manyshim:needed-by", member) for member in sorted(set(library.needed_by))),
    ]
    component: Dict[str, object] = {
        "type": "library",
        "bom-ref": _reference(library),
        "name": escape(library.soname or posixpath.basename(library.source)),
        "hashes": [{"alg": "SHA-256", "content": library.sha256}],
        "pedigree": {"notes": _PATCHED},
    }
    if package is None:
        stated.append(("manyshim:package", "unknown"))
    else:
        stated.append(("manyshim:package", f"{package.kind} {package.name}"))
        if package.version:
            component["version"] = escape(package.version)
        purl = package_purl(package)
        if purl is not None:
            component["purl"] = purl
        spelled = [escape(text) for text in package.licenses]
        if spelled:
            component["licenses"] = licenses.choice(package.kind, spelled)
    component["properties"] = [
        {"name": name, "value": escape(value)} for name, value in sorted(stated)
    ]
    return component


def _dependencies(wheel: str, libraries: List[Grafted]) -> List[Dict[str, object]]:
    """List what the wheel and each library need.

    A library that only other libraries need is not a direct dependency of the wheel.
    """
    by_name = {library.new_name: _reference(library) for library in libraries}
    needed = {name for library in libraries for name in library.needs if name != library.new_name}
    direct = {
        _reference(library)
        for library in libraries
        if library.needed_by or library.new_name not in needed
    }
    rows: List[Dict[str, object]] = [{"ref": wheel, "dependsOn": sorted(direct)}]
    for library in libraries:
        needs = {by_name[name] for name in library.needs if name != library.new_name}
        rows.append({"ref": _reference(library), "dependsOn": sorted(needs)})
    return rows


def _reference(library: Grafted) -> str:
    return "file:" + _quoted(library.path_in_wheel, "/")


def wheel_purl(wheel: WheelName) -> str:
    """Return a wheel's package URL, with its project name normalised (PEP 503)."""
    name = re.sub(r"[-_.]+", "-", wheel.name).lower()
    file_name = _quoted(str(wheel))
    return f"pkg:pypi/{_quoted(name)}@{_quoted(wheel.version)}?file_name={file_name}"


def package_purl(package: Package) -> Optional[str]:
    """Return the package URL of a distribution's package; None if the distribution is unknown."""
    namespace, version, epoch = _vendor(package.distro), package.version, ""
    if not namespace:
        return None
    if package.kind == "rpm" and ":" in version:
        epoch, _, version = version.partition(":")
    # The specification omits qualifiers without a value and sorts the rest by key.
    qualifiers = [
        ("arch", package.arch),
        ("distro", "-".join(filter(None, package.distro))),
        ("epoch", epoch),
    ]
    text = "&".join(f"{key}={_quoted(value)}" for key, value in qualifiers if value)
    at_version = f"@{_quoted(version)}" if version else ""
    name = f"{_quoted(namespace)}/{_quoted(package.name)}"
    return f"pkg:{package.kind}/{name}{at_version}" + (f"?{text}" if text else "")


def _vendor(distro: Distro) -> str:
    """Return the distribution's name in package URLs, which may differ from os-release's ID."""
    if distro.id.startswith("opensuse"):
        return "opensuse"
    return "redhat" if distro.id == "rhel" else distro.id.lower()


def _quoted(text: str, safe: str = "") -> str:
    # The package URL specification does not encode the colon.
    return quote(escape(text), safe=safe + ":")


def escape(text: str) -> str:
    r"""Escape what UTF-8 cannot express: an invalid byte as `\xff`, and a backslash as two."""
    return re.sub("[\\\\\ud800-\udfff]", _escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == ord("\\"):
        return "\\\\"
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
