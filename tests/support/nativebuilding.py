"""Compile Mach-O and PE files on Linux: zig compiles and links, llvm's tools edit."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import needs
from compiling import zig
from machowriter import SIGNATURE

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

# LC_LINKER_OPTIMIZATION_HINT has the fields of LC_CODE_SIGNATURE.
HINTS = 0x2E
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
        # For other systems than macOS, zig has no libraries.
        own = () if "macos" in target else ("-nostdlib",)
        command = ["cc", "-target", target, "-shared", *own, "-o", name, "m.c", *arguments]
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

    def unsigned(self, source: str, name: str) -> bytes:
        """Return a copy of a file whose signature is no signature for dyld."""
        data = (self.folder / source).read_bytes()
        command = struct.pack("<II", SIGNATURE, 16)
        assert data.count(command) == 1
        (self.folder / name).write_bytes(data.replace(command, struct.pack("<II", HINTS, 16)))
        return (self.folder / name).read_bytes()

    def pe(self, name: str, machine: str = "amd64", *dlls: str) -> bytes:
        """Return a DLL that imports from DLLs, each a function, whose name may follow a colon."""
        target, kind = MACHINES[machine]
        parts = [dll.partition(":") for dll in dlls]
        functions = [part[2] or f"f{number}" for number, part in enumerate(parts)]
        call = " + ".join(f"{function}()" for function in functions) or "0"
        declared = "".join(f"__declspec(dllimport) int {one}(void);\n" for one in functions)
        source = declared + WINDOWS.replace("CALL", call)
        (self.folder / f"{name}.c").write_text(source)
        libraries = []
        for number, (dll, _, _) in enumerate(parts):
            exports = f'LIBRARY "{dll}"\nEXPORTS\n{functions[number]}\n'
            (self.folder / "k.def").write_text(exports)
            library = f"{name}{number}.lib"
            run(self.folder, zig(), "dlltool", "-m", kind, "-d", "k.def", "-l", library)
            libraries.append(library)
        command = ["cc", "-target", f"{target}-windows-gnu", "-shared", "-nostdlib", "-s", "-O2"]
        run(self.folder, zig(), *command, "-o", name, f"{name}.c", *libraries)
        return (self.folder / name).read_bytes()
