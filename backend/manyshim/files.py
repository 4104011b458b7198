"""Opens files without waiting for a pipe or touching a device, and reads those of the package."""

from __future__ import annotations

import errno
import os
import stat

from manyshim.errors import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

# Without O_NONBLOCK, opening a named pipe waits for a writer. Only Windows has O_BINARY.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading. Raises OSError for a folder, pipe, device or socket."""
    try:
        # Opening a device can have side effects.
        _refuse_others(os.stat(path), path)
        descriptor = os.open(path, _FLAGS)
    except ValueError as error:  # the path has a NUL
        raise OSError(errno.EINVAL, str(error), path) from None
    try:
        # Another file may have taken its place.
        _refuse_others(os.fstat(descriptor), path)
        return open(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Read bytes at an offset, fewer at the end of the file. Raises OSError.

    Where the system can, no buffer is filled: one takes more time than a small read.
    """
    if hasattr(os, "pread"):
        data = os.pread(file.fileno(), length, offset)
        if len(data) == length:
            return data
        # It may read less than there is, from a file system over a network.
    file.seek(offset)
    return file.read(length)


def _refuse_others(status: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", path)


def packaged(path: str) -> bytes:
    """Return the content of a data file of the package; `path` is relative to it, with slashes.

    Raises ToolError if this copy of manyshim has no such file.
    """
    import pkgutil  # noqa: PLC0415 (a build reads none)

    try:
        data = pkgutil.get_data("manyshim", path)
    except OSError:
        data = None
    if data is None:
        raise ToolError(
            f"this copy of manyshim is incomplete: it has no {path}; copy the whole folder"
        )
    return data
