"""Write docs/targets.md: real projects of Meson and CMake, compiled for four targets.

This takes two hours, and needs CPython 3.11 and 3.13.
"""

from __future__ import annotations

import platform
import sys

from _data import REPOSITORY
from _evidence import Evidence, Rows, arguments, produce, python
from systemprojects import PROJECTS, TARGETS

DOCS = REPOSITORY / "docs"

_HEAD = """# Projects of Meson and CMake, compiled for four targets on one machine

Written by `python scripts/write_systems.py`, with {python} on {machine} and zig from PyPI's
ziglang. Projects of setuptools are in [evidence/targets.md](evidence/targets.md).

manyshim wraps each project's own backend. The sdist is built by

    uv build --wheel -C manyshim.compiler=zig -C manyshim.platform=TARGET -C manyshim.strict=true

Audited: the tag is the target, each file is for the target's machine, and no finding is an error.
Warnings are in brackets. Imported: the extension is used on Debian 12, under qemu-user for aarch64,
on Debian 13 under qemu-user for riscv64, or on CPython 3.11 with musl 1.2.3. numpy, which other
projects need, is from the index, for riscv64 and musl compiled here. Refused: the build fails, and
a line of manyshim says why.

| project | backend | language | {targets} |
|---|---|---|{rules}
"""


def text(rows: Rows) -> str:
    """Return the page."""
    head = _HEAD.format(
        python=python(),
        machine=platform.machine(),
        targets=" | ".join(TARGETS),
        rules="---|" * len(TARGETS),
    )
    lines = []
    for project in PROJECTS:
        said = " | ".join(rows[project.name, target]["said"] for target in TARGETS)
        name = f"{project.name} {project.version}"
        lines.append(f"| {name} | {project.backend} | {project.language} | {said} |\n")
    given = [(project.name, " ".join(project.settings)) for project in PROJECTS if project.settings]
    notes = [f"\n{name} was built with `-C {settings}`.\n" for name, settings in given]
    return head + "".join((*lines, *notes))


EVIDENCE = Evidence(
    "targets.md",
    ["tests/toolchain/test_system_targets.py"],
    "systems",
    ("project", "target"),
    text,
    DOCS,
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Compile real projects for four targets and write docs/targets.md.")
    wanted = [(project.name, target) for project in PROJECTS for target in TARGETS]
    return produce(EVIDENCE, wanted, given)


if __name__ == "__main__":
    sys.exit(main())
