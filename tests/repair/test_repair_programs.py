"""Programs that need libraries of the wheel and copies: they move, and start from anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, List, NamedTuple, Sequence

import pytest

import needs
from compiling import zig
from elfbuilding import needs_gcc
from manyshim.audit.facts import EXECUTABLE
from repairing import WAYS, RepairProject, facts, unpacked

pytestmark = needs_gcc

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SCRIPTS = "demo-1.0.data/scripts"
# The program prints its arguments and the signals that it ignores, and exits with 7.
MAIN = """
#include <signal.h>
#include <stdio.h>
int own(void);
int deep(void);
int main(int count, char **words) {
    struct sigaction pipes, sizes;
    int i;
    sigaction(SIGPIPE, 0, &pipes);
    sigaction(SIGXFSZ, 0, &sizes);
    printf("%d %d %d", own(), deep(), pipes.sa_handler == SIG_IGN || sizes.sa_handler == SIG_IGN);
    for (i = 0; i < count; i++) printf(" [%s]", words[i]);
    printf("\\n");
    return 7;
}
"""


class Compiler(NamedTuple):
    """A command that compiles, its options for programs, and whether these are ET_EXEC."""

    command: Sequence[str]
    program: Sequence[str] = ()
    fixed: bool = False


def compilers() -> List[str]:
    return ["gcc", "gcc without PIE", "zig without PIE", "musl-gcc"]


def compiler(name: str) -> Compiler:
    if name == "musl-gcc":
        needs.file("/lib/ld-musl-x86_64.so.1", "musl")
        return Compiler([needs.tool("musl-gcc", "musl-tools")])
    if name.startswith("zig"):
        command = [zig(), "cc", "-target", "x86_64-linux-gnu.2.17"]
        return Compiler(command, ("-fno-pie", "-no-pie"), fixed=True)
    fixed = name != "gcc"
    return Compiler([needs.compiler("gcc")], ("-no-pie",) if fixed else (), fixed)


def prepared(project: RepairProject, tools: Compiler, tool: str = f"{SCRIPTS}/tool") -> bytes:
    """Write a wheel with a program that needs a library of it, which needs another, and a copy."""
    folder = project.folder / "made"
    folder.mkdir()

    def compiled(path: Path, text: str, *options: str) -> Path:
        source = path.with_suffix(".c")
        source.write_text(text)
        command = [*tools.command, "-O1", "-w", str(source), "-o", str(path), *options]
        subprocess.run(command, check=True)
        return path

    def library(path: Path, text: str, *options: str) -> Path:
        shared = ("-shared", "-fPIC", f"-Wl,-soname={path.name}")
        return compiled(path, text, *shared, *options)

    deep = library(project.libs / "libdeep.so", "int deep(void) { return 3; }")
    base = library(folder / "libbase.so", "int base(void) { return 30; }")
    text = "int base(void); int own(void) { return 11 + base(); }"
    own = library(folder / "libown.so", text, str(base))
    below = f"-Wl,-rpath-link,{folder}"
    program = compiled(folder / "tool", MAIN, str(own), str(deep), below, *tools.program)
    # A module would find both libraries of the wheel, but the program is a process of its own.
    text = "int own(void); int use(void) { return own(); }"
    user = library(folder / "libuser.so", text, str(own), below, "-Wl,-rpath,$ORIGIN:$ORIGIN/base")
    assert (facts(program).ident.type == EXECUTABLE) == tools.fixed
    return project.pack(
        {
            "demo/libown.so": own,
            "demo/base/libbase.so": base,
            "demo/libuser.so": user,
            tool: program,
        }
    )


@pytest.mark.parametrize("name", compilers())
def test_a_moved_program_starts(name: str, tmp_path: Path) -> None:
    project = RepairProject(tmp_path / "project")
    prepared(project, compiler(name))
    wheel, output = project.repaired("cli")
    assert f"moved {SCRIPTS}/tool to demo.scripts/tool; a launcher takes its place" in output
    assert f"fixed {SCRIPTS}/tool: search path $ORIGIN/../demo:$ORIGIN/../demo.libs" in output
    assert "fixed demo/libown.so: search path $ORIGIN/base" in output
    (project.libs / "libdeep.so").unlink()
    program = unpacked(wheel, tmp_path / "tree") / "demo.scripts" / "tool"
    program.chmod(0o755)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stdout) == (7, f"41 3 0 [{program}]\n"), done.stderr


@WAYS
def test_a_program_of_the_data_folder_is_refused_with_the_reason(way: str, tmp_path: Path) -> None:
    project = RepairProject(tmp_path / "project")
    data = prepared(project, compiler("gcc"), "demo-1.0.data/data/bin/tool")
    output = project.stays(way, project.run(way), data)
    assert "would copy " in output
    assert "not repaired: even with these changes, the wheel meets no policy" in output
    assert "no fixed path leads there from the folder data of an installation" in output
    assert "put the file into the package, or link the library statically" in output
    assert "moved" not in output
    advice = [line for line in output.splitlines() if "manyshim repair" in line or "mode=" in line]
    assert advice == []


@WAYS
def test_a_program_in_the_package_stays_there(way: str, tmp_path: Path) -> None:
    project = RepairProject(tmp_path / "project")
    prepared(project, compiler("gcc"), "demo/bin/tool")
    wheel, output = project.repaired(way)
    assert "moved" not in output
    program = unpacked(wheel, tmp_path / "tree") / "demo" / "bin" / "tool"
    program.chmod(0o755)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stdout) == (7, f"41 3 0 [{program}]\n"), done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repaired wheel whose program has moved."""
    project = RepairProject(tmp_path_factory.mktemp("programs") / "project")
    prepared(project, compiler("gcc"))
    finished, _ = project.repaired("cli")
    (project.libs / "libdeep.so").unlink()
    return finished


INSTALLERS = ["pip", "pip --target", "pip --prefix", "uv", "uv --target", "uv --prefix"]


@pytest.mark.parametrize("installer", INSTALLERS)
def test_the_launcher_finds_the_program(
    wheel: Path, installer: str, tmp_path: Path, uv: Run, run: Run
) -> None:
    """No variable names the folder of the packages, and the current folder is another one."""
    tool, _, option = installer.partition(" ")
    venv, root = tmp_path / "venv", tmp_path / "root"
    uv("venv", *(["--seed"] if tool == "pip" else []), "--python", sys.executable, str(venv))
    python = str(venv / "bin" / "python")
    where = [option, str(root)] if option else []
    if tool == "uv":
        uv("pip", "install", "--python", python, *where, str(wheel))
    else:
        run([python, "-m", "pip", "install", "--no-index", *where, str(wheel)])
    launcher = (root if option else venv) / "bin" / "tool"
    link = tmp_path / "link"
    link.symlink_to(launcher)
    for path in (launcher, link):
        done = run([str(path), "one word", ""], cwd=tmp_path, env={"PATH": os.defpath}, ok=False)
        assert (done.returncode, done.stdout) == (7, f"41 3 0 [{path}] [one word] []\n"), (
            done.stderr
        )


def test_a_launcher_without_its_program_says_so(wheel: Path, tmp_path: Path) -> None:
    launcher = unpacked(wheel, tmp_path / "tree") / SCRIPTS / "tool"
    done = subprocess.run(
        [sys.executable, "-I", str(launcher)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"{launcher}: ")
    assert "demo.scripts/tool: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
