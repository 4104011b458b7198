"""A report as lines of text for a person."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from manyshim.audit import findings as f
from manyshim.audit.decision import Blockers, TagDecision
from manyshim.audit.findings import Finding
from manyshim.audit.messages import Sentence, sentence
from manyshim.audit.policy import alpine_releases, distributions
from manyshim.audit.reasons import because, escape, join_names
from manyshim.audit.tags import GLIBC, PlatformTag
from manyshim.audit.verdict import Report
from manyshim.values import NamedTuple

_MAX_FILES_SHOWN = 3
# The distributions that the line about a tag speaks of, the best known first.
_SPOKEN_OF = ("RHEL", "Ubuntu", "Debian", "Rocky Linux", "openSUSE Leap")
_SPOKEN = 3


class Line(NamedTuple):
    """A line of text with its role, which a terminal may colour: title, tag, error, dim..."""

    text: str
    role: str = ""


# Where the source uses a symbol, as `src/_x.c:42 in helper()`.
Places = Mapping[str, Tuple[str, ...]]


def build_lines(
    report: Report,
    decision: TagDecision,
    blocked: Optional[Blockers],
    places: Places,
    *,
    compiled: bool = False,
) -> List[Line]:
    """Say what a build wants to know: what is wrong, and what an older tag would take.

    Where our toolchain `compiled` for a target, an older one is another build.
    """
    lines = [line for severity in (f.ERROR, f.WARNING) for line in _by_severity(report, severity)]
    older = decision.tag and report.policy and report.policy.version < decision.tag.version
    if report.policy and older and not compiled:
        lines.append(Line(f"{report.policy.without_arch} would hold too"))
    if blocked is None:
        return lines
    lines.append(Line(f"{blocked.policy.without_arch} is ruled out:"))
    lines += _grouped(blocked.findings, "  ", places=places)
    if blocked.without and blocked.without.version <= blocked.policy.version:
        lines.append(Line(f"  without that, {blocked.without.without_arch} would hold"))
    return lines


def show_lines(report: Report, decision: TagDecision, *, verbose: bool = False) -> List[Line]:
    """Say the whole report: the tag, whom it leaves out, each rung's obstacles, the rest."""
    lines = [Line(escape(str(report.name)), "title")]
    if decision.tag:
        lines.append(Line(f"  {' '.join(decision.platforms)}", "tag"))
        lines.append(Line(f"  {reach(decision.tag, report)}"))
    else:
        lines.append(Line(f"  no tag: {why_not(decision)}", f.ERROR))
        if report.policy:
            lines.append(Line(f"  {report.policy} would hold without the errors"))
    for severity in (f.ERROR, f.WARNING, *((f.INFO,) if verbose else ())):
        lines += [Line(f"  {line.text}", line.role) for line in _by_severity(report, severity)]
    for policy in reversed(report.policies):
        found = [
            one for one in report.findings if one.severity == f.POLICY and one.policy == policy
        ]
        if found:
            older = "" if policy == report.policies[0] else " and older"
            lines.append(Line(f"  {policy.without_arch}{older}: ruled out", "rung"))
            lines += _grouped(found, "    ")
    return lines


def check_lines(report: Report, *, verbose: bool = False) -> List[Line]:
    """Say whether a wheel may go out as it is called."""
    word = "refused" if report.errors else "ok"
    role = f.ERROR if report.errors else "tag"
    lines = [Line(f"{escape(str(report.name))}: {word}", role)]
    for severity in (f.ERROR, f.WARNING, *((f.INFO,) if verbose else ())):
        lines += [Line(f"  {line.text}", line.role) for line in _by_severity(report, severity)]
    return lines


def why_not(decision: TagDecision) -> str:
    """Say why a wheel gets no tag; empty where it gets one."""
    return because(decision.reason, decision.details)


def reach(tag: PlatformTag, report: Report) -> str:
    """Say in one line where a tag's wheels run, and where not."""
    if tag.libc != GLIBC:
        return _reach_musl(report)
    since: List[str] = []
    too_old: List[str] = []
    for family in _SPOKEN_OF:
        releases = [
            release
            for release in distributions()
            if release.family == family and tag.arch in release.arches
        ]
        having = [release for release in releases if release.glibc >= tag.version]
        before = [release for release in releases if release.glibc < tag.version]
        if having and len(since) < _SPOKEN:
            since.append(min(having, key=lambda release: release.sort_key).name)
            if before:
                too_old.append(max(before, key=lambda release: release.sort_key).name)
    text = f"runs on glibc {tag.major}.{tag.minor} and later"
    text += f": {', '.join(since)}" if since else ""
    return text + (f"; not on {', '.join(too_old)}" if too_old else "")


def _reach_musl(report: Report) -> str:
    minimum = report.musl_minimum or (1, 1, 16)
    promised = max(minimum, (1, 2, 0)) if report.policy and report.policy.minor == 2 else minimum
    text = f"runs on musl {'.'.join(map(str, promised))} and later"
    releases = alpine_releases()
    having = [one for one in releases if one.musl >= promised]
    before = [one for one in releases if one.musl < promised]
    text += f": {having[0].first}" if having else ""
    return text + (f"; not on {before[-1].last}" if before else "")


def _by_severity(report: Report, severity: str) -> List[Line]:
    found = [one for one in report.findings if one.severity == severity]
    return _grouped(found, "", severity)


def _grouped(
    found: Iterable[Finding], indent: str, label: str = "", places: Optional[Places] = None
) -> List[Line]:
    """Say findings that differ in nothing but the file at once, and a way out once for all."""
    groups: Dict[Tuple[Any, ...], List[Finding]] = {}
    for one in found:
        groups.setdefault(tuple(one._replace(path="", symbols=())), []).append(one)
    lines: List[Line] = []
    said_groups = [(group, _said(group)) for group in groups.values()]
    for position, (group, said) in enumerate(said_groups):
        begin = f"{indent}{label}: " if label else indent
        lines.append(Line(f"{begin}{_where(group)}{said.message} [{group[0].kind}]", label))
        lines += [Line(f"{indent}  {place}", "place") for place in _places(group, places or {})]
        repeated = position + 1 < len(said_groups) and said_groups[position + 1][1].fix == said.fix
        if said.fix and not repeated:
            lines.append(Line(f"{indent}  {said.fix}", "dim"))
    return lines


def _places(group: List[Finding], places: Places) -> List[str]:
    """List where the source uses the symbols of a group, each with its symbol."""
    symbols = sorted({symbol for one in group for symbol in one.symbols})
    return [f"{escape(place)}: {escape(one)}" for one in symbols for place in places.get(one, ())]


def _paths(group: List[Finding]) -> Tuple[str, ...]:
    return tuple(dict.fromkeys(one.path for one in group if one.path))


def _where(group: List[Finding]) -> str:
    paths = _paths(group)
    return f"{join_names(paths, _MAX_FILES_SHOWN)} " if paths else ""


def _said(group: List[Finding]) -> Sentence:
    symbols = tuple(sorted({symbol for one in group for symbol in one.symbols}))
    return sentence(group[0]._replace(symbols=symbols), plural=len(_paths(group)) > 1)
