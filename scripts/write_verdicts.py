"""Write docs/evidence/verdicts.md: the verdicts on published wheels, and auditwheel's."""

from __future__ import annotations

import sys

from _evidence import Evidence, Rows, arguments, produce
from publishedwheels import DIFFERENCES, WHEELS

_HEAD = """# Verdicts on published wheels

Written by `python scripts/write_verdicts.py`. Each difference is a known wrong
verdict of auditwheel; the column gives the reason.

| wheel | auditwheel | manyshim | difference | other findings |
|---|---|---|---|---|
"""
_WHY = {
    "row 21": "the policy follows from the imported names, not from the host's musl",
    "row 23": "`libc.so` is musl's own name; auditwheel opens the host's file of that name",
}


def text(rows: Rows) -> str:
    """Return the page."""
    lines = []
    for wheel in WHEELS:
        name = wheel["filename"]
        verdict = rows[name,]["verdict"]
        reference = wheel["auditwheel"] or "a traceback"
        reason = _WHY[DIFFERENCES[name][0]] if verdict != reference else ""
        kinds = " ".join(rows[name,]["kinds"])
        lines.append(f"| {name} | {reference} | {verdict} | {reason} | {kinds} |\n")
    return _HEAD + "".join(lines)


EVIDENCE = Evidence(
    "verdicts.md",
    ["tests/wheels/test_real_wheels.py::test_the_verdict_is_auditwheels_or_a_known_difference"],
    "verdicts",
    ("wheel",),
    text,
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Judge published wheels and write docs/evidence/verdicts.md.")
    return produce(EVIDENCE, [(wheel["filename"],) for wheel in WHEELS], given)


if __name__ == "__main__":
    sys.exit(main())
