"""A project that builds with CMake, for other machines: what it finds, its bytes, its failures."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

import pytest

import needs
from compiling import audited, clean, copy, elfs, members
from constraints import without_constraints
from frontends import Runner, run_command
from paths import PROJECTS
from systems import system

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or platform.machine() != "x86_64",
        reason="the table is for x86_64 Linux",
    ),
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11), reason="the foreign Pythons of Debian 12 are 3.11"
    ),
]

CMAKES = PROJECTS / "cmakes"
ARM64, X86, MUSL = "manylinux_2_17_aarch64", "manylinux_2_17_x86_64", "musllinux_1_2_x86_64"
C_ONLY = {"cmake.define.WITH_CXX": "OFF"}
Done = subprocess.CompletedProcess
Build = Callable[..., "Done[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy(CMAKES, tmp_path / "one" / "cmakes")


@pytest.fixture
def build(uv: Runner, build_environment: Mapping[str, str]) -> Build:
    """Return a function that builds a project for a target into its folder dist."""
    del uv
    program = needs.tool("uv", "uv", needs.PYPI)
    needs.tool("cmake", "cmake")
    needs.tool("ninja", "ninja-build")

    def run(
        folder: Path,
        target: str,
        settings: Optional[Mapping[str, str]] = None,
        environ: Optional[Mapping[str, str]] = None,
        *,
        ok: bool = True,
        pinned: bool = True,
    ) -> Done[str]:
        given = {"manyshim.compiler": "zig", "manyshim.platform": target, "manyshim.strict": "true"}
        options = [f"-C{key}={value}" for key, value in {**given, **(settings or {})}.items()]
        command = [program, "build", "--wheel", "--python", sys.executable, *options, str(folder)]
        base = build_environment if pinned else without_constraints(build_environment)
        full = {**base, "PATH": clean()["PATH"], **(environ or {})}
        return run_command([*command, "-o", str(folder / "dist")], env=full, cwd=folder, ok=ok)

    return run


def wheel_of(folder: Path) -> Path:
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def used(wheel: Path, name: str, code: str, folder: Path) -> str:
    for path, data in members(wheel).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return system(name).run(code, folder)


FACTS = "import cmakes._c as c; f = c.facts(); print(*(f[k] for k in sorted(f)))"
CXX = """
import cmakes._pb as pb, cmakes._nb as nb
try:
    pb.fail()
except RuntimeError as error:
    print(error, pb.twice("a"), nb.sum(40, 2))
"""


@pytest.mark.parametrize(
    ("target", "name", "processor"),
    [
        (ARM64, "bookworm-arm64", "aarch64"),
        pytest.param(X86, "bookworm-amd64", "x86_64", marks=pytest.mark.full),
        pytest.param(MUSL, "musl-amd64", "x86_64", marks=pytest.mark.full),
    ],
)
def test_a_module_is_used_on_the_target(  # noqa: PLR0917
    project: Path, build: Build, tmp_path: Path, target: str, name: str, processor: str
) -> None:
    """CMake finds the target's sizes and functions, and no library of this machine."""
    build(project, target, {**C_ONLY, "cmake.define.GIVEN": "this"})
    wheel = wheel_of(project)
    assert target in wheel.name
    assert not audited(wheel, "musl" if target == MUSL else "glibc").errors
    libc = "musl" if target == MUSL else "gnu"
    (path,) = elfs(wheel)
    assert path == f"cmakes/_c.cpython-311-{processor}-linux-{libc}.so"
    # checked, given, path, processor, size, strlcpy (musl has it), thread, zlib
    strlcpy = int(target == MUSL)
    wanted = f"16 this build/path.c {processor} 16 {strlcpy} 42 0\n"
    assert used(wheel, name, FACTS, tmp_path / "installed") == wanted


@pytest.mark.full
@pytest.mark.parametrize(
    ("target", "name"),
    [(X86, "bookworm-amd64"), (ARM64, "bookworm-arm64"), (MUSL, "musl-amd64")],
)
def test_cplusplus_is_used_on_the_target(
    project: Path, build: Build, tmp_path: Path, target: str, name: str
) -> None:
    build(project, target)
    wheel = wheel_of(project)
    assert not audited(wheel, "musl" if target == MUSL else "glibc").errors
    suffixes = {path.partition(".")[2] for path in elfs(wheel)}
    assert len(suffixes) == 1
    assert len(elfs(wheel)) == 3
    assert used(wheel, name, CXX, tmp_path / "installed") == "thrown aa 42\n"


@pytest.mark.parametrize("target", [ARM64, X86])
def test_two_folders_give_the_same_bytes(
    project: Path, build: Build, tmp_path: Path, target: str
) -> None:
    other = copy(CMAKES, tmp_path / "another, longer" / "place" / "cmakes")
    for folder in (project, other):
        build(folder, target, C_ONLY)
    one, two = wheel_of(project), wheel_of(other)
    assert members(one) == members(two)
    for data in members(one).values():
        assert str(tmp_path).encode() not in data


def test_a_build_folder_in_the_project_may_have_a_space(
    project: Path, build: Build, tmp_path: Path
) -> None:
    other = copy(CMAKES, tmp_path / "a b" / "cmakes")
    lines = []
    for folder in (project, other):
        lines += build(folder, ARM64, {**C_ONLY, "build-dir": "build/{wheel_tag}"}).stderr.split()
    assert members(wheel_of(project)) == members(wheel_of(other))
    assert "dropped" not in lines


OWN = """
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR mine)
set(CMAKE_C_COMPILER $ENV{CC})
set(CMAKE_CXX_COMPILER $ENV{CXX})
"""


@pytest.mark.parametrize("place", ["setting", "environment", "pyproject"])
def test_a_toolchain_file_of_the_user_counts(
    project: Path, build: Build, tmp_path: Path, place: str
) -> None:
    own = tmp_path / "own.cmake"
    own.write_text(OWN, encoding="utf-8")
    settings, environ = dict(C_ONLY), {}
    if place == "setting":
        settings["cmake.define.CMAKE_TOOLCHAIN_FILE"] = str(own)
    elif place == "environment":
        environ["CMAKE_TOOLCHAIN_FILE"] = str(own)
    else:
        with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[tool.scikit-build.cmake]\nargs = ["--toolchain={own}"]\n')
        _without_define(project)
    done = build(project, ARM64, settings, environ)
    (line,) = (line for line in done.stderr.splitlines() if "names a toolchain file" in line)
    assert "so CMake does not get that of manyshim" in line
    (data,) = (data for path, data in members(wheel_of(project)).items() if path.endswith(".so"))
    assert b"mine\0" in data


def _without_define(project: Path) -> None:
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace('[tool.scikit-build.cmake.define]\nWITH_CXX = "ON"\n', "")
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("enable_language(Fortran)", "the build asks for a Fortran compiler, and zig has none"),
        ("find_package(OpenMP REQUIRED)", "zig has no OpenMP runtime"),
        ("find_package(ZLIB REQUIRED)", "ZLIB is searched in the sysroot"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    project: Path, build: Build, more: str, words: str
) -> None:
    with (project / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write(f"{more}\n")
    done = build(project, ARM64, C_ONLY, ok=False)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith(f"manyshim: {words}")]
    assert len(lines) == 1, done.stderr


def _backend(project: Path, requires: List[str], backend: str, more: str = "") -> None:
    text = (
        f"[build-system]\nrequires = {['manyshim', *requires]}\n"
        'build-backend = "manyshim.backend"\n[project]\nname = "cmakes"\nversion = "1.0"\n'
        f'description = "cmakes"\n[tool.manyshim]\nbackend = "{backend}"\n{more}'
    )
    (project / "pyproject.toml").write_text(text, encoding="utf-8")


def _py_build_cmake(project: Path) -> None:
    more = (
        '[tool.py-build-cmake.module]\ndirectory = "src"\n'
        '[tool.py-build-cmake.cmake]\nminimum_version = "3.18"\nargs = ["-GNinja"]\n'
        "find_python = true\n"
    )
    _backend(project, ["py-build-cmake==0.5.1"], "py_build_cmake.build", more)
    (project / "src" / "cmakes").mkdir()
    (project / "src" / "cmakes" / "__init__.py").touch()


def _scikit_build(project: Path) -> None:
    _backend(project, ["setuptools", "scikit-build"], "setuptools.build_meta")
    text = 'from skbuild import setup\nsetup(packages=["cmakes"], package_dir={"": "src"})\n'
    (project / "setup.py").write_text(text, encoding="utf-8")
    (project / "src" / "cmakes").mkdir()
    (project / "src" / "cmakes" / "__init__.py").touch()
    lists = project / "CMakeLists.txt"
    text = lists.read_text(encoding="utf-8")
    lists.write_text(text.replace("DESTINATION cmakes", "DESTINATION src/cmakes"), encoding="utf-8")


OTHERS: Dict[str, Any] = {"py-build-cmake": _py_build_cmake, "scikit-build": _scikit_build}


@pytest.mark.parametrize("backend", OTHERS)
def test_another_backend(project: Path, build: Build, tmp_path: Path, backend: str) -> None:
    """py-build-cmake needs an older release of a package than the pins have."""
    OTHERS[backend](project)
    for _ in range(2):  # the second build finds the build folder of the first one
        build(project, ARM64, pinned=backend != "py-build-cmake")
    wheel = wheel_of(project)
    assert not audited(wheel).errors
    (path,) = elfs(wheel)
    assert path == "cmakes/_c.cpython-311-aarch64-linux-gnu.so"
    code = "import cmakes._c as c; f = c.facts(); print(f['processor'], f['zlib'], f['thread'])"
    assert used(wheel, "bookworm-arm64", code, tmp_path / "installed") == "aarch64 0 42\n"


# What a build finds without qemu: the programs that it needs.
_PROGRAMS = ("cmake", "ninja", "sh", "env", "true", "git", "uname", "pkg-config")


def test_a_program_of_the_target_is_not_run_without_qemu(
    project: Path, build: Build, tmp_path: Path
) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in _PROGRAMS:
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    with (project / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write(
            'file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/gen.c" "int main(void) { return 0; }\\n")\n'
            'add_executable(gen "${CMAKE_CURRENT_BINARY_DIR}/gen.c")\n'
            "add_custom_target(run ALL COMMAND gen DEPENDS gen)\n"
        )
    path = os.pathsep.join((clean()["PATH"].split(os.pathsep)[0], str(folder)))
    done = build(project, ARM64, C_ONLY, {"PATH": path}, ok=False)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if "the build runs gen" in line]
    assert len(lines) == 1, done.stderr
    assert "qemu-user-static" in lines[0]
