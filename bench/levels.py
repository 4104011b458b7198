"""Compare the levels of deflate: size and CPU time, against zlib's level 6.

`python -m bench.levels FILE ...` compresses each file with each compressor in turn, several times.
It prints a Markdown table: the sum of the sizes, the largest size of a single file, and the sum of
the least CPU times. libdeflate, zlib-ng and ISA-L are measured if they are installed.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_PORTION = 1 << 16
_RAW = -15

_Compress = Callable[[bytes], int]
_Row = tuple[str, int]
_BASE: _Row = ("zlib", 6)

# The module of each compressor with zlib's interface, and its levels.
_LIKE_ZLIB = {
    "zlib": ("zlib", range(1, 10)),
    "zlib-ng": ("zlib_ng.zlib_ng", range(1, 10)),
    "ISA-L": ("isal.isal_zlib", range(4)),
}


class Measured(NamedTuple):
    """The size in bytes and the CPU time in seconds of one file."""

    size: int
    seconds: float


def main() -> None:
    """Measure the files of the command line, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", help="libraries")
    parser.add_argument("-n", type=int, default=3, help="how often each file is compressed")
    given = parser.parse_args()
    compressors = dict(_compressors())
    found: dict[_Row, list[Measured]] = {row: [] for row in compressors}
    for path in given.files:
        with open(path, "rb") as file:
            data = file.read()
        rounds = [
            {row: _measured(one, data) for row, one in compressors.items()} for _ in range(given.n)
        ]
        for row, measured in found.items():
            measured.append(min((one[row] for one in rounds), key=lambda one: one.seconds))
    print("| compressor | level | size | largest | CPU |\n|---|---|---|---|---|")
    base = found[_BASE]
    for (name, level), measured in found.items():
        size, seconds = (_sum(measured, at) / _sum(base, at) for at in (0, 1))
        worst = max(one.size / other.size for one, other in zip(measured, base))
        print(f"| {name} | {level} | {size:.3f} | {worst:.3f} | {seconds:.2f} |")


def _sum(measured: list[Measured], field: int) -> float:
    return sum(one[field] for one in measured)


def _measured(compress: _Compress, data: bytes) -> Measured:
    began = time.thread_time()
    size = compress(data)
    return Measured(size, time.thread_time() - began)


def _compressors() -> Iterator[tuple[_Row, _Compress]]:
    for name, (module, levels) in _LIKE_ZLIB.items():
        library = _imported(module)
        for level in levels if library else ():
            yield (name, level), _in_portions(library, level)
    library = _imported("deflate")
    for level in range(1, 13) if library else ():
        yield ("libdeflate", level), _whole(library, level)


def _imported(name: str) -> Any:  # noqa: ANN401 (a module that may have no types)
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _in_portions(library: Any, level: int) -> _Compress:  # noqa: ANN401
    def compress(data: bytes) -> int:
        one = library.compressobj(level, library.DEFLATED, _RAW)
        portions = (data[at : at + _PORTION] for at in range(0, len(data), _PORTION))
        return sum(len(one.compress(portion)) for portion in portions) + len(one.flush())

    return compress


def _whole(library: Any, level: int) -> _Compress:  # noqa: ANN401
    return lambda data: len(library.deflate_compress(data, level))


if __name__ == "__main__":
    main()
