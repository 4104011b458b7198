"""Write docs/evidence/acceptance.md: the tests of `compiler = "zig"`, each with its outcome.

This takes half an hour. The first run also compiles a Python for musl.
"""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from importlib.metadata import version
from itertools import groupby
from typing import Iterable, Iterator

from _evidence import Evidence, Row, Rows, arguments, collected, produce, python, system

# A file with more tests is summarised on the page.
_MAX_LISTED = 100
_TESTS = (
    "tests/acceptance",
    "tests/toolchain/test_compile.py",
    "tests/toolchain/test_compile_backends.py",
    "tests/toolchain/python",
    "tests/toolchain/compiler/test_arguments_zig.py",
)
_HEAD = """# The last full run of the tests of `compiler = "zig"`

Written by `python scripts/write_acceptance.py`, on {system}, {machine}, {cores} cores, {python},
ziglang {zig}. CI runs those that are not marked `full`.

{systems}

```
"""
SYSTEMS = """\
Systems: Debian 11 (glibc 2.31, Python 3.9), Debian 12 (glibc 2.36, Python 3.11) for x86_64 and
i686, and under qemu-user for aarch64, armv7l, ppc64le and s390x; Debian 13 (glibc 2.41,
Python 3.13) for x86_64 and, under qemu-user, riscv64; CPython 3.11.2 on musl 1.2.3, for x86_64 and
aarch64."""


def text(rows: Rows) -> str:
    """Return the page."""
    head = _HEAD.format(
        system=system(),
        machine=platform.machine(),
        cores=os.cpu_count(),
        python=python(),
        zig=version("ziglang"),
        systems=SYSTEMS,
    )
    files = groupby(rows.values(), lambda row: row["test"].partition("::")[0])
    lines = [line for path, tests in files for line in _lines(path, tests)]
    counts = _counted(rows.values())
    return head + "".join(f"{line}\n" for line in (*lines, counts, "```"))


def _lines(path: str, tests: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of one file's tests."""
    rows = list(tests)
    if len(rows) > _MAX_LISTED:
        yield f"{path}: {_counted(rows)}"
        rows = [row for row in rows if row["outcome"] != "PASSED"]
    else:
        yield path
    for row in rows:
        name = row["test"].partition("::")[2]
        reason = f": {row['reason']}" if row["reason"] else ""
        yield f"    {row['outcome']} {name}{reason}"


def _counted(rows: Iterable[Row]) -> str:
    counts = Counter(row["outcome"].lower() for row in rows)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in sorted(counts))


EVIDENCE = Evidence("acceptance.md", _TESTS, "outcomes", ("test",), text)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Run the acceptance tests and write docs/evidence/acceptance.md.")
    return produce(EVIDENCE, collected(EVIDENCE), given)


if __name__ == "__main__":
    sys.exit(main())
