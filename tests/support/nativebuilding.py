"""Compile Mach-O and PE files on Linux: zig compiles and links, llvm's tools edit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import needs
from compiling import zig

SOURCE = "int PyInit__x(void) { return 0; }\n"
# A DLL without the C library: its import table has only what the source names.
WINDOWS = """\
__declspec(dllimport) int nowhere(void);
__declspec(dllexport) int PyInit__x(void) { return CALL; }
int DllMainCRTStartup(void *module, unsigned reason, void *reserved) { return 1; }
"""
# zig's name of an architecture, that of its dlltool, and ours.
MACHINES = {
    "amd64": ("x86_64", "i386:x86-64"),
    "x86": ("x86", "i386"),
    "arm64": ("aarch64", "arm64"),
}

_TIMEOUT = 400


def run(folder: Path, *command: str) -> None:
    """Run a command in a folder; it must succeed."""
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run(
        command,
        cwd=str(folder),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        env=environ,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class Builder:
    """Compiles into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "m.c").write_text(SOURCE)
        (folder / "w.c").write_text(WINDOWS)

    def macho(self, name: str, target: str, *arguments: str) -> bytes:
        """Return a library for a target such as `aarch64-macos.11.0`."""
        command = ["cc", "-target", target, "-shared", "-o", name, "m.c", *arguments]
        run(self.folder, zig(), *command, "-Wl,-undefined,dynamic_lookup")
        return (self.folder / name).read_bytes()

    def lipo(self, name: str, *slices: str) -> bytes:
        """Return a fat file of files that were built before."""
        run(self.folder, needs.llvm("llvm-lipo"), "-create", *slices, "-output", name)
        return (self.folder / name).read_bytes()

    def renamed(self, source: str, name: str, old: str, new: str) -> bytes:
        """Return a copy of a file that asks for another library."""
        data = (self.folder / source).read_bytes()
        (self.folder / name).write_bytes(data)
        tool = needs.llvm("llvm-install-name-tool")
        run(self.folder, tool, "-change", old, new, name)
        return (self.folder / name).read_bytes()

    def pe(self, name: str, machine: str = "amd64", *dlls: str) -> bytes:
        """Return a DLL that imports from DLLs, each a function of its own."""
        target, kind = MACHINES[machine]
        call = " + ".join(f"f{number}()" for number in range(len(dlls))) or "0"
        declared = "".join(f"__declspec(dllimport) int f{n}(void);\n" for n in range(len(dlls)))
        source = declared + WINDOWS.replace("CALL", call)
        (self.folder / f"{name}.c").write_text(source)
        libraries = []
        for number, dll in enumerate(dlls):
            (self.folder / "k.def").write_text(f'LIBRARY "{dll}"\nEXPORTS\nf{number}\n')
            library = f"{name}{number}.lib"
            run(self.folder, zig(), "dlltool", "-m", kind, "-d", "k.def", "-l", library)
            libraries.append(library)
        command = ["cc", "-target", f"{target}-windows-gnu", "-shared", "-nostdlib", "-s", "-O2"]
        run(self.folder, zig(), *command, "-o", name, f"{name}.c", *libraries)
        return (self.folder / name).read_bytes()
