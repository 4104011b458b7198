"""Writes a report as lines of text."""

from __future__ import annotations

from collections import Counter

from manyshim.audit import findings as f
from manyshim.audit.decision import Blockers, TagDecision, needs_advice
from manyshim.audit.facts import NO_PLACES, Places
from manyshim.audit.findings import Evidence, Finding, dotted
from manyshim.audit.tags import GLIBC, PlatformTag
from manyshim.audit.verdict import Report
from manyshim.errors import escape, shorten
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

    from manyshim.audit.reasons import Sentence

# A wheel without findings needs no sentence, so the modules of these are loaded where one is made.

_MAX_FILES_SHOWN = 3
_MAX_CAUSES_SHOWN = 5
# Why a wheel keeps its tag, with the role of the line.
_WITHOUT_TAG = {
    Evidence.NOT_FOR_LINUX: "dim",
    Evidence.PURE: "dim",
    Evidence.VERIFIED: "tag",
    Evidence.NOT_AS_TAGGED: f.ERROR,
}


class Line(NamedTuple):
    """A line of text. `role` (title, tag, error, dim, ...) decides its colour on a terminal."""

    text: str
    role: str = ""


class Notes(NamedTuple):
    """What is known about symbols beyond the findings.

    `places` has, by symbol, the places in the source that use it.
    `names` has readable names of C++ symbols; the instances of a template have one name.
    """

    places: Places = NO_PLACES
    names: Mapping[str, str] = {}


_NO_NOTES = Notes()


def build_lines(
    report: Report,
    decision: TagDecision,
    blocked: Optional[Blockers],
    notes: Notes = _NO_NOTES,
    *,
    compiled: bool = False,
) -> List[Line]:
    """Return the lines that a build prints: the problems, and what blocks an older tag.

    `compiled` tells that manyshim's toolchain compiled for a target. An older policy that the
    wheel also meets is not named then, because an older target takes another build.
    """
    lines = by_severity(report.findings, notes)
    older = decision.tag and report.policy and report.policy.version < decision.tag.version
    if report.policy and older and not compiled:
        lines.append(Line(f"the wheel also meets {report.policy.without_arch}"))
    if blocked is None:
        return lines
    lines.append(Line(f"{blocked.policy.without_arch} is ruled out:"))
    lines += _grouped(blocked.findings, "  ", notes=notes)
    if blocked.without and blocked.without.version <= blocked.policy.version:
        policy = blocked.without.without_arch
        lines.append(Line(f"  without that, the wheel would meet {policy}"))
    return lines


def show_lines(
    report: Report, decision: TagDecision, notes: Notes = _NO_NOTES, *, verbose: bool = False
) -> List[Line]:
    """Return the whole report: the tag, where it runs, and what rules out each older policy."""
    lines = [Line(escape(str(report.name)), "title")]
    if decision.tag:
        lines.append(Line(f"  {' '.join(decision.platforms)}", "tag"))
        lines.append(Line(f"  {reach(decision.tag, report)}"))
    elif decision.reason in _WITHOUT_TAG:
        lines.append(Line(f"  {why_not(decision)}", _WITHOUT_TAG[decision.reason]))
    else:
        lines.append(Line(f"  no tag: {why_not(decision)}", f.ERROR))
        if report.policy and decision.reason == Evidence.ERRORS:
            lines.append(Line(f"  apart from the errors, the wheel meets {report.policy}"))
    found = by_severity(report.findings, notes, verbose=verbose)
    lines += [Line(f"  {line.text}", line.role) for line in found]
    for policy in reversed(report.policies):
        of_policy = [
            one for one in report.findings if one.severity == f.POLICY and one.policy == policy
        ]
        if of_policy:
            older = "" if policy == report.policies[0] else " and older"
            lines.append(Line(f"  {policy.without_arch}{older}: ruled out", "policy"))
            lines += _grouped(of_policy, "    ", notes=notes, fixes=needs_advice(decision))
    return lines


def check_lines(report: Report, notes: Notes = _NO_NOTES, *, verbose: bool = False) -> List[Line]:
    """Return the lines that say whether a wheel may be uploaded under its name, and why not."""
    return gate_lines(str(report.name), report.findings, notes, verbose=verbose)


def gate_lines(
    name: str, findings: Tuple[Finding, ...], notes: Notes = _NO_NOTES, *, verbose: bool = False
) -> List[Line]:
    """Return the lines of `check` for a file with these findings."""
    bad = any(one.severity == f.ERROR for one in findings)
    title = f"{escape(name)}: {'not compliant' if bad else 'ok'}"
    found = by_severity(findings, notes, verbose=verbose)
    lines = [Line(f"  {line.text}", line.role) for line in found]
    return [Line(title, f.ERROR if bad else "tag"), *lines]


def by_severity(
    findings: Iterable[Finding], notes: Notes = _NO_NOTES, *, verbose: bool = False
) -> List[Line]:
    """Return the lines of findings, errors first; those of severity info only if `verbose`."""
    severities = (f.ERROR, f.WARNING, *((f.INFO,) if verbose else ()))
    found = {
        severity: [one for one in findings if one.severity == severity] for severity in severities
    }
    return [line for name in severities for line in _grouped(found[name], "", name, notes)]


def finding_lines(found: Iterable[Finding]) -> List[str]:
    """Return the lines of findings that have no other heading, each with its fix."""
    return [line.text for line in _grouped(found, "  ")]


def why_not(decision: TagDecision) -> str:
    """Return the reason why a wheel gets no tag; empty if it gets one."""
    from manyshim.audit.reasons import describe  # noqa: PLC0415

    return describe(decision.reason, decision.details)


def reach(tag: PlatformTag, report: Report) -> str:
    """Return one line about the systems that a wheel with this tag runs on."""
    from manyshim.audit import systems  # noqa: PLC0415 (no build says it)

    if tag.libc == GLIBC:
        begin = f"glibc {tag.major}.{tag.minor}"
        new_enough, too_old = systems.best_known(tag)
    else:
        begin = f"musl {dotted(systems.promised_musl(tag, report.musl_minimum))}"
        new_enough, too_old = systems.alpine(tag, report.musl_minimum)
    text = f"runs on {begin} and later"
    text += f": {', '.join(new_enough)}" if new_enough else ""
    return text + (f"; not on {', '.join(too_old)}" if too_old else "")


def _grouped(
    found: Iterable[Finding],
    indent: str,
    label: str = "",
    notes: Notes = _NO_NOTES,
    *,
    fixes: bool = True,
) -> List[Line]:
    """Return one line for findings that differ only in file and symbols.

    A fix that several groups share is printed once, after the last of them. Without `fixes`, none
    is printed.
    """
    groups: Dict[Tuple[Any, ...], List[Finding]] = {}
    for one in found:
        groups.setdefault(tuple(one._replace(path="", symbols=())), []).append(one)
    lines: List[Line] = []
    sentences = [(group, _group_sentence(group, notes)) for group in groups.values()]
    for position, (group, text) in enumerate(sentences):
        begin = f"{indent}{label}: " if label else indent
        lines.append(Line(f"{begin}{_files(group)}{text.message} [{group[0].kind}]", label))
        lines += _causes(group[0].causes, f"{indent}  ", notes)
        lines += [Line(f"{indent}  {place}", "place") for place in _places(group, notes)]
        repeated = position + 1 < len(sentences) and sentences[position + 1][1].fix == text.fix
        if fixes and text.fix and not repeated:
            lines.append(Line(f"{indent}  {text.fix}", "dim"))
    return lines


def _causes(causes: Tuple[Finding, ...], indent: str, notes: Notes) -> List[Line]:
    """Return the lines of what a tag is not proved for, the strongest first."""
    lines = _grouped(causes, indent, notes=notes, fixes=False)
    more = len(lines) - _MAX_CAUSES_SHOWN
    if more > 0:
        rest = Line(f"{indent}and {more} more; `manyshim show` lists all")
        lines = [*lines[:_MAX_CAUSES_SHOWN], rest]
    return lines


def _places(group: List[Finding], notes: Notes) -> List[str]:
    """List the places in the source that use the symbols of a group, each with its symbol."""
    lines = (
        f"{shorten(str(place))}: {shorten(notes.names.get(symbol, symbol))}"
        for symbol in _symbols(group)
        for place in notes.places.get(symbol, ())
    )
    return list(dict.fromkeys(lines))


def _symbols(group: List[Finding]) -> List[str]:
    return sorted({symbol for one in group for symbol in one.symbols})


def _paths(group: List[Finding]) -> Tuple[str, ...]:
    if group[0].causes:
        # Each cause has a line with its own file.
        return ()
    return tuple(dict.fromkeys(one.path for one in group if one.path))


def _files(group: List[Finding]) -> str:
    """Return the file names that begin the line of a group, with a space after them."""
    from manyshim.audit.reasons import join_names  # noqa: PLC0415

    paths = _paths(group)
    return f"{join_names(paths, _MAX_FILES_SHOWN)} " if paths else ""


def _group_sentence(group: List[Finding], notes: Notes) -> Sentence:
    """Return the sentence of a group, with the symbols of all its findings."""
    from manyshim.audit.messages import sentence  # noqa: PLC0415

    symbols = _readable(_symbols(group), notes)
    if group[0].causes:
        fix = sentence(group[0]).fix
        return sentence(group[0]._replace(causes=()))._replace(fix=fix)
    return sentence(group[0]._replace(symbols=symbols), plural=len(_paths(group)) > 1)


def _readable(symbols: List[str], notes: Notes) -> Tuple[str, ...]:
    """Return the names of symbols for people: the instances of a template as one name."""
    counted = Counter(notes.names.get(symbol, symbol) for symbol in symbols)
    return tuple(
        f"{name} ({times} instances)" if times > 1 else name for name, times in counted.items()
    )
