"""Build libraries and modules for another architecture or libc, in folders with their system."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import pytest

import needs
from manyshim import __file__ as package
from wheelwriter import save, wheel, wheel_name

# outer.so needs middle, and middle needs inner; each adds a digit.
# Each calls libc, because zig's linker would otherwise leave libc out.
_LIBC = "int getpid(void);\n"
SOURCES = {
    "inner.c": _LIBC + "int inner(void) { return 1 + !getpid(); }\n",
    "middle.c": _LIBC + "int inner(void);\nint middle(void) { return 20 + inner() + !getpid(); }\n",
    "module.c": _LIBC
    + "int middle(void);\nint answer(void) { return 300 + middle() + !getpid(); }\n",
}

MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"

# On aarch64 the stack guard is in the dynamic loader, which is then listed in NEEDED.
PROTECTED = ("-fstack-protector-all",)

# A module of the stable ABI: every Python of the architecture loads it. It makes one C call.
MODULE = """\
#define Py_LIMITED_API 0x03080000
#include <Python.h>
%s
static PyObject *answer(PyObject *self, PyObject *args) { return Py_BuildValue("s", %s); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "outer", NULL, -1, methods};
PyMODINIT_FUNC PyInit_outer(void) { return PyModule_Create(&module); }
"""


class Tools(NamedTuple):
    """A compiler for a target, and the command that runs its programs.

    `run` is put before a program of the target; it is empty if the program runs directly. If it is
    None, `missing` is the tool or file that is missing and its Debian package.
    """

    command: Tuple[str, ...]
    run: Optional[Tuple[str, ...]]
    missing: Tuple[str, str] = ("", "")

    def program(self) -> Tools:
        """Return the compiler for a program: zig's musl is newer than Debian's loader for musl."""
        if self.command[-1].endswith("-musl"):
            return self._replace(command=(needs.tool("musl-gcc", "musl-tools"),))
        return self

    def compile(self, folder: Path, *arguments: str) -> None:
        done = subprocess.run(
            [*self.command, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def aarch64() -> Tools:
    """Return a compiler for glibc on aarch64, Debian's or zig; skip if there is none."""
    gcc, qemu = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64-static")
    if gcc:
        # Programs of Debian's compiler run with Debian's libc6-arm64-cross.
        root = "/usr/aarch64-linux-gnu"
        loader = f"{root}/lib/ld-linux-aarch64.so.1"
        if not qemu:
            return Tools((gcc,), None, ("qemu-aarch64-static", "qemu-user-static"))
        run = (qemu, "-L", root) if os.path.exists(loader) else None
        return Tools((gcc,), run, (loader, "libc6-arm64-cross"))
    missing = ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu")
    return Tools(zig("aarch64-linux-gnu.2.17"), None, missing)


def musl() -> List[Any]:
    """Return the compilers for musl on x86_64 as parameters; missing ones are skipped."""
    run: Optional[Tuple[str, ...]] = (MUSL_LOADER,) if os.path.exists(MUSL_LOADER) else None
    return [
        pytest.param(
            ("musl-gcc", run),
            id="musl-gcc",
            marks=needs.mark(needs.tool, "musl-gcc", "musl-tools"),
        ),
        pytest.param(
            ("", run),
            id="zig",
            # It compiles its libc first.
            marks=[pytest.mark.full, needs.mark(needs.zig)],
        ),
    ]


def musl_tools(compiler: str, run: Optional[Tuple[str, ...]]) -> Tools:
    command = (compiler,) if compiler else zig("x86_64-linux-musl")
    return Tools(command, run, (MUSL_LOADER, "musl"))


def zig(target: str) -> Tuple[str, ...]:
    """Return the command of zig as the compiler for a target; skip if there is no zig."""
    needs.zig()
    found = shutil.which("zig")
    return (*((found,) if found else (sys.executable, "-m", "ziglang")), "cc", "-target", target)


def build_chain(tools: Tools, sysroot: Path, folder: str, *link: str) -> Path:
    """Compile inner and middle into a folder of a sysroot; return a module that needs middle."""
    libraries = sysroot / folder
    libraries.mkdir(parents=True, exist_ok=True)
    source = sysroot.parent / f"{sysroot.name}-source"
    source.mkdir()
    for name, text in SOURCES.items():
        (source / name).write_text(text)
    shared = ("-shared", "-fPIC", "-O1", *PROTECTED, f"-L{libraries}")
    for name, link_to in (("inner", ()), ("middle", ("-l:libinner.so.1",))):
        path = str(libraries / f"lib{name}.so.1")
        tools.compile(
            source, *shared, f"{name}.c", "-o", path, f"-Wl,-soname,lib{name}.so.1", *link_to
        )
    tools.compile(
        source,
        *(*shared, "module.c", "-o", "outer.so", "-l:libmiddle.so.1", *link),
        f"-Wl,-rpath-link,{libraries}",
    )
    return source / "outer.so"


def compile_module(tools: Tools, folder: Path, declaration: str, call: str, *link: str) -> Path:
    """Compile a Python module whose function `answer` returns the result of `call`."""
    include = needs.python_headers()
    folder.mkdir(exist_ok=True)
    (folder / "module.c").write_text(MODULE % (declaration, call))
    path = folder / "outer.abi3.so"
    tools.compile(
        folder, "-shared", "-fPIC", "-O1", f"-I{include}", "module.c", "-o", str(path), *link
    )
    return path


def pack(module: Path, folder: Path, arch: str) -> Path:
    """Write a wheel with a module and a linux tag; return its path."""
    tag = f"cp38-abi3-linux_{arch}"
    content = {f"pkg/{module.name}": module.read_bytes(), "pkg/__init__.py": b""}
    folder.mkdir(parents=True, exist_ok=True)
    return save(folder, wheel(content, tag=tag), wheel_name(tag=tag))


class Repaired(NamedTuple):
    """The result of a repair: exit code, JSON, the wheel that it wrote if any, and output."""

    code: int
    wheel: Dict[str, Any]
    path: Optional[Path]
    output: str


def repair(source: Path, folder: Path, *arguments: str) -> Repaired:
    """Run `manyshim repair` in child processes: once to write, once for the plan as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "manyshim", "repair", str(source), *arguments]
    backend = str(Path(package).parents[1])
    done = subprocess.run(
        [*command, "-w", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": backend, "NO_COLOR": "1", "COLUMNS": "500"},
    )
    planned = subprocess.run(
        [*command, "--dry-run", "--json"],
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, "PYTHONPATH": backend},
    )
    written = list(folder.glob("*.whl"))
    return Repaired(
        done.returncode,
        json.loads(planned.stdout)["wheels"][0],
        written[0] if written else None,
        done.stdout + done.stderr,
    )
