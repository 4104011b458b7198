"""Projects of meson-python, compiled for a target."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import pytest

import needs
from compiling import Done, clean, compile_wheel, copy, elfs, members
from frontends import run_command
from paths import PROJECTS
from systems import system

pytestmark = [
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
    ),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the targets are foreign to x86_64"),
    needs.mark(needs.module, "mesonpy", "meson-python"),
]

ARM64 = "manylinux_2_17_aarch64"
X86 = "manylinux_2_17_x86_64"
MUSL = "musllinux_1_2_x86_64"
# No package of Debian has a loader for it, so that its programs do not run here.
UNRUNNABLE = "musllinux_1_2_aarch64"
ARM64_LOADER = "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"
FACTS = "import json, mesonprobe._c as c; print(json.dumps(c.facts()))"


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    return copy(PROJECTS / "mesonprobe", tmp_path / "probe")


def build(
    project: Path,
    target: str,
    *setup: str,
    environ: Optional[Mapping[str, Optional[str]]] = None,
    **settings: Any,
) -> Done:
    """Build with arguments for `meson setup`, and with Meson and Ninja of this environment."""
    path = os.pathsep.join((os.path.dirname(sys.executable), clean()["PATH"]))
    others = {"setup-args": list(setup)} if setup else {}
    given = {"strict": "true", **settings}
    return compile_wheel(
        project, target, environ={"PATH": path, **(environ or {})}, others=others, **given
    )


def unpacked(done: Done, folder: Path) -> Path:
    assert done.wheel is not None, done.output + done.errors
    for name, data in members(done.wheel).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def facts(done: Done, folder: Path, name: str = "") -> Dict[str, Any]:
    """Return what the module says that is in a wheel, on a system or on this one."""
    path = unpacked(done, folder)
    if name:
        output = system(name).run(FACTS, path)
    else:
        environ = {**os.environ, "PYTHONPATH": str(path)}
        output = run_command([sys.executable, "-c", FACTS], env=environ).stdout
    found: Dict[str, Any] = json.loads(output)
    return found


@pytest.mark.parametrize(
    ("target", "name", "suffix"),
    [
        (ARM64, "bookworm-arm64", "aarch64-linux-gnu"),
        (MUSL, "musl-amd64", "x86_64-linux-musl"),
        (X86, "bookworm-amd64", "x86_64-linux-gnu"),
    ],
)
@pytest.mark.network
@pytest.mark.full
@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the foreign Pythons of Debian 12 are 3.11"
)
def test_modules_are_used_on_the_target(
    probe: Path, tmp_path: Path, target: str, name: str, suffix: str
) -> None:
    needs.header("zlib.h", "zlib1g-dev")
    done = build(probe, target, "-Dcxx=true")
    assert target in done.name
    assert done.wheel is not None
    files = elfs(done.wheel)
    assert {elf.ident.machine for elf in files.values()} == {183 if target == ARM64 else 62}
    assert sorted(files) == [f"mesonprobe/{one}.cpython-311-{suffix}.so" for one in ("_c", "_cxx")]
    found = facts(done, tmp_path / "there", name)
    assert (found["long"], found["real long"], found["pointer"]) == (8, 8, 8)
    # glibc has arc4random since 2.36, as this machine may.
    assert (found["getpid"], found["arc4random"]) == (1, 0)
    assert found["greeting"] == 0
    # In a build for this machine, Meson asks CMake, which finds this machine's libraries.
    assert found["zlib"] == 0 or target == X86
    used = system(name).run("import mesonprobe._cxx as c; print(c.caught())", tmp_path / "there")
    assert used == "thrown here\n"


@pytest.mark.parametrize("target", [ARM64, MUSL])
def test_a_target_is_compiled_for(probe: Path, target: str) -> None:
    done = build(probe, target)
    assert target in done.name, done.output + done.errors
    arch = "aarch64" if target == ARM64 else "x86_64"
    assert f"Message: platform linux-{arch}\n" in done.output


def test_a_native_build_runs_here_and_has_the_old_glibc(probe: Path, tmp_path: Path) -> None:
    done = build(probe, X86, "-Dcase=run")
    found = facts(done, tmp_path / "there")
    assert (found["long"], found["arc4random"]) == (8, 0)
    assert "cross build" not in done.output


def test_two_folders_give_the_same_bytes(tmp_path: Path) -> None:
    wheels = []
    for name in ("one", "another/below"):
        project = copy(PROJECTS / "mesonprobe", tmp_path / name / "probe")
        done = build(project, ARM64, environ={"SOURCE_DATE_EPOCH": "1700000000"})
        assert done.wheel is not None, done.output + done.errors
        wheels.append(done.wheel.read_bytes())
        for path in (str(tmp_path), sys.prefix, sys.base_prefix):
            assert not any(path.encode() in data for data in members(done.wheel).values())
    assert wheels[0] == wheels[1]


NUMBER = "[project options]\nnumber = {}\n"


def options_of(output: str) -> List[str]:
    """Return what Meson says of the options of its user."""
    _, _, options = output.partition("User defined options\n")
    return [" ".join(line.split()) for line in options.partition("\n\n")[0].splitlines()]


@pytest.mark.parametrize("target", [ARM64, X86])
def test_the_users_arguments_reach_meson(probe: Path, target: str) -> None:
    done = build(probe, target, "-Dnumber=5", "-Dcase=guarded")
    assert done.wheel is not None, done.output + done.errors
    assert {"number : 5", "case : guarded"} <= set(options_of(done.output))


def test_the_users_cross_files_come_last(probe: Path, tmp_path: Path) -> None:
    """One is named by the project, in words of their own, and one by the user."""
    for number in (2, 3):
        (tmp_path / f"{number}.ini").write_text(NUMBER.format(number), encoding="utf-8")
    (tmp_path / "2.ini").write_text(f"{NUMBER.format(2)}case = 'guarded'\n", encoding="utf-8")
    (tmp_path / "native.ini").write_text("[binaries]\nsed = 'sed'\n", encoding="utf-8")
    given = ["--cross-file", str(tmp_path / "2.ini"), f"--native-file={tmp_path / 'native.ini'}"]
    with (probe / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[tool.meson-python.args]\nsetup = {json.dumps(given)}\n")
    done = build(probe, ARM64, f"--cross-file={tmp_path / '3.ini'}")
    assert done.wheel is not None, done.output + done.errors
    options = options_of(done.output)
    assert "Message: number 3" in done.output
    assert "Message: can run" in done.output
    (line,) = (line for line in options if line.startswith("Native files"))
    assert "native.ini" in line
    assert not [line for line in done.lines if "cross file" in line]


@pytest.mark.parametrize(("target", "kind"), [(ARM64, "cross"), (X86, "native")])
def test_a_file_that_replaces_a_compiler_is_reported(
    probe: Path, tmp_path: Path, target: str, kind: str
) -> None:
    own = tmp_path / "own.ini"
    own.write_text("[binaries]\nc = 'no-such-compiler'\n", encoding="utf-8")
    done = build(probe, target, f"--{kind}-file={own}")
    assert (done.code, done.wheel) == (5, None)
    line = f"the {kind} file {own} comes last, and replaces what manyshim has set for c"
    assert done.lines[0] == line
    assert "no-such-compiler" in done.output


@pytest.mark.parametrize("case", ["run", "generator"])
def test_a_program_of_the_target_that_is_run_is_refused_without_an_emulator(
    probe: Path, case: str
) -> None:
    done = build(probe, UNRUNNABLE, f"-Dcase={case}")
    assert (done.code, done.wheel) == (5, None)
    (line,) = (line for line in done.lines if line.startswith("the build runs"))
    program = "maker" if case == "generator" else "a program"
    assert line.startswith(f"the build runs {program} that it has compiled for the target")
    assert "qemu-user-static" in line
    assert "sysroot" in line


def test_a_project_may_ask_whether_programs_run(probe: Path) -> None:
    done = build(probe, UNRUNNABLE, "-Dcase=guarded")
    assert done.wheel is not None, done.output + done.errors
    assert "Message: can run false" in done.output
    assert not [line for line in done.lines if "qemu" in line]


def test_a_generator_for_this_machine_is_compiled_for_it(probe: Path) -> None:
    needs.compiler()
    done = build(probe, UNRUNNABLE, "-Dcase=native")
    assert UNRUNNABLE in done.name, done.output + done.errors


@pytest.mark.parametrize("target", [ARM64, X86])
def test_a_build_folder_of_the_user_is_used_again(probe: Path, target: str) -> None:
    path = os.pathsep.join((os.path.dirname(sys.executable), clean()["PATH"]))
    for _ in range(2):
        others = {"build-dir": "own"}
        done = compile_wheel(probe, target, environ={"PATH": path}, others=others)
        assert target in done.name, done.output + done.errors


def test_the_log_in_a_folder_of_the_user_is_read(probe: Path) -> None:
    path = os.pathsep.join((os.path.dirname(sys.executable), clean()["PATH"]))
    others = {"setup-args": "-Dcase=run", "build-dir": "own"}
    done = compile_wheel(probe, UNRUNNABLE, environ={"PATH": path}, others=others)
    assert done.code == 5
    assert [line for line in done.lines if line.startswith("the build runs")]


@needs.mark(needs.tool, "qemu-aarch64-static", "qemu-user-static")
@needs.mark(needs.file, ARM64_LOADER, "libc6-arm64-cross")
@pytest.mark.parametrize("case", ["run", "generator"])
def test_an_emulator_runs_programs_of_the_target(probe: Path, case: str) -> None:
    done = build(probe, ARM64, f"-Dcase={case}")
    assert ARM64 in done.name, done.output + done.errors


@pytest.mark.parametrize("target", [ARM64, X86])
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("fortran", "the build asks for a Fortran compiler, and zig has none"),
        ("openmp", "-fopenmp asks for OpenMP, and zig has no OpenMP runtime"),
    ],
)
def test_what_zig_does_not_have_is_refused(probe: Path, target: str, case: str, words: str) -> None:
    done = build(probe, target, f"-Dcase={case}")
    assert (done.code, done.wheel) == (5, None)
    (line,) = (line for line in done.lines if line.startswith(words))
    assert "container" in line


def test_libraries_come_from_the_sysroot(probe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sysroot" / "usr" / "lib" / "pkgconfig"
    folder.mkdir(parents=True)
    text = "Name: greeting\nDescription: none\nVersion: 1\nCflags: -DGREETING\n"
    (folder / "greeting.pc").write_text(text, encoding="utf-8")
    needs.tool("pkg-config", "pkg-config")
    done = build(probe, ARM64, sysroot=str(tmp_path / "sysroot"))
    assert "Run-time dependency greeting found: YES" in done.output, done.output + done.errors
    without = build(probe, ARM64, environ={"PKG_CONFIG_PATH": str(folder)})
    assert "Run-time dependency greeting found: NO" in without.output
