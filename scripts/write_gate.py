"""Write docs/evidence/gate.md: what each reader says of crafted files, and what `check` says.

This takes two minutes.
"""

from __future__ import annotations

import sys

from _evidence import Evidence, Row, Rows, arguments, produce, python
from gatetable import crafted

_HEAD = """# What refuses an upload, and what `check` says

Written by `python scripts/write_gate.py`, with {python}.

Each file breaks one rule, or is unusual and right. `manyshim check` says something of each file
that a reader refuses, and nothing of a file that all of them take. The readers:

- **index**: the strict index of the tests. It shares no code with `check`, and it is stricter than
  the public index in two points: a RECORD that does not match the members, and tags in WHEEL that
  are not those of the file name.
- **zipfile** of each CPython that is installed, **installer**, **pip**, **twine**, **uv** from a
  path and over http. That a wheel is for another machine does not count.

{count} files. Refused by a reader: {refused}. Said by `check`: {said}. Missed: {missed}.
Said though no reader refuses: {alone}; the last column has the reason.

| file | refused by | errors of `check` | warnings of `check` | reason |
|---|---|---|---|---|
"""


def text(rows: Rows) -> str:
    """Return the page."""
    found = list(rows.values())
    said = [row for row in found if row["errors"] or row["warnings"]]
    refused = [row for row in found if row["refused"]]
    head = _HEAD.format(
        python=python(),
        count=len(found),
        refused=len(refused),
        said=len(said),
        missed=sum(row not in said for row in refused),
        alone=sum(not row["refused"] for row in said),
    )
    return head + "".join(map(_line, found))


def _line(row: Row) -> str:
    refused = ", ".join(judge for judge, _ in row["refused"])
    kinds = (", ".join(row[severity]) for severity in ("errors", "warnings"))
    return f"| {row['name']} | {refused} | {' | '.join(kinds)} | {row['reason']} |\n"


EVIDENCE = Evidence("gate.md", ["tests/cli/test_gate_differential.py"], "gate", ("name",), text)


def main() -> int:
    """Run the test and write the page; return the exit code."""
    given = arguments("Ask all readers about crafted files, and write what they say.")
    return produce(EVIDENCE, [(name,) for name in crafted()], given)


if __name__ == "__main__":
    sys.exit(main())
