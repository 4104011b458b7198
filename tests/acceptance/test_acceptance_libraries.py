"""Real projects that need libraries of a distribution, compiled with zig and repaired."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Dict, Mapping

import pytest

import needs
from acceptance import (
    ARM64,
    X86,
    Frontend,
    cpython,
    findings,
    frontend_with,
    here,
    on_x86_64,
    release,
    tags,
    unpacked,
)
from constraints import without_constraints
from debian import cache, debian
from frontends import Runner
from repairprojects import PROJECTS
from systems import system

pytestmark = on_x86_64


@pytest.fixture(scope="module")
def frontend(run: Runner, build_environment: Dict[str, str]) -> Frontend:
    return frontend_with(run, build_environment)


@pytest.fixture(scope="module")
def arm64_libraries() -> Path:
    """Return a system with the libraries that PyYAML and cffi need, and their headers."""
    packages = ("libyaml-dev", "libffi-dev")
    return debian(cache("acceptance-arm64-libraries"), "arm64", packages)


YAML = """
import yaml
assert yaml.__with_libyaml__
print(yaml.load("a: [1, 2]", yaml.CSafeLoader), yaml.dump({"b": 3}, Dumper=yaml.CSafeDumper))
with open("/proc/self/maps") as maps:
    print("\\n".join(line.split()[-1] for line in maps if line.strip()))
"""
PYYAML = "6.0.3"


def test_pyyaml_without_libyaml_is_an_error(
    tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    """PyYAML's build succeeds without the extension, and its Python code works without it."""
    python = cpython(pythons, 11)
    done = frontend.build(release("pyyaml", PYYAML, tmp_path), python, ARM64, strict="false")
    assert tags(done) == "cp311-cp311-linux_aarch64"
    assert len(findings(done, "NO_ELF")) == 1
    (line,) = findings(done, "NO_MODULE", "warning")
    assert "yaml/_yaml." in line
    refused = frontend.build(release("pyyaml", PYYAML, tmp_path / "strict"), python, ARM64)
    assert refused.wheel is None
    assert "(exit status: 1)" in refused.errors


@pytest.mark.full
def test_pyyaml_contains_libyaml_from_a_sysroot(
    tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str], arm64_libraries: Path
) -> None:
    project = release("pyyaml", PYYAML, tmp_path)
    done = frontend.build(
        project, cpython(pythons, 11), ARM64, mode="repair", sysroot=str(arm64_libraries)
    )
    assert tags(done) == "cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64"
    folder = unpacked(done)
    (library,) = (folder / "pyyaml.libs").iterdir()
    assert library.name.startswith("libyaml-0-")
    output = system("bookworm-arm64").run(YAML, folder)
    assert output.startswith("{'a': [1, 2]} b: 3\n")
    assert {line for line in output.splitlines() if "/libyaml-" in line} == {str(library)}


CFFI = next(project for project in PROJECTS if project.name == "cffi")


def test_cffi_needs_the_glibc_of_this_machines_libffi(
    tmp_path: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str]
) -> None:
    needs.header("ffi.h", "libffi-dev")
    python = cpython(pythons, 11)
    project = release("cffi", CFFI.version, tmp_path / "cffi")
    refused = frontend.build(project, python, X86, sysroot="/", mode="repair")
    assert refused.wheel is None
    assert "(exit status: 1)" in refused.errors
    (line,) = (line for line in refused.errors.splitlines() if line.endswith("[TOO_NEW]"))
    assert re.search(r"cffi\.libs/libffi-\w+\.so\.8 needs .*GLIBC_2\.27", line)
    done = frontend.build(
        release("cffi", CFFI.version, tmp_path / "newer"),
        python,
        "manylinux_2_28_x86_64",
        sysroot="/",
        mode="repair",
    )
    assert tags(done) == "cp311-cp311-manylinux_2_28_x86_64"
    folder = unpacked(done)
    assert [path.name[:7] for path in (folder / "cffi.libs").iterdir()] == ["libffi-"]
    parser = pycparser(tmp_path, frontend)
    assert here(run, python, CFFI.use, folder, parser) == ""


@pytest.mark.full
def test_cffi_works_on_aarch64_with_libffi_from_a_sysroot(
    tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str], arm64_libraries: Path
) -> None:
    project = release("cffi", CFFI.version, tmp_path / "cffi")
    done = frontend.build(
        project,
        cpython(pythons, 11),
        "manylinux_2_28_aarch64",
        mode="repair",
        sysroot=str(arm64_libraries),
    )
    assert tags(done) == "cp311-cp311-manylinux_2_28_aarch64"
    parser = pycparser(tmp_path, frontend)
    assert system("bookworm-arm64").run(CFFI.use, unpacked(done), parser) == ""


def pycparser(folder: Path, frontend: Frontend) -> Path:
    """Install cffi's parser for C, a pure Python package."""
    needs.module("pip")
    target = folder / "needs"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target)]
    # The system's Python may be older than the pinned release allows.
    frontend.run([*pip, "pycparser==2.23"], env=without_constraints(frontend.environ))
    return target
