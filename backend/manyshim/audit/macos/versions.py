"""Slices that need a newer macOS or iOS than the tags promise."""

from __future__ import annotations

from typing import Iterator, Tuple

from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, dotted, problem_finding
from manyshim.audit.macos.claims import (
    Claim,
    Version,
    claims,
    minimum,
    needed_by_python,
    right_tags,
)
from manyshim.audit.nativefacts import IOS_SIMULATOR, MACOS, MachoFile, Slice

# No arm64 simulator is older, whatever a tag says.
_FIRST_ARM64_SIMULATOR: Version = (14, 0)
# Nobody builds for these any more, and the tags for them are old.
_NOT_JUDGED = ("i386", "ppc", "ppc64")


class VersionProblem(Problem):
    """Which release a file needs beyond the tag."""

    NEWER = Row(
        *("MACOS_VERSION", ERROR),
        "needs macOS {0} on {1}, but the tag {2} promises macOS {3}",
        "use {4}, or build with MACOSX_DEPLOYMENT_TARGET={3}, and with libraries for it",
    )
    NEW_LOADER = Row(
        *("MACOS_VERSION", ERROR),
        "needs macOS {0} on {1}: its chained fixups are new to an older dyld, which refuses it; "
        "the tag {2} promises macOS {3}",
        "use {4}, or build with MACOSX_DEPLOYMENT_TARGET={3}, or link with -Wl,-no_fixup_chains",
    )
    MINOR = Row(
        *("MACOS_VERSION", WARNING),
        "needs macOS {0} on {1}, but the tag {2} promises macOS {3}; no tag can state a minor "
        "version of it",
        "build with MACOSX_DEPLOYMENT_TARGET={3}, or tell your users",
    )
    NEWER_IOS = Row(
        *("MACOS_VERSION", ERROR),
        "needs iOS {0} on {1}, but the tag {2} promises iOS {3}",
        "use a tag of iOS {0}, or build with IPHONEOS_DEPLOYMENT_TARGET={3}",
    )


def versions(facts: WheelFacts, machos: Tuple[MachoFile, ...]) -> Iterator[Finding]:
    """Yield the files whose slices need a newer release than the tags promise."""
    found = claims(facts.name)
    free = needed_by_python(facts.name)
    right = ".".join(right_tags(machos, found)) or "a tag that the files prove"
    for file in machos:
        for claim in found:
            one = file.slice_for(claim.arch)
            if one and claim.arch not in _NOT_JUDGED:
                yield from _judge(file, one, claim, free, right)


def _judge(
    file: MachoFile, one: Slice, claim: Claim, free: Version, right: str
) -> Iterator[Finding]:
    need = minimum(one, claim.system)
    if need is None or need <= claim.oldest or _exempt(need, claim, free):
        return
    shown = (dotted(need), claim.arch, claim.tag, dotted(claim.oldest), right)
    built = one.built_for(claim.system)
    problem = VersionProblem.NEWER
    if claim.system != MACOS:
        problem = VersionProblem.NEWER_IOS
    elif need[0] == claim.oldest[0] and need[0] > 10:
        problem = VersionProblem.MINOR
    elif one.floor and need == one.floor[:2] and not (built and built.minimum >= one.floor):
        problem = VersionProblem.NEW_LOADER
    made = problem_finding(problem, file.path, *shown, subject=f"{claim.arch} {dotted(need)}")
    yield made._replace(required=need)


def _exempt(need: Version, claim: Claim, free: Version) -> bool:
    """Whether a need is no fault: every Python of the tags needs it too."""
    if claim.system == MACOS:
        return need <= free
    simulator = claim.system == IOS_SIMULATOR and claim.arch == "arm64"
    return simulator and need <= _FIRST_ARM64_SIMULATOR
