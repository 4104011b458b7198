"""Write the changed files of a project: all of them, or none."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Dict, List, Optional, Tuple

from manyshim.adopt import vendor
from manyshim.errors import ManyshimError, ToolError
from manyshim.values import NamedTuple
from manyshim.workspace import private_folder, publish


class FileChange(NamedTuple):
    """The text of a file before and after; None where there is no file."""

    name: str
    before: Optional[str]
    after: Optional[str]


def write(project: str, changes: Tuple[FileChange, ...], *, copy: str, remove: str) -> None:
    """Write the files of a project.

    `copy` is the folder that gets a copy of manyshim, `remove` the one that loses it; both may be
    empty. Raises ToolError. Then every file has its old content.
    """
    for change in changes:
        _refuse_read_only(project, change)
    made: List[FileChange] = []
    # A copy that was there before is the user's.
    copied = bool(copy) and not os.path.lexists(os.path.join(project, copy, vendor.PACKAGE))
    try:
        if copied:
            _copy(project, copy)
        for change in changes:
            # Before the write: a stop can come right after it.
            made.append(change)
            _write(project, change)
        if remove:
            _remove(project, remove)
    except BaseException:  # also Ctrl-C
        if remove and not os.path.lexists(os.path.join(project, remove, vendor.PACKAGE)):
            raise  # the last step is done, and cannot be taken back
        # A file that does not have the new text is left alone.
        for change in reversed(made):
            with suppress(ManyshimError):
                _write(project, FileChange(change.name, change.after, change.before))
        if copied:
            with suppress(ManyshimError):
                _remove(project, copy)
        raise


def _refuse_read_only(project: str, change: FileChange) -> None:
    path = os.path.join(project, change.name)
    if change.before is None:
        return
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise ToolError(f"{path}: cannot be read: {error.strerror}") from error
    # Renaming another file to its place would work, and is not what a read-only file asks for.
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.W_OK):
        raise ToolError(f"{path}: read-only: nothing was changed")


def _write(project: str, change: FileChange) -> None:
    # A link stays a link: the file that it names is written.
    path = os.path.realpath(os.path.join(project, change.name))
    try:
        _refuse_changed(path, change)
        if change.after is None:
            os.unlink(path)
            return
        with private_folder(os.path.dirname(path)) as folder:
            part = os.path.join(folder, "part")
            with open(part, "w", encoding="utf-8", newline="") as file:
                file.write(change.after)
            if change.before is not None:
                os.chmod(part, stat.S_IMODE(os.stat(path).st_mode))
            publish(part, path)
    except OSError as error:
        raise ToolError(f"{path}: cannot be written: {error.strerror}") from error


def text_of(path: str) -> Optional[str]:
    """Return the text of a file with its line ends, None if there is no file."""
    if not os.path.lexists(path):
        return None
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def _refuse_changed(path: str, change: FileChange) -> None:
    """Raise ToolError if another program has written the file since it was read."""
    if text_of(path) != change.before:
        raise ToolError(f"{path}: was changed by another program: run the command again")


def _copy(project: str, folder: str) -> None:
    target = os.path.join(project, folder, vendor.PACKAGE)
    files: Dict[str, bytes] = vendor.own_files()
    try:
        with private_folder(project) as private:
            for name, data in files.items():
                path = os.path.join(private, "copy", *name.split("/"))
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(data)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(os.path.join(private, "copy"), target)
    except OSError as error:
        raise ToolError(f"{target}: cannot be written: {error.strerror}") from error


def _remove(project: str, folder: str) -> None:
    """Remove a copy of manyshim, and the folder around it if nothing else is in it."""
    around = os.path.join(project, folder)
    try:
        with private_folder(project) as private, suppress(FileNotFoundError):
            os.rename(os.path.join(around, vendor.PACKAGE), os.path.join(private, "old"))
        with suppress(OSError):
            os.rmdir(around)
    except OSError as error:
        raise ToolError(f"{around}: cannot be removed: {error.strerror}") from error
