"""The linkers and architectures of the matrix, and what they make of its sources."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import pytest

import needs
from debian import cache, debian
from foreignbuilding import MUSL_LOADER
from patchsources import DEP, EXTRA, SOURCES, VERSION

LIBRARY, PIE, FIXED = "library", "PIE program", "non-PIE program"
KINDS = (LIBRARY, PIE, FIXED)


class Arch(NamedTuple):
    """An architecture: Debian's name of its tools, qemu's name, and zig's target for glibc."""

    triple: str
    qemu: str
    zig: str


ARCHES: Dict[str, Arch] = {
    "x86_64": Arch("x86_64-linux-gnu", "", "x86_64-linux-gnu.2.31"),
    "i686": Arch("i686-linux-gnu", "i386", "x86-linux-gnu.2.31"),
    "aarch64": Arch("aarch64-linux-gnu", "aarch64", "aarch64-linux-gnu.2.31"),
    "armv7l": Arch("arm-linux-gnueabihf", "arm", "arm-linux-gnueabihf.2.31"),
    "riscv64": Arch("riscv64-linux-gnu", "riscv64", "riscv64-linux-gnu.2.31"),
    "ppc64le": Arch("powerpc64le-linux-gnu", "ppc64le", "powerpc64le-linux-gnu.2.36"),
    "s390x": Arch("s390x-linux-gnu", "s390x", "s390x-linux-gnu.2.31"),
    "loongarch64": Arch("", "", "loongarch64-linux-gnu.2.38"),
}
# Of the compilers here, GCC 12 has no indirect functions for RISC-V, and musl has none at all.
_IFUNC = ("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x")
_LINKERS = {
    "GNU ld": ("ld.bfd", "binutils"),
    "gold": ("ld.gold", "binutils"),
    "lld": ("ld.lld", "lld"),
    "mold": ("mold", "mold"),
}
ZIG, RUST_LLD, RUST_LD, MUSL_GCC = "zig", "rustc, rust-lld", "rustc, GNU ld", "musl-gcc, GNU ld"


class Toolchain(NamedTuple):
    """A linker for an architecture and a libc."""

    linker: str
    arch: str
    libc: str = "glibc"

    @property
    def name(self) -> str:
        """The name in the ids of tests."""
        return "-".join((self.linker.replace(" ", ""), self.arch, self.libc))

    @property
    def runs(self) -> bool:
        """Whether the machine, or an emulator, runs its programs."""
        return self.arch != "loongarch64"


class Built(NamedTuple):
    """A subject, the libraries that it needs, and the commands around it."""

    toolchain: Toolchain
    kind: str
    subject: Path
    dep: Path
    extra: Path
    run: Tuple[str, ...]
    strip: str

    def command(self, subject: Path) -> List[str]:
        """Return the command that runs a copy of the subject."""
        if self.kind != LIBRARY:
            return [*self.run, str(subject)]
        version = () if self.toolchain.linker.startswith("rustc") else (VERSION,)
        return [*self.run, str(self.subject.parent / "host"), str(subject), *version]


def toolchains() -> List[Toolchain]:
    """List all toolchains of the matrix."""
    made = [
        Toolchain(linker, arch)
        for linker in (*_LINKERS, ZIG)
        for arch in ARCHES
        if (linker, arch) not in _NOT_THERE
    ]
    musl = [Toolchain(ZIG, arch, "musl") for arch in ("x86_64", "aarch64")]
    rust = [Toolchain(linker, "x86_64") for linker in (RUST_LLD, RUST_LD)]
    return [*made, Toolchain(MUSL_GCC, "x86_64", "musl"), *musl, *rust]


# No Debian compiler for loongarch64; LLD 14 has no s390x, and binutils no gold for RISC-V.
_NOT_THERE = {
    ("gold", "riscv64"),
    ("lld", "s390x"),
    *((linker, "loongarch64") for linker in _LINKERS),
}
# LLD 14 does not link Debian's startup files for RISC-V.
_LIBRARIES_ONLY = Toolchain("lld", "riscv64")


def build(toolchain: Toolchain, kind: str, folder: Path) -> Built:
    """Compile a subject of a kind and what it needs; skip the test if a tool is missing."""
    for name, text in SOURCES.items():
        (folder / name).write_text(text)
    compiler = _compiler(toolchain, folder)
    shared = ("-O1", "-g", "-shared", "-fPIC", "-L.")
    for name, script in ((DEP, ("-Wl,--version-script=dep.map",)), (EXTRA, ())):
        source = name[3:].partition(".")[0]
        _run(folder, *compiler, *shared, f"{source}.c", "-o", name, f"-Wl,-soname,{name}", *script)
    if toolchain.linker in (RUST_LLD, RUST_LD):
        _rust(toolchain, kind, folder)
    else:
        _subject(toolchain, kind, folder, compiler)
    run = _runner(toolchain)
    if kind == LIBRARY and toolchain.runs:
        host = _plain(toolchain)
        _run(folder, *host, "-O1", "host.c", "-o", "host", "-ldl")
    subject = folder / ("subject.so" if kind == LIBRARY else "subject")
    triple = ARCHES[toolchain.arch].triple
    strip = f"{triple}-strip" if triple and toolchain.arch != "x86_64" else "strip"
    return Built(toolchain, kind, subject, folder / DEP, folder / EXTRA, run, strip)


def static_programs(folder: Path) -> Tuple[Path, Path]:
    """Compile a static program, and a static one at a free address."""
    (folder / "static.c").write_text(SOURCES["static.c"])
    for name in ("static", "static-pie"):
        _run(folder, needs.compiler(), f"-{name}", "static.c", "-o", name)
    return folder / "static", folder / "static-pie"


def _subject(toolchain: Toolchain, kind: str, folder: Path, compiler: Tuple[str, ...]) -> None:
    ifunc = ("-DIFUNC",) if toolchain.libc == "glibc" and toolchain.arch in _IFUNC else ()
    common = (
        *("-O1", "-g", "-L.", *ifunc, "subject.c", "-Wl,--no-as-needed"),
        *(f"-l:{DEP}", f"-l:{EXTRA}", "-Wl,-rpath,$ORIGIN"),
    )
    if kind == LIBRARY:
        made = ("-shared", "-fPIC", "-o", "subject.so", "-Wl,-soname,subject.so")
        _run(folder, *compiler, *common, *made, "-Wl,--version-script=subject.map")
    else:
        pie = ("-fPIE", "-pie") if kind == PIE else ("-fno-pie", "-no-pie")
        # zig links programs for musl statically, unless it is told otherwise.
        dynamic = ("-dynamic",) if toolchain.linker == ZIG and toolchain.libc == "musl" else ()
        _run(folder, *compiler, *common, *pie, *dynamic, "-DPROGRAM", "-o", "subject")


def _rust(toolchain: Toolchain, kind: str, folder: Path) -> None:
    arguments = [needs.tool("rustc", "rustc"), "--edition=2021", "-O", "-L."]
    if toolchain.linker == RUST_LD:
        arguments.append("-Clinker-features=-lld")
    link = ("-Wl,--no-as-needed", f"-l:{DEP}", f"-l:{EXTRA}", "-Wl,-rpath,$ORIGIN")
    arguments += [f"-Clink-arg={one}" for one in link]
    if kind == LIBRARY:
        arguments += ["--crate-type=cdylib", "library.rs", "-o", "subject.so"]
        arguments.append("-Clink-arg=-Wl,-soname,subject.so")
    else:
        arguments += ["program.rs", "-o", "subject"]
        arguments += ["-Crelocation-model=static"] if kind == FIXED else []
    _run(folder, *arguments)


def _compiler(toolchain: Toolchain, folder: Path) -> Tuple[str, ...]:
    if toolchain.linker == ZIG:
        needs.zig()
        return _zig(toolchain)
    if toolchain.linker not in _LINKERS:
        return _plain(toolchain)
    name, package = _LINKERS[toolchain.linker]
    triple = ARCHES[toolchain.arch].triple
    if package == "binutils":
        own = "binutils" if toolchain.arch == "x86_64" else f"binutils-{triple}"
        linker = needs.tool(f"{triple}-{name}", own)
    else:
        linker = needs.tool(name, package)
    # GCC takes the linker from a folder of -B, under this name, for each architecture.
    (folder / "linker").mkdir()
    (folder / "linker" / "ld").symlink_to(linker)
    return (*_plain(toolchain), f"-B{folder / 'linker'}")


def _plain(toolchain: Toolchain) -> Tuple[str, ...]:
    """Return the compiler for the libc, with its usual linker."""
    if toolchain.libc == "musl":
        if toolchain.arch == "x86_64":
            return (needs.tool("musl-gcc", "musl-tools"),)
        return (*_zig(toolchain), "-dynamic")
    if toolchain.arch == "x86_64":
        return (needs.compiler(),)
    triple = ARCHES[toolchain.arch].triple
    return (needs.tool(f"{triple}-gcc", f"gcc-{triple}"),)


def _zig(toolchain: Toolchain) -> Tuple[str, ...]:
    from compiling import zig

    target = ARCHES[toolchain.arch].zig
    if toolchain.libc == "musl":
        target = f"{toolchain.arch}-linux-musl"
    return (zig(), "cc", "-target", target)


def _runner(toolchain: Toolchain) -> Tuple[str, ...]:
    arch = ARCHES[toolchain.arch]
    if not toolchain.runs or (toolchain.arch == "x86_64" and toolchain.libc == "glibc"):
        return ()
    if toolchain.arch == "x86_64":
        needs.file(MUSL_LOADER, "musl")
        return ()
    qemu = needs.tool(f"qemu-{arch.qemu}-static", "qemu-user-static")
    if toolchain.libc == "musl":
        root = debian(cache(f"loader-musl-{toolchain.arch}"), "arm64", ("musl",))
        return (qemu, "-L", str(root))
    return (qemu, "-L", f"/usr/{arch.triple}")


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


def clean() -> Dict[str, str]:
    """Return the environment without variables of the dynamic loader."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LD_")}


def all_cases() -> List[Tuple[Toolchain, str]]:
    """List all toolchains, each with the kinds of files that it links."""
    return [
        (toolchain, kind)
        for toolchain in toolchains()
        for kind in KINDS
        if kind == LIBRARY or toolchain != _LIBRARIES_ONLY
    ]


def cases(in_ci: Tuple[Toolchain, ...]) -> List[Any]:
    """Return all cases as parameters of a test; all but those for CI are marked `full`."""
    return [
        pytest.param(
            toolchain,
            kind,
            id=f"{toolchain.name}-{kind.replace(' ', '-')}",
            marks=() if toolchain in in_ci else pytest.mark.full,
        )
        for toolchain, kind in all_cases()
    ]
