"""Write docs/evidence/verdicts.md: the verdicts on published wheels, beside auditwheel's."""

from __future__ import annotations

import sys

from _evidence import Evidence, Rows, arguments, produce
from publishedwheels import DIFFERENCES, WHEELS

_HEAD = """# Verdicts on published wheels

Written by `python scripts/write_verdicts.py`. A difference is one of the wrong verdicts of
auditwheel that are known, and is named.

| wheel | auditwheel | manyshim | difference | also said |
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
        ours = rows[name,]["ours"]
        theirs = wheel["auditwheel"] or "a traceback"
        reason = _WHY[DIFFERENCES[name][0]] if ours != theirs else ""
        said = " ".join(rows[name,]["kinds"])
        lines.append(f"| {name} | {theirs} | {ours} | {reason} | {said} |\n")
    return _HEAD + "".join(lines)


EVIDENCE = Evidence(
    "verdicts.md",
    ["tests/wheels/test_real_wheels.py::test_the_verdict_is_auditwheels_or_a_known_difference"],
    "verdicts",
    ("wheel",),
    text,
)


def main() -> int:
    """Run the tests and write the page."""
    extra = arguments("Judge published wheels and write docs/evidence/verdicts.md.")
    return produce(EVIDENCE, [(wheel["filename"],) for wheel in WHEELS], extra)


if __name__ == "__main__":
    sys.exit(main())
