"""Rules about the archive: members, tags, RECORD, and missing or unexpected machine code."""

from __future__ import annotations

import itertools
from collections import Counter

from manyshim.audit import findings as f
from manyshim.audit.facts import WheelFacts, install_path
from manyshim.audit.findings import Evidence, Finding, finding
from manyshim.audit.identity import DEVICES, machine_name
from manyshim.audit.names import bad_path
from manyshim.audit.request import Request
from manyshim.audit.tags import MACHINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import FrozenSet, Iterator, Optional, Set, Tuple

# For each kind of evidence; longer lists do not help.
_MAX_SHOWN = 1000


def members(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for members that installers treat in different ways or may not accept.

    A single one is an error already, so there are at most `_MAX_SHOWN` of each kind.
    """
    for rule in (_bad_paths, _duplicates, _symlinks):
        yield from itertools.islice(rule(facts), _MAX_SHOWN)


def _bad_paths(facts: WheelFacts) -> Iterator[Finding]:
    for path in facts.paths:
        evidence = bad_path(path)
        if evidence:
            yield finding("BAD_PATH", path, path, evidence=evidence)


def _duplicates(facts: WheelFacts) -> Iterator[Finding]:
    if len(frozenset(facts.paths)) < len(facts.paths):
        for path, times in Counter(facts.paths).items():
            if times > 1:
                yield finding("DUP_MEMBER", path, path, details=(str(times),))


def _symlinks(facts: WheelFacts) -> Iterator[Finding]:
    for path in facts.symlinks:
        yield finding("SYMLINK_MEMBER", path, path)


def tags_agree(facts: WheelFacts, request: Request) -> Iterator[Finding]:
    """Yield a finding if the Tag lines of WHEEL are not the tags of the file name.

    A retag writes the lines again, so a difference counts only if `request.thorough` is set. A
    compressed tag set means its expansion (PEP 425), but the lines should be expanded (PEP 427).
    """
    wanted, written = frozenset(facts.name.tags), frozenset(facts.tags)
    if wanted == written:
        return
    compressed = _expand_to(wanted, written)
    if compressed and not request.thorough:
        return
    severity = f.WARNING if compressed else f.ERROR if request.thorough else f.INFO
    made = finding("WHEEL_TAGS", "WHEEL", str(facts.name), severity=severity)
    evidence = Evidence.COMPRESSED_TAGS if compressed else Evidence.OTHER_TAGS
    details = (_list(wanted), _list(written) or "nothing")
    yield made._replace(evidence=evidence, details=details)


def _expand_to(wanted: FrozenSet[str], written: FrozenSet[str]) -> bool:
    """Whether compressed tag sets expand to exactly the wanted tags (PEP 425)."""
    from math import prod  # noqa: PLC0415 (few wheels have compressed tags in WHEEL)

    found: Set[str] = set()
    total = 0
    for tag in written:
        parts = [part.split(".") for part in tag.split("-")]
        # Of a set with more tags than are wanted, some tag is not wanted. Nobody writes each tag
        # more than a few times.
        total += prod(map(len, parts))
        if total > 4 * len(wanted):
            return False
        expansion = set(map("-".join, itertools.product(*parts)))
        if not expansion <= wanted:
            return False
        found |= expansion
    return found == wanted


def _list(tags: FrozenSet[str]) -> str:
    return ", ".join(sorted(tags))


def wheel_version(facts: WheelFacts) -> Iterator[Finding]:
    """Yield a finding if installers refuse the Wheel-Version of WHEEL (PEP 427)."""
    if facts.wheel_version.partition(".")[0] != "1":
        yield finding("WHEEL_FILE", "WHEEL", facts.wheel_version or "no Wheel-Version")


def elf_presence(facts: WheelFacts, request: Request) -> Iterator[Finding]:
    """Yield findings for a Linux wheel without machine code, and for machine code in a pure wheel.

    If a compiler was called, or options of the build show that code is expected, a pure wheel must
    have machine code too: a build may continue without an extension that it could not compile.
    """
    missed = _missing_code(facts, request)
    if missed and not any(_native(facts)) and not foreign_machines(facts):
        compiled = request.compiled and missed != Evidence.CODE_EXPECTED
        severity = f.ERROR if request.strict or compiled else f.WARNING
        yield finding("NO_ELF", "", str(facts.name), severity=severity, evidence=missed)
    for path in _native(facts):
        mark = _purity(facts, path)
        if mark:
            severity = f.ERROR if mark == Evidence.ANY_TAG else f.WARNING
            yield finding("ELF_IN_PURE_WHEEL", path, mark.value, severity=severity, evidence=mark)


def _missing_code(facts: WheelFacts, request: Request) -> Optional[Evidence]:
    """Return why a wheel should have machine code; None if nothing shows it."""
    if facts.name.linux:
        return Evidence.TAGGED_FOR_LINUX
    if facts.name.pure and request.compiled and request.compiled.called:
        return Evidence.COMPILER_CALLED
    return Evidence.CODE_EXPECTED if facts.name.pure and request.expects_code else None


def _purity(facts: WheelFacts, path: str) -> Optional[Evidence]:
    """Return what marks a member as pure; None if nothing does.

    The folders platlib, scripts and data of `.data` are places for machine code (PEP 427).
    """
    data = f"{facts.distribution}.data/"
    if facts.name.pure:
        return Evidence.ANY_TAG
    if path.startswith(f"{data}purelib/"):
        return Evidence.PURELIB_FOLDER
    root = facts.purelib and not path.startswith(data)
    return Evidence.ROOT_IS_PURELIB if root else None


def code_at_root(facts: WheelFacts) -> bool:
    """Whether machine code lies at the root of the wheel, so that the root is not pure."""
    data = f"{facts.distribution}.data/"
    return any(not path.startswith(data) for path in _native(facts))


def foreign_machines(facts: WheelFacts) -> Tuple[str, ...]:
    """Return the processors of loadable files that no tag names, sorted; no devices."""
    machines = {elf.ident.machine for elf in facts.elfs if elf.loadable}
    return tuple(sorted(map(machine_name, machines - MACHINES - DEVICES)))


def modules_present(facts: WheelFacts, request: Request) -> Iterator[Finding]:
    """Yield findings for missing extension modules, which the build should have compiled."""
    wanted = request.compiled.modules if request.compiled else ()
    # Only loadable files count: with `-static`, a file of that name is an archive of objects.
    there = {
        _module(install_path(elf.path, facts.distribution).path)
        for elf in facts.elfs
        if elf.loadable
    }
    severity = f.ERROR if request.strict else f.WARNING
    for path in wanted:
        if _module(path) not in there:
            yield finding("NO_MODULE", "", path, severity=severity)


def _module(path: str) -> str:
    """Return the path of an extension module without its suffix."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + name.partition(".")[0]


def _native(facts: WheelFacts) -> Iterator[str]:
    """Yield the paths of the files with machine code, also of those that cannot be read."""
    for elf in facts.elfs:
        module = elf.extension_module and elf.ident.machine not in DEVICES
        if elf.loadable and (elf.ident.machine in MACHINES or module):
            yield elf.path
    for member in facts.unreadable:
        yield member.path


def record(facts: WheelFacts, request: Request) -> Iterator[Finding]:
    """Yield findings for differences of RECORD: errors if `request.thorough` is set.

    A row without a file stays a warning.

    A wrong hash or CRC is always an error: the file may not be the one that was built. An algorithm
    that installers do not accept counts only if `request.thorough` is set, because a rewrite
    replaces it.
    """
    hashes = frozenset(facts.record.wrong_hash)
    weak = frozenset(facts.record.weak_hash if request.thorough else ()) - hashes
    # A hash of RECORD itself cannot be right.
    own = weak & {f"{facts.distribution}.dist-info/RECORD"}
    for evidence, paths in (
        (Evidence.UNLISTED, facts.record.unlisted),
        (Evidence.ABSENT, facts.record.absent),
        (Evidence.WRONG_SIZE, facts.record.wrong_size),
        (Evidence.WRONG_HASH, tuple(sorted(hashes | own))),
        (Evidence.WEAK_HASH, tuple(sorted(weak - own))),
        (Evidence.WRONG_CRC, facts.record.wrong_crc),
        (Evidence.BLANK_LINE, ("RECORD",) if facts.record.blank else ()),
    ):
        sure = evidence in (Evidence.WRONG_HASH, Evidence.WRONG_CRC)
        # No reader looks for the file of a row. The index sends a mail about it.
        known = request.thorough and evidence != Evidence.ABSENT
        severity = f.ERROR if known or sure else f.WARNING
        for path in paths[:_MAX_SHOWN]:
            yield finding("RECORD", path, evidence.value, severity=severity, evidence=evidence)
        more = len(paths) - _MAX_SHOWN
        if evidence == Evidence.ABSENT:
            more += facts.record.more_absent
        if more > 0:
            made = finding("RECORD", "", evidence.value, severity=severity, evidence=evidence)
            yield made._replace(details=(str(more),))
