"""Compress files that are added to a wheel, in threads and in bounded memory (RFC 1951)."""

from __future__ import annotations

import os
from heapq import heappop, heappush
from threading import Lock, Thread
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from manyshim.formats.zip.compressors import CompressWhole, compressor, libdeflate, takes_whole
from manyshim.formats.zip.digest import digest_of, file_portions
from manyshim.values import NamedTuple


class Deflated(NamedTuple):
    """Compressed contents in a file, and what a header and RECORD state about them.

    `size` and `compressed` are in bytes. `digest` is the SHA-256 of the uncompressed contents.
    """

    path: str
    crc: int
    compressed: int
    size: int
    digest: bytes


def largest_first(sizes: Mapping[str, int]) -> List[str]:
    """Return names in the order in which their files are worked on; `sizes` are in bytes.

    The largest file takes longest to compress. If it came last, all threads would wait for it.
    """
    return sorted(sizes, key=lambda name: (-sizes[name], name))


class Deflater:
    """Compresses files into a private folder while the caller prepares others.

    Of the files added so far, the largest is compressed next. The results do not depend on the
    number of threads. `level` is zlib's. `processors` is how many processors may be used; None
    means all that this process may run on. `whole` is libdeflate's function, None for zlib.

    As a context manager, it ends all threads, also after an error or an interrupt.
    """

    def __init__(
        self,
        folder: str,
        level: int,
        whole: Optional[CompressWhole] = None,
        processors: Optional[int] = None,
    ) -> None:
        self._folder = folder
        self._level = level
        self._whole = whole
        # One file at a time is kept in memory.
        self._in_memory = Lock()
        # The caller's thread is one of them: it prepares files, and then compresses too.
        self._most = (processors or usable_processors()) - 1
        self._lock = Lock()
        self._waiting: List[Tuple[int, str, str, str]] = []
        self._threads: List[Thread] = []
        self._working = 0
        self._made: Dict[str, Deflated] = {}
        self._failed: Optional[BaseException] = None
        self._stopped = False
        self._added = 0

    def __enter__(self) -> Deflater:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped = True
        for thread in self._threads:
            thread.join()

    def add(self, member: str, path: str) -> None:
        """Compress the file at `path`, which is final, for a member.

        Raises the error of a file that was added before. It may be an OSError or a MemoryError.
        """
        self._raise()
        if not self._added:
            os.makedirs(self._folder, exist_ok=True)
        target = os.path.join(self._folder, str(self._added))
        self._added += 1
        size = os.path.getsize(path)
        with self._lock:
            heappush(self._waiting, (-size, member, path, target))
            starts = self._working < self._most
            self._working += starts
        if starts:
            self._start()

    def finish(self) -> Dict[str, Deflated]:
        """Compress the rest, and return the results by member. Raises what `add` raises."""
        self._work()
        for thread in self._threads:
            thread.join()
        self._raise()
        return dict(sorted(self._made.items()))

    def _start(self) -> None:
        thread = Thread(target=self._work_in_thread)
        try:
            thread.start()
        except RuntimeError:
            # The system has no more threads. The others, or `finish`, compress the file.
            self._working -= 1
            self._most = 0
        else:
            self._threads.append(thread)

    def _work_in_thread(self) -> None:
        try:
            self._work(in_thread=True)
        except BaseException as error:  # noqa: BLE001 (the caller's thread raises it)
            self._failed = error

    def _work(self, *, in_thread: bool = False) -> None:
        """Compress the waiting files, the largest first, until there are none."""
        while True:
            with self._lock:
                if not self._waiting or self._failed or self._stopped:
                    self._working -= in_thread
                    return
                _, member, path, target = heappop(self._waiting)
            made = self._compress(path, target)
            if made:
                self._made[member] = made

    def _compress(self, path: str, target: str) -> Optional[Deflated]:
        """Compress one file; return None if the work was stopped."""
        size = os.path.getsize(path)
        if self._whole and takes_whole(self._level, size):
            with self._in_memory:
                return self._write(path, target, size)
        return self._write(path, target, size)

    def _write(self, path: str, target: str, size: int) -> Optional[Deflated]:
        deflater = compressor(self._level, size, self._whole)
        with open(target, "xb") as file:

            def compressing() -> Iterator[bytes]:
                for portion in file_portions(path):
                    if self._stopped or self._failed:
                        return
                    file.write(deflater.compress(portion))
                    yield portion

            digest = digest_of(compressing())
            if self._stopped or self._failed:
                return None
            file.write(deflater.flush())
            return Deflated(target, digest.crc, file.tell(), digest.size, digest.hash)

    def _raise(self) -> None:
        if self._failed:
            raise self._failed


def usable_processors() -> int:
    """Return the number of processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def deflater(folder: str, level: int) -> Deflater:
    """Return a Deflater that uses libdeflate where the extra `fast` is installed."""
    return Deflater(folder, level, libdeflate())
