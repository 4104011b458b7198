"""Pin every development dependency: write the two constraint lists in pyproject.toml.

`python scripts/update_constraints.py` asks uv for the newest versions that fit together, and
writes them into `[tool.uv]`. With `--newer` it changes nothing and lists the newer versions.

- `constraint-dependencies`: the dependency groups, the extras, and their dependencies.
- `build-constraint-dependencies`: the group `builds`, which lists the requirements of the isolated
  builds that tests start.

A project may have another version for an older Python, so a row may have a marker. The markers
are simplified: they are evaluated for CPython on x86_64 Linux, for a few releases of each minor
version.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tomlkit
from packaging.requirements import Requirement

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
MINORS = range(8, 16)
# Some projects exclude the first patch releases of a minor version.
POINTS = [(minor, patch) for minor in MINORS for patch in (0, 1, 2, 99)]

# The list in [tool.uv], and the arguments with which uv compiles it.
LISTS = {
    "constraint-dependencies": (
        *("--group", "dev", "--group", "builds", "--group", "fuzz", "--group", "bench"),
        *("--group", "bench-fast"),
        "--all-extras",
        str(PYPROJECT),
    ),
    "build-constraint-dependencies": ("--group", "builds"),
}


def main() -> int:
    """Write the lists, or with `--newer` print the changes; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--newer", action="store_true", help="list newer versions, change nothing")
    newer = parser.parse_args().newer
    document = tomlkit.parse(PYPROJECT.read_text(encoding="utf-8"))
    table: Any = document["tool"]["uv"]
    for key, arguments in LISTS.items():
        rows = list(constraints(compiled(arguments)))
        if newer:
            print_changes(key, [str(row) for row in table[key]], rows)
        else:
            table[key] = toml_array(rows)
    if newer:
        return 0
    PYPROJECT.write_text(tomlkit.dumps(document), encoding="utf-8")
    # The lists must fit every supported Python at once, as a fresh clone resolves them.
    command = ["uv", "lock", "--quiet", "--dry-run"]
    return subprocess.run(command, cwd=PYPROJECT.parent, check=False).returncode


def compiled(arguments: Iterable[str]) -> list[str]:
    """Resolve requirements for every supported Python, without the current pins."""
    command = [
        *("uv", "pip", "compile", "--quiet", "--no-config", "--universal"),
        *("--python-version", f"3.{MINORS[0]}", "--no-header", "--no-annotate", *arguments),
    ]
    done = subprocess.run(
        command, cwd=PYPROJECT.parent, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"update_constraints: uv cannot resolve:\n{done.stderr}")
    # uv also writes the index of its configuration, as an option.
    return [line for line in done.stdout.splitlines() if line and not line.startswith("-")]


def constraints(lines: Iterable[str]) -> Iterator[str]:
    """Yield `name==version`, with a marker where the version depends on Python's."""
    versions: dict[str, list[Requirement]] = {}
    for line in lines:
        requirement = Requirement(line)
        versions.setdefault(requirement.name, []).append(requirement)
    for name, found in sorted(versions.items()):
        if len(found) == 1:
            yield f"{name}{found[0].specifier}"
            continue
        for requirement in found:
            for first, last in runs([applies(requirement, point) for point in POINTS]):
                yield f"{name}{requirement.specifier}; {span(first, last)}"


def applies(requirement: Requirement, point: tuple[int, int]) -> bool:
    """Tell whether a requirement applies to CPython 3.MINOR.PATCH on x86_64 Linux."""
    minor, patch = point
    environment = {
        "implementation_name": "cpython",
        "implementation_version": f"3.{minor}.{patch}",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"3.{minor}.{patch}",
        "python_version": f"3.{minor}",
        "sys_platform": "linux",
    }
    return requirement.marker is None or requirement.marker.evaluate(environment)


def runs(flags: list[bool]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end index of each run of true flags."""
    start = None
    for index, flag in enumerate((*flags, False)):
        if flag and start is None:
            start = index
        elif not flag and start is not None:
            yield start, index
            start = None


def span(first: int, behind: int) -> str:
    """Return the marker of a run of points; the newest run has no upper bound."""
    parts = []
    if first:
        parts.append(compared(">=", POINTS[first]))
    if behind < len(POINTS):
        parts.append(compared("<", POINTS[behind]))
    return " and ".join(parts)


def compared(operator: str, point: tuple[int, int]) -> str:
    """Return a comparison with Python's version, with the shorter of the two marker names."""
    minor, patch = point
    if patch == 0:
        return f"python_version {operator} '3.{minor}'"
    return f"python_full_version {operator} '3.{minor}.{patch}'"


def toml_array(rows: Iterable[str]) -> tomlkit.items.Array:
    """Return a TOML array with one row per line."""
    array = tomlkit.array()
    for row in rows:
        array.add_line(row, indent="  ")
    array.add_line(indent="")
    return array


def print_changes(key: str, old: list[str], new: list[str]) -> None:
    """Print each row that a fresh resolution would change."""
    gone, come = (
        [row for row in one if row not in other] for one, other in ((old, new), (new, old))
    )
    print(
        f"{key}: {len(come)} newer or other versions exist" if come or gone else f"{key}: current"
    )
    before = {row.partition("==")[0]: row for row in gone}
    for row in come:
        name = row.partition("==")[0]
        print(f"  {before.get(name, 'nothing')} -> {row}")


if __name__ == "__main__":
    sys.exit(main())
