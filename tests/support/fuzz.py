"""Audit mutated ELF files and archives: `python tests/support/fuzz.py COUNT [SEED]`.

The outcome must be a report or InvalidWheelError, in bounded time and memory.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

from elfvariants import VARIANTS, described
from elfwriter import TARGETS, write
from manyshim import operations
from manyshim.audit.decision import choose
from manyshim.audit.request import Request
from manyshim.errors import InvalidWheelError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.json import to_dict
from manyshim.formatters.text import show_lines
from wheelwriter import wheel, wheel_name

# Numbers at the limits of ELF and zip fields, which are likely to break arithmetic.
_NUMBERS = (0, 1, 2, 7, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 1 << 20, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 62)


class Outcome(NamedTuple):
    """The outcome of one input: its kind, and the seconds that it took."""

    kind: str
    seconds: float


def seeds() -> List[bytes]:
    """Write the files that the mutations start from: each architecture in each variant."""
    return [write(described(arch, **changes)) for arch in TARGETS for changes in VARIANTS.values()]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return a file with some bytes, numbers or ranges damaged."""
    target = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(target)) if target else 0
        how = chance.randrange(5)
        if how == 0:
            target[at : at + 1] = bytes([chance.randrange(256)])
        elif how == 1:
            width = chance.choice((2, 4, 8))
            at -= at % width
            number = chance.choice(_NUMBERS) % (1 << 8 * width)
            target[at : at + width] = number.to_bytes(width, chance.choice(("little", "big")))
        elif how == 2:
            del target[at : at + chance.randrange(1, 64)]
        elif how == 3:
            start = chance.randrange(len(target)) if target else 0
            target[at : at + 16] = target[start : start + 16]
        elif chance.random() < 0.2:
            del target[at:]
    return bytes(target)


def inputs(count: int, seed: int) -> Iterator[Tuple[str, bytes]]:
    """Yield wheels: half with a damaged ELF file inside, half with the archive damaged."""
    chance = random.Random(seed)  # noqa: S311 (reproducible, not secret)
    files = seeds()
    arches = [arch for arch in TARGETS for _ in VARIANTS]
    for _ in range(count):
        which = chance.randrange(len(files))
        libc = chance.choice(("linux", "musllinux_1_2", "manylinux_2_28"))
        tag = f"cp311-cp311-{libc}_{arches[which]}"
        members = {"demo/_x.cpython-311.so": mutated(files[which], chance)}
        if chance.random() < 0.3:
            members["demo/libdemo.so.1"] = mutated(chance.choice(files), chance)
        data = wheel(members, tag=tag, compress=chance.random() < 0.3)
        if chance.random() < 0.4:
            data = mutated(data, chance)
        yield wheel_name(tag=tag), data


def judge(path: Path) -> Outcome:
    """Audit one file; any exception except InvalidWheelError is raised."""
    began = time.perf_counter()
    try:
        with Wheel(str(path)) as opened:
            report = operations.inspect(opened, Request())
        decision = choose(report, Request())
        show_lines(report, decision, verbose=True)
        to_dict(report, decision)
        kind = "corrupt" if any(one.kind == "ELF_CORRUPT" for one in report.findings) else "judged"
    except InvalidWheelError:
        kind = "InvalidWheel"
    return Outcome(kind, time.perf_counter() - began)


def run(count: int, seed: int, folder: Path) -> Tuple[Counter[str], float]:
    """Audit `count` inputs; return the number of each outcome, and the slowest in seconds."""
    kinds: Counter[str] = Counter()
    slowest = 0.0
    for name, data in inputs(count, seed):
        path = folder / name
        path.write_bytes(data)
        try:
            outcome = judge(path)
        except BaseException:
            print(f"seed {seed}: the input is kept as {path}", file=sys.stderr)  # noqa: T201
            raise
        path.unlink()
        kinds[outcome.kind] += 1
        slowest = max(slowest, outcome.seconds)
    return kinds, slowest


def main() -> None:
    """Run from the command line and print a line for docs/robustness.md."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        kinds, slowest = run(count, seed, Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    listed = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    print(  # noqa: T201
        f"{count} inputs (seed {seed}): {listed}; other exceptions 0; slowest {slowest:.3f} s; "
        f"peak memory {peak} MiB"
    )


if __name__ == "__main__":
    main()
