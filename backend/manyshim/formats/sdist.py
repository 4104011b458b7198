"""An sdist: what the index and installers look at, read once from its first byte to its last.

Nothing is extracted. Only `check` loads this module. Sources: PEP 625, PEP 721, the specification
of source distributions, and the rules of the package index.
"""

from __future__ import annotations

import gzip
import os
import posixpath
import tarfile
import zipfile
import zlib
from typing import BinaryIO, List, Optional, Set, Tuple

from manyshim.audit.gate.facts import MetadataFacts, SdistFacts
from manyshim.errors import InvalidWheelError
from manyshim.files import open_regular
from manyshim.formats.wheel.metadata import metadata_facts, name_facts

EXTENSION = ".tar.gz"

# In bytes: PKG-INFO, and all members together (as for wheels).
_MAX_METADATA = 16 << 20
_MAX_SIZE, _MAX_RATIO = 64 << 20, 50
_MAX_MEMBERS = 200_000
_READ_AT_ONCE = 1 << 20
_MAX_SHOWN = 100


def read(path: str) -> SdistFacts:
    """Read an sdist. Raises InvalidWheelError for a file that is no gzipped tar archive."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            also_zip = zipfile.is_zipfile(file)
            file.seek(0)
            return _Reader(file, size).facts(os.path.basename(path), also_zip=also_zip)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise InvalidWheelError(f"{path}: not a whole .tar.gz archive: {error}") from error
    except OSError as error:
        raise InvalidWheelError(f"{path}: cannot be read: {error.strerror or error}") from error


class _Reader:
    """A stream of inflated bytes that ends with an error beyond the bound."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._stream = gzip.GzipFile(fileobj=file)
        self._size = size
        self._left = _MAX_SIZE + _MAX_RATIO * size

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise tarfile.ReadError(f"it inflates to more than {_MAX_RATIO} times its size")
        return data

    def facts(self, filename: str, *, also_zip: bool) -> SdistFacts:
        """Read all members, and return the facts."""
        paths: Set[str] = set()
        odd: List[Tuple[str, str]] = []
        metadata: Optional[MetadataFacts] = None
        with tarfile.open(fileobj=self, mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                paths.add(member.name)
                if len(paths) > _MAX_MEMBERS:
                    raise tarfile.ReadError(f"it has more than {_MAX_MEMBERS} members")
                what = _oddity(member)
                if what and len(odd) < _MAX_SHOWN:
                    odd.append((what, member.name))
                if member.isreg() and _is_metadata(member.name) and metadata is None:
                    stream = archive.extractfile(member)
                    data = stream.read(_MAX_METADATA) if stream else b""
                    metadata = metadata_facts(data)
                archive.members = []
        self._finish()
        name, _, version = filename[: -len(EXTENSION)].rpartition("-")
        return SdistFacts(
            filename,
            name_facts(name, version),
            tuple(sorted({path.split("/", 1)[0] for path in paths})[:_MAX_SHOWN]),
            frozenset(paths),
            metadata,
            tuple(odd),
            self._size,
            also_zip,
        )

    def _finish(self) -> None:
        """Read to the end of the stream, where gzip verifies its CRC.

        Bytes behind it are ignored, as all readers do.
        """
        try:
            while self.read(_READ_AT_ONCE):
                pass
        except gzip.BadGzipFile as error:
            if not str(error).startswith("Not a gzipped file"):
                raise


def _is_metadata(path: str) -> bool:
    folder, _, name = path.partition("/")
    return bool(folder) and name == "PKG-INFO"


def _oddity(member: tarfile.TarInfo) -> str:
    """Return why a member cannot be unpacked, as `tarfile.data_filter` judges; empty if it can."""
    if member.name.startswith("/") or ".." in member.name.split("/"):
        return "climbs"
    if member.issparse():
        return "sparse"
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return "special"
    if member.issym():
        target = posixpath.join(posixpath.dirname(member.name), member.linkname)
        outside = posixpath.normpath(target).split("/")[0] in ("..", "")
        return "link" if outside or member.linkname.startswith("/") else ""
    outside = posixpath.normpath(member.linkname or ".").split("/")[0] in ("..", "")
    return "link" if member.islnk() and outside else ""
