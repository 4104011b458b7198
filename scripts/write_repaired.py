"""Write docs/evidence/repaired.md: real projects, repaired by manyshim and by auditwheel.

It takes minutes and needs Debian's -dev packages, which a skipped test names.
"""

from __future__ import annotations

import sys

from _evidence import Evidence, Rows, arguments, produce, system
from repairprojects import PROJECTS

_HEAD = """# Repairs of real projects

Written by `python scripts/write_repaired.py`, on {system}.

Each project is built from its sdist against the distribution's -dev packages, and the plain wheel
is repaired by `manyshim repair` and by `auditwheel repair`. Both graft the same files, by their
hashes. Each wheel is installed into an environment of its own, where a use of the C library runs;
then every grafted copy is mapped (/proc/self/maps), and no file of the wheel has asked the loader
for the system's. Where there are two numbers, manyshim's comes first.

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
            f"| {project.name} {project.version} | {row['ours']} | {row['theirs']} "
            f"| {len(row['grafted'])} | {kilobytes} | {seconds} |\n"
        )
        lists.append(f"| {project.name} | {' '.join(row['grafted'])} |\n")
    return "".join((_HEAD.format(system=system()), *lines, _LISTS, *lists))


EVIDENCE = Evidence(
    "repaired.md", ["tests/repair/test_repair_projects.py"], "repaired", ("project",), text
)


def main() -> int:
    """Run the tests and write the page."""
    extra = arguments("Repair real projects with two tools and write docs/evidence/repaired.md.")
    return produce(EVIDENCE, [(project.name,) for project in PROJECTS], extra)


if __name__ == "__main__":
    sys.exit(main())
