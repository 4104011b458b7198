"""Slices that are missing, not signed, or for another system."""

from __future__ import annotations

from typing import Iterator, Set, Tuple

from manyshim.audit.findings import ERROR, INFO, Finding, Problem, Row, problem_finding
from manyshim.audit.macos.context import Context, right_tags
from manyshim.audit.macos.promises import Promise
from manyshim.audit.nativefacts import MACOS, SYSTEMS, Slice


class SliceProblem(Problem):
    """What is wrong with the slices of a file."""

    MISSING = Row(
        *("MISSING_SLICE", ERROR),
        "has code for {1}, but none for {subject}, which the tag {0} promises",
        "build the file for each architecture of the tag, and join the results with lipo{2}",
    )
    MISSING_I386 = Row(
        *("MISSING_SLICE", INFO),
        "has no code for i386, which the tag {0} promises; no supported macOS runs such code",
        "use the tag of x86_64 alone",
    )
    UNSIGNED = Row(
        *("UNSIGNED", ERROR),
        "has no code signature for arm64; macOS refuses to load such code",
        "sign the file after its last change: codesign --force --sign - FILE",
    )
    OTHER_SYSTEM = Row(
        *("WRONG_PLATFORM", ERROR),
        "is for {subject}, but {0} is the system of the tag",
        "build the file for {0}, or give the wheel the tag of its own system",
    )


def missing(context: Context) -> Iterator[Finding]:
    """Yield the files without code for an architecture that the tags promise."""
    right = ".".join(right_tags(context))
    hint = f", or use the tag {right}" if right else ""
    for file, promise in context.incomplete:
        if promise.arch in ("x86_64", "arm64", "i386"):
            i386 = promise.arch == "i386"
            problem = SliceProblem.MISSING_I386 if i386 else SliceProblem.MISSING
            details = (promise.tag, ", ".join(dict.fromkeys(file.arches)), hint)
            yield problem_finding(problem, file.path, *details, subject=promise.arch)


def unsigned(context: Context) -> Iterator[Finding]:
    """Yield the files without a signature for arm64; iOS signs what an application installs."""
    for file in context.machos if context.for_macos else ():
        one = file.slice_for("arm64")
        if one and not one.signed and _fits(one, {MACOS}):
            yield problem_finding(SliceProblem.UNSIGNED, file.path, subject="arm64")


def other_system(context: Context) -> Iterator[Finding]:
    """Yield the files with a slice that was built for another system than those of the tags."""
    found = context.promises
    wanted = ", ".join(SYSTEMS[one] for one in sorted({promise.system for promise in found}))
    for file in context.machos:
        wrong = [one for one in file.slices if not _fits(one, _systems(found, one.arch))]
        stated = sorted({built.system for one in wrong for built in one.builds})
        if wrong:
            names = ", ".join(SYSTEMS.get(one, f"system {one}") for one in stated)
            yield problem_finding(SliceProblem.OTHER_SYSTEM, file.path, wanted, subject=names)


def _systems(found: Tuple[Promise, ...], arch: str) -> Set[int]:
    """Return the systems that the tags name for an architecture; all of them if there is none."""
    every = {promise.system for promise in found}
    return {promise.system for promise in found if promise.arch == arch} or every


def _fits(one: Slice, systems: Set[int]) -> bool:
    """Whether a slice is for one of the systems; one that states no system is."""
    return not one.builds or any(built.system in systems for built in one.builds)
