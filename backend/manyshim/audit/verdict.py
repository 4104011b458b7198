"""Applies all rules to the facts of a wheel and returns a report."""

from __future__ import annotations

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.findings import Evidence, Finding, finding, sort_key
from manyshim.audit.identity import family, identify
from manyshim.audit.loader.search import simulate
from manyshim.audit.policy import MuslRelease, policies_of
from manyshim.audit.request import Request
from manyshim.audit.rules import (
    archive,
    hardening,
    headers,
    policy,
    python,
    undefined,
)
from manyshim.audit.rules.context import Context, definers, imported
from manyshim.audit.tags import GLIBC, MACHINES, MUSL, PlatformTag, WheelName
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import (
        Callable,
        Dict,
        FrozenSet,
        Iterable,
        Iterator,
        List,
        Optional,
        Set,
        Tuple,
        TypeAlias,
    )


class Report(NamedTuple):
    """The result of an audit.

    `policies` are the listed ones of the wheel's architecture and libc family, oldest first.
    `policy` is the oldest one that no finding rules out. It is None if every policy is ruled out,
    or if there is nothing to audit. `musl_minimum` is the oldest release of musl that has all that
    the files import. `open_libc` is true if the files fit both libc families. `code_at_root` tells
    whether machine code lies outside of the wheel's .data folder. `other_machines` are those of a
    wheel whose machine code is for processors that no tag names. `right_tags` are the platform
    tags of macOS, iOS or Windows that the files prove; None if the rules for these were not
    applied.
    """

    name: WheelName
    arch: Optional[str] = None
    libc: Optional[str] = None
    policies: Tuple[PlatformTag, ...] = ()
    policy: Optional[PlatformTag] = None
    findings: Tuple[Finding, ...] = ()
    musl_minimum: Optional[MuslRelease] = None
    open_libc: bool = False
    code_at_root: bool = False
    other_machines: Tuple[str, ...] = ()
    right_tags: Optional[Tuple[str, ...]] = None

    @property
    def errors(self) -> Tuple[Finding, ...]:
        """The findings that block every tag."""
        return tuple(found for found in self.findings if found.severity == f.ERROR)

    @property
    def external(self) -> Tuple[str, ...]:
        """The sonames of the EXTERNAL_LIBRARY findings, sorted."""
        names = {found.subject for found in self.findings if found.kind == "EXTERNAL_LIBRARY"}
        return tuple(sorted(names))

    @property
    def ruled_out(self) -> Tuple[PlatformTag, ...]:
        """The listed policies that some finding rules out, oldest first."""
        policies = {found.policy for found in self.findings if found.severity == f.POLICY}
        newest = max((policy.version for policy in policies if policy), default=None)
        if newest is None:
            return ()
        return tuple(policy for policy in self.policies if policy.version <= newest)

    def rules_out(self, policy: PlatformTag) -> Tuple[Finding, ...]:
        """Return the findings that rule out a policy of this wheel's architecture and family."""
        return tuple(
            found
            for found in self.findings
            if found.severity == f.POLICY
            and found.policy
            and found.policy.version >= policy.version
        )


def judged(name: WheelName) -> bool:
    """Whether the policies apply to a wheel: it is tagged for Linux, or for any system."""
    return name.linux or name.pure


class Loaded(NamedTuple):
    """The files that the policies apply to, how they are loaded, and findings about the others.

    `open_libc` is as in a Report.
    """

    context: Context
    findings: Tuple[Finding, ...]
    open_libc: bool


def questions(
    facts: WheelFacts, request: Request, loaded: Optional[Loaded] = None
) -> Dict[str, FrozenSet[str]]:
    """Return, by member, the names whose definitions the audit still has to know.

    Read into `facts.exports` which of them each member defines, and call again until the result is
    empty. Libraries come first: there are many roots (modules and programs), and they rarely define
    names for the libraries that they load.
    """
    loaded = loaded or load(facts, request)
    if loaded is None:
        return {}
    context = loaded.context._replace(facts=facts)
    unresolved = undefined.unresolved
    if context.policies.libc == MUSL:
        from manyshim.audit.rules import musl  # noqa: PLC0415 (not for glibc)

        unresolved = musl.unresolved
    names: Set[str] = set()
    libraries: Set[str] = set()
    for process, left in unresolved(context):
        names.update(*left.values())
        if any(left.values()):
            libraries.update(process.members[1:])
        if any(left.get(path) for path in process.members[1:]):
            # The roots follow in the second round, when the libraries are known.
            libraries.add(process.root)
    roots = {process.root for process in context.loading.processes}
    foreign = python.not_in_stable_abi(context)
    for process in context.loading.processes if foreign else ():
        # A library of the wheel may define names that only look like the interpreter's.
        own = {name for path in process.members for name in foreign.get(path, ())}
        names.update(own)
        libraries.update(process.members[1:] if own else ())
    unknown = libraries - facts.exports.keys()
    # All members share one set, because it may be large.
    return dict.fromkeys(sorted(unknown - roots or unknown), frozenset(names))


def audit(facts: WheelFacts, request: Request, loaded: Optional[Loaded] = None) -> Report:
    """Audit a wheel against every policy of its architecture and libc family.

    `loaded` is what `load` returned for the same files; `facts` may know more of their exports.
    """
    found: List[Finding] = [
        *archive.members(facts),
        *archive.tags_agree(facts, request),
        *archive.wheel_version(facts),
        *python.usable_tags(facts, request),
        *archive.record(facts, request),
    ]
    if not judged(facts.name):
        return Report(facts.name, findings=resolved(found, request))
    found += [
        *archive.elf_presence(facts, request),
        *archive.modules_present(facts, request),
        *headers.headers(facts),
        *headers.unused(facts),
        *headers.copies(facts),
    ]
    loaded = loaded or load(facts, request)
    if loaded is None:
        others = archive.foreign_machines(facts)
        return Report(facts.name, findings=resolved(found, request), other_machines=others)
    context, libc = loaded.context._replace(facts=facts), loaded.context.policies.libc
    found.extend(loaded.findings)
    rules: Tuple[_Rule, ...] = (*_SHARED, policy.versions)
    minimum: Optional[MuslRelease] = None
    if libc == MUSL:
        from manyshim.audit.rules import musl  # noqa: PLC0415 (as above)

        rules = (*_SHARED, musl.release, musl.undefined)
        minimum = musl.minimum(context)
    for rule in rules:
        found.extend(rule(context))
    report = Report(
        facts.name,
        context.policies.arch,
        libc,
        context.policies.listed,
        findings=resolved(found, request),
        musl_minimum=minimum,
        open_libc=loaded.open_libc,
        code_at_root=archive.code_at_root(facts),
    )
    holds = report.policies[len(report.ruled_out) :]
    return report._replace(policy=holds[0] if holds else None)


def load(facts: WheelFacts, request: Request) -> Optional[Loaded]:
    """Choose one architecture and one libc family, and simulate how the files are loaded.

    That is done once for `questions` and `audit`. None if no policy applies to any file.
    """
    if not judged(facts.name):
        return None
    arches = {
        elf.path: identify(elf.ident).arch
        for elf in facts.elfs
        if elf.loadable and elf.ident.machine in MACHINES
    }
    known = {path: arch for path, arch in arches.items() if arch}
    if not known:
        return None
    preferred = (facts.name.header_arch, request.platform.arch if request.platform else None)
    arch = _resolve(list(known.values()), preferred)
    meant = facts.name.header_arch or arch
    found = [
        headers.other_arch(path, other, meant, facts.name)
        for path, other in known.items()
        if other != meant
    ]
    elfs_of_arch = [elf for elf in facts.elfs if known.get(elf.path) == arch]
    families = {elf.path: family(elf) for elf in elfs_of_arch}
    evident = [libc for libc in families.values() if libc]
    wanted = request.platform.libc if request.platform else None
    if evident:
        libc = _resolve(evident, (facts.name.libc, wanted))
    else:
        libc = wanted or request.libc or facts.name.libc or ""
    if not libc:
        libc = GLIBC
        found.append(finding("LIBC_ASSUMED", "", str(facts.name)))
    found += [
        finding("MIXED_LIBC", path, other, evidence=Evidence.OTHER_FILES, details=(libc,))
        for path, other in families.items()
        if other not in (None, libc)
    ]
    elfs = tuple(elf for elf in elfs_of_arch if families[elf.path] in (None, libc))
    return Loaded(_context(facts, request, elfs, (libc, arch)), tuple(found), not evident)


def _context(
    facts: WheelFacts, request: Request, elfs: Tuple[ElfFile, ...], target: Tuple[str, str]
) -> Context:
    libc, arch = target
    policies = policies_of(libc, arch)
    loading = simulate(elfs, libc, arch, facts.distribution, facts.paths, policies.promised)
    names = imported(facts.name, elfs, libc)
    others = definers(facts, loading, libc) if any(names.values()) else {}
    return Context(facts, request, policies, elfs, loading, names, others)


def _resolve(values: List[str], preferred: Tuple[Optional[str], ...]) -> str:
    """Return the first preferred value that some file has, or else the most frequent value."""
    for value in preferred:
        if value in values:
            return value
    return min(set(values), key=lambda value: (-values.count(value), value))


def resolved(found: Iterable[Finding], request: Request) -> Tuple[Finding, ...]:
    """Turn accepted errors into warnings, and sort the findings."""
    accepted = (
        one._replace(severity=f.WARNING, allowed=True)
        if one.severity == f.ERROR and request.allows(one.kind, one.path)
        else one
        for one in found
    )
    return tuple(sorted(accepted, key=sort_key))


_Rule: TypeAlias = "Callable[[Context], Iterator[Finding]]"

_SHARED: Tuple[_Rule, ...] = (
    policy.isa,
    policy.libraries,
    policy.forbidden,
    python.init_function,
    python.suffixes,
    python.stable_abi,
    undefined.undefined,
    undefined.runtimes,
    hardening.executable_stack,
    hardening.text_relocations,
    hardening.static_tls,
    hardening.page_alignment,
    hardening.writable_code,
    headers.float_abi,
    hardening.search_paths,
    policy.absent_libraries,
    policy.soname_clashes,
)
