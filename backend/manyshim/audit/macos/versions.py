"""Slices that need a newer macOS or iOS than the tags promise."""

from __future__ import annotations

from typing import Iterator

from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, dotted, problem_finding
from manyshim.audit.macos.context import Context, right_tags
from manyshim.audit.macos.promises import (
    Promise,
    Version,
    minimum,
    needed_by_python,
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
        "needs macOS {0} on {subject}, but with the tag {1} installers put it on macOS {2}, too",
        "use {3}, or build it and its libraries with MACOSX_DEPLOYMENT_TARGET={2}",
    )
    NEW_LOADER = Row(
        *("MACOS_VERSION", ERROR),
        "has chained fixups, which no dyld before macOS {0} reads, but with the tag {1} installers "
        "put it on macOS {2}, too",
        "use {3}, or build with MACOSX_DEPLOYMENT_TARGET={2} (or link with -Wl,-no_fixup_chains)",
    )
    MINOR = Row(
        *("MACOS_VERSION", WARNING),
        "needs macOS {0} on {subject}, but with the tag {1} installers put it on macOS {2}, too; "
        "no tag can state a minor version of it",
        "build with MACOSX_DEPLOYMENT_TARGET={2}, or tell your users",
    )
    NEWER_IOS = Row(
        *("MACOS_VERSION", ERROR),
        "needs iOS {0} on {subject}, but with the tag {1} installers put it on iOS {2}, too",
        "use a tag of iOS {0}, or build with IPHONEOS_DEPLOYMENT_TARGET={2}",
    )


def versions(context: Context) -> Iterator[Finding]:
    """Yield the files whose slices need a newer release than the tags promise."""
    free = needed_by_python(context.facts.name)
    right = ".".join(right_tags(context)) or "a tag that the files prove"
    for file in context.machos:
        for promise in context.promises:
            one = file.slice_for(promise.arch)
            if one and promise.arch not in _NOT_JUDGED:
                yield from _judge(file, one, promise, free, right)


def _judge(
    file: MachoFile, one: Slice, promise: Promise, free: Version, right: str
) -> Iterator[Finding]:
    need = minimum(one, promise.system)
    if need is None or need <= promise.oldest or _exempt(need, promise, free):
        return
    details = (dotted(need), promise.tag, dotted(promise.oldest), right)
    problem = VersionProblem.NEWER
    if promise.system != MACOS:
        problem = VersionProblem.NEWER_IOS
    elif need[0] == promise.oldest[0] and need[0] > 10:
        problem = VersionProblem.MINOR
    elif _for_new_dyld(one):
        problem = VersionProblem.NEW_LOADER
    made = problem_finding(problem, file.path, *details, subject=promise.arch)
    yield made._replace(required=need)


def _for_new_dyld(one: Slice) -> bool:
    """Whether its load commands need a newer macOS than the slice states."""
    built = one.built_for(MACOS)
    stated = built.minimum if built else (0, 0, 0)
    return one.oldest_dyld is not None and stated < one.oldest_dyld


def _exempt(need: Version, promise: Promise, free: Version) -> bool:
    """Whether a need is no fault: every Python of the tags needs it too."""
    if promise.system == MACOS:
        return need <= free
    simulator = promise.system == IOS_SIMULATOR and promise.arch == "arm64"
    return simulator and need <= _FIRST_ARM64_SIMULATOR
