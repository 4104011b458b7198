"""Audit mutated Mach-O and PE files: `python tests/support/nativefuzz.py COUNT SEED [FOLDER]`.

The outcome must be a report or InvalidWheelError, in bounded time and memory. A folder has more
files to damage, such as those of published wheels.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import List, NamedTuple, Sequence, Tuple

import fuzz
import nativeseeds
from manyshim import operations
from manyshim.audit.decision import choose
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report
from manyshim.errors import InvalidWheelError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.json import to_dict
from manyshim.formatters.text import show_lines
from wheelwriter import save, wheel, wheel_name

MAC, WINDOWS = "cp311-abi3-macosx_10_9_universal2", "cp311-abi3-win_amd64"
SO, PYD = "demo/_x.abi3.so", "demo/_x.pyd"
# In bytes: header, load commands and import tables of larger files lie deeper than most damage.
_MOST = 1 << 20
# In the first bytes of a file is most of what is read of it.
_HEAD = 4096


class Seed(NamedTuple):
    """The tag of a wheel, the name of a member, and a good file."""

    tag: str
    member: str
    data: bytes


def seeds() -> List[Seed]:
    """Return a good file for each form of both formats."""
    files = [Seed(MAC, SO, data) for data in nativeseeds.mach_o()]
    return [*files, *(Seed(WINDOWS, PYD, data) for data in nativeseeds.portable())]


def of_folder(folder: Path) -> List[Seed]:
    """Return the files of a folder."""
    files = [path.read_bytes() for path in sorted(folder.iterdir())]
    return [
        Seed(WINDOWS, PYD, data) if data[:2] == b"MZ" else Seed(MAC, SO, data)
        for data in files
        if len(data) <= _MOST
    ]


def audited(path: Path) -> Report:
    """Audit and print a wheel."""
    with Wheel(str(path)) as opened:
        report = operations.inspect(opened, Request(strict=True))
    decision = choose(report, Request())
    assert to_dict(report, decision)["findings"] is not None
    assert all(line.text.isprintable() for line in show_lines(report, decision, verbose=True))
    return report


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return a damaged file; half of the damage is in its first bytes."""
    if chance.random() < 0.5:
        return fuzz.mutated(data, chance)
    return fuzz.mutated(data[:_HEAD], chance) + data[_HEAD:]


def run(
    count: int, seed: int, folder: Path, files: Sequence[Seed] = ()
) -> Tuple[Counter[str], float]:
    """Audit damaged files; return the number of each outcome, and the slowest in seconds."""
    chance = random.Random(seed)  # noqa: S311 (reproducible, not secret)
    known, slowest = files or seeds(), 0.0
    kinds: Counter[str] = Counter()
    for _ in range(count):
        tag, member, data = chance.choice(known)
        members = {
            member: damaged(data, chance),
            "demo/libdemo.dylib": chance.choice(known).data,
        }
        compress = chance.random() < 0.5
        path = save(folder, wheel(members, tag=tag, compress=compress), wheel_name(tag=tag))
        start = time.perf_counter()
        try:
            corrupt = any(one.kind == "CODE_CORRUPT" for one in audited(path).findings)
            kinds["corrupt" if corrupt else "judged"] += 1
        except InvalidWheelError:
            kinds["InvalidWheel"] += 1
        except BaseException:
            print(f"seed {seed}: the input is kept as {path}", file=sys.stderr)  # noqa: T201
            raise
        slowest = max(slowest, time.perf_counter() - start)
    return kinds, slowest


def main() -> None:
    """Run from the command line and print a line for docs/robustness.md."""
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    files = of_folder(Path(sys.argv[3])) if len(sys.argv) > 3 else []
    with tempfile.TemporaryDirectory() as folder:
        kinds, slowest = run(count, seed, Path(folder), files)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    listed = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    print(  # noqa: T201
        f"{count} inputs (seed {seed}) of {len(files or seeds())} files: {listed}; "
        f"other exceptions 0; slowest {slowest:.3f} s; peak memory {peak} MiB"
    )


if __name__ == "__main__":
    main()
