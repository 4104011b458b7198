"""Write docs/evidence/repaired.md: real projects, repaired by manyshim and by auditwheel.

This takes minutes and needs Debian's -dev packages. A skipped test names the missing ones.
"""

from __future__ import annotations

import sys

from _evidence import Evidence, Rows, arguments, produce, system
from repairprojects import PROJECTS

_HEAD = """# Repairs of real projects

Written by `python scripts/write_repaired.py`, on {system}.

Each project is built from its sdist against the distribution's -dev packages. `manyshim repair`
and `auditwheel repair` repair the plain wheel. Both graft the same files, compared by their hashes.
Each wheel is installed into its own environment, where a test program uses the C library. Then
every grafted copy is mapped (/proc/self/maps), and no file of the wheel has asked the loader for
the system's copy. Of two numbers, the first is manyshim's.

| project | policy | auditwheel's | grafted | KB | CPU seconds |
|---|---|---|---|---|---|
"""
_LISTS = """
| project | libraries |
|---|---|
"""


def text(rows: Rows) -> str:
    """Return the page."""
    lines, lists = [], []
    for project in PROJECTS:
        row = rows[project.name,]
        kilobytes = "{} / {}".format(*row["kilobytes"])
        seconds = "{:.1f} / {:.1f}".format(*row["seconds"])
        lines.append(
            f"| {project.name} {project.version} | {row['repaired']} | {row['peer']} "
            f"| {len(row['grafted'])} | {kilobytes} | {seconds} |\n"
        )
        lists.append(f"| {project.name} | {' '.join(row['grafted'])} |\n")
    return "".join((_HEAD.format(system=system()), *lines, _LISTS, *lists))


EVIDENCE = Evidence(
    "repaired.md", ["tests/repair/test_repair_projects.py"], "repaired", ("project",), text
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Repair real projects with two tools and write docs/evidence/repaired.md.")
    return produce(EVIDENCE, [(project.name,) for project in PROJECTS], given)


if __name__ == "__main__":
    sys.exit(main())
