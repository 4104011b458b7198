"""compiler = zig, from the hook to the wheel: targets, refusals and messages."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

import needs
from compiling import PROBE, clean, compile_wheel, copy, elfs, members, zig
from frontends import Runner
from manyshim.toolchain.zig import REQUIREMENT
from mounting import mounted
from paths import REPOSITORY

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
)

ARM64 = "manylinux_2_17_aarch64"
X86 = "manylinux_2_17_x86_64"
C_ONLY = {"PROBE_MODULES": "_c"}


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    return copy(PROBE, tmp_path / "probe")


@pytest.mark.parametrize(
    ("platform", "machine", "suffix", "tags"),
    [
        (ARM64, 183, "aarch64-linux-gnu", "manylinux2014_aarch64.manylinux_2_17_aarch64"),
        ("2014", 62, "x86_64-linux-gnu", "manylinux2014_x86_64.manylinux_2_17_x86_64"),
        ("auto", 62, "x86_64-linux-gnu", "manylinux2014_x86_64.manylinux_2_17_x86_64"),
        ("musllinux_1_2", 62, "x86_64-linux-musl", "musllinux_1_2_x86_64"),
    ],
)
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the table is for x86_64")
def test_a_platform_is_compiled_for(
    probe: Path, platform: str, machine: int, suffix: str, tags: str
) -> None:
    done = compile_wheel(probe, platform, environ=C_ONLY, strict="true")
    version = "{}{}".format(*sys.version_info)
    if suffix.endswith("musl") and sys.version_info < (3, 11):
        suffix = suffix.replace("musl", "gnu")
    assert done.name == f"probe-1.0-cp{version}-cp{version}-{tags}.whl"
    assert done.wheel is not None
    ((path, elf),) = elfs(done.wheel).items()
    assert path == f"probe/_c.cpython-{version}-{suffix}.so"
    assert elf.ident.machine == machine
    assert elf.rpath + elf.runpath == ()
    # By its names alone the wheel meets an older musl policy, which cannot be requested.
    assert not [line for line in done.lines if "the wheel also meets" in line]


@pytest.mark.parametrize(
    ("platform", "code", "words"),
    [
        ("musllinux_1_1_x86_64", 2, "Ask for musllinux_1_2_x86_64"),
        ("manylinux_2_17_riscv64", 2, "manylinux_2_31_riscv64"),
        ("manylinux_2_17_ppc64", 2, "zig has no glibc for ppc64"),
    ],
)
def test_the_error_about_an_unsupported_target_is_one_line(
    probe: Path, platform: str, code: int, words: str
) -> None:
    done = compile_wheel(probe, platform)
    assert (done.code, done.wheel, done.output) == (code, None, "")
    (line,) = done.errors.splitlines()
    assert line.startswith("manyshim: error: ")
    assert words in line


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"HOME": None, "XDG_CACHE_HOME": None, "ZIG_GLOBAL_CACHE_DIR": None}, "none of"),
        ({"ZIG_GLOBAL_CACHE_DIR": "/proc/1/cache"}, "(from ZIG_GLOBAL_CACHE_DIR) cannot be"),
        ({"TMPDIR": "{}/a folder"}, "set TMPDIR to another folder"),
        ({"TMPDIR": "{}/a:folder"}, "set TMPDIR to another folder"),
    ],
)
def test_the_error_about_an_unusable_folder_is_one_line(
    probe: Path, tmp_path: Path, environ: Dict[str, str], words: str
) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a:folder").mkdir()
    given = {key: value and value.format(tmp_path) for key, value in environ.items()}
    done = compile_wheel(probe, ARM64, environ=given)
    assert (done.code, done.wheel) == (4, None)
    (line,) = done.errors.splitlines()
    assert words in line


def test_missing_sysroot_and_headers_are_errors(probe: Path, tmp_path: Path) -> None:
    for option, words in (("sysroot", "is not a folder"), ("python_headers", "Python.h")):
        settings: Dict[str, Any] = {option: str(tmp_path / "nowhere")}
        done = compile_wheel(probe, ARM64, **settings)
        assert (done.code, done.wheel) == (2, None)
        (line,) = done.errors.splitlines()
        assert words in line


def test_only_the_first_build_reports_that_zig_compiles_libraries(
    probe: Path, tmp_path: Path
) -> None:
    environ = {**C_ONLY, "ZIG_GLOBAL_CACHE_DIR": str(tmp_path / "cache")}
    first = compile_wheel(probe, X86, environ=environ)
    (line,) = (line for line in first.lines if "zig compiles" in line)
    assert "x86_64-linux-gnu.2.17 once, about 5 seconds" in line
    assert str(tmp_path / "cache") in line
    again = compile_wheel(probe, X86, environ=environ)
    assert not [line for line in again.lines if "zig compiles" in line]
    assert first.wheel is not None
    assert again.wheel is not None
    assert members(first.wheel) == members(again.wheel)


def test_two_folders_and_two_caches_give_the_same_bytes(tmp_path: Path) -> None:
    wheels = []
    for name in ("one", "another/below"):
        project = copy(PROBE, tmp_path / name / "probe")
        environ = {
            **C_ONLY,
            "ZIG_GLOBAL_CACHE_DIR": str(tmp_path / name / "cache"),
            "SOURCE_DATE_EPOCH": "1700000000",
            # Without NDEBUG, assertions contain the names of their files.
            "PROBE_COMPILE": "-UNDEBUG",
        }
        done = compile_wheel(project, ARM64, environ=environ)
        assert done.wheel is not None, done.errors
        wheels.append(done.wheel.read_bytes())
        for path in (str(tmp_path), sys.prefix, sys.base_prefix):
            assert not any(path.encode() in data for data in members(done.wheel).values())
    assert wheels[0] == wheels[1]


def test_files_of_another_compiler_are_not_reused(probe: Path) -> None:
    needs.extension()
    run = [sys.executable, "setup.py", "build"]
    built = subprocess.run(
        run, cwd=probe, env=clean(C_ONLY), capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    done = compile_wheel(probe, "auto", environ=C_ONLY, strict="true")
    assert "manylinux_2_17" in done.name


ARGUMENTS = {
    "march": ({"PROBE_COMPILE": "-march=native"}, "-march=native"),
    "flto": ({"PROBE_COMPILE": "-flto=auto", "PROBE_LINK": "-flto=auto"}, ""),
    "hardening": (
        {
            "CFLAGS": "-O2 -flto=auto -ffat-lto-objects -fexceptions -g -grecord-gcc-switches "
            "-pipe -Wall -Werror=format-security -Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3 "
            "-Wp,-D_GLIBCXX_ASSERTIONS -fstack-protector-strong -m64 -march=x86-64 -mtune=generic "
            "-fasynchronous-unwind-tables -fstack-clash-protection -fcf-protection "
            "-mtls-dialect=gnu2 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer",
            "LDFLAGS": "-Wl,-z,relro -Wl,--as-needed -Wl,-z,pack-relative-relocs -Wl,-z,now "
            "-Wl,--build-id=sha1 -Wl,-Bsymbolic-functions",
        },
        "",
    ),
    "no optimisation": ({"CFLAGS": "-DUSERS"}, ""),
}


@pytest.mark.parametrize("case", ARGUMENTS.values(), ids=ARGUMENTS)
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the flags are for x86_64")
def test_the_flags_of_distributions_are_accepted(
    probe: Path, case: tuple[Dict[str, str], str], tmp_path: Path
) -> None:
    environ, note = case
    done = compile_wheel(probe, X86, environ={**C_ONLY, **environ}, strict="true")
    assert done.wheel is not None, done.errors
    assert bool(note) == any(note in line for line in done.lines if note)
    (elf,) = elfs(done.wheel).values()
    assert not [name for name in elf.undefined if name.startswith("__ubsan")]
    used = subprocess.run(
        [sys.executable, "-c", "import probe._c as c; print(c.facts())"],
        env=clean({"PYTHONPATH": str(unpacked(done.wheel, tmp_path / "there"))}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "'stat': 1" in used.stdout, used.stderr


def unpacked(wheel: Path, folder: Path) -> Path:
    for name, data in members(wheel).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("variable", ["PROBE_COMPILE", "PROBE_LINK"])
def test_openmp_is_refused_when_it_is_compiled(probe: Path, variable: str) -> None:
    done = compile_wheel(probe, X86, environ={**C_ONLY, variable: "-fopenmp"})
    assert (done.code, done.wheel) == (5, None)
    assert any("-fopenmp" in line and "container" in line for line in done.lines), done.errors
    assert "see its output above" in done.lines[-1]


@pytest.mark.parametrize("strict", ["true", "false"])
def test_a_missing_extension_is_reported(probe: Path, strict: str) -> None:
    environ = {**C_ONLY, "PROBE_OPTIONAL": "1"}
    done = compile_wheel(probe, X86, environ=environ, strict=strict)
    assert (done.wheel is None) == (strict == "true")
    (line,) = (line for line in done.errors.splitlines() if line.endswith("[NO_MODULE]"))
    assert "probe/_lost." in line


def test_a_wheel_without_machine_code_has_no_tag(probe: Path) -> None:
    done = compile_wheel(
        probe, X86, environ={"PROBE_MODULES": "none", "PROBE_OPTIONAL": "1"}, strict="false"
    )
    assert "linux_x86_64.whl" in done.name
    assert "manylinux" not in done.name
    assert any("[NO_ELF]" in line and line.startswith("error") for line in done.lines), done.errors


def test_a_library_that_zig_does_not_have_is_reported(probe: Path) -> None:
    environ = {**C_ONLY, "PROBE_LINK": "-lm -lnowhere"}
    done = compile_wheel(probe, X86, environ=environ)
    assert (done.code, done.wheel) == (5, None)
    (line,) = (line for line in done.lines if line.startswith("-l"))
    assert line.startswith("-lnowhere: zig has no such library")
    assert "sysroot" in line


def test_a_module_linked_with_static_is_a_shared_library(probe: Path) -> None:
    done = compile_wheel(probe, X86, environ={**C_ONLY, "PROBE_LINK": "-static"}, strict="true")
    assert done.wheel is not None, done.errors
    assert len(elfs(done.wheel)) == 1


@pytest.mark.parametrize(
    ("there", "settings", "wanted"),
    [("", "zig", [REQUIREMENT]), ("on PATH", "zig", []), ("", "system", [])],
)
def test_ziglang_is_required_only_if_zig_is_needed(
    probe: Path, tmp_path: Path, there: str, settings: str, wanted: List[str]
) -> None:
    code = (
        # A module that is None in sys.modules cannot be imported.
        "import sys; sys.modules['ziglang'] = None; import manyshim.backend as b\n"
        f"print(b.get_requires_for_build_wheel({{'manyshim.compiler': '{settings}', "
        "'manyshim.explain': 'never'}))"
    )
    path = str(Path(zig()).parent) if there else str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(probe),
        env=clean({"PATH": path}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == [str(wanted)], done.stderr


def test_an_unsupported_target_is_an_error_and_ziglang_is_not_required(probe: Path) -> None:
    """The error is build_wheel's: only that hook knows whether the release keys have an effect."""
    code = (
        "import manyshim.backend as b; "
        "given = {'manyshim.compiler': 'zig', 'manyshim.platform': 'musllinux_1_1'}; "
        "assert 'ziglang' not in str(b.get_requires_for_build_wheel(given)); "
        "b.build_wheel('dist', given)"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(
        run, cwd=str(probe), env=clean(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "manyshim: error: zig cannot compile for musllinux_1_1" in done.stderr


def test_frontends_give_the_same_wheel(
    tmp_path: Path, uv: Runner, run: Runner, build_environment: Dict[str, str]
) -> None:
    """Each installs ziglang or finds the zig on PATH, and isolates the build in its own way."""
    needs.module("build")
    needs.python_headers()
    sample = copy(REPOSITORY / "sample_project", tmp_path / "sample")
    text = (sample / "pyproject.toml").read_text(encoding="utf-8")
    (sample / "pyproject.toml").write_text(text.split("# Until manyshim")[0], encoding="utf-8")
    settings = [f"-Cmanyshim.platform={ARM64}", "-Cmanyshim.compiler=zig", "-Cmanyshim.strict=true"]
    dated = {**build_environment, "SOURCE_DATE_EPOCH": "1700000000"}
    on_path = os.pathsep.join((str(Path(zig()).parent), dated["PATH"]))
    local = {**dated, "PATH": on_path}
    python = sys.executable
    uv("build", "--wheel", "--python", python, *settings, "-o", str(tmp_path / "uv"), cwd=sample,
       env=dated)  # fmt: skip
    build = [python, "-m", "build", "--wheel", "--outdir", str(tmp_path / "build"), *settings]
    run(build, cwd=sample, env=local)
    wheels = {path.name: path.read_bytes() for path in (tmp_path / "uv").glob("*.whl")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "build").glob("*.whl")} == wheels
    ((name, _),) = wheels.items()
    assert name.endswith("-manylinux2014_aarch64.manylinux_2_17_aarch64.whl")


def test_a_temporary_folder_without_exec_permission_is_an_error(
    probe: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "noexec"
    folder.mkdir()
    with mounted(folder, "noexec"):
        done = compile_wheel(probe, ARM64, environ={"TMPDIR": str(folder)})
    assert (done.code, done.wheel) == (4, None)
    (line,) = done.errors.splitlines()
    assert "noexec" in line
    assert "set TMPDIR" in line
