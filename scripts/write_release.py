"""Write docs/evidence/release.md: real projects, released by one command.

This takes half an hour, and needs CPython 3.10 to 3.13.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import Any, Dict, List, Mapping

from _evidence import Evidence, Rows, arguments, produce, python
from releasedprojects import PLATFORMS, PROJECTS

_HEAD = """# Releases of real projects from one machine

Written by `python scripts/write_release.py`, with {python} on {machine} with {count} CPUs, and zig
from PyPI's ziglang.

Each project was released by one command, `manyshim release --systems systems`, for five platforms
and CPython 3.10 to 3.13: the sdist, every wheel, the tests, and `check`, which accepted all files.
Seconds and CPU seconds are those of the builds of a platform, side by side with other builds.
Tested: the extension was used with these Pythons, on this machine, with Debian 12 and 13 under
qemu-user, and with CPython 3.11 for musl. There was no system with the other Pythons, so `manyshim
release` listed them as not tested. A second run built nothing, and changed no byte.

| project | platform | wheels | seconds | CPU seconds | tested |
|---|---|---|---|---|---|
"""


def text(rows: Rows) -> str:
    """Return the page."""
    head = _HEAD.format(python=python(), machine=platform.machine(), count=os.cpu_count())
    lines = [_line(rows[name, one]) for name in _names() for one in PLATFORMS]
    return head + "".join(lines) + "\n" + "".join(map(_total, _by_project(rows)))


def _names() -> List[str]:
    return [f"{one.name} {one.version}" for one in PROJECTS]


def _line(row: Mapping[str, Any]) -> str:
    cells = (
        f"{row['project']} ({row['language']})",
        row["platform"],
        row["wheels"],
        f"{row['seconds']:.1f}",
        f"{row['cpu']:.1f}",
        ", ".join(row["passed"]),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def _by_project(rows: Rows) -> List[Dict[str, Any]]:
    found = []
    for name in _names():
        own = [rows[name, one] for one in PLATFORMS]
        total = {key: sum(row[key] for row in own) for key in ("wheels", "cpu")}
        found.append({"project": name, "whole": own[0]["whole"], **total})
    return found


def _total(row: Mapping[str, Any]) -> str:
    minutes = f"{row['whole'] / 60:.1f} minutes"
    return (
        f"- {row['project']}: {row['wheels']} wheels in {minutes} with all tests, "
        f"{row['cpu'] / 60:.1f} CPU minutes for the builds\n"
    )


EVIDENCE = Evidence(
    "release.md",
    ["tests/release/test_release_projects.py"],
    "release",
    ("project", "platform"),
    text,
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Release real projects and write docs/evidence/release.md.")
    return produce(EVIDENCE, [(name, one) for name in _names() for one in PLATFORMS], given)


if __name__ == "__main__":
    sys.exit(main())
