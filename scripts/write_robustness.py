"""Write docs/evidence/attacks.md: the outcome of each hostile wheel, its time and memory."""

from __future__ import annotations

import os
import sys

from _evidence import Evidence, Rows, arguments, produce, python
from attacks import ATTACKS

_HEAD = """# Hostile wheels

Written by `python scripts/write_robustness.py`, with {python} on {cores} cores.
[robustness.md](../robustness.md) explains the outcomes.

The first row is a good wheel, for comparison: most of its time and memory are Python's start.

| input | outcome | seconds | peak MiB |
|---|---|---|---|
"""


def text(rows: Rows) -> str:
    """Return the page."""
    lines = []
    for row in rows.values():
        outcome = ": ".join(filter(None, (row["outcome"], ", ".join(row["kinds"]))))
        numbers = f"{row['seconds']:.2f} | {row['peak']:.1f}"
        lines.append(f"| {row['name']} | {outcome} | {numbers} |\n")
    return _HEAD.format(python=python(), cores=os.cpu_count()) + "".join(lines)


EVIDENCE = Evidence("attacks.md", ["tests/robustness/test_attacks.py"], "attacks", ("name",), text)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Run `manyshim show` on hostile wheels and write docs/evidence/attacks.md.")
    wanted = ["none: a good wheel", *ATTACKS]
    return produce(EVIDENCE, [(name,) for name in wanted], given)


if __name__ == "__main__":
    sys.exit(main())
