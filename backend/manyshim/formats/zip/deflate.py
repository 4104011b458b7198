"""Compress files that are added to a wheel, in parallel and in bounded memory (RFC 1951)."""

from __future__ import annotations

import os
import zlib
from threading import Thread
from typing import Dict, Iterator, List, Mapping

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


def deflate(files: Mapping[str, str], folder: str, level: int) -> Dict[str, Deflated]:
    """Compress files into a private folder. Return the results by member. Raises OSError.

    `files` maps a member to the path of its contents; `level` is zlib's. zlib releases the GIL, so
    there is one thread for each processor.
    """
    os.makedirs(folder, exist_ok=True)
    waiting = [
        (member, path, os.path.join(folder, str(number)))
        for number, (member, path) in enumerate(files.items())
    ]
    made: Dict[str, Deflated] = {}
    failed: List[Exception] = []

    def work() -> None:
        try:
            while not failed:
                member, path, target = waiting.pop()
                made[member] = _deflate(path, target, level)
        except IndexError:
            return
        except Exception as error:  # noqa: BLE001 (the caller's thread raises it)
            failed.append(error)

    # concurrent.futures imports logging, which costs more than compressing a small library.
    threads = [Thread(target=work) for _ in range(min(os.cpu_count() or 1, len(waiting)) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return {member: made[member] for member in files}


def _deflate(path: str, target: str, level: int) -> Deflated:
    deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    with open(target, "xb") as file:

        def compressing() -> Iterator[bytes]:
            for portion in file_portions(path):
                file.write(deflater.compress(portion))
                yield portion

        digest = digest_of(compressing())
        file.write(deflater.flush())
        return Deflated(target, digest.crc, file.tell(), digest.size, digest.hash)
