"""Search paths in the file lists of dpkg, one for each installed package (dpkg(1), "Files")."""

from __future__ import annotations

import os
import re
from typing import Callable, Dict, Iterable, Iterator, List, Tuple

from manyshim.files import open_regular

# For comparison: all file lists of a desktop have 50 MB, and few have more than 256 KiB.
MAX_DATABASE = 512 << 20
_MOST = 1 << 18
_ENDING = ".list"


class FileLists:
    """The lists in a folder. Each search reads all of them, and keeps what it finds.

    `read` returns the content of a list by its name, after links, and empty if it cannot be read.
    """

    def __init__(self, folder: str, read: Callable[[str], bytes]) -> None:
        self._folder = folder
        self._read = read
        # For each file name, the lines that end in it, and their packages.
        self._found: Dict[bytes, List[Tuple[str, bytes]]] = {}

    def search(self, names: Iterable[str]) -> None:
        """Search all lines that end in one of these file names."""
        wanted = sorted({os.fsencode(name) for name in names}.difference(self._found))
        if not wanted:
            return
        self._found.update((name, []) for name in wanted)
        # One pattern for all names takes less time than one search for each of two names.
        ends = re.compile(b"/(%b)\n" % b"|".join(map(re.escape, wanted)))
        for name, data, size in self._lists():
            for found in ends.finditer(data, 0, size):
                start = data.rfind(b"\n", 0, found.start()) + 1
                line = bytes(data[start : found.end() - 1])
                package = decoded(os.fsencode(name[: -len(_ENDING)]))
                self._found[found.group(1)].append((package, line))

    def packages(self, path: str) -> Iterator[str]:
        """Yield the packages whose list contains a path, as `name` or `name:arch`."""
        self.search([os.path.basename(path)])
        line = os.fsencode(path)
        lines = self._found[os.path.basename(line)]
        yield from (package for package, found in lines if found == line)

    def _lists(self) -> Iterator[Tuple[str, bytearray, int]]:
        """Yield each list's name, a buffer that has its content, and the size of that in bytes.

        The last line ends with a newline. The next list may be in the same buffer.
        """
        try:
            with os.scandir(self._folder) as files:
                lists = [
                    (one.name, one.is_file(follow_symlinks=False))
                    for one in files
                    if one.name.endswith(_ENDING) and one.name != _ENDING
                ]
        except OSError:
            return
        buffer = bytearray(_MOST)
        for name, is_regular in lists:
            data, size = buffer, -1
            # There are hundreds of lists. Links and large ones are rare.
            if is_regular:
                size = _read_into(buffer, f"{self._folder}/{name}")
            if not 0 <= size < len(buffer):
                data = bytearray(self._read(name) + b"\n")
                size = len(data) - 1
            data[size] = ord("\n")
            yield name, data, size + 1


def _read_into(buffer: bytearray, path: str) -> int:
    """Read the first bytes of a file; return their number, or -1 if it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return -1
    try:
        return os.readv(file, [buffer])
    except OSError:
        return -1
    finally:
        os.close(file)


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
