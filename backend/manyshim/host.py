"""This machine and its interpreter: architecture, libc family, and `_manylinux`."""

from __future__ import annotations

import os
import struct
import sys

from manyshim.audit.tags import GLIBC, LEGACY_NAMES, MUSL, PlatformTag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


def interpreter_libc() -> Optional[str]:
    """Return the libc family of the building interpreter, or None if it does not run on Linux."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        # Only glibc knows this name (confstr(3)).
        return GLIBC if os.confstr("CS_GNU_LIBC_VERSION") else MUSL
    except (ValueError, OSError):
        return MUSL


def host_arch() -> str:
    """Return the architecture that the building interpreter builds for, as tags write it."""
    import sysconfig  # noqa: PLC0415 (setuptools has loaded it; an audit does not need it)

    machine = sysconfig.get_platform().rpartition("-")[2]
    if struct.calcsize("P") == 4:
        return {"x86_64": "i686", "aarch64": "armv7l", "armv8l": "armv7l"}.get(machine, machine)
    return machine


def interpreter_refuses(tag: PlatformTag) -> bool:
    """Return whether the building interpreter refuses a manylinux tag (PEP 600, `_manylinux`)."""
    try:
        import _manylinux  # noqa: PLC0415 (a module that distributions and users may provide)
    except ImportError:
        return False
    if hasattr(_manylinux, "manylinux_compatible"):
        answer = _manylinux.manylinux_compatible(tag.major, tag.minor, tag.arch)
        return answer is not None and not answer
    legacy = [name for name, version in LEGACY_NAMES.items() if version == tag.version]
    return any(not getattr(_manylinux, f"{name}_compatible", True) for name in legacy)
