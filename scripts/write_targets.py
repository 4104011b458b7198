"""Write docs/evidence/targets.md: real projects, compiled for three targets and used there.

This takes half an hour and needs CPython 3.11.
"""

from __future__ import annotations

import platform
import sys

from _evidence import Evidence, Rows, arguments, produce, python
from targetprojects import PROJECTS, TARGETS

_HEAD = """# Real projects, compiled for three targets on one machine

Written by `python scripts/write_targets.py`, with {python} on {machine} and zig from PyPI's
ziglang. Projects of Meson and CMake are in [targets.md](../targets.md).

manyshim wraps each project's own backend. The sdist is built by

    uv build --wheel -C manyshim.compiler=zig -C manyshim.platform=TARGET -C manyshim.strict=true

Audited: the tag is the target, each file is for the target's machine, and no finding is an error.
Warnings are in brackets. Imported: the extension is used on Debian 12, under qemu-user for aarch64,
or on CPython 3.11 with musl 1.2.3.

| project | language | {targets} |
|---|---|{rules}
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
        lines.append(f"| {project.name} {project.version} | {project.language} | {said} |\n")
    return head + "".join(lines)


EVIDENCE = Evidence(
    "targets.md", ["tests/toolchain/test_targets.py"], "targets", ("project", "target"), text
)


def main() -> int:
    """Run the tests and write the page; return the exit code."""
    given = arguments("Compile real projects for three targets and write docs/evidence/targets.md.")
    wanted = [(project.name, target) for project in PROJECTS for target in TARGETS]
    return produce(EVIDENCE, wanted, given)


if __name__ == "__main__":
    sys.exit(main())
