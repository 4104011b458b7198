"""What a build that retags loads beyond the wrapped backend: each module by its name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Dict, List, Mapping, Set, Tuple

import pytest

import needs
from paths import REPOSITORY

PACKAGE = REPOSITORY / "backend"

# What is new here costs every build: give a reason in the review, and see bench/.
MODULES = """
    manyshim manyshim.audit manyshim.audit.decision manyshim.audit.facts manyshim.audit.findings
    manyshim.audit.identity manyshim.audit.loader manyshim.audit.loader.installed
    manyshim.audit.loader.search manyshim.audit.names manyshim.audit.policy manyshim.audit.request
    manyshim.audit.rules manyshim.audit.rules.archive manyshim.audit.rules.context
    manyshim.audit.rules.hardening manyshim.audit.rules.headers manyshim.audit.rules.policy
    manyshim.audit.rules.python manyshim.audit.rules.undefined manyshim.audit.suffixes
    manyshim.audit.tags manyshim.audit.verdict manyshim.backend manyshim.build manyshim.config
    manyshim.errors manyshim.files manyshim.formats manyshim.formats.elf
    manyshim.formats.elf.constants manyshim.formats.elf.dynamic manyshim.formats.elf.image
    manyshim.formats.elf.mapping manyshim.formats.elf.notes manyshim.formats.elf.reader
    manyshim.formats.elf.symbols manyshim.formats.wheel manyshim.formats.wheel.fields
    manyshim.formats.wheel.members manyshim.formats.wheel.record manyshim.formats.wheel.rewrite
    manyshim.formats.wheel.wheel manyshim.formats.zip manyshim.formats.zip.archive
    manyshim.formats.zip.directory manyshim.formats.zip.kept
    manyshim.formats.zip.pack manyshim.formats.zip.window manyshim.host manyshim.operations
    manyshim.project manyshim.pyproject manyshim.values manyshim.workspace manyshim.wrapped
    manyshim.writing
"""
# Only for a wheel with findings. Compilers of some machines leave a search path in the sample's.
SENTENCES = """
    manyshim.advice manyshim.audit.messages manyshim.audit.reasons manyshim.audit.sentences
    manyshim.formatters manyshim.formatters.text
"""
# The archive's names are in this encoding where they do not say UTF-8; the lock is fcntl's.
# Releases of setuptools differ in whether they load the others themselves.
STANDARD = {
    *("encodings.cp437", "fcntl", "array", "csv", "_csv"),
    *("hashlib", "_hashlib", "_sha256", "_sha2"),
}

BUILD = """if 1:
    import importlib, sys
    backend, target = sys.argv[1:]
    name = importlib.import_module(backend).build_wheel(target)
    with open(target + "/modules", "w") as file:
        file.write("\\n".join([name, *sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def loaded(
    tmp_path_factory: pytest.TempPathFactory, clean_environment: Mapping[str, str]
) -> Tuple[Set[str], Set[str]]:
    """Build the sample project twice; return what the plain backend and what ours has loaded."""
    if not sys.platform.startswith("linux"):
        pytest.skip("no extension for Linux can be built here")
    needs.module("setuptools")
    needs.extension()
    found: Dict[str, Set[str]] = {}
    names: List[str] = []
    for backend in ("setuptools.build_meta", "manyshim.backend"):
        folder = tmp_path_factory.mktemp("startup")
        project, target = folder / "project", folder / "target"
        debris = shutil.ignore_patterns("build", "*.egg-info", "*.so", "dist")
        shutil.copytree(str(REPOSITORY / "sample_project"), str(project), ignore=debris)
        target.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", BUILD, backend, str(target)],
            cwd=project,
            env={**clean_environment, "PYTHONPATH": str(PACKAGE)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        name, *modules = (target / "modules").read_text("utf-8").splitlines()
        names.append(name)
        found[backend] = set(modules)
    assert "linux_" in names[0]
    assert "manylinux" in names[1], "the build retags, or the test would show nothing"
    return found["setuptools.build_meta"], found["manyshim.backend"]


def test_our_modules_are_those_that_are_named(loaded: Tuple[Set[str], Set[str]]) -> None:
    plain, loaded_with = loaded
    assert not [name for name in plain if name.startswith("manyshim")]
    own = {name for name in loaded_with if name.startswith("manyshim")}
    assert own - set(SENTENCES.split()) == set(MODULES.split())


def test_of_the_rest_next_to_nothing_is_added(loaded: Tuple[Set[str], Set[str]]) -> None:
    """No rich, elftools, packaging, json, difflib, argparse, zipfile, dataclasses, logging."""
    plain, loaded_with = loaded
    added = {name for name in loaded_with - plain if not name.startswith("manyshim")}
    assert added <= STANDARD, sorted(added - STANDARD)


def test_nothing_is_loaded_that_is_there_for_the_command_line_only(
    loaded: Tuple[Set[str], Set[str]],
) -> None:
    """Whether or not setuptools has it too: these would be ours to answer for."""
    _, loaded_with = loaded
    assert not loaded_with & {
        "manyshim.cli.main",
        "manyshim.cli.screen",
        "manyshim.formats.elf.debuginfo",
    }
    assert not {name.split(".")[0] for name in loaded_with} & {"rich", "elftools", "auditwheel"}
