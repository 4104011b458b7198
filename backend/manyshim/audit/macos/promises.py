"""What the platform tags of macOS and iOS promise: an oldest release for each architecture."""

from __future__ import annotations

import re
from typing import Dict, Iterator, Mapping, Optional, Tuple

from manyshim.audit.nativefacts import IOS, IOS_SIMULATOR, MACOS, MachoFile, Slice
from manyshim.audit.suffixes import parse_cpython
from manyshim.audit.tags import WheelName
from manyshim.values import NamedTuple

# A release of macOS or iOS: major, minor.
Version = Tuple[int, int]

_TAG = re.compile(r"macosx_([0-9]{1,4})_([0-9]{1,4})_([a-z][a-z0-9_]*)")
_IOS_TAG = re.compile(r"ios_([0-9]{1,4})_([0-9]{1,4})_(.+)_(iphoneos|iphonesimulator)")
# The tags for several architectures.
_SEVERAL = {
    "universal2": ("x86_64", "arm64"),
    "intel": ("i386", "x86_64"),
    "fat": ("i386", "ppc"),
    "fat3": ("i386", "ppc", "x86_64"),
    "fat64": ("ppc64", "x86_64"),
}
# The first macOS for arm64, which calls itself 10.16 where a program asks for old numbers.
BIG_SUR: Version = (11, 0)
# The macOS that each CPython needs on x86_64, by the first CPython.
_OF_PYTHON: Tuple[Tuple[Version, Version], ...] = (
    ((3, 14), (10, 15)),
    ((3, 12), (10, 13)),
    ((3, 0), (10, 9)),
)
# Older releases run no Python that is still supported.
_ANY_PYTHON: Version = (10, 9)


class Promise(NamedTuple):
    """The oldest release that the tags promise for an architecture of a system, and the tag."""

    system: int
    arch: str
    oldest: Version
    tag: str


def promises(name: WheelName) -> Tuple[Promise, ...]:
    """Return one promise for each system and architecture: the oldest of all tags that cover it."""
    found: Dict[Tuple[int, str], Promise] = {}
    for platform in name.platforms:
        for one in _parse(platform):
            known = found.get((one.system, one.arch))
            if known is None or one.oldest < known.oldest:
                found[one.system, one.arch] = one
    return tuple(found.values())


def _parse(platform: str) -> Iterator[Promise]:
    tag = platform.lower()
    mac, ios = _TAG.fullmatch(tag), _IOS_TAG.fullmatch(tag)
    if mac:
        for arch in _SEVERAL.get(mac[3], (mac[3],)):
            oldest = tagged_version((int(mac[1]), int(mac[2])))
            oldest = max(oldest, BIG_SUR) if arch == "arm64" else oldest
            yield Promise(MACOS, arch, oldest, platform)
    elif ios:
        system = IOS if ios[4] == "iphoneos" else IOS_SIMULATOR
        yield Promise(system, ios[3], (int(ios[1]), int(ios[2])), platform)


def tagged_version(version: Version) -> Version:
    """Return a version of macOS as tags have it: from 11 on, the minor version is 0."""
    if version >= (10, 16):
        return max(version[0], 11), 0
    return version


def minimum(one: Slice, system: int) -> Optional[Version]:
    """Return the oldest release that a slice runs on; None if it does not tell.

    It is the one that the slice states, or the first whose dyld knows its load commands.
    """
    built = one.built_for(system)
    oldest_dyld = one.oldest_dyld if system == MACOS else None
    known = [version for version in (built.minimum if built else None, oldest_dyld) if version]
    return max(known)[:2] if known else None


def needed_by_python(name: WheelName) -> Version:
    """Return the macOS that every Python of the tags needs on x86_64."""
    tags = (parse_cpython(python.lower()) for python in name.pythons)
    oldest = min((tag[:2] for tag in tags if tag), default=None)
    if oldest is None:
        return _ANY_PYTHON
    return next((macos for first, macos in _OF_PYTHON if oldest >= first), _ANY_PYTHON)


def right_tags(machos: Tuple[MachoFile, ...], found: Tuple[Promise, ...]) -> Tuple[str, ...]:
    """Return the platform tags of macOS that the files prove, sorted; empty without any.

    They are for the promised architectures that no file lacks, each with the newest release that a
    file needs. One tag stands for both architectures if it says the same about them.
    """
    newest: Dict[str, Version] = {}
    for one in found:
        slices = [file.slice_for(one.arch) for file in machos]
        if one.system == MACOS and slices and all(slices):
            needs = [minimum(part, MACOS) for part in slices if part]
            newest[one.arch] = max((need for need in needs if need), default=one.oldest)
    return tuple(sorted(_packed({arch: tagged_version(one) for arch, one in newest.items()})))


def _packed(newest: Mapping[str, Version]) -> Iterator[str]:
    rest = dict(newest)
    if "arm64" in rest:
        rest["arm64"] = max(rest["arm64"], BIG_SUR)
    both = "x86_64" in rest and "arm64" in rest
    if both and rest["arm64"] == max(rest["x86_64"], BIG_SUR):
        rest["universal2"] = rest.pop("x86_64")
        rest.pop("arm64")
    for arch, (major, minor) in rest.items():
        yield f"macosx_{major}_{minor}_{arch}"
