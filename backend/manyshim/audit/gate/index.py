"""Rules of `check` beyond an audit: each tag of the name is proved, and the index accepts it."""

from __future__ import annotations

import re
from typing import Dict, Iterable, Iterator, List, Tuple

from manyshim.audit.decision import choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import ERROR, Evidence, Finding, finding
from manyshim.audit.policy import index_tags
from manyshim.audit.request import Request
from manyshim.audit.tags import PlatformTag, WheelName, parse_platform
from manyshim.audit.verdict import Report

# The size up to which the package index accepts a file by default, in bytes.
SIZE_LIMIT = 100 << 20


def index_takes(platform: str) -> bool:
    """Whether the package index accepts a platform tag. It ignores case."""
    tag = platform.lower()
    return any(_matches(pattern, words, tag) for pattern, words in index_tags())


def _matches(pattern: str, words: Tuple[str, ...], platform: str) -> bool:
    prefix, varies, _ = pattern.partition("{")
    # To compile a pattern costs more than all other work here.
    if not varies or not platform.startswith(prefix):
        return pattern == platform
    expression = pattern.replace("{n}", r"\d+").replace("{arch}", f"(?:{'|'.join(words)})")
    return re.fullmatch(expression, platform) is not None


def tags_to_prove(name: WheelName, request: Request) -> Tuple[PlatformTag, ...]:
    """Return the manylinux and musllinux tags of a wheel's name, and the requested platform."""
    tags = [parse_platform(platform) for platform in name.platforms]
    return tuple(dict.fromkeys(tag for tag in (*tags, request.platform) if tag))


def false_tags(tag: PlatformTag, report: Report, request: Request) -> Iterator[Finding]:
    """Yield a finding if a tag is not proved by a report for its libc family.

    Errors are left out, because the report of `check` already lists them. A wheel without machine
    code runs everywhere, so each tag is true for it; NO_ELF is enough.
    """
    policies = tuple(found for found in report.findings if found.severity != ERROR)
    decision = choose(report._replace(findings=policies), request._replace(platform=tag))
    if not decision.tag and decision.reason != Evidence.NOTHING_TO_AUDIT:
        yield finding("FALSE_TAG", "", str(tag), evidence=decision.reason, details=decision.details)


def by_cause(found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield one FALSE_TAG finding for all tags that are false for the same reason."""
    groups: Dict[Tuple[object, ...], List[Finding]] = {}
    for one in found:
        groups.setdefault((one.evidence, one.details[1:]), []).append(one)
    for group in groups.values():
        tags = ", ".join(dict.fromkeys(one.subject for one in group))
        first = group[0]
        about_tag = first.details[:1] == (first.subject,)
        details = (tags, *first.details[1:]) if about_tag else first.details
        yield first._replace(subject=tags, details=details)


def index_rules(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for a folder name, platform tags and a size that the index refuses."""
    expected = f"{facts.name.name}-{facts.name.version}"
    if facts.distribution != expected:
        folder = f"{facts.distribution}.dist-info"
        evidence = Evidence.OTHER_DIST_INFO
        yield finding("BAD_PATH", folder, folder, evidence=evidence, details=(expected,))
    for platform in dict.fromkeys(facts.name.platforms):
        if not index_takes(platform):
            yield finding("INDEX_TAG", "", platform)
    yield from too_large(facts.size)


def too_large(size: int) -> Iterator[Finding]:
    """Yield a finding for a file of more bytes than the index accepts by default."""
    if size > SIZE_LIMIT:
        stated, limit = (f"{number / (1 << 20):.1f} MiB" for number in (size, SIZE_LIMIT))
        yield finding("TOO_LARGE", "", stated, details=(limit,))
