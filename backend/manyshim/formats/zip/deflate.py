"""Compressing files that come into a wheel, several at once and in bounded memory (RFC 1951)."""

from __future__ import annotations

import os
import zlib
from threading import Thread
from typing import Dict, Iterator, List, Mapping

from manyshim.formats.zip.digest import digest_of, file_portions
from manyshim.values import NamedTuple


class Deflated(NamedTuple):
    """Contents as a zip holds them: where they lie, and what headers and RECORD state of them.

    Sizes are in bytes; `digest` is the SHA-256 of the contents.
    """

    path: str
    crc: int
    compressed: int
    size: int
    digest: bytes


def deflate(files: Mapping[str, str], folder: str, level: int) -> Dict[str, Deflated]:
    """Compress files into a private folder; both mappings are by member. Raises OSError.

    zlib lets other threads work meanwhile, so there is one for each processor.
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
        except Exception as error:  # noqa: BLE001 (it is raised again, by who waits)
            failed.append(error)

    # concurrent.futures would cost more than a small library does: it brings logging along.
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
