"""What the platform tags of macOS and iOS promise: an oldest release for each architecture."""

from __future__ import annotations

import re
from typing import Dict, Iterator, Optional, Tuple

from manyshim.audit.nativefacts import IOS, IOS_SIMULATOR, MACOS, Slice
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


def ios_tag(promise: Promise, oldest: Version) -> str:
    """Return the tag of iOS with another release.

    >>> ios_tag(Promise(IOS, "arm64", (13, 0), "ios_13_0_arm64_iphoneos"), (14, 2))
    'ios_14_2_arm64_iphoneos'
    """
    end = promise.tag.split("_", 3)[3]
    return f"ios_{oldest[0]}_{oldest[1]}_{end}"


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
