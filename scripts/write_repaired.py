"""Write docs/evidence/repaired.md: real projects, repaired here and for other systems.

This takes half an hour. It needs Debian's -dev packages, its patchelf, zig, qemu-user, and CPython
3.11 and 3.13. A skipped test names what is missing.
"""

from __future__ import annotations

import sys

from _evidence import Evidence, Rows, arguments, produce, system
from repairprojects import CROSS, PROJECTS

_HEAD = """# Repairs of real projects

Written by `python scripts/write_repaired.py`, on {system}.

Each project is built from its sdist against the distribution's -dev packages. `manyshim repair`
and `auditwheel repair` repair the plain wheel. Both graft the same files, compared by their hashes.
Each wheel is installed into its own environment, where a test program uses the C library. Then
every grafted copy is mapped (/proc/self/maps), and no file of the wheel has asked the loader for
the system's copy. Of two numbers, the first is manyshim's.

manyshim repairs each plain wheel three times: without patchelf on PATH, and with patchelf
{patchelf}. The three wheels have the same bytes.

| project | policy | auditwheel's | grafted | KB | CPU seconds |
|---|---|---|---|---|---|
"""
_LISTS = """
| project | libraries |
|---|---|
"""
_CROSS = """
## For other systems

manyshim compiles each sdist with zig against libraries of the target, which are unpacked into a
folder (`sysroot`). These are Debian's packages; liblmdb for musl is compiled from Debian's source.
`manyshim repair --sysroot` repairs the plain wheel. A build with `mode = "repair"` for the same
policy gives the same file name and the same copies. pip installs that wheel for the target, and
the target's own Python uses the C library: under qemu-user, or with musl's loader on this machine.
Then every copy is mapped. With glibc, no file of the wheel has asked for the original; with musl,
the original is not mapped.

| project | used on | policy | grafted | KB |
|---|---|---|---|---|
"""


def text(rows: Rows) -> str:
    """Return the page."""
    lines, lists, cross = [], [], []
    # Rows of an earlier run may come from other versions; then this line fails.
    (patchelf,) = {" and ".join(rows[project.name, ""]["patchelf"]) for project in PROJECTS}
    for project in PROJECTS:
        row = rows[project.name, ""]
        kilobytes = "{} / {}".format(*row["kilobytes"])
        seconds = "{:.1f} / {:.1f}".format(*row["seconds"])
        lines.append(
            f"| {project.name} {project.version} | {row['repaired']} | {row['peer']} "
            f"| {len(row['grafted'])} | {kilobytes} | {seconds} |\n"
        )
        lists.append(f"| {project.name} | {' '.join(row['grafted'])} |\n")
    for project, target in CROSS:
        row = rows[project.name, target.system]
        cross.append(
            f"| {project.name} {project.version} | {target.system}, {row['libc']} "
            f"| {row['repaired']} | {' '.join(row['grafted'])} | {row['kilobytes']} |\n"
        )
    head = _HEAD.format(system=system(), patchelf=patchelf)
    return "".join((head, *lines, _LISTS, *lists, _CROSS, *cross))


EVIDENCE = Evidence(
    "repaired.md",
    ["tests/repair/test_repair_projects.py", "tests/repair/test_repair_targets.py"],
    "repaired",
    ("project", "target"),
    text,
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Repair real projects and write docs/evidence/repaired.md.")
    wanted = [(project.name, "") for project in PROJECTS]
    wanted += [(project.name, target.system) for project, target in CROSS]
    return produce(EVIDENCE, wanted, given)


if __name__ == "__main__":
    sys.exit(main())
