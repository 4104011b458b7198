"""Chooses the tag that a report allows, and finds what blocks an older policy."""

from __future__ import annotations

from manyshim.audit.findings import Evidence, Finding, Version
from manyshim.audit.names import system_name
from manyshim.audit.request import Request
from manyshim.audit.tags import ARCHES, GLIBC, MUSL, PlatformTag, is_linux, platform_arch
from manyshim.audit.verdict import Report, judged
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple


class TagDecision(NamedTuple):
    """The tag that may be written, or the `reason` why there is none, with its `details`."""

    tag: Optional[PlatformTag] = None
    reason: Optional[Evidence] = None
    details: Tuple[str, ...] = ()

    @property
    def platforms(self) -> Tuple[str, ...]:
        """The platform tags of the file name, sorted; empty if no tag is proved."""
        return self.tag.spellings if self.tag else ()


def choose(report: Report, request: Request) -> TagDecision:
    """Choose the tag: the requested platform if it is proved, or the oldest policy that is met.

    Without a requested platform, `request.exact` also allows an unlisted policy (PEP 600).
    """
    if not judged(report.name):
        return _for_other_system(report)
    strange = _without_policies(report)
    if report.arch and strange:
        return TagDecision(reason=Evidence.OTHER_ARCH, details=strange)
    if report.errors:
        kinds = ", ".join(sorted({found.kind for found in report.errors}))
        return TagDecision(reason=Evidence.ERRORS, details=(kinds,))
    if report.arch is None:
        return _nothing_judged(report)
    if request.platform is None:
        tag = (_exact(report) if request.exact else None) or report.policy
        return TagDecision(tag) if tag else TagDecision(reason=Evidence.NO_POLICY_HOLDS)
    wanted = request.platform.on(report.arch)
    return _proved(report, wanted)


def _for_other_system(report: Report) -> TagDecision:
    """Return what is known of a wheel whose tag is never rewritten."""
    systems = ", ".join(sorted(set(map(system_name, report.name.platforms))))
    if report.right_tags is None:
        return TagDecision(None, Evidence.NOT_FOR_LINUX, (systems,))
    kinds = ", ".join(sorted({found.kind for found in report.errors}))
    reason = Evidence.NOT_AS_TAGGED if kinds else Evidence.VERIFIED
    return TagDecision(None, reason, (systems, kinds))


def needs_no_tag(report: Report) -> bool:
    """Whether a wheel needs no tag: it is not for Linux, and has no machine code."""
    missed = any(
        found.kind == "ELF_CORRUPT" or (found.kind == "NO_ELF" and not found.allowed)
        for found in report.findings
    )
    return not report.name.linux and report.arch is None and not missed


def can_be_copied(report: Report, decision: TagDecision) -> bool:
    """Whether no command can give a wheel a better tag than it has, so that it may keep it.

    No policy is defined for its system or architecture, or it is pure. A wheel with an error is
    not for anyone.
    """
    without = decision.reason == Evidence.OTHER_ARCH or needs_no_tag(report)
    return without and not report.errors


def _nothing_judged(report: Report) -> TagDecision:
    """Return why a wheel has no file that a policy applies to."""
    if report.other_machines:
        return TagDecision(None, Evidence.OTHER_MACHINE, (", ".join(report.other_machines),))
    return TagDecision(reason=Evidence.PURE if report.name.pure else Evidence.NOTHING_TO_AUDIT)


def _without_policies(report: Report) -> Tuple[str, ...]:
    """Return the architecture of a name if no policy is defined for it; empty if none is such.

    Its files may look like those of a known architecture, as ARMv6 code does.
    """
    for platform in report.name.platforms:
        arch = platform_arch(platform) if is_linux(platform) else None
        if arch and arch not in ARCHES:
            return (arch,)
    return ()


def _exact(report: Report) -> Optional[PlatformTag]:
    """Return the oldest unlisted policy that is met; None if only listed policies can be proved.

    PEP 600 defines a policy for every glibc release, but the versions of other libraries are known
    for the listed policies only. So only glibc's versions may rule out the next older policy.
    """
    if report.libc != GLIBC:
        return None
    older = report.ruled_out
    needs = [_glibc_release(found) for found in report.rules_out(older[-1])] if older else []
    if not needs or None in needs:
        return None
    major, minor = max(need for need in needs if need)
    return older[-1]._replace(major=major, minor=minor)


def _glibc_release(found: Finding) -> Optional[Version]:
    """Return the glibc release that a finding requires; None if no newer policy can have it."""
    if found.kind != "TOO_NEW" or not found.required:
        return None
    # A version that is older than the policy, but missing there, exists on no system at all.
    newer = found.policy and found.required > found.policy.version
    return found.required if newer else None


def _proved(report: Report, wanted: PlatformTag) -> TagDecision:
    """Decide whether the requested platform is proved."""
    for requested, actual in ((wanted.arch, report.arch), (wanted.libc, report.libc)):
        if requested != actual:
            return TagDecision(None, Evidence.FILES_OF_OTHER, (str(wanted), str(actual)))
    older = _older(report, wanted)
    if not older and not report.policies:
        return TagDecision(None, Evidence.UNKNOWN_POLICY, (str(wanted), str(report.arch)))
    if not older:
        details = (str(wanted), str(report.arch), str(report.policies[0]))
        return TagDecision(None, Evidence.OLDER_THAN_ALL, details)
    if not unmet(report, wanted):
        return TagDecision(wanted)
    if report.policy is None:
        return TagDecision(None, Evidence.NOTHING_PROVED, (str(wanted),))
    return TagDecision(None, Evidence.NOT_PROVED, (str(wanted), str(report.policy)))


def unmet(report: Report, wanted: PlatformTag) -> Tuple[Finding, ...]:
    """Return the findings that rule out a tag of the report's architecture and libc family.

    The tag may be an unlisted one (PEP 600): then only glibc's versions may rule out the listed
    policy below it.
    """
    older = _older(report, wanted)
    if not older:
        return ()
    beyond = report.rules_out(older[-1])
    if wanted.version == older[-1].version or wanted.libc == MUSL:
        return beyond
    return tuple(found for found in beyond if (_glibc_release(found) or (99, 0)) > wanted.version)


def _older(report: Report, wanted: PlatformTag) -> List[PlatformTag]:
    """Return the listed policies up to a tag, oldest first."""
    return [policy for policy in report.policies if policy.version <= wanted.version]


class Blockers(NamedTuple):
    """The findings that rule out `policy`. `without` is the oldest policy met without them."""

    policy: PlatformTag
    findings: Tuple[Finding, ...]
    without: Optional[PlatformTag]


# Policies up to this one run on all current systems, so they need no explanation.
_OLD_ENOUGH = (2, 17)


def needs_advice(decision: TagDecision) -> bool:
    """Whether a wheel gets no tag, or one that some current systems do not accept."""
    return decision.tag is None or decision.tag.version > _OLD_ENOUGH


def blockers(
    report: Report, decision: TagDecision, request: Request, *, always: bool = False
) -> Optional[Blockers]:
    """Return what blocks the refused platform, or else the next older policy.

    None if nothing is ruled out, or the tag is old enough and `always` is not set.
    """
    ruled_out = list(report.ruled_out)
    wanted = request.platform.on(report.arch or "") if request.platform else None
    if wanted and not decision.tag and (wanted.arch, wanted.libc) == (report.arch, report.libc):
        found = unmet(report, wanted)
        if found:
            return _blockers(report, wanted, found)
        ruled_out = [policy for policy in ruled_out if policy.version <= wanted.version]
    elif decision.tag:
        # A wheel that was compiled for a target has the tag that was requested.
        if (not needs_advice(decision) or request.compiled) and not always:
            return None
        ruled_out = [one for one in ruled_out if one.version < decision.tag.version]
    if not ruled_out:
        return None
    return _blockers(report, ruled_out[-1], report.rules_out(ruled_out[-1]))


def _blockers(report: Report, policy: PlatformTag, found: Tuple[Finding, ...]) -> Blockers:
    """Return what rules out a policy, which may be an unlisted one, with what else would hold."""
    removed = frozenset(found)
    rest = report._replace(findings=tuple(one for one in report.findings if one not in removed))
    older = _older(report, policy)
    holds = list(report.policies[len(rest.ruled_out) :])
    if older[-1] != policy and not unmet(rest, policy):
        # It lies between listed ones, of which only newer ones may hold.
        holds = sorted((policy, *holds), key=lambda one: one.version)
    return Blockers(policy, found, holds[0] if holds else None)
