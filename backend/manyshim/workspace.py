"""A private folder next to the finished file, and the rename that publishes the file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from typing import Iterator, Optional, Tuple

from manyshim.errors import ToolError

_PREFIX = ".manyshim-"


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


def publish(path: str, target: str) -> None:
    """Rename a finished file to its final name and sync the folder. Raises ToolError."""
    try:
        os.replace(path, target)
        _sync_folder(os.path.dirname(target) or ".")
    except OSError as error:
        raise ToolError(f"{target}: cannot be written: {error.strerror}") from error


def _make(parent: str) -> Tuple[str, Optional[int]]:
    while True:
        path = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
        try:
            lock = _lock(path)
        except (BlockingIOError, FileNotFoundError):
            continue  # another run regards the folder as abandoned and removes it
        if lock is None or os.path.isdir(path):
            return path, lock
        os.close(lock)


def _remove_abandoned(parent: str) -> None:
    with os.scandir(parent) as found:
        folders = [entry.path for entry in found if entry.name.startswith(_PREFIX)]
    for folder in folders:
        try:
            lock = _lock(folder)
        except OSError:
            continue
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: str) -> Optional[int]:
    """Lock a folder until this process ends. Return None if the system has no such locks.

    Raises BlockingIOError if another process holds the lock.
    """
    if sys.platform == "win32":
        return None
    import fcntl  # noqa: PLC0415 (not on Windows)

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def write_whole(text: str, path: str) -> None:
    """Write a text file, completely or not at all. Raises ToolError."""
    part = f"{path}.{os.getpid()}.part"
    try:
        try:
            with open(part, "x", encoding="utf-8") as file:
                file.write(text)
            os.replace(part, path)
        except OSError:
            with suppress(OSError):
                os.unlink(part)
            raise
    except OSError as error:
        raise ToolError(f"{path}: the report cannot be written: {error.strerror}") from error


def _sync_folder(folder: str) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
