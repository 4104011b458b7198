"""Which tag a report allows, and what stands before an older one."""

from __future__ import annotations

import re
from typing import Optional, Tuple

from manyshim.audit.findings import Finding
from manyshim.audit.request import Request
from manyshim.audit.tags import GLIBC, MUSL, PlatformTag
from manyshim.audit.verdict import Report
from manyshim.values import NamedTuple


class TagDecision(NamedTuple):
    """What may be written: the tag and its spellings, or the reason why none may."""

    tag: Optional[PlatformTag] = None
    reason: str = ""

    @property
    def platforms(self) -> Tuple[str, ...]:
        """The platform tags of the file name, sorted; empty where none is proved."""
        return self.tag.spellings if self.tag else ()


def choose(report: Report, request: Request) -> TagDecision:
    """Choose the tag: the platform asked for where it is proved, else the oldest that holds."""
    if report.arch is None:
        return TagDecision(reason="there is nothing to audit in it")
    if not report.name.linux and not report.name.pure:
        return TagDecision(reason="it is not for Linux")
    if report.errors:
        kinds = ", ".join(sorted({found.kind for found in report.errors}))
        return TagDecision(reason=f"an error blocks every tag: {kinds}")
    if request.platform is None:
        tag = (_exact(report) if request.exact else None) or report.policy
        return TagDecision(tag) if tag else TagDecision(reason="no policy holds")
    wanted = request.platform.on(report.arch)
    reason = _unproved(report, wanted)
    return TagDecision(reason=reason) if reason else TagDecision(wanted)


def _exact(report: Report) -> Optional[PlatformTag]:
    """Name the unlisted policy that holds where only glibc's own versions rule out the next rung.

    PEP 600 defines a policy for every glibc release; other libraries' versions are known for the
    listed ones only.
    """
    if report.libc != GLIBC:
        return None
    older = [policy for policy in report.policies if report.rules_out(policy)]
    needs = [_glibc_version(found) for found in report.rules_out(older[-1])] if older else []
    if not needs or None in needs:
        return None
    major, minor = max(need for need in needs if need)
    return older[-1]._replace(major=major, minor=minor)


def _glibc_version(found: Finding) -> Optional[Tuple[int, int]]:
    """Read the release of glibc from a finding about one of its versions."""
    match = re.fullmatch(r"GLIBC_(\d+)\.(\d+)", found.subject)
    if found.kind != "TOO_NEW" or not match:
        return None
    version = int(match.group(1)), int(match.group(2))
    # A node older than the policy that lacks it exists on no system at all.
    return version if found.policy and version > found.policy.version else None


def _unproved(report: Report, wanted: PlatformTag) -> str:
    """Say why a platform is not proved; empty where it is."""
    if wanted.arch != report.arch:
        return f"{wanted} was asked for, and the files are for {report.arch}"
    if wanted.libc != report.libc:
        return f"{wanted} was asked for, and the files are for {report.libc}"
    older = [policy for policy in report.policies if policy.version <= wanted.version]
    if not older:
        floor = f"{report.policies[0]} is the oldest" if report.policies else "there are none"
        return f"{wanted} is no policy of {report.arch}: {floor}"
    beyond = report.rules_out(older[-1])
    if wanted.version == older[-1].version or wanted.libc == MUSL:
        proved = not beyond
    else:
        proved = all((_glibc_version(found) or (99, 0)) <= wanted.version for found in beyond)
    if proved:
        return ""
    holds = f"{report.policy} would hold" if report.policy else "no policy holds"
    return f"{wanted} was asked for and is not proved; {holds}"


class Blockers(NamedTuple):
    """What stands between a wheel and a policy: the findings, and what would hold without them."""

    policy: PlatformTag
    findings: Tuple[Finding, ...]
    without: Optional[PlatformTag]


# A tag that every system of today takes needs no explanation.
_OLD_ENOUGH = (2, 17)


def blockers(
    report: Report, claim: TagDecision, request: Request, *, always: bool = False
) -> Optional[Blockers]:
    """Pick what is worth explaining: the platform that was refused, else the next older rung."""
    ruled_out = [policy for policy in report.policies if report.rules_out(policy)]
    wanted = request.platform.on(report.arch or "") if request.platform else None
    if wanted and not claim.tag and (wanted.arch, wanted.libc) == (report.arch, report.libc):
        ruled_out = [policy for policy in ruled_out if policy.version <= wanted.version]
    elif claim.tag:
        # What was compiled for a target has what it asked for.
        if (claim.tag.version <= _OLD_ENOUGH or request.compiled) and not always:
            return None
        ruled_out = [policy for policy in ruled_out if policy.version < claim.tag.version]
    if not ruled_out:
        return None
    found = report.rules_out(ruled_out[-1])
    rest = report._replace(findings=tuple(one for one in report.findings if one not in found))
    holds = (policy for policy in report.policies if not rest.rules_out(policy))
    return Blockers(ruled_out[-1], found, next(holds, None))
