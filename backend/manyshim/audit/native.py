"""Judges wheels for macOS, iOS and Windows; loaded only for these.

Their rules need no policy: a tag states a release of the system, and a processor.
"""

from __future__ import annotations

from itertools import islice
from typing import Iterable, Iterator, Tuple

from manyshim.audit.facts import WheelFacts, install_path
from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.macos import libraries as dylibs
from manyshim.audit.macos import slices, versions
from manyshim.audit.macos.promises import promises
from manyshim.audit.request import Request
from manyshim.audit.windows import libraries as dlls
from manyshim.audit.windows import modules
from manyshim.audit.windows.loading import MACHINES, context

# Of each rule.
_MAX_FINDINGS = 1000
# In a build these are warnings: delocate and delvewheel copy libraries later.
_DEPENDENCIES = frozenset(("MACOS_LIBRARY", "WINDOWS_LIBRARY", "VC_RUNTIME", "DEBUG_RUNTIME"))
# What a build says beside these: what is true of the tag, the slices and the machine.
_OF_FILES = frozenset(
    (
        *("MACOS_VERSION", "MISSING_SLICE", "UNSIGNED", "WRONG_PLATFORM", "CODE_CORRUPT"),
        *("MIXED_ARCH", "PYTHON_DLL", "LIBPYTHON", "ABI3"),
    )
)


class NativeProblem(Problem):
    """Which files cannot be read."""

    CORRUPT = Row("CODE_CORRUPT", ERROR, "cannot be read: {subject}", "rebuild the file")
    CORRUPT_DATA = Row(
        *("CODE_CORRUPT", WARNING, "cannot be read: {subject}"),
        "rebuild the file, or leave it out of the wheel",
    )


def native(facts: WheelFacts, request: Request) -> Iterator[Finding]:
    """Yield the findings about the machine code of macOS, iOS and Windows."""
    yield from _few(_corrupt(facts))
    read = facts.native
    if read is None:
        return
    if promises(facts.name):
        for rule in (
            versions.versions,
            slices.missing,
            slices.unsigned,
            slices.other_system,
            dylibs.libraries,
            dylibs.search_paths,
        ):
            yield from _few(rule(facts, read.machos))
    if any(platform.lower() in MACHINES for platform in facts.name.platforms):
        made = context(facts, read.pes)
        for on_windows in (dlls.libraries, modules.python_dlls, modules.machines):
            yield from _few(on_windows(made))
        yield from _few(modules.stable_abi(made, request))


def in_build(found: Iterable[Finding], *, strict: bool) -> Tuple[Finding, ...]:
    """Return what a build says of findings: errors only with `strict`, else warnings."""
    kept = [one for one in found if one.kind in _DEPENDENCIES | _OF_FILES]
    return tuple(
        one._replace(severity=WARNING)
        if one.severity == ERROR and (one.kind in _DEPENDENCIES or not strict)
        else one
        for one in kept
    )


def _few(found: Iterator[Finding]) -> Iterator[Finding]:
    return islice(found, _MAX_FINDINGS)


def _corrupt(facts: WheelFacts) -> Iterator[Finding]:
    """Yield the files that cannot be read: errors where users import or run them."""
    for one in facts.native.broken if facts.native else ():
        place = install_path(one.path, facts.distribution)
        module = place.root == "site" and one.path.lower().endswith((".so", ".pyd"))
        used = module or place.root == "scripts"
        problem = NativeProblem.CORRUPT if used else NativeProblem.CORRUPT_DATA
        yield problem_finding(problem, one.path, subject=one.reason)
