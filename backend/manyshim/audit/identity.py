"""Determines the architecture and the libc family that a file was built for."""

from __future__ import annotations

import posixpath

from manyshim.audit.facts import ElfFile, ElfIdent
from manyshim.audit.suffixes import parse_module_suffix
from manyshim.audit.tags import ARCHES, GLIBC, MUSL
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_LOADERS = frozenset(arch.loader for arch in ARCHES.values()) | {"ld-linux.so.3"}

# musl's loader provides these NEEDED names itself (musl ldso/dynlink.c, load_library).
_MUSL_OWN = ("libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet.")

# The libraries that glibc installs. Every process has the system's copies loaded, so a tag must be
# true for these: neither `exclude` nor a copy in the wheel can replace them.
GLIBC_OWN = frozenset(
    (
        "libc.so.6",
        "libm.so.6",
        "libmvec.so.1",
        "libpthread.so.0",
        "libdl.so.2",
        "librt.so.1",
        "libutil.so.1",
        "libresolv.so.2",
        "libanl.so.1",
        "libnsl.so.1",
    )
)

# ELF gABI, e_ident[EI_OSABI]: System V, and GNU, which files with IFUNC or unique symbols have.
OS_ABIS = (0, 3)

# Registered values of e_machine that no tag names. Drivers load the code of devices, not ld.so.
_DEVICE_NAMES = {190: "CUDA", 224: "AMD GPUs", 247: "BPF"}
DEVICES = frozenset(_DEVICE_NAMES)
_MACHINE_NAMES = {
    **_DEVICE_NAMES,
    2: "SPARC",
    18: "SPARC",
    43: "64-bit SPARC",
    4: "Motorola 68000",
    8: "MIPS",
    10: "MIPS",
    15: "PA-RISC",
    20: "32-bit PowerPC",
    42: "SuperH",
    50: "IA-64",
    83: "AVR",
    93: "ARC",
    195: "ARCv2",
    92: "OpenRISC",
    94: "Xtensa",
    0x9026: "Alpha",
    252: "C-SKY",
}

_ARM_EABI = 0xFF000000
_ARM_EABI_5 = 0x05000000
_ARM_SOFT_FLOAT = 0x200
_RISCV_FLOAT_ABI, _RISCV_DOUBLE, _RISCV_RVE = 0x6, 0x4, 0x8
_LOONGARCH_ABI, _LOONGARCH_DOUBLE = 0x7, 0x3
_PPC_ABI = 0x3


class Identity(NamedTuple):
    """The architecture of a file as tags name it, or the problem if no tag covers the file."""

    arch: str = ""
    problem: str = ""


def machine_name(machine: int) -> str:
    """Return the name of a machine that no tag names (ELF gABI, e_machine)."""
    name = _MACHINE_NAMES.get(machine)
    return f"{name} (machine {machine})" if name else f"machine {machine}"


def identify(ident: ElfIdent) -> Identity:
    """Return the architecture of an ELF header. Its machine must be in `MACHINES`."""
    rows = [arch for arch in ARCHES.values() if arch.machine == ident.machine]
    for arch in rows:
        if (arch.bits, arch.little_endian) == (ident.bits, ident.little_endian):
            problem = _flags_problem(arch.name, ident.flags)
            return Identity(problem=problem) if problem else Identity(arch.name)
    order = "little" if ident.little_endian else "big"
    wanted = " or ".join(
        f"{arch.bits}-bit {'little' if arch.little_endian else 'big'}-endian ({arch.name})"
        for arch in rows
    )
    return Identity(
        problem=f"machine {ident.machine} as {ident.bits}-bit {order}-endian; tags are for {wanted}"
    )


def _flags_problem(arch: str, flags: int) -> str:
    problem = ""
    if arch == "armv7l" and flags & _ARM_EABI != _ARM_EABI_5:
        problem = f"ARM EABI version {flags >> 24}, not 5"
    elif arch == "armv7l" and flags & _ARM_SOFT_FLOAT:
        problem = "the soft-float ARM ABI; armv7l tags promise hard-float"
    elif arch == "ppc64le" and flags & _PPC_ABI not in (0, 2):
        problem = "the ELFv1 ABI; ppc64le tags promise ELFv2"
    elif arch == "ppc64" and flags & _PPC_ABI not in (0, 1):
        problem = "the ELFv2 ABI; ppc64 tags promise ELFv1"
    elif arch == "riscv64" and (flags & _RISCV_FLOAT_ABI != _RISCV_DOUBLE or flags & _RISCV_RVE):
        problem = "not the double-float lp64d ABI of RISC-V"
    elif arch == "loongarch64" and flags & _LOONGARCH_ABI != _LOONGARCH_DOUBLE:
        problem = "not the double-float lp64d ABI of LoongArch"
    return f"{problem} (e_flags {flags:#x})" if problem else ""


def is_loader(libc: str, arch: str, name: str) -> bool:
    """Whether a NEEDED name is the dynamic loader; for musl, any library that musl provides."""
    if libc == MUSL:
        return name.startswith((*_MUSL_OWN, "ld-musl-"))
    return name == ARCHES[arch].loader


def family(elf: ElfFile) -> Optional[str]:
    """Return the libc family of a file by its strongest evidence; None without evidence."""
    if elf.interpreter:
        interpreter = posixpath.basename(elf.interpreter)
        if interpreter.startswith("ld-musl-"):
            return MUSL
        if interpreter in _LOADERS:
            return GLIBC
    if any(name == "libc.so.6" or name in _LOADERS for name in elf.needed) or any(
        # libgcc_s defines GLIBC_2.0 on newer architectures, even if it was built for musl.
        need.version.startswith("GLIBC_") and not need.library.startswith("libgcc_s")
        for need in elf.versions_needed
    ):
        return GLIBC
    bionic = elf.android or any(need.version == "LIBC" for need in elf.versions_needed)
    if any(name.startswith(("libc.musl-", "ld-musl-")) for name in elf.needed) or (
        "libc.so" in elf.needed and not bionic
    ):
        return MUSL
    # A Python of the other family does not find the file, so its name is evidence too.
    suffix = parse_module_suffix(elf.name)
    return suffix.libc if suffix else None
