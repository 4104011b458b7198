"""What Meson and CMake ask of a machine: the names of its processor, and whether programs run."""

from __future__ import annotations

import os
from typing import List, Mapping, Optional, Tuple

from manyshim.audit.tags import ARCHES, MUSL
from manyshim.emulator import find_qemu, musl_loader
from manyshim.toolchain.target import Target
from manyshim.values import NamedTuple


class _Row(NamedTuple):
    """The names of an architecture: Meson's family, and glibc's loader."""

    family: str
    loader: str


# fmt: off
_ROWS: Mapping[str, _Row] = {
    "x86_64": _Row("x86_64", "/lib64/ld-linux-x86-64.so.2"),
    "i686": _Row("x86", "/lib/ld-linux.so.2"),
    "aarch64": _Row("aarch64", "/lib/ld-linux-aarch64.so.1"),
    "armv7l": _Row("arm", "/lib/ld-linux-armhf.so.3"),
    "ppc64le": _Row("ppc64", "/lib64/ld64.so.2"),
    "s390x": _Row("s390x", "/lib/ld64.so.1"),
    "riscv64": _Row("riscv64", "/lib/ld-linux-riscv64-lp64d.so.1"),
    "loongarch64": _Row("loongarch64", "/lib64/ld-linux-loongarch-lp64d.so.1"),
}
# fmt: on
# Debian's packages libc6-*-cross have folders with the names of GNU.
_DEBIAN_NAMES = {"i386-linux-gnu": "i686-linux-gnu"}


class Machine(NamedTuple):
    """A machine to build for. `emulator` runs its programs on this machine; None if nothing does.

    An empty emulator tells that they run without one.
    """

    arch: str
    family: str
    little_endian: bool
    emulator: Optional[Tuple[str, ...]]
    bits: int = 64


def machine(target: Target, sysroot: str, arch: str, path: Optional[str] = None) -> Machine:
    """Return the machine of a target; `arch` is this machine's, `path` is searched for qemu."""
    row = _ROWS[target.tag.arch]
    found = _emulator(target, sysroot, arch, path)
    arch_facts = ARCHES[target.tag.arch]
    little, bits = arch_facts.little_endian, arch_facts.bits
    return Machine(target.tag.arch, row.family, little, found, bits)


def _emulator(
    target: Target, sysroot: str, arch: str, path: Optional[str]
) -> Optional[Tuple[str, ...]]:
    """Return the command before a program of the target.

    A program needs its loader: in the sysroot, in the folder of a cross compiler's libc, or here.
    """
    loader = loader_path(target)
    if target.tag.arch == arch:
        return () if os.path.exists(loader) else None
    qemu = find_qemu(target.tag.arch, path)
    if qemu is None:
        return None
    libc = f"/usr/{_DEBIAN_NAMES.get(target.triplet, target.triplet)}"
    roots: List[str] = [root for root in (sysroot, libc) if root]
    root = next((root for root in roots if os.path.exists(root.rstrip("/") + loader)), None)
    return None if root is None else (qemu, "-L", root)


def loader_path(target: Target) -> str:
    """Return the path of the target's dynamic loader."""
    if target.tag.libc == MUSL:
        return musl_loader(target.tag.arch)
    return _ROWS[target.tag.arch].loader
