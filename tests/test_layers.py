"""The rules of docs/architecture.md about imports and sizes hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Tuple

import pytest

from layers import (
    MAX_LINES,
    MAX_TEST_LINES,
    MAY_IMPORT,
    modules,
    oversized_tests,
    unit,
    violations,
)
from paths import BACKEND, TESTS

PACKAGE = BACKEND / "manyshim"

# A module, the text that is added to it, and the expected violation.
PLANTED: Dict[str, Tuple[str, str, str]] = {
    "one optional package imports another": (
        *("repair/run.py", "from manyshim.toolchain import zig\n"),
        "repair.run: imports toolchain.zig, and repair may not import toolchain",
    ),
    "the core reads a format": (
        *("audit/facts.py", "from manyshim.formats.zip.window import Window\n"),
        "audit.facts: imports formats.zip.window, and audit may not import formats.zip",
    ),
    "the core touches the disk": (
        *("audit/rules/musl.py", "import os.path\n"),
        "audit.rules.musl: imports os.path, and it is pure",
    ),
    "a rule imports another one": (
        *("audit/rules/musl.py", "from manyshim.audit.rules import python\n"),
        "imports audit.rules.python, and modules of audit.rules import no siblings",
    ),
    "an import from a higher layer": (
        *("audit/tags.py", "from manyshim.audit.verdict import Report\n"),
        "audit.tags: imports audit.verdict, and audit may not import audit.verdict",
    ),
    "an entry point is imported": (
        *("config.py", "import manyshim.backend\n"),
        "config: imports backend, and config may not import backend",
    ),
    "a cycle, inside of a function": (
        *("audit/tags.py", "def f():\n    from manyshim.audit.facts import ElfFile\n"),
        "audit.tags -> audit.facts",
    ),
    "a library in every build": (
        *("build.py", "from elftools.elf import elffile\n"),
        "build: imports elftools.elf, which only ['formats.elf.debuginfo', ",
    ),
    "an undeclared library": (
        *("cli/show.py", "import requests\n"),
        "cli.show: imports requests, which is no part of the standard library",
    ),
    "a relative import": (
        *("formats/elf/notes.py", "from . import image\n"),
        "formats/elf/notes.py: a relative import hides the layer",
    ),
    "a package that imports its modules": (
        *("repair/__init__.py", "from manyshim.repair import plan\n"),
        "repair/__init__.py: this import is loaded with every module",
    ),
    "a module without a unit": (
        *("plugins/extra.py", "import re\n"),
        "plugins.extra: belongs to no unit",
    ),
    "a module that grew": (
        *("values.py", "\n" * MAX_LINES),
        "lines, more than 300",
    ),
}


def test_the_package_has_no_violations() -> None:
    assert violations(PACKAGE) == []


def test_every_unit_of_the_table_exists() -> None:
    assert {unit(name) for name in modules(PACKAGE)} == set(MAY_IMPORT)


@pytest.mark.parametrize("planted", PLANTED)
def test_a_violation_is_found(planted: str, tmp_path: Path) -> None:
    if planted == "an undeclared library" and sys.version_info < (3, 10):
        pytest.skip("before Python 3.10 the standard library does not list its modules")
    file, text, expected = PLANTED[planted]
    copy = tmp_path / "manyshim"
    shutil.copytree(str(PACKAGE), str(copy), ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as target:
        target.write(text)
    found = violations(copy)
    assert [one for one in found if expected in one], found


def test_no_test_module_is_too_long() -> None:
    assert oversized_tests(TESTS) == []


@pytest.mark.parametrize("file", ["audit/test_grown.py", "support/grown.py"])
def test_a_test_module_that_is_too_long_is_found(file: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir()
    path.write_text("\n" * MAX_TEST_LINES)
    assert oversized_tests(tmp_path) == []
    path.write_text("\n" * (MAX_TEST_LINES + 1))
    assert oversized_tests(tmp_path) == [f"{file}: 401 lines, more than 400"]


def test_importing_the_backend_loads_the_standard_library_only() -> None:
    """So a frontend that only looks for hooks starts fast."""
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
    own = [name for name in loaded if name.startswith("manyshim")]
    assert own == ["manyshim", "manyshim.backend", "manyshim.errors"]
    others = {name.split(".")[0] for name in loaded} - {"manyshim"}
    assert not others & {"setuptools", "wheel", "packaging", "elftools", "tomli", "pkg_resources"}
    if sys.version_info >= (3, 10):
        assert others <= set(sys.stdlib_module_names)
