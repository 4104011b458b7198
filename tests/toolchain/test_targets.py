"""Real projects from the index, compiled for three targets and used there.

The table in docs/targets.md is written when all have run, which takes half an hour:
`pytest -m '' -n 0 tests/test_targets.py`.
"""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path
from typing import Callable, Dict, Iterator, Mapping, NamedTuple, Tuple

import pytest

from compiling import audited, clean, elfs, members
from frontends import Runner
from manyshim.audit import findings as f
from paths import DOCS
from sdists import fetch, wrapped
from systems import system
from targetprojects import PROJECTS, Project

pytestmark = [
    pytest.mark.network,
    pytest.mark.full,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
    ),
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11), reason="the foreign Pythons of Debian 12 are 3.11"
    ),
]


# The target, the machine of its files (ELF gABI), and the system that they are used on.
TARGETS = {
    "manylinux_2_17_x86_64": (62, "bookworm-amd64"),
    "manylinux_2_17_aarch64": (183, "bookworm-arm64"),
    "musllinux_1_2_x86_64": (62, "musl-amd64"),
}
HEAD = """# Real projects, compiled for three targets on one machine

Written by `pytest -m '' -n 0 tests/test_targets.py`, with CPython {python} on {machine} and zig
from PyPI's ziglang.

Each project is built from its sdist, its own backend wrapped, by

    uv build --wheel -C manyshim.compiler=zig -C manyshim.platform=TARGET -C manyshim.strict=true

Audited: the tag is the target, each file is for its machine, and no finding is an error; warnings
stand in brackets. Imported: the extension is used on Debian 12, under qemu-user for aarch64, or on
CPython 3.11 with musl 1.2.3.

| project | language | {targets} |
|---|---|{rules}|
"""

Build = Callable[[Path, str], Path]


class Cell(NamedTuple):
    """What became of a project for a target: done, or why not."""

    said: str


@pytest.fixture(scope="module")
def table() -> Iterator[Dict[Tuple[str, str], Cell]]:
    """Return what the builds leave for the table, which a run of all in one process writes."""
    cells: Dict[Tuple[str, str], Cell] = {}
    yield cells
    if cells.keys() == {(project.name, target) for project in PROJECTS for target in TARGETS}:
        write(cells)


@pytest.fixture
def build(tmp_path: Path, uv: Runner, build_environment: Mapping[str, str]) -> Build:
    """Return a function that builds a source tree for a target, with a real frontend."""

    def run(source: Path, target: str) -> Path:
        settings = {"compiler": "zig", "platform": target, "strict": "true"}
        given = [f"-Cmanyshim.{key}={value}" for key, value in settings.items()]
        command = ["build", "--wheel", "--python", sys.executable, *given, "-o", str(tmp_path)]
        uv(*command, cwd=source, env={**build_environment, "PATH": clean()["PATH"]})
        (wheel,) = tmp_path.glob("*.whl")
        return wheel

    return run


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("project", PROJECTS, ids=lambda one: one.name)
def test_a_real_project_is_compiled_and_used(
    project: Project,
    target: str,
    tmp_path: Path,
    build: Build,
    table: Dict[Tuple[str, str], Cell],
) -> None:
    machine, name = TARGETS[target]
    table[project.name, target] = Cell("not built")
    source = fetch(project.name, project.version, tmp_path / "source")
    wrapped(source)
    wheel = build(source, target)
    table[project.name, target] = Cell("built, not audited")
    assert target in wheel.name
    report = audited(wheel, "musl" if "musl" in target else "glibc")
    assert not report.errors
    assert {elf.ident.machine for elf in elfs(wheel).values()} == {machine}
    table[project.name, target] = Cell("built, audited, not imported")
    folder = tmp_path / "installed"
    for path, data in members(wheel).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    assert system(name).run(f"{project.use}\nprint('used')", folder) == "used\n"
    warned = {one.kind for one in report.findings if one.severity == f.WARNING}
    table[project.name, target] = Cell(
        "built, audited, imported" + "".join(f" ({kind})" for kind in sorted(warned))
    )


def write(table: Mapping[Tuple[str, str], Cell]) -> None:
    head = HEAD.format(
        python=re.sub(r"\+$", "", platform.python_version()),
        machine=platform.machine(),
        targets=" | ".join(TARGETS),
        rules="---|" * len(TARGETS),
    ).replace("---||", "---|")
    rows = [
        f"| {project.name} {project.version} | {project.language} | "
        + " | ".join(table[project.name, target].said for target in TARGETS)
        + " |\n"
        for project in PROJECTS
    ]
    (DOCS / "targets.md").write_text(head + "".join(rows), encoding="utf-8")
