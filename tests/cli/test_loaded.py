"""What a short command loads: none of the modules that cost more than what it does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import List, Set

import pytest

from elfwriter import Elf, Symbol, write
from paths import BACKEND
from wheelwriter import save, wheel, wheel_name

# Python itself loads other modules before, so the numbers of `manyshim` alone would not tell.
CODE = """if 1:
    import sys
    before = set(sys.modules)
    sys.path.insert(0, sys.argv.pop(1))
    from manyshim.cli.main import main
    code = main(sys.argv[1:])
    print(code, *sorted(set(sys.modules) - before), file=sys.stderr)
"""
# `show` reads a wheel, so it needs zlib and what unpacks numbers.
COMPRESSORS = {"shutil", "bz2", "lzma", "zipfile", "tempfile", "tarfile"}
PARSERS = {"argparse", "gettext", "locale", "textwrap"}
TYPES = {"typing", "enum", "dataclasses", "inspect"}
TEXTS = {"re", "fnmatch", "glob", "filecmp", "string", "base64", "json", "csv", "difflib"}
SYSTEM = {"subprocess", "logging", "random", "hashlib", "sysconfig", "platform", "pathlib"}
HEAVY = {*COMPRESSORS, *PARSERS, *TYPES, *TEXTS, *SYSTEM}


def loaded(*line: object) -> Set[str]:
    """Run a command line; return the modules that it loads beside those of Python's start."""
    command = [sys.executable, "-I", "-S", "-c", CODE, str(BACKEND), *map(str, line)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    code, *modules = run.stderr.splitlines()[-1].split()
    assert code == "0", run.stdout
    return set(modules)


def starts_with(modules: Set[str], *names: str) -> Set[str]:
    return {one for one in modules if one.startswith(tuple(f"manyshim.{name}" for name in names))}


def test_the_version_loads_neither_argparse_nor_the_audit() -> None:
    modules = loaded("--version")
    assert not modules & HEAVY
    assert starts_with(modules, "") == {
        *("manyshim.cli", "manyshim.cli.main", "manyshim.cli.manner", "manyshim.cli.grammar"),
        *("manyshim.cli.reading", "manyshim.errors", "manyshim.values"),
    }


@pytest.mark.skipif(sys.version_info < (3, 9), reason="argparse imports shutil itself")
@pytest.mark.parametrize("line", [["--help"], ["show", "--help"], ["retag", "-h"]])
def test_the_help_loads_argparse_and_no_audit(line: List[str]) -> None:
    modules = loaded(*line)
    assert "argparse" in modules
    assert not modules & (COMPRESSORS | SYSTEM)
    assert not starts_with(modules, "audit", "formats", "formatters", "operations")


def test_show_of_a_clean_wheel_loads_what_it_needs(tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_5_x86_64"
    module = write(Elf(needed=("libc.so.6",), symbols=(Symbol("PyInit__x", defined=True),)))
    members = {"demo/__init__.py": b"", "demo/_x.cpython-311-x86_64-linux-gnu.so": module}
    modules = loaded("show", save(tmp_path, wheel(members, tag=tag), wheel_name(tag=tag)))
    assert not modules & HEAVY
    assert not starts_with(
        modules,
        *("audit.messages", "audit.reasons", "audit.sentences", "audit.patterns"),
        *("audit.rules.musl", "audit.definitions", "audit.explanations", "audit.gate"),
        *("cli.parser", "cli.mistakes", "config", "options", "optiontypes", "settings"),
        *("demangle", "formatters.json", "inputs", "spelling", "toolchain", "repair"),
    )


def test_show_of_a_wheel_for_musl_loads_its_rules(tmp_path: Path) -> None:
    tag = "cp311-cp311-musllinux_1_2_x86_64"
    module = write(Elf(needed=("libc.so",), symbols=(Symbol("PyInit__x", defined=True),)))
    members = {"demo/__init__.py": b"", "demo/_x.cpython-311-x86_64-linux-musl.so": module}
    modules = loaded("show", save(tmp_path, wheel(members, tag=tag), wheel_name(tag=tag)))
    assert "manyshim.audit.rules.musl" in modules
    assert not modules & HEAVY
