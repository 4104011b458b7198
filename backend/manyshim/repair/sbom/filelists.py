"""The file lists of dpkg: one for each installed package (dpkg(1), "Files")."""

from __future__ import annotations

import os
from typing import Callable, Dict, Iterator, List

from manyshim.files import open_regular

# For comparison: all file lists of a desktop have 50 MB, and a single one has less than 2 MB.
MAX_DATABASE = 512 << 20
_MAX_LIST = 16 << 20


class FileLists:
    """All lists in a folder, as one text in which paths are searched.

    `read_link` returns the content of a file, by its name, that is a link or no regular file.
    """

    def __init__(self, folder: str, read_link: Callable[[str], bytes]) -> None:
        self._text = _all_lists(folder, read_link)
        self._endings: Dict[bytes, List[int]] = {}

    def packages(self, path: str) -> Iterator[str]:
        """Yield the packages whose list contains a path, as `name` or `name:arch`."""
        for place in self._places(b"/%b\n" % os.fsencode(path).rpartition(b"/")[2]):
            start, end = self._text.rfind(b"\n", 0, place) + 1, self._text.index(b"\n", place)
            if self._text[start:end] == os.fsencode(path):
                head = self._text.rfind(b"\0", 0, place) + 1
                yield decoded(self._text[head : self._text.index(b"\n", head)])

    def _places(self, ending: bytes) -> List[int]:
        """Return the positions of all lines with an ending; one search covers all spellings."""
        if ending not in self._endings:
            places: List[int] = []
            position = self._text.find(ending)
            while position >= 0:
                places.append(position)
                position = self._text.find(ending, position + 1)
            self._endings[ending] = places
        return self._endings[ending]


def _all_lists(folder: str, read_link: Callable[[str], bytes]) -> bytes:
    """Return all file lists as one text; each follows a NUL and its package's name."""
    try:
        with os.scandir(folder) as files:
            lists = sorted(
                (one.name, one.is_file(follow_symlinks=False))
                for one in files
                if one.name.endswith(".list") and one.name != ".list"
            )
    except OSError:
        return b""
    parts: List[bytes] = []
    for name, is_regular in lists:
        # There are hundreds of lists and links are rare, so only links are resolved.
        data = _list_content(f"{folder}/{name}") if is_regular else read_link(name)
        package = os.fsencode(name[: -len(".list")])
        parts += (b"\0", package, b"\n", without_nul(data), b"\n")
    return b"".join(parts)


def content(path: str, at_most: int = MAX_DATABASE) -> bytes:
    """Return the content of a file whose path has no links; empty if it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read() if os.fstat(file.fileno()).st_size <= at_most else b""
    except OSError:
        return b""


def without_nul(data: bytes) -> bytes:
    """Return a text without its lines that have a NUL: no name and no path has one."""
    if b"\0" not in data:
        return data
    return b"\n".join(line for line in data.split(b"\n") if b"\0" not in line)


def decoded(data: bytes) -> str:
    """Return the text of a database; bytes that are not UTF-8 become surrogates."""
    return data.decode("utf-8", "surrogateescape")


def _list_content(path: str) -> bytes:
    """Return the content of a file that is regular by its folder; empty if it cannot be read.

    This takes a third of the time of `content`; there are hundreds of file lists.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        size = os.fstat(file).st_size
        data = os.read(file, size) if size < _MAX_LIST else b""
    except OSError:
        return b""
    finally:
        os.close(file)
    return data if len(data) == size else content(path)
