"""Inflate a wheel's ELF members and do nothing else: the minimum cost of every audit.

zipfile reads the directory. Members are recognised by the ELF magic and inflated as a stream, by
zlib or by another module with the same functions.
"""

from __future__ import annotations

import struct
import sys
import zipfile
import zlib
from importlib import import_module
from typing import Any, BinaryIO

# With larger inputs zlib copies more unconsumed bytes, which would add to the minimum.
_INPUT = 1 << 16
_OUTPUT = 1 << 18
_MAGIC = b"\x7fELF"

# Large enough for the Huffman tables at the start of a block (RFC 1951, 3.2.7).
_HEAD = 512


def main() -> None:
    """Inflate the ELF members of the wheel in the argument; a second one names the module."""
    module: Any = import_module(sys.argv[2]) if len(sys.argv) > 2 else zlib
    with open(sys.argv[1], "rb") as file, zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            file.seek(info.header_offset)
            header = file.read(30)
            start = info.header_offset + 30 + sum(struct.unpack("<2H", header[26:30]))
            file.seek(start)
            if info.compress_type == zipfile.ZIP_DEFLATED:
                head = module.decompressobj(-zlib.MAX_WBITS).decompress(file.read(_HEAD), 4)
                if head == _MAGIC:
                    file.seek(start)
                    _inflate(module.decompressobj(-zlib.MAX_WBITS), file, info.compress_size)


def _inflate(inflater: Any, file: BinaryIO, left: int) -> None:  # noqa: ANN401 (of a module)
    while left and not inflater.eof:
        pending = file.read(min(_INPUT, left))
        if not pending:
            sys.exit("the wheel ends before a member does")
        left -= len(pending)
        while pending:
            inflater.decompress(pending, _OUTPUT)
            pending = inflater.unconsumed_tail


if __name__ == "__main__":
    main()
