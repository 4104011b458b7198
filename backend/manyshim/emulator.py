"""What runs the programs of another machine or libc: qemu-user, and musl's loader."""

from __future__ import annotations

import shutil
from typing import Mapping, Optional

# The names of architectures in qemu and in musl, where they are others than in wheels.
_QEMU: Mapping[str, str] = {"i686": "i386", "armv7l": "arm"}
_MUSL: Mapping[str, str] = {"i686": "i386", "armv7l": "armhf", "ppc64le": "powerpc64le"}


def qemu_name(arch: str) -> str:
    """Return the name of qemu-user's program for an architecture of wheels."""
    return f"qemu-{_QEMU.get(arch, arch)}"


def find_qemu(arch: str, path: Optional[str] = None) -> Optional[str]:
    """Return the path of that program, the static one first; None if `path` has none.

    `path` is the value of PATH; without it, that of this process counts.
    """
    name = qemu_name(arch)
    return shutil.which(f"{name}-static", path=path) or shutil.which(name, path=path)


def musl_loader(arch: str) -> str:
    """Return the path of musl's dynamic loader on a system of an architecture of wheels."""
    return f"/lib/ld-musl-{_MUSL.get(arch, arch)}.so.1"
