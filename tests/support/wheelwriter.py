"""Write small wheels in memory (PyPA specification "Binary distribution format")."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import itertools
import stat
import warnings
import zipfile
from typing import (
    TYPE_CHECKING,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
)

if TYPE_CHECKING:
    from pathlib import Path

Pairs = Sequence[Tuple[str, bytes]]
TAG = "cp311-cp311-linux_x86_64"


def wheel_name(name: str = "demo", version: str = "1.0", tag: str = TAG, build: str = "") -> str:
    """Return the file name of a wheel."""
    parts = [name.replace("-", "_"), version, build, tag]
    return "-".join(part for part in parts if part) + ".whl"


def wheel(
    members: Union[Mapping[str, bytes], Pairs],
    *,
    name: str = "demo",
    version: str = "1.0",
    tag: str = TAG,
    purelib: bool = False,
    record: bool = True,
    edit_record: Callable[[str], str] = str,
    modes: Optional[Mapping[str, int]] = None,
    compress: bool = True,
    wheel_text: Optional[str] = None,
    extra_tags: Iterable[str] = (),
) -> bytes:
    """Return a wheel, which is valid unless the arguments damage it.

    A member with the name of a generated one replaces it. A name that ends in a slash is a
    directory. Pairs instead of a mapping may repeat a name. ``edit_record`` takes the text of
    RECORD and returns the text to store.
    """
    given = list(members.items()) if isinstance(members, Mapping) else list(members)
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    if wheel_text is None:
        wheel_text = _wheel_text([*_expanded(tag), *extra_tags], purelib=purelib)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    generated: Dict[str, bytes] = {
        f"{folder}/METADATA": metadata.encode(),
        f"{folder}/WHEEL": wheel_text.encode(),
    }
    taken = {path for path, _ in given}
    pairs = [*given, *((path, data) for path, data in generated.items() if path not in taken)]
    listing = f"{folder}/RECORD"
    if record and listing not in taken:
        pairs.append((listing, edit_record(record_text(pairs, listing)).encode()))
    return _archive(pairs, modes or {}, zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED)


def record_text(pairs: Pairs, listing: str) -> str:
    """Return RECORD for the members; its own row, for ``listing``, has no hash."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for path, data in pairs:
        if not path.endswith("/"):
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
            rows.writerow([path, f"sha256={digest.decode()}", len(data)])
    rows.writerow([listing, "", ""])
    return text.getvalue()


def save(folder: Path, data: bytes, filename: str) -> Path:
    """Write a wheel to a file and return its path."""
    path = folder / filename
    path.write_bytes(data)
    return path


def _expanded(tag: str) -> List[str]:
    """Return the tags of a compressed tag set (PEP 425)."""
    sets = (part.split(".") for part in tag.split("-"))
    return ["-".join(parts) for parts in itertools.product(*sets)]


def _wheel_text(tags: Iterable[str], *, purelib: bool) -> str:
    """Return the text of WHEEL."""
    lines = [
        "Wheel-Version: 1.0",
        "Generator: wheelwriter",
        f"Root-Is-Purelib: {str(purelib).lower()}",
    ]
    return "".join(f"{line}\n" for line in [*lines, *(f"Tag: {tag}" for tag in tags)])


def _archive(pairs: Pairs, modes: Mapping[str, int], compression: int) -> bytes:
    """Return an archive of the members in their order, independent of clock and host."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        # Some tests need a repeated name, of which zipfile warns.
        warnings.filterwarnings("ignore", "Duplicate name", UserWarning)
        for path, data in pairs:
            is_folder = path.endswith("/")
            mode = modes.get(path, 0o755 if is_folder else 0o644)
            kind = stat.S_IFMT(mode) or (stat.S_IFDIR if is_folder else stat.S_IFREG)
            member = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            # Unix, on any system.
            member.create_system = 3
            member.external_attr = (kind | stat.S_IMODE(mode)) << 16
            member.compress_type = compression
            archive.writestr(member, data)
    return buffer.getvalue()
