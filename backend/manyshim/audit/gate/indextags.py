"""Whether the package index takes the platform tags of a name, and the spelling that it takes.

What it takes comes from `audit/data/index-tags.txt` alone.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Iterator, List, Optional, Tuple

from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.names import system_name
from manyshim.audit.policy import index_tags, policies_of
from manyshim.audit.tags import (
    ARCHES,
    GLIBC,
    LEGACY_NAMES,
    MUSL,
    WheelName,
    is_linux,
    platform_arch,
)

_NOT_INSTALLED = "pip installs no wheel with the platform tag {subject}: "
_REFUSES = "the package index does not accept the platform tag {subject}"
_MAX_FINDINGS = 1000


class IndexTagProblem(Problem):
    """Why the index refuses a platform tag, by what the fix depends on."""

    LINUX = Row(
        *("INDEX_TAG", ERROR, _REFUSES),
        "run `manyshim retag`, which writes the manylinux or musllinux tag that is proved; "
        "`manyshim show` prints it, or what rules it out",
    )
    ARCHITECTURE = Row(
        *("INDEX_TAG", ERROR, _REFUSES + ": for {0}, it accepts no {1} wheels"),
        "use your own index for this architecture; {1} wheels may be for {2}",
    )
    OLD_NAME = Row(
        *("INDEX_TAG", ERROR, _REFUSES + ": {1} has no {0} tags"),
        "use {2}, or the tag that `manyshim show` prints",
    )
    MACOS_MINOR = Row(
        *("INDEX_TAG", ERROR, _REFUSES + ": from macOS 11 on, it accepts only the minor version 0"),
        "use {0}; build with MACOSX_DEPLOYMENT_TARGET={1}.0, so that the tag is true",
    )
    MACOS_VERSION = Row(
        *("INDEX_TAG", ERROR, _REFUSES + ": it accepts {1} for this architecture"),
        "use {0}; build with MACOSX_DEPLOYMENT_TARGET={2}, so that the tag is true",
    )
    PYODIDE = Row(
        *("INDEX_TAG", ERROR, _REFUSES),
        "use {0} (PEP 783): build with a release of pyodide-build that writes this tag",
    )
    SPELLING = Row(
        *("INDEX_TAG", ERROR, _REFUSES),
        "use {0}, which the index accepts for {1}",
    )
    FORM = Row(
        *("INDEX_TAG", ERROR, _REFUSES),
        "for {0}, the index accepts {1}",
    )
    SYSTEM = Row(
        *("INDEX_TAG", ERROR, _REFUSES + ": for {0}, it accepts no wheels"),
        "leave the wheel out of the upload: its users build from the sdist, or install it from "
        "another index",
    )


class UnusableTagProblem(Problem):
    """Why no pip installs a wheel with a platform tag, although the index takes it."""

    OLD_MACOS_ON_ARM = Row(
        *("UNUSABLE_TAG", ERROR, _NOT_INSTALLED + "macOS for arm64 begins with version 11"),
        "use {0}; build with MACOSX_DEPLOYMENT_TARGET=11.0",
    )
    LEADING_ZERO = Row(
        *("UNUSABLE_TAG", ERROR, _NOT_INSTALLED + "installers write no leading zero"),
        "use {0}",
    )


def index_takes(platform: str) -> bool:
    """Whether the package index accepts a platform tag. It ignores case, as installers do."""
    lower = platform.lower()
    return any(_matches(pattern, words, lower) for pattern, words in index_tags())


def platform_tags(name: WheelName) -> Iterator[Finding]:
    """Yield a finding for each platform tag of a name that the index refuses."""
    refused = (one for one in dict.fromkeys(name.platforms) if not index_takes(one))
    for platform, _ in zip(refused, range(_MAX_FINDINGS)):
        problem, details = _why(platform.lower())
        yield problem_finding(problem, "", *details, subject=platform)


def unusable_platforms(name: WheelName) -> Iterator[Finding]:
    """Yield a finding for each platform tag that pip knows in another spelling, or not at all.

    Nothing is wrong if another platform tag of the name can be installed.
    """
    found = {one: _unusable(one.lower()) for one in name.platforms if index_takes(one)}
    if len(found) < len(set(name.platforms)) or not all(found.values()):
        return
    for platform, why in islice(found.items(), _MAX_FINDINGS):
        if why:
            yield problem_finding(why[0], "", why[1], subject=platform)


def _unusable(platform: str) -> Optional[Tuple[UnusableTagProblem, str]]:
    # Installers compare tags with those that they make from numbers.
    plain = re.sub(r"_0+(?=[0-9])", "_", platform)
    if plain != platform:
        return UnusableTagProblem.LEADING_ZERO, plain
    if platform.startswith("macosx_10_") and platform.endswith("_arm64"):
        return UnusableTagProblem.OLD_MACOS_ON_ARM, "macosx_11_0_arm64"
    return None


_Why = Tuple[IndexTagProblem, Tuple[str, ...]]


def _why(platform: str) -> _Why:
    if is_linux(platform):
        return _linux(platform)
    family = platform.partition("_")[0]
    system = system_name(platform)
    found: Optional[_Why] = None
    if family == "macosx":
        found = _macos(platform)
    elif family == "android":
        found = _android(platform)
    elif system == "Emscripten":
        found = _pyodide()
    elif platform == "win64":
        found = _spelling("win_amd64", system)
    forms = _forms("win" if system == "Windows" else f"{family}_")
    return found or ((IndexTagProblem.FORM, (system, forms)) if forms else _no_system(system))


def _pyodide() -> Optional[_Why]:
    for pattern, _ in index_tags():
        if pattern.startswith("pyemscripten_"):
            form = pattern.replace("{n}", "YEAR", 1).replace("{n}", "PATCH")
            return IndexTagProblem.PYODIDE, (form,)
    return None


def _no_system(system: str) -> _Why:
    return IndexTagProblem.SYSTEM, (system,)


def _linux(platform: str) -> _Why:
    arch = platform_arch(platform) or ""
    family = platform.partition("_")[0]
    libc = MUSL if family.startswith("musl") else GLIBC
    prefix = "musllinux_" if libc == MUSL else "manylinux_"
    words = _words(prefix)
    if arch and arch not in words:
        return IndexTagProblem.ARCHITECTURE, (arch, prefix[:-1], ", ".join(words))
    if family in LEGACY_NAMES and arch in ARCHES:
        tags = [tag for tag in policies_of(GLIBC, arch).listed[0].spellings if index_takes(tag)]
        if tags:
            return IndexTagProblem.OLD_NAME, (family, arch, " or ".join(tags))
    return IndexTagProblem.LINUX, ()


# macosx_12_3_arm64, and macosx_12_arm64 without a minor version.
_MACOS = re.compile(r"macosx_([0-9]{1,4})(?:_([0-9]{1,4}))?_([a-z][a-z0-9_]*)")


def _macos(platform: str) -> Optional[_Why]:
    match = _MACOS.fullmatch(platform)
    if not match:
        return None
    major, arch = int(match[1]), match[3]
    same = f"macosx_{major}_0_{arch}"
    if index_takes(same):
        return IndexTagProblem.MACOS_MINOR, (same, str(major))
    taken = _macos_majors(arch)
    older = [one for one in taken if one < major]
    if not older:
        return None
    nearest = f"macosx_{older[-1]}_0_{arch}"
    versions = ", ".join(f"{one}.{'N' if one == _OLD_MACOS else 0}" for one in taken)
    return IndexTagProblem.MACOS_VERSION, (nearest, versions, f"{older[-1]}.0")


# Its minor versions were releases of their own.
_OLD_MACOS = 10


def _macos_majors(arch: str) -> List[int]:
    """Return the major versions of macOS that the index accepts for an architecture."""
    found = set()
    for pattern, words in index_tags():
        family, _, rest = pattern.partition("_")
        major = rest.partition("_")[0]
        if family == "macosx" and major.isdigit() and arch in words:
            found.add(int(major))
    return sorted(found)


# The ABIs of the Android NDK, by the names that other tools have for them.
_ANDROID = {
    "aarch64": "arm64_v8a",
    "arm64": "arm64_v8a",
    "armv8a": "arm64_v8a",
    "arm": "armeabi_v7a",
    "armeabi": "armeabi_v7a",
    "armv7a": "armeabi_v7a",
    "armv7l": "armeabi_v7a",
    "amd64": "x86_64",
    "i386": "x86",
    "i686": "x86",
}


def _android(platform: str) -> Optional[_Why]:
    _, _, rest = platform.partition("_")
    level, _, arch = rest.partition("_")
    return _spelling(f"android_{level}_{_ANDROID.get(arch, arch)}", "Android")


def _spelling(tag: str, system: str) -> Optional[_Why]:
    return (IndexTagProblem.SPELLING, (tag, system)) if index_takes(tag) else None


def _forms(prefix: str) -> str:
    """Return the tags of a family that the index accepts, as a user would write them."""
    found = [one for one in index_tags() if one[0].startswith(prefix)]
    forms = ", ".join(one.replace("{n}", "N").replace("{arch}", "ARCH") for one, _ in found)
    words = dict.fromkeys(word for _, listed in found for word in listed)
    return f"{forms} (ARCH: {', '.join(words)})" if words else forms


def _words(prefix: str) -> Tuple[str, ...]:
    found = (words for pattern, words in index_tags() if pattern.startswith(prefix + "{"))
    return next(found, ())


def _matches(pattern: str, words: Tuple[str, ...], platform: str) -> bool:
    prefix, varies, _ = pattern.partition("{")
    # To compile a pattern costs more than all other work here.
    if not varies or not platform.startswith(prefix):
        return pattern == platform
    expression = pattern.replace("{n}", r"\d+").replace("{arch}", f"(?:{'|'.join(words)})")
    return re.fullmatch(expression, platform) is not None
