"""What the arguments of `check` name: files, folders, and globs that no shell expanded."""

from __future__ import annotations

import glob
import os
from typing import List, Sequence

from manyshim.errors import ConfigError, InvalidWheelError

# What clients upload from a folder.
_EXTENSIONS = (".whl", ".tar.gz", ".zip")
# A list of names may have this many bytes.
_MAX_LIST = 1 << 20


def expand(arguments: Sequence[str]) -> List[str]:
    """Return the files that the arguments name, each once. InvalidWheelError for an empty folder.

    A name with * or ? that no file has is a glob. A file that does not exist stays as it is.
    """
    found: List[str] = []
    for argument in arguments:
        # A folder that is named like a wheel is told as such.
        if os.path.isdir(argument) and not argument.endswith(_EXTENSIONS):
            files = _in_folder(argument)
            if not files:
                what = "has no .whl and no .tar.gz file; build the release first"
                raise InvalidWheelError(f"the folder {argument} {what}")
            found += files
        elif not os.path.lexists(argument) and glob.has_magic(argument):
            found += sorted(glob.glob(argument)) or [argument]
        else:
            found.append(argument)
    return list(dict.fromkeys(found))


def names_of(source: str) -> List[str]:
    """Return the names of a folder's files, or the names in a text file. Raises ConfigError."""
    if os.path.isdir(source):
        return [os.path.basename(path) for path in _in_folder(source)]
    try:
        with open(source, encoding="utf-8") as file:
            lines = file.read(_MAX_LIST).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"--like {source}: cannot be read: {reason}") from error
    stripped = (line.partition("#")[0].strip() for line in lines)
    return [os.path.basename(line) for line in stripped if line]


def _in_folder(folder: str) -> List[str]:
    names = sorted(name for name in os.listdir(folder) if name.endswith(_EXTENSIONS))
    return [os.path.join(folder, name) for name in names]
