"""Real projects, compiled with zig by a real frontend, and imported on systems of their tags."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterable, Mapping, Tuple

import pytest

import awaitwhat
import needs
from acceptance import (
    ARM64,
    MUSL,
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
from compiling import PROBE, Done, compile_wheel, copy, elfs
from frontends import Runner
from manyshim.audit.facts import VersionNeed
from publishedwheels import auditwheel
from sdists import fetch
from systems import system

pytestmark = on_x86_64


@pytest.fixture(scope="module")
def frontend(run: Runner, build_environment: Dict[str, str]) -> Frontend:
    return frontend_with(run, build_environment)


KIWI = """
import kiwisolver
x = kiwisolver.Variable("x")
solver = kiwisolver.Solver()
solver.addConstraint(x >= 10)
solver.updateVariables()
print(x.value())
try:
    # The module catches an exception of C++, and raises one of Python.
    solver.addConstraint(x <= 5)
except kiwisolver.UnsatisfiableConstraint:
    print("caught")
"""


@pytest.mark.full
def test_kiwisolver_runs_on_an_old_glibc_only_if_zig_compiled_it(
    tmp_path: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str]
) -> None:
    python = cpython(pythons, 9)
    old = system("bullseye-amd64")
    project = release("kiwisolver", "1.4.7", tmp_path / "zig")
    done = frontend.build(project, python, X86)
    assert tags(done) == "cp39-cp39-manylinux2014_x86_64.manylinux_2_17_x86_64"
    assert done.wheel is not None
    ((path, elf),) = elfs(done.wheel).items()
    assert path == "kiwisolver/_cext.cpython-39-x86_64-linux-gnu.so"
    assert newest_glibc(elf.versions_needed) <= (2, 17)
    assert not [name for name in elf.needed if "++" in name], "libc++ is inside"
    assert old.run(KIWI, unpacked(done)) == "10.0\ncaught\n"
    needs.compiler("g++")
    # libstdc++ is linked statically, so that glibc makes the difference.
    control = frontend.build(
        fetch("kiwisolver", "1.4.7", tmp_path / "gcc"),
        python,
        environ={"LDFLAGS": "-static-libstdc++ -static-libgcc"},
    )
    assert "-linux_x86_64" in control.name
    assert here(run, python, KIWI, unpacked(control)) == "10.0\ncaught\n"
    failed = old.attempt(KIWI, unpacked(control))
    assert failed.returncode == 1
    assert re.search(r"ImportError: .*version `GLIBC_2\.3\d' not found", failed.stderr)


def newest_glibc(needs: Iterable[VersionNeed]) -> Tuple[int, ...]:
    """Return the newest release of glibc whose symbols a file needs."""
    versions = [need.version[6:] for need in needs if need.version.startswith("GLIBC_")]
    assert versions
    return max(tuple(map(int, version.split("."))) for version in versions)


SPEEDUPS = """
import markupsafe
import markupsafe._speedups
assert markupsafe._escape_inner is markupsafe._speedups._escape_inner
print(markupsafe.escape("<a & b>"))
"""


@pytest.mark.parametrize(("minor", "libc"), [(10, "gnu"), (11, "musl")])
def test_markupsafe_for_musl_has_the_suffix_of_its_python(
    tmp_path: Path,
    frontend: Frontend,
    pythons: Mapping[int, str],
    minor: int,
    libc: str,
) -> None:
    python = cpython(pythons, minor)
    project = release("markupsafe", "3.0.4", tmp_path)
    done = frontend.build(project, python, MUSL)
    assert tags(done) == f"cp3{minor}-cp3{minor}-{MUSL}"
    assert done.wheel is not None
    ((path, elf),) = elfs(done.wheel).items()
    assert path == f"markupsafe/_speedups.cpython-3{minor}-x86_64-linux-{libc}.so"
    assert elf.needed == ("libc.so",)
    checked = subprocess.run(
        [sys.executable, "-m", "manyshim", "check", str(done.wheel)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    if sys.version_info >= (3, 10):
        # auditwheel reports NEEDED libc.so as a missing library, and accepts Alpine's name.
        assert auditwheel(done.wheel) != MUSL
        fixed = frontend.build(
            release("markupsafe", "3.0.4", tmp_path / "fixed"), python, MUSL, fix="musl-soname"
        )
        assert fixed.wheel is not None
        assert fixed.name == done.name
        assert [elf.needed for elf in elfs(fixed.wheel).values()] == [("libc.musl-x86_64.so.1",)]
        assert auditwheel(fixed.wheel) == MUSL


@pytest.mark.full
@pytest.mark.parametrize("fix", ["", "musl-soname"])
def test_markupsafe_is_imported_on_musl(
    tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str], fix: str
) -> None:
    python = cpython(pythons, 11)
    project = release("markupsafe", "3.0.4", tmp_path)
    done = frontend.build(project, python, MUSL, fix=fix)
    assert system("musl-amd64").run(SPEEDUPS, unpacked(done)) == "&lt;a &amp; b&gt;\n"


NEWER_FUNCTION = """
#include <sys/uio.h>
ssize_t newer(const struct iovec *parts)
{
    return preadv2(0, parts, 1, 0, 0);
}
"""


@pytest.fixture
def newer_than_musl_1_2(tmp_path: Path) -> Path:
    """Return a project that calls a function of zig's musl that is not in every musl 1.2."""
    project = copy(PROBE, tmp_path / "probe")
    with open(project / "src" / "_c.c", "a", encoding="utf-8") as source:
        source.write(NEWER_FUNCTION)
    return project


def test_a_function_that_is_newer_than_musl_1_2_is_reported(newer_than_musl_1_2: Path) -> None:
    done = compile_wheel(newer_than_musl_1_2, MUSL, environ={"PROBE_MODULES": "_c"})
    assert done.name.endswith(f"-{MUSL}.whl")
    (line,) = findings(done, "MUSL_PATCH_LEVEL", "warning")
    assert "preadv2" in line
    refused = compile_wheel(
        newer_than_musl_1_2, MUSL, environ={"PROBE_MODULES": "_c"}, strict="true"
    )
    assert (refused.code, refused.wheel) == (1, None)
    (line,) = findings(refused, "MUSL_PATCH_LEVEL")
    assert "preadv2" in line


@pytest.mark.full
def test_a_module_with_a_newer_function_cannot_be_imported_on_an_older_musl(
    newer_than_musl_1_2: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    """The warning is correct: installers accept the tag on this system."""
    environ = {"PROBE_MODULES": "_c"}
    python = cpython(pythons, 11)
    done = frontend.build(newer_than_musl_1_2, python, MUSL, environ=environ, strict="false")
    failed = system("musl-amd64").attempt("import probe._c", unpacked(done))
    assert failed.returncode == 1
    assert "preadv2: symbol not found" in failed.stderr


@pytest.mark.parametrize("platform", [X86, ARM64])
def test_a_module_without_libc_gets_the_requested_tag(
    tmp_path: Path, frontend: Frontend, run: Runner, pythons: Mapping[int, str], platform: str
) -> None:
    done = without_libc(tmp_path, frontend, pythons, platform)
    arch = platform[len("manylinux_2_17_") :]
    assert tags(done) == f"cp39-cp39-manylinux2014_{arch}.manylinux_2_17_{arch}"
    assert done.wheel is not None
    ((path, elf),) = elfs(done.wheel).items()
    assert path == f"awaitwhat/_what.cpython-39-{arch}-linux-gnu.so"
    assert elf.needed == ()
    if platform == X86:
        assert here(run, pythons[9], awaitwhat.USE, unpacked(done)) == "FutureIter\n"


def without_libc(
    folder: Path, frontend: Frontend, pythons: Mapping[int, str], platform: str
) -> Done:
    project = fetch("awaitwhat", "20.3", folder)
    for script in ("setup.py", "build.py"):
        (project / script).unlink()
    text = awaitwhat.PYPROJECT.format(requires="manyshim", backend="manyshim.backend")
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    return frontend.build(project, cpython(pythons, 9), platform)


@pytest.mark.full
def test_a_module_without_libc_is_used_on_aarch64(
    tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    foreign = system("bullseye-arm64")
    done = without_libc(tmp_path, frontend, pythons, ARM64)
    assert foreign.run(awaitwhat.USE, unpacked(done)) == "FutureIter\n"


@pytest.mark.parametrize("strict", ["false", "true"])
def test_the_released_awaitwhat_has_no_machine_code(
    tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str], strict: str
) -> None:
    """A current poetry runs its build script, but the script does nothing."""
    project = release("awaitwhat", "20.3", tmp_path)
    done = frontend.build(project, cpython(pythons, 11), X86, strict=strict)
    assert len(findings(done, "NO_ELF")) == 1, done.errors
    if strict == "true":
        assert done.wheel is None
        assert done.code != 0
        assert "(exit status: 1)" in done.errors, "uv prints the exit code of the backend"
    else:
        assert done.code == 0
        assert tags(done) == "cp311-cp311-linux_x86_64"


UVLOOP = """
import asyncio, uvloop

async def main():
    await asyncio.sleep(0)
    return type(asyncio.get_running_loop()).__module__

print(uvloop.run(main()))
"""


@pytest.mark.full
def test_a_library_with_a_configure_script_is_compiled_for_another_machine(
    tmp_path: Path, frontend: Frontend, pythons: Mapping[int, str]
) -> None:
    """Without CONFIG_SITE, the configure script would run the programs that it compiles."""
    done = frontend.build(release("uvloop", "0.21.0", tmp_path), cpython(pythons, 11), ARM64)
    assert tags(done) == f"cp311-cp311-manylinux2014_aarch64.{ARM64}"
    assert system("bookworm-arm64").run(UVLOOP, unpacked(done)) == "uvloop\n"
