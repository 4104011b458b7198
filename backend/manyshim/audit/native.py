"""Judges wheels for macOS, iOS and Windows; loaded only for these.

Their rules need no policy: a tag states a release of the system, and a processor.
"""

from __future__ import annotations

from itertools import islice
from typing import Iterable, Iterator, Tuple

from manyshim.audit.facts import WheelFacts, install_path
from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.macos import context as macos
from manyshim.audit.macos import libraries as dylibs
from manyshim.audit.macos import slices, versions
from manyshim.audit.nativefacts import NativeFacts
from manyshim.audit.request import Request
from manyshim.audit.windows import libraries as dlls
from manyshim.audit.windows import loading as windows
from manyshim.audit.windows import modules
from manyshim.values import NamedTuple

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


class Verdict(NamedTuple):
    """What was found, and the platform tags that the files prove; none if they prove no tag."""

    findings: Tuple[Finding, ...]
    right_tags: Tuple[str, ...]


def native(facts: WheelFacts, request: Request) -> Verdict:
    """Judge the machine code of macOS, iOS and Windows."""
    read = facts.native or NativeFacts()
    on_macos, on_windows = macos.context(facts, read.machos), windows.context(facts, read.pes)
    found = _few(_corrupt(facts, read))
    if on_macos.promises:
        found += _of_macos(on_macos)
    if on_windows.machines:
        found += _of_windows(on_windows, request)
    return Verdict(found, (*macos.right_tags(on_macos), *windows.right_tags(on_windows)))


def _of_macos(context: macos.Context) -> Tuple[Finding, ...]:
    rules = (
        *(versions.versions, slices.missing, slices.unsigned, slices.other_system),
        *(dylibs.libraries, dylibs.search_paths),
    )
    return tuple(found for rule in rules for found in _few(rule(context)))


def _of_windows(context: windows.Context, request: Request) -> Tuple[Finding, ...]:
    rules = (dlls.libraries, modules.python_dlls, modules.machines)
    found = tuple(found for rule in rules for found in _few(rule(context)))
    return found + _few(modules.stable_abi(context, request))


def in_build(found: Iterable[Finding], *, strict: bool) -> Tuple[Finding, ...]:
    """Return what a build says of findings: errors only with `strict`, else warnings."""
    kept = [one for one in found if one.kind in _DEPENDENCIES | _OF_FILES]
    return tuple(
        one._replace(severity=WARNING)
        if one.severity == ERROR and (one.kind in _DEPENDENCIES or not strict)
        else one
        for one in kept
    )


def _few(found: Iterator[Finding]) -> Tuple[Finding, ...]:
    return tuple(islice(found, _MAX_FINDINGS))


def _corrupt(facts: WheelFacts, read: NativeFacts) -> Iterator[Finding]:
    """Yield the files that cannot be read: errors where users import or run them."""
    for one in read.broken:
        place = install_path(one.path, facts.distribution)
        module = place.root == "site" and one.path.lower().endswith((".so", ".pyd"))
        used = module or place.root == "scripts"
        problem = NativeProblem.CORRUPT if used else NativeProblem.CORRUPT_DATA
        yield problem_finding(problem, one.path, subject=one.reason)
