"""What a wheel is for, by its tags: Pythons, ABIs and platforms without their versions."""

from __future__ import annotations

import re
from itertools import islice, product

from manyshim.audit.tags import GLIBC, WheelName, parse_platform
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Optional, Tuple, TypeAlias

ANY = "any"

# The version of a Python tag: cp311 is (3, 11), py3 is (3,).
PythonVersion: TypeAlias = "Tuple[int, ...]"

# A compressed tag set may stand for more tags than any release has.
_MAX_TAGS = 1000
_MAC_SETS = {
    "universal2": ("x86_64", "arm64"),
    "universal": ("i386", "ppc"),
    "intel": ("x86_64", "i386"),
    "fat": ("i386", "ppc"),
    "fat3": ("x86_64", "i386", "ppc"),
    "fat64": ("x86_64", "ppc64"),
}


class Target(NamedTuple):
    """The Python tag, the ABI tag and the platform of a wheel.

    `platform` is a pattern without the version of the system, as `manylinux_*_x86_64`.
    """

    python: str
    abi: str
    platform: str

    def __str__(self) -> str:
        return f"{self.python}-{self.abi}-{self.platform}"


def targets(name: WheelName) -> Tuple[Target, ...]:
    """Return what a wheel is for: its compressed tag set, expanded (PEP 425)."""
    tags = islice(product(name.pythons, name.abis, name.platforms), _MAX_TAGS)
    found = (
        Target(python.lower(), abi.lower(), platform)
        for python, abi, tag in tags
        for platform in platforms(tag)
    )
    return tuple(dict.fromkeys(found))


def platforms(tag: str) -> Tuple[str, ...]:
    """Return the platforms of a tag, without the version of the system.

    A tag of macOS may be for several architectures.
    """
    tag = tag.lower()
    linux = parse_platform(tag)
    if linux is not None:
        return (f"{'manylinux' if linux.libc == GLIBC else 'musllinux'}_*_{linux.arch}",)
    system, _, rest = tag.partition("_")
    # macosx_11_0_arm64 and ios_13_0_arm64_iphoneos; android_21_arm64_v8a has one number.
    numbers = {"android": 1}.get(system, 2)
    *version, arch = rest.split("_", numbers)
    if len(version) != numbers or not all(part.isdigit() for part in version):
        return (tag,)
    arches = _MAC_SETS.get(arch, (arch,)) if system == "macosx" else (arch,)
    return tuple(f"{system}_*_{one}" for one in arches)


def python_of(tag: str) -> Optional[Tuple[str, PythonVersion]]:
    """Return the interpreter and the version of a Python tag: `("cp", (3, 11))` of cp311."""
    match = re.fullmatch(r"([a-z]+)(\d)(\d{0,3})", tag, re.ASCII)
    if match is None:
        return None
    minor = (int(match[3]),) if match[3] else ()
    return match[1], (int(match[2]), *minor)


class Coverage:
    """The targets that wheels cover beside their own: those of later Pythons, and of each platform.

    These wheels are `py3-none-PLATFORM`, `cp39-abi3-PLATFORM`, and the same with `any`.
    """

    def __init__(self, broad: Iterable[Target]) -> None:
        # By platform, ABI and major version, the oldest Python.
        self._oldest: Dict[Tuple[str, str, int], PythonVersion] = {}
        for one in broad:
            python = python_of(one.python)
            wanted = {"none": "py", "abi3": "cp", "abi3t": "cp"}.get(one.abi)
            if python is None or python[0] != wanted:
                continue
            key = (one.platform, one.abi, python[1][0])
            self._oldest[key] = min(python[1], self._oldest.get(key, python[1]))

    def covers(self, target: Target) -> bool:
        """Whether one of the wheels can be installed where a wheel for `target` can."""
        python = python_of(target.python)
        if python is None:
            return False
        interpreter, version = python
        abis = ["none"]
        if interpreter == "cp" and target.abi != "none":
            abis.append("abi3t" if target.abi.endswith("t") else "abi3")
        keys = [(platform, abi, version[0]) for platform in (target.platform, ANY) for abi in abis]
        return any(key in self._oldest and self._oldest[key] <= version for key in keys)
