"""What a fuzz target returns, and a folder for targets that read files."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from typing import Callable, Dict, List, NamedTuple

READ = "read"
REFUSED = "refused"


class Target(NamedTuple):
    """A reader to fuzz.

    `run` reads one input and returns READ or REFUSED. It turns only documented exceptions into
    REFUSED. `max_len` is the longest input in bytes.
    """

    name: str
    run: Callable[[bytes], str]
    max_len: int = 4096


def agree(what: str, one: object, other: object) -> None:
    """Raise AssertionError if two ways to read an input differ."""
    if one != other:
        raise AssertionError(f"{what}: {one!r} != {other!r}")


@lru_cache(maxsize=None)
def folder(target: str) -> str:
    """Return a temporary folder for a target's files. It is made once in a process."""
    made = tempfile.TemporaryDirectory(prefix=f"fuzz-{target}-")
    _KEPT.append(made)
    return made.name


# A folder is removed at the end of the process.
_KEPT: List[tempfile.TemporaryDirectory[str]] = []


_WRITTEN: Dict[str, bytes] = {}


def stored(target: str, name: str, data: bytes) -> str:
    """Write a file of a target's folder, unless it has these bytes already. Return its path."""
    path = os.path.join(folder(target), name)
    if _WRITTEN.get(path) != data:
        with open(path, "wb") as file:
            file.write(data)
        _WRITTEN[path] = data
    return path


def text(data: bytes) -> str:
    """Decode an input as file systems and archives do."""
    return data.decode("utf-8", "surrogateescape")
