"""The sdist of a release: what it contains, and the time that its files have."""

from __future__ import annotations

import hashlib
import os
import tarfile
from typing import IO, List, Tuple

from manyshim.audit.releases import is_release_file
from manyshim.errors import InvalidWheelError, ToolError
from manyshim.values import NamedTuple

EXTENSION = ".tar.gz"
# The oldest time that an archive of zip can hold: 1980-01-01 (APPNOTE.TXT, 4.4.6).
_OLDEST_SECOND = 315_532_800
# How the names of our own folders and files begin.
_OURS = ".manyshim-"
_CHUNK_BYTES = 1 << 20


class Sdist(NamedTuple):
    """An sdist. `content` is a hash of its members without their times, `digest` one of its bytes.

    `epoch` is the time of its newest member, in seconds since 1970; `names` are all members.
    """

    path: str
    content: str
    digest: str
    epoch: int
    names: Tuple[str, ...] = ()


def read(path: str) -> Sdist:
    """Read an sdist. Raises InvalidWheelError if it is no archive, ToolError if it is not there."""
    members: List[Tuple[str, str, str]] = []
    epoch = _OLDEST_SECOND
    try:
        with tarfile.open(path, "r:gz") as archive:
            for one in archive:
                epoch = max(epoch, int(one.mtime))
                file = archive.extractfile(one) if one.isreg() else None
                said = _hash(file) if file is not None else one.linkname
                members.append((one.name, f"{one.type!r} {one.mode & 0o111:o}", said))
    except FileNotFoundError:
        raise ToolError(f"{path}: no such file") from None
    except (OSError, EOFError, tarfile.TarError) as error:
        raise InvalidWheelError(f"{path}: cannot be read as an sdist: {error}") from error
    content = hashlib.sha256(repr(sorted(members)).encode()).hexdigest()
    return Sdist(path, content, digest(path), epoch, tuple(name for name, _, _ in members))


def outputs(found: Sdist, folder: str) -> List[str]:
    """Return the members of an sdist that a release has put into a folder of the project."""
    below = "" if folder == os.curdir else f"{folder}/"
    names = (name.partition("/")[2] for name in found.names)
    within = [name[len(below) :] for name in names if name.startswith(below)]
    return [below + name for name in within if name.startswith(_OURS) or _is_release_file(name)]


def _is_release_file(name: str) -> bool:
    return "/" not in name and is_release_file(name)


def digest(path: str) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits. Raises ToolError."""
    try:
        with open(path, "rb") as file:
            return _hash(file)
    except OSError as error:
        raise ToolError(f"{path}: cannot be read: {error.strerror}") from error


def _hash(file: IO[bytes]) -> str:
    state = hashlib.sha256()
    for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
        state.update(chunk)
    return state.hexdigest()
