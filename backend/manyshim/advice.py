"""What the lines of a report need beyond the audit: what fixes depend on, and readable names."""

from __future__ import annotations

import os

from manyshim.audit.decision import TagDecision, needs_advice
from manyshim.audit.facts import NO_PLACES, Places, SourceLine
from manyshim.audit.findings import Advice, Finding
from manyshim.audit.names import is_copy
from manyshim.audit.policy import glibc_version
from manyshim.audit.request import Request
from manyshim.audit.tags import GLIBC
from manyshim.audit.verdict import Report
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.text import Notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Optional, Sequence, Tuple

# Headers make these names of older functions: `__isoc23_strtol` of strtol, `fcntl64` of fcntl, and
# stat itself since glibc 2.33. Older headers make other names.
_OF_HEADERS = frozenset(("stat", "fstat", "lstat", "fstatat", "mknod", "mknodat"))

_AFTER_REPAIR = {
    "TOO_NEW": Advice.COPIED,
    "EXTERNAL_LIBRARY": Advice.REPAIRED,
    "BY_NAME_ONLY": Advice.REPAIRED,
}


def advised(
    report: Report, decision: TagDecision, wheel: Wheel, request: Request, *, always: bool = False
) -> Report:
    """Return the report with what the fixes of its TOO_NEW findings depend on.

    Without `always` that is done only for a tag that is too new: no line has the others.
    """
    if not always and not needs_advice(decision):
        return report
    about = [found for found in report.findings if found.kind == "TOO_NEW"]
    makers = {path: _maker(path, wheel, request) for path in {found.path for found in about}}
    advices = {found: _advice(found, makers[found.path], request) for found in about}
    found = (one._replace(advice=advices.get(one, one.advice)) for one in report.findings)
    return report._replace(findings=tuple(found))


def after_repair(found: Iterable[Finding]) -> Tuple[Finding, ...]:
    """Return findings with what their fixes depend on after a repair: it is not to be run again."""
    return tuple(
        one._replace(advice=_AFTER_REPAIR[one.kind])
        if one.kind in _AFTER_REPAIR and (one.kind != "TOO_NEW" or is_copy(one.path))
        else one
        for one in found
    )


def _advice(found: Finding, maker: Optional[Advice], request: Request) -> Optional[Advice]:
    if maker != Advice.COPIED and _is_new_name(found):
        return Advice.NEW_NAME
    policy, target = found.policy, request.platform
    newer = policy and target and policy.libc == target.libc and policy.version >= target.version
    return Advice.NOT_ZIG if newer and maker == Advice.ZIG else maker


def _maker(path: str, wheel: Wheel, request: Request) -> Optional[Advice]:
    if is_copy(path):
        return Advice.COPIED
    if request.compiled:
        return Advice.ZIG
    return Advice.RUST if wheel.made_by_rust(path) else None


def _is_new_name(found: Finding) -> bool:
    """Whether all symbols are functions that no glibc of the ruled out policy has."""
    policy = found.policy
    if policy is None or policy.libc != GLIBC or not glibc_version(found.subject):
        return False
    if any(one in _OF_HEADERS or one.startswith("_") or "64" in one for one in found.symbols):
        return False
    from manyshim.audit.definitions import glibc_definitions  # noqa: PLC0415 (only for an advice)

    listed = glibc_definitions(policy.arch)
    since = [
        [glibc_version(one.version) or (0, 0) for one in listed.get(symbol, ())]
        for symbol in found.symbols
    ]
    return bool(since) and all(versions and min(versions) > policy.version for versions in since)


def source_places(findings: Iterable[Finding], wheel: Wheel, folders: Sequence[str] = ()) -> Places:
    """Find the source lines that use the symbols of findings, by symbol.

    Searches the object files below `folders` first, then the wheel's libraries.
    """
    wanted = [found for found in findings if found.symbols]
    symbols = {symbol for found in wanted for symbol in found.symbols}
    if not symbols:
        return {}
    from manyshim.formats.elf import debuginfo  # noqa: PLC0415 (loads pyelftools)

    places: Dict[str, Tuple[SourceLine, ...]] = dict(debuginfo.uses(folders, symbols))
    for path in sorted({found.path for found in wanted if symbols - places.keys()}):
        library = wheel.content(path)
        if library is not None:
            for symbol, found in debuginfo.uses_in_library(library, symbols).items():
                places.setdefault(symbol, found)
    return places


def readable(report: Report, places: Places = NO_PLACES) -> Notes:
    """Return the notes for the lines of a report: readable names of its C++ symbols, and places."""
    names = {name for found in report.findings for name in found.symbols if name.startswith("_Z")}
    if not names:
        return Notes(places)
    from manyshim.demangle import demangled  # noqa: PLC0415 (only for C++ names)

    return Notes(places, demangled(names, os.environ))
