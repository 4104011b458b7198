"""An sdist: what the index and installers look at, read once from its first byte to its last.

Nothing is extracted. Only `check` loads this module. Sources: PEP 625, PEP 721, the specification
of source distributions, and the rules of the package index. What pip and uv do not unpack was found
by running both.
"""

from __future__ import annotations

import os
import posixpath
import re
import zipfile
from bisect import bisect_left
from typing import Dict, Iterator, List, Optional, Set, Tuple

from manyshim.audit.facts import is_too_long
from manyshim.audit.gate.facts import MetadataFacts, SdistFacts
from manyshim.errors import InvalidWheelError
from manyshim.files import open_regular
from manyshim.formats import tar
from manyshim.formats.tar import GzipStream, Member, TarStream
from manyshim.formats.tarheaders import TarError
from manyshim.formats.wheel.metadata import name_facts, parse

EXTENSION = ".tar.gz"

# In bytes: PKG-INFO, all members together (as for wheels), and all names.
_MAX_METADATA = 16 << 20
_MAX_SIZE, _MAX_RATIO = 64 << 20, 50
_MAX_NAMES = 64 << 20
_MAX_MEMBERS = 200_000
_READ_AT_ONCE = 1 << 20
_MAX_SHOWN = 100

# uv does not unpack a member with such a name. Surrogates stand for bytes that are not UTF-8.
_REFUSED_BY_UV = re.compile(r"[\x00-\x1f\x7f:\\\ud800-\udfff]| \Z")


def read(path: str) -> SdistFacts:
    """Read an sdist. Raises InvalidWheelError for a file that is no gzipped tar archive."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            also_zip = zipfile.is_zipfile(file)
            file.seek(0)
            reader = _Reader(GzipStream(file, _MAX_SIZE + _MAX_RATIO * size))
            facts = reader.facts(os.path.basename(path))
            return facts._replace(size=size, also_zip=also_zip)
    except TarError as error:
        raise InvalidWheelError(f"{path}: not a whole .tar.gz archive: {error}") from error
    except OSError as error:
        raise InvalidWheelError(f"{path}: cannot be read: {error.strerror or error}") from error


def refuse_unreadable(path: str) -> None:
    """Raise InvalidWheelError for what is no file, or cannot be opened."""
    try:
        open_regular(path).close()
    except OSError as error:
        raise InvalidWheelError(f"{path}: cannot be opened: {error.strerror or error}") from error


class _Reader:
    """Reads all members, and collects what is odd about them."""

    def __init__(self, stream: GzipStream) -> None:
        self._stream = stream
        self._paths: Set[str] = set()
        # The paths that are a folder, and the last type of the others, all normalized.
        self._folders: Set[str] = set()
        self._types: Dict[str, bytes] = {}
        self._odd: List[Tuple[str, str]] = []

    def facts(self, filename: str) -> SdistFacts:
        archive = TarStream(self._stream)
        metadata: Optional[MetadataFacts] = None
        size = 0
        for number, member in enumerate(archive):
            size += len(member.name)
            if number >= _MAX_MEMBERS:
                raise TarError(f"it has more than {_MAX_MEMBERS} members")
            if size > _MAX_NAMES:
                raise TarError(f"its names have more than {_MAX_NAMES} characters")
            self._add(member)
            if member.type == tar.REGULAR and _is_metadata(member.name) and metadata is None:
                metadata = parse(archive.read(_MAX_METADATA))
        self._note("parts" if self._stream.parts > 1 else "", "")
        self._note("" if archive.complete else "unended", "")
        self._note("surplus" if archive.surplus else "", "")
        for path in self._files_with_members():
            self._note("folder", path)
        # gzip's checksums are at the end.
        while self._stream.read(_READ_AT_ONCE):
            pass
        name, _, version = filename[: -len(EXTENSION)].rpartition("-")
        return SdistFacts(
            filename,
            name_facts(name, version),
            tuple(sorted({path.split("/", 1)[0] for path in self._paths})[:_MAX_SHOWN]),
            frozenset(self._paths),
            metadata,
            tuple(self._odd),
        )

    def _note(self, what: str, path: str) -> None:
        if what and len(self._odd) < _MAX_SHOWN:
            self._odd.append((what, path))

    def _add(self, member: Member) -> None:
        self._note(_oddity(member) or member.odd or self._misplaced(member), member.name)
        self._paths.add(member.name)
        path = _normalized(member.name)
        if member.type == tar.FOLDER:
            self._folders.add(path)
        else:
            self._types[path] = member.type

    def _misplaced(self, member: Member) -> str:
        """Return why a member cannot be where it is in the archive; empty if it can."""
        if member.type == tar.HARD_LINK:
            target = self._types.get(_normalized(member.link))
            return "" if target in (tar.REGULAR, tar.HARD_LINK) else "no target"
        is_folder = member.type != tar.FOLDER and _normalized(member.name) in self._folders
        return "folder" if is_folder else ""

    def _files_with_members(self) -> Iterator[str]:
        """Yield the paths that are a file or a link, and have members below them."""
        ordered = sorted((*self._folders, *self._types))
        for path in self._types:
            below = f"{path}/"
            place = bisect_left(ordered, below)
            if place < len(ordered) and ordered[place].startswith(below):
                yield path


def _normalized(path: str) -> str:
    # No reader unpacks a longer one, and many of them would take long.
    return path if is_too_long(path) else posixpath.normpath(path)


def _is_metadata(path: str) -> bool:
    folder, _, name = path.partition("/")
    return bool(folder) and name == "PKG-INFO"


def _oddity(member: Member) -> str:
    """Return why a member cannot be unpacked anywhere; empty if it can."""
    name, kind = member.name, member.type
    link = kind in (tar.SYMLINK, tar.HARD_LINK)
    if name.startswith("/") or ".." in name.split("/"):
        return "climbs"
    if kind not in (tar.REGULAR, tar.FOLDER) and not link:
        return "sparse" if kind == tar.SPARSE else "special"
    if is_too_long(name):
        return "long"
    # A folder's name has no slash at its end.
    if _REFUSED_BY_UV.search(name) or name.endswith("/"):
        return "name"
    return "payload" if member.payload else _link_oddity(member) if link else ""


def _link_oddity(member: Member) -> str:
    """Return why a link cannot be unpacked; empty if it can."""
    link = member.link
    if is_too_long(link):
        return "long"
    # pip strips the first folder of all paths. A symbolic link begins at its own folder.
    top, _, path = member.name.partition("/")
    if member.type == tar.SYMLINK:
        target = posixpath.join(posixpath.dirname(path), link)
    else:
        target = link[len(top) + 1 :] if link.startswith(f"{top}/") else link
    if (
        target.startswith("/")
        or link.startswith("/")
        or posixpath.normpath(target).split("/")[0] == ".."
    ):
        return "link"
    parts = [part for part in link.split("/") if part not in ("", ".")]
    while parts and parts[0] == "..":
        del parts[0]
    # What such a link means depends on whether one of its parts is a link, too.
    returns = ".." in parts
    return "target" if returns or not link or _REFUSED_BY_UV.search(link) else ""
