"""A private folder next to the finished file, and the rename that publishes the file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress

from manyshim.errors import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Optional, Tuple

# mkdtemp puts eight characters between the two. Folders of the user have other names.
_PREFIX, _SUFFIX = ".manyshim-", ".tmp"
_RANDOM = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
# On Windows, folders are neither locked nor removed.
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FOLDER |= getattr(os, "O_NONBLOCK", 0)


@contextmanager
def private_folder(parent: str) -> Iterator[str]:
    """Create a folder in `parent` that is removed at the end. Also remove those of killed runs.

    A running process holds a lock on its folder, so other runs do not remove it. Raises ToolError
    if the folder cannot be created.
    """
    try:
        os.makedirs(parent, exist_ok=True)
        _remove_abandoned(parent)
        path, lock = _make(parent)
    except OSError as error:
        raise ToolError(f"{parent}: cannot be written: {error.strerror}") from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def subfolder(private: str, name: str) -> str:
    """Create a folder in a private one, unless it is there; return its path. Raises ToolError."""
    path = os.path.join(private, name)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise ToolError(f"{parent_of(private)}: cannot be written: {error.strerror}") from error
    return path


def parent_of(private: str) -> str:
    """Return the user's folder that has a private one."""
    return os.path.dirname(os.path.abspath(private))


def is_private(path: str) -> bool:
    """Whether a path is a private folder, by its name."""
    return _is_ours(os.path.basename(os.path.abspath(path)))


def publish(path: str, target: str) -> None:
    """Rename a finished file to its final name and sync the folder. Raises ToolError."""
    try:
        os.replace(path, target)
        _sync_folder(os.path.dirname(target) or ".")
    except OSError as error:
        raise ToolError(f"{target}: cannot be written: {error.strerror}") from error


def _make(parent: str) -> Tuple[str, Optional[int]]:
    while True:
        path = tempfile.mkdtemp(prefix=_PREFIX, suffix=_SUFFIX, dir=parent)
        if sys.platform == "win32":
            return path, None
        try:
            folder = os.open(path, _FOLDER)
        except FileNotFoundError:
            continue  # another run regarded the folder as abandoned and removed it
        try:
            _lock(folder)
        except BlockingIOError:
            os.close(folder)
            continue  # another run is about to remove it
        if os.path.isdir(path):
            return path, folder
        os.close(folder)


def _is_ours(name: str) -> bool:
    """Whether a name has the form of those that `_make` gives."""
    middle = name[len(_PREFIX) : -len(_SUFFIX)]
    form = name == f"{_PREFIX}{middle}{_SUFFIX}" and len(middle) == 8
    return form and _RANDOM.issuperset(middle)


def _remove_abandoned(parent: str) -> None:
    """Remove the folders of killed runs of the same user.

    Everything is done through descriptors. So nothing outside of the folder is removed if someone
    else puts a link in its place.
    """
    with os.scandir(parent) as found:
        names = [entry.name for entry in found if _is_ours(entry.name)]
    if not names or sys.platform == "win32":
        return
    above = os.open(parent, os.O_RDONLY)
    try:
        for name in names:
            with suppress(OSError, RecursionError):
                _remove_folder(name, above)
    finally:
        os.close(above)


def _remove_folder(name: str, above: int) -> None:
    """Remove an abandoned folder; `above` is the descriptor of the folder that has it."""
    folder = os.open(name, _FOLDER, dir_fd=above)
    try:
        if os.fstat(folder).st_uid == os.geteuid() and _lock(folder):
            _empty(folder)
            os.rmdir(name, dir_fd=above)
    finally:
        os.close(folder)


def _empty(folder: int) -> None:
    """Remove all that is in the folder of a descriptor, without following links."""
    with os.scandir(folder) as found:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    for name, is_folder in entries:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        below = os.open(name, _FOLDER, dir_fd=folder)
        try:
            _empty(below)
        finally:
            os.close(below)
        os.rmdir(name, dir_fd=folder)


def _lock(folder: int) -> bool:
    """Lock a folder until its descriptor is closed; return whether the system has such locks.

    Raises BlockingIOError if another process holds the lock.
    """
    import fcntl  # noqa: PLC0415 (not on Windows)

    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def write_whole(text: str, path: str, what: str = "report") -> None:
    """Write a text file, completely or not at all. Raises ToolError, which names what it is."""
    # A process in a container often has the number of one that was killed before.
    part = f"{path}.{os.urandom(4).hex()}.part"
    if os.path.lexists(path) and not os.path.isfile(path):
        raise ToolError(f"{path}: the {what} cannot be written: it is not a regular file")
    try:
        # Nothing that exists is opened, followed or removed.
        file = open(part, "x", encoding="utf-8")  # noqa: SIM115 (closed before the rename)
        try:
            with file:
                file.write(text)
            os.replace(part, path)
        except OSError:
            with suppress(OSError):
                os.unlink(part)
            raise
    except OSError as error:
        raise ToolError(f"{path}: the {what} cannot be written: {error.strerror}") from error


def _sync_folder(folder: str) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
