"""An ELF file with everything that the writer supports, for each architecture."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

from elftools.elf.elffile import ELFFile

from elftables import HIDDEN, NOTYPE, OBJECT, TLS
from elfwriter import TARGETS, Elf, Symbol

MACHINES = {
    "x86_64": ("EM_X86_64", 64, True),
    "i686": ("EM_386", 32, True),
    "aarch64": ("EM_AARCH64", 64, True),
    "armv7l": ("EM_ARM", 32, True),
    "ppc64le": ("EM_PPC64", 64, True),
    "ppc64": ("EM_PPC64", 64, False),
    "s390x": ("EM_S390", 64, False),
    "riscv64": ("EM_RISCV", 64, True),
    "loongarch64": ("EM_LOONGARCH", 64, True),
}

# Imports are after and between definitions, because the writer must order them in the file.
SYMBOLS = (
    Symbol("PyInit_demo", defined=True),
    Symbol("malloc", "libc.so.6", "GLIBC_2.17"),
    Symbol("demo_new", version="DEMO_2", defined=True),
    Symbol("gettid", "libc.so.6", "GLIBC_2.30", weak=True),
    Symbol("PyErr_Occurred"),
    Symbol("sin", "libm.so.6", "GLIBC_2.17"),
    Symbol("demo_state", defined=True, kind=OBJECT, unique=True),
    Symbol("demo_hidden", defined=True, visibility=HIDDEN),
    Symbol("demo_tls", defined=True, kind=TLS),
    Symbol("__gmon_start__", weak=True, kind=NOTYPE),
)
FULL = Elf(
    soname="libdemo.so.1",
    needed=("libc.so.6", "libm.so.6"),
    rpath="/opt/lib",
    runpath="$ORIGIN/../libs",
    symbols=SYMBOLS,
    versions_defined=("DEMO_1", "DEMO_2"),
    version_needs=(("libc.so.6", "GLIBC_2.36"),),
    weak_versions=frozenset({("libc.so.6", "GLIBC_2.30")}),
    sysv_hash=True,
    relr=True,
    dt_flags=0x18,
    dt_flags_1=1,
    tls_size=16,
    notes=((b"GNU", 3, b"\x01\x02\x03\x04\x05"), (b"Android", 1, b"abc")),
    isa=5,
    padding=0x12345,
)


def described(arch: str, full: Elf = FULL, **changes: Any) -> Elf:
    """Return the same description for another architecture."""
    target = TARGETS[arch]
    same = {name: getattr(target, name) for name in ("bits", "little", "machine", "flags")}
    return replace(full, page_align=target.page_align, **same, **changes)


def opened(data: bytes) -> Any:
    return ELFFile(BytesIO(data))


def dynamic_segment(elf: Any) -> Any:
    return next(elf.iter_segments("PT_DYNAMIC"))
