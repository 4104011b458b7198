"""Every sentence that a user reads about a finding, and the report as text and as data."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from manyshim.audit import findings as f
from manyshim.audit.findings import Finding
from manyshim.audit.tags import GLIBC, PlatformTag
from manyshim.audit.verdict import Claim, Report

_NAMES_SHOWN = 4
_FILES_SHOWN = 3


class Sentence(NamedTuple):
    """What is wrong, where, and against which limit; and the way out."""

    message: str
    fix: str = ""


def shown(text: str) -> str:
    """Escape what a terminal would not show as itself: control characters, lone bytes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _names(names: Tuple[str, ...]) -> str:
    listed = ", ".join(map(shown, names[:_NAMES_SHOWN]))
    more = len(names) - _NAMES_SHOWN
    return f"{listed} and {more} more" if more > 0 else listed


def _policy(found: Finding) -> str:
    return found.policy.without_arch if found.policy else "every policy"


def _limit(found: Finding) -> str:
    """Say where the policy ends that the finding rules out."""
    if found.policy is None or found.policy.libc != GLIBC:
        return f"{_policy(found)} does not have it"
    if found.subject.startswith("GLIBC_") and found.subject[6:7].isdigit():
        return f"{_policy(found)} ends at GLIBC_{found.policy.major}.{found.policy.minor}"
    return f"{_policy(found)} does not have {found.subject}"


def _too_new(found: Finding) -> Sentence:
    needs = _names(found.symbols) or found.evidence or "a marker"
    weak = ", by weak references only" if found.evidence == "weak references only" else ""
    return Sentence(
        f"needs {needs}@{shown(found.subject)} from {shown(found.library)}{weak}; {_limit(found)}"
        if not found.subject.startswith("musl ")
        else f"needs {needs}, which came with {found.subject}; {_limit(found)}",
        "build it on an older system (a manylinux or musllinux image), or accept the newer tag",
    )


def _external(found: Finding) -> Sentence:
    return Sentence(
        f"needs {shown(found.subject)}, which {_policy(found)} and older do not promise",
        "link it statically, or declare that the environment provides it: "
        f'exclude = ["{shown(found.subject)}"]',
    )


def _by_name_only(found: Finding) -> Sentence:
    library = shown(found.library)
    if found.severity == f.POLICY:
        return Sentence(
            f"needs {shown(found.subject)}, which lies in the wheel as {library} but on no search "
            "path of the file: the loader finds it only if something else has loaded it before",
            "link with -Wl,-rpath,'$ORIGIN/...', or declare that the package loads it first: "
            f'allow = ["BY_NAME_ONLY:{library}"]',
        )
    return Sentence(
        f"finds {shown(found.subject)} ({library}) only because it is loaded before",
        "link with -Wl,-rpath,'$ORIGIN/...'",
    )


def _simple(message: str, fix: str) -> Callable[[Finding], Sentence]:
    def sentence(found: Finding) -> Sentence:
        words = {
            "subject": shown(found.subject),
            "library": shown(found.library),
            "symbols": _names(found.symbols),
            "evidence": shown(found.evidence),
            "path": shown(found.path),
            "policy": _policy(found),
        }
        return Sentence(message.format(**words), fix.format(**words))

    return sentence


_REBUILD = "rebuild the file for the wheel's target, or take it out of the wheel"

SENTENCES: Dict[str, Callable[[Finding], Sentence]] = {
    "TOO_NEW": _too_new,
    "EXTERNAL_LIBRARY": _external,
    "BY_NAME_ONLY": _by_name_only,
    "FORBIDDEN_SYMBOL": _simple(
        "uses {subject} of {library}, which {policy} and older do not promise",
        "link {library} statically, or do without the symbol",
    ),
    "UNKNOWN_NAMESPACE": _simple(
        "needs {subject} from {library}; no policy knows that version namespace",
        "link against an unpatched {library}",
    ),
    "ISA": _simple(
        "is marked to need {subject}; a tag promises the baseline of its architecture",
        "compile without -march={subject}, or put the file under glibc-hwcaps/{subject}/",
    ),
    "ELF_CORRUPT": _simple("cannot be read: {subject}", "rebuild the file"),
    "ELF_DAMAGED": _simple(
        "is damaged where the loader does not look: {subject}", "rebuild the file"
    ),
    "WRONG_ABI": _simple("has an ABI that no tag stands for: {subject}", _REBUILD),
    "WRONG_OS": _simple("is for another system: {subject}, not System V or GNU", _REBUILD),
    "MIXED_ARCH": _simple(
        "is for {subject}; {evidence}",
        "build a wheel for each architecture; if the file is mere payload: "
        'allow = ["MIXED_ARCH:{path}"]',
    ),
    "MIXED_LIBC": _simple(
        "is for {subject}; {evidence}",
        'build a wheel for each libc; if the file is mere payload: allow = ["MIXED_LIBC:{path}"]',
    ),
    "NEEDED_PATH": _simple(
        "needs {subject}: a path, which is looked up on the user's machine as it stands",
        "give the library a soname (-Wl,-soname) and link with -l",
    ),
    "VERDEF_MISSING": _simple(
        "needs {symbols}@{subject}, and {library} in the wheel does not define that version",
        "put the library that it was linked against into the wheel",
    ),
    "LIBPYTHON": _simple(
        "needs {subject}; an interpreter that is linked statically has no such library",
        "do not link extension modules with libpython",
    ),
    "MUSL_UNDEFINED": _simple(
        "needs {subject}, which no musl exports and no library of the wheel defines: "
        "the import fails",
        "build on musl (a musllinux image), or do without the symbol",
    ),
    "MUSL_PATCH_LEVEL": _simple(
        "needs {symbols}, which came with {subject}; musllinux_1_2 promises 1.2.0 only",
        "build it on an older Alpine, without -Wl,-z,pack-relative-relocs",
    ),
    "ELF_IN_PURE_WHEEL": _simple(
        "is machine code, and the wheel says that it is pure: {subject}",
        "let the build backend know of the extension, so that it builds a platform wheel",
    ),
    "NO_ELF": _simple(
        "a wheel for Linux without any ELF file",
        "build the extension (was it optional, and failed?), or tag the wheel any",
    ),
    "DUP_MEMBER": _simple(
        "stands in the archive {evidence}; installers differ in which they take",
        "write each member once",
    ),
    "SYMLINK_MEMBER": _simple(
        "is a symbolic link, which installers write as a text file", "store the file itself"
    ),
    "BAD_PATH": _simple("is no path that may stand in a wheel: {evidence}", "rename the member"),
    "WHEEL_TAGS": _simple(
        "and the file name disagree: {evidence}",
        "rebuild the wheel, or rename it with `wheel tags`",
    ),
    "EXCLUDED": _simple("needs {subject}, declared to be provided by its environment", ""),
    "DEVICE_CODE": _simple(
        "is for {subject}, which no tag names: code for a device, not audited", ""
    ),
    "LIBC_ASSUMED": _simple(
        "nothing in it tells glibc from musl; judged as glibc",
        "ask for the family that you mean with --platform",
    ),
}


def sentence(found: Finding) -> Sentence:
    """Say a finding in whole words."""
    said = SENTENCES[found.kind](found)
    return said._replace(message=f"{said.message} (allowed)") if found.allowed else said


def to_dict(report: Report, claim: Claim) -> Dict[str, Any]:
    """Turn a report into what JSON can hold; lists are sorted, so equal wheels give equal text."""
    minimum = report.musl_minimum
    return {
        "wheel": str(report.name),
        "claimed": sorted(report.name.platforms),
        "arch": report.arch,
        "libc": report.libc,
        "policy": str(report.policy) if report.policy else None,
        "tag": str(claim.tag) if claim.tag else None,
        "tags": list(claim.platforms),
        "external": list(report.external),
        "musl_minimum": ".".join(map(str, minimum)) if minimum else None,
        "findings": [_finding_dict(found) for found in report.findings],
        "error": None,
    }


def _finding_dict(found: Finding) -> Dict[str, Any]:
    said = sentence(found)
    return {
        "kind": found.kind,
        "severity": found.severity,
        "path": shown(found.path),
        "policy": str(found.policy) if found.policy else None,
        "subject": shown(found.subject),
        "library": shown(found.library) or None,
        "symbols": list(map(shown, found.symbols)),
        "message": said.message,
        "fix": said.fix or None,
    }


def to_text(report: Report, claim: Claim, *, verbose: bool = False) -> List[str]:
    """Say a report in lines: what stands in the way of the tag, then what else was seen."""
    lines: List[str] = []
    for severity in (f.ERROR, f.WARNING, *((f.INFO,) if verbose else ())):
        for found in _of(report, severity):
            lines += _lines(severity, [found])
    worth_saying = _next_older(report, claim)
    if worth_saying:
        lines.append(f"{worth_saying.without_arch} is ruled out:")
        blockers = report.rules_out(worth_saying)
        for group in _grouped(blockers):
            lines += _lines("", group)
    return lines


def _of(report: Report, severity: str) -> List[Finding]:
    return [found for found in report.findings if found.severity == severity]


def _next_older(report: Report, claim: Claim) -> Optional[PlatformTag]:
    """Pick the policy whose obstacles are worth telling: the newest that does not hold."""
    ruled_out = [rung for rung in report.rungs if report.rules_out(rung)]
    if not ruled_out or (claim.tag and claim.tag.version < report.rungs[0].version):
        return None
    return ruled_out[-1]


def _grouped(found: Tuple[Finding, ...]) -> List[List[Finding]]:
    """Group the findings that differ in nothing but the file."""
    groups: Dict[Tuple[Any, ...], List[Finding]] = {}
    for one in found:
        groups.setdefault(one._replace(path="")[:], []).append(one)
    return list(groups.values())


def _lines(label: str, group: List[Finding]) -> List[str]:
    said = sentence(group[0])
    files = [shown(found.path) for found in group if found.path]
    where = ", ".join(files[:_FILES_SHOWN])
    if len(files) > _FILES_SHOWN:
        where += f" and {len(files) - _FILES_SHOWN} more files"
    begin = f"{label}: " if label else "  "
    kind = group[0].kind
    lines = [
        f"{begin}{where} {said.message} [{kind}]" if where else f"{begin}{said.message} [{kind}]"
    ]
    if said.fix:
        lines.append(f"    {said.fix}")
    return lines
