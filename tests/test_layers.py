"""The architecture, held by the imports: docs/architecture.md has the picture."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

PACKAGE = Path(__file__).parent.parent / "backend" / "manyshim"

# Ground first; a file imports only from a lower floor, and in the core only from its left.
FLOORS: List[Tuple[str, ...]] = [
    ("errors", "values"),
    ("audit.tags",),
    ("audit.facts",),
    ("audit.policy",),
    ("audit.findings", "audit.identity"),
    ("audit.request",),
    ("audit.installed",),
    ("audit.loading",),
    ("audit.checks", "audit.rules"),
    ("audit.musl", "audit.mapping"),
    ("audit.importing",),
    ("audit.verdict",),
    ("audit.choice", "audit.sentences"),
    ("audit.report", "audit.claims"),
    (
        "workspace",
        "process",
        "formats.zip.window",
        "formats.wheel.record",
        "formats.elf.relocatable",
        "formats.zip.deflate",
    ),
    ("formats.elf.debuginfo",),
    ("formats.zip.archive", "formats.elf.image"),
    ("formats.elf.dynamic", "formats.elf.notes", "formats.zip.pack"),
    ("formats.elf.symbols",),
    ("formats.elf.reader",),
    ("formats.wheel.wheel",),
    ("formats.wheel.rewrite",),
    ("options", "host", "wrapped"),
    ("config",),
    ("toolchain.target", "toolchain.compiler.target_options", "toolchain.python.pyconfig"),
    ("toolchain.compiler.linking", "toolchain.compiler.processor"),
    ("toolchain.compiler.arguments", "toolchain.python.headers", "toolchain.zig"),
    ("toolchain.python.sysconfig", "toolchain.compiler.wrapper"),
    ("toolchain.build_environment",),
    ("toolchain.build",),
    ("repair.system", "repair.sbom.licenses"),
    ("repair.ldso", "repair.sbom.packages"),
    ("repair.plan", "repair.verify.mapped", "repair.trial"),
    ("repair.search", "repair.sbom.document"),
    ("repair.patch", "repair.strip", "repair.verify.dynamic_tables", "repair.verify.segments"),
    ("repair.verify.filler", "repair.closure", "repair.fixes"),
    ("repair.verify.comparison",),
    ("repair.apply",),
    ("repair.run",),
    ("operations",),
    ("cli.screen", "cli.arguments"),
    ("cli.batch",),
    ("cli.check", "cli.policies", "cli.repair", "cli.retag", "cli.show"),
    ("backend", "cli.main"),
    ("__main__", "toolchain.child"),
]
FLOOR: Dict[str, int] = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# What the core never touches.
IMPURE = {"elftools", "zipfile", "os", "io", "subprocess", "logging", "pathlib", "time", "random"}


def rooms() -> Dict[str, Path]:
    """Every module of the package but the packages' own faces, by its dotted name."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "__init__.py"
    }


def imported(path: Path) -> Iterator[str]:
    """Yield the absolute names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the floor"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full.replace("manyshim.", "", 1) in FLOOR else str(node.module)


@pytest.mark.parametrize("room", rooms())
def test_a_room_imports_from_lower_floors_only(room: str) -> None:
    assert room in FLOOR, f"{room} has no floor: give it one here and in docs/architecture.md"
    for name in imported(rooms()[room]):
        if name.startswith("manyshim."):
            below = name[len("manyshim.") :]
            assert FLOOR[below] < FLOOR[room], f"{room} imports {below}, which is not below it"


PURE = (
    *(
        "repair.plan",
        "repair.closure",
        "repair.fixes",
        "repair.sbom.licenses",
        "repair.sbom.document",
    ),
    *(
        "toolchain.target",
        "toolchain.compiler.target_options",
        "toolchain.compiler.linking",
        "toolchain.compiler.processor",
    ),
    *("toolchain.compiler.arguments", "toolchain.python.pyconfig"),
)


@pytest.mark.parametrize("room", [*(one for one in rooms() if one.startswith("audit.")), *PURE])
def test_the_core_is_pure(room: str) -> None:
    found = {name.split(".")[0] for name in imported(rooms()[room])}
    assert not found & IMPURE


def test_every_floor_is_lived_on() -> None:
    assert set(FLOOR) == set(rooms())


def test_importing_the_backend_loads_the_standard_library_only() -> None:
    """A frontend that only probes for hooks pays for nothing else."""
    code = (
        "import sys; before = set(sys.modules); sys.path.insert(0, sys.argv[1]); "
        "import manyshim.backend; print(*sorted(set(sys.modules) - before))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(PACKAGE.parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = run.stdout.split()
    ours = [name for name in loaded if name.startswith("manyshim")]
    assert ours == ["manyshim", "manyshim.backend", "manyshim.errors"]
    others = {name.split(".")[0] for name in loaded} - {"manyshim"}
    assert not others & {"setuptools", "wheel", "packaging", "elftools", "tomli", "pkg_resources"}
    if sys.version_info >= (3, 10):
        assert others <= set(sys.stdlib_module_names)
