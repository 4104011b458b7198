"""Rules of `check` beyond an audit: each tag of the name is proved, and the index accepts it."""

from __future__ import annotations

import re
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from manyshim.audit.decision import choose, unmet
from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import ERROR, Evidence, Finding, Problem, Row, finding, problem_finding
from manyshim.audit.request import Request
from manyshim.audit.tags import PlatformTag, WheelName, parse_platform, platform_arch
from manyshim.audit.verdict import Report


class IndexProblem(Problem):
    """What the index refuses of a wheel's folder."""

    OTHER_FOLDER = Row(
        "BAD_PATH",
        ERROR,
        "does not fit the file name, for which the index expects {0}.dist-info",
        "restore the name of the file if it was renamed; otherwise build again",
    )


class RequestProblem(Problem):
    """Why a wheel does not meet the platform that the user requires."""

    NOT_MET = Row(
        *("FALSE_TAG", ERROR, "meets {0} or later only, and --platform requires {subject}"),
        "build it for an older system (C or C++: -C manyshim.compiler=zig), or require {0}",
    )
    NONE_MET = Row(
        *("FALSE_TAG", ERROR, "does not meet {subject}, which --platform requires, or any other"),
        "`manyshim show` names what rules out every tag",
    )
    OTHER_FILES = Row(
        *("FALSE_TAG", ERROR, "is for {0}, and --platform requires {subject}"),
        "require a policy for {0}, or build the wheel for {subject}",
    )


# The size up to which the package index accepts a file by default, in bytes.
SIZE_LIMIT = 100 << 20


def tags_to_prove(name: WheelName, request: Request) -> Tuple[PlatformTag, ...]:
    """Return the manylinux and musllinux tags of a wheel's name, and the requested platform.

    The request does not apply to pure wheels and those for other systems. A folder may have both.
    """
    tags = [parse_platform(platform) for platform in name.platforms]
    found = [tag for tag in tags if tag]
    wanted = request.platform
    if wanted and name.linux:
        arch = next(filter(None, map(platform_arch, name.platforms)), "")
        found.append(wanted.on(arch))
    return tuple(dict.fromkeys(found))


def false_tags(tag: PlatformTag, report: Report, request: Request) -> Iterator[Finding]:
    """Yield a finding if a tag is not proved by a report for its libc family.

    Errors are left out, because the report of `check` already lists them. A wheel without machine
    code runs everywhere, so each tag is true for it; NO_ELF is enough.
    """
    policies = tuple(found for found in report.findings if found.severity != ERROR)
    decision = choose(report._replace(findings=policies), request._replace(platform=tag))
    if decision.tag or decision.reason == Evidence.NOTHING_TO_AUDIT:
        return
    named = tag in map(parse_platform, report.name.platforms)
    problem = _REQUESTED.get(decision.reason) if request.platform and not named else None
    found = finding("FALSE_TAG", "", str(tag), evidence=decision.reason, details=decision.details)
    if problem:
        found = found._replace(problem=problem, details=decision.details[1:])
    if decision.reason in _HAVE_CAUSES:
        found = _with_causes(found, report, tag.on(report.arch or ""), request)
    yield found


_REQUESTED: Mapping[Optional[Evidence], Problem] = {
    Evidence.NOT_PROVED: RequestProblem.NOT_MET,
    Evidence.NOTHING_PROVED: RequestProblem.NONE_MET,
    Evidence.FILES_OF_OTHER: RequestProblem.OTHER_FILES,
}
_HAVE_CAUSES = (Evidence.NOT_PROVED, Evidence.NOTHING_PROVED)


def _with_causes(found: Finding, report: Report, tag: PlatformTag, request: Request) -> Finding:
    """Return a finding with its causes, and with the file, library and symbols of the strongest.

    That is the one that rules out the newest policy. Causes in files that the user accepts come
    last, so that a tag is accepted only if all of its causes are.
    """
    causes = sorted(unmet(report, tag), key=_strength, reverse=True)
    causes.sort(key=lambda cause: request.allows("FALSE_TAG", cause.path))
    if not causes:
        return found
    first = causes[0]
    return found._replace(
        path=first.path,
        # The subject of EXTERNAL_LIBRARY is a library.
        library=first.library or first.subject,
        symbols=first.symbols,
        causes=tuple(_about(cause, report, tag) for cause in causes),
    )


def _strength(cause: Finding) -> Tuple[Tuple[int, ...], ...]:
    policy = cause.policy.version if cause.policy else ()
    # GLIBCXX_3.4.29 is newer than GLIBCXX_3.4.9. A name of others may have any length.
    numbers = tuple(map(int, re.findall(r"[0-9]{1,9}", cause.subject[:_MAX_VERSION])))
    return policy, cause.required or (), numbers


_MAX_VERSION = 64


def _about(cause: Finding, report: Report, tag: PlatformTag) -> Finding:
    """Return a cause that states the limit of the tag, and not that of a newer policy.

    What rules out every policy keeps the newest one.
    """
    newer = cause.kind == "TOO_NEW" and cause.policy != report.policies[-1]
    return cause._replace(policy=tag) if newer and tag in report.policies else cause


def by_cause(found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield one FALSE_TAG finding for all tags that are false for the same reason.

    Its causes are those of the newest tag. They rule out the older ones, too.
    """
    groups: Dict[Tuple[object, ...], List[Finding]] = {}
    for one in found:
        groups.setdefault((one.problem, one.evidence, one.details[1:]), []).append(one)
    for group in groups.values():
        tags = ", ".join(dict.fromkeys(one.subject for one in group))
        first = group[0]
        about_tag = first.details[:1] == (first.subject,)
        details = (tags, *first.details[1:]) if about_tag else first.details
        newest = max(group, key=lambda one: (parse_platform(one.subject) or ())[1:3])
        yield newest._replace(subject=tags, details=details)


def index_rules(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for a folder name and a size that the index refuses."""
    expected = f"{facts.name.name}-{facts.name.version}"
    if facts.distribution != expected:
        folder = f"{facts.distribution}.dist-info"
        yield problem_finding(IndexProblem.OTHER_FOLDER, folder, expected, subject=folder)
    yield from too_large(facts.size)


def too_large(size: int) -> Iterator[Finding]:
    """Yield a finding for a file of more bytes than the index accepts by default."""
    if size > SIZE_LIMIT:
        stated, limit = (f"{number / (1 << 20):.1f} MiB" for number in (size, SIZE_LIMIT))
        yield finding("TOO_LARGE", "", stated, details=(limit,))
