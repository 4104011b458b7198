"""Rules about the archive: members, tags, RECORD, and missing or unexpected machine code."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterator, Optional

from manyshim.audit import findings as f
from manyshim.audit.facts import WheelFacts, install_path
from manyshim.audit.findings import Evidence, Finding, finding
from manyshim.audit.request import Request
from manyshim.audit.tags import MACHINES

# For each kind of evidence; longer lists do not help.
_MAX_RECORD_SHOWN = 1000


def members(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for members that installers treat in different ways or may not accept."""
    seen: Dict[str, int] = {}
    for path in facts.paths:
        seen[path] = seen.get(path, 0) + 1
        evidence = _bad_path(path)
        if evidence:
            yield finding("BAD_PATH", path, path, evidence=evidence)
    for path, times in seen.items():
        if times > 1:
            yield finding("DUP_MEMBER", path, path, details=(str(times),))
    for path in facts.symlinks:
        yield finding("SYMLINK_MEMBER", path, path)


def _bad_path(path: str) -> Optional[Evidence]:
    if path.startswith("/"):
        return Evidence.ABSOLUTE_PATH
    if ".." in path and ".." in re.split(r"[/\\]", path):
        return Evidence.PARENT_FOLDER
    if path[1:2] == ":" and path[0].isascii() and path[0].isalpha():
        return Evidence.DRIVE
    if path.isprintable():
        return None
    if any("\ud800" <= character <= "\udfff" for character in path):
        return Evidence.NOT_UTF8
    control = any(character < " " or character == "\x7f" for character in path)
    return Evidence.CONTROL_CHARACTERS if control else None


def tags_agree(facts: WheelFacts) -> Iterator[Finding]:
    """Yield a finding if the Tag lines of WHEEL are not the tags of the file name."""
    wanted, written = frozenset(facts.name.tags), frozenset(facts.tags)
    if wanted != written:
        details = (_list(wanted), _list(written) or "nothing")
        yield finding("WHEEL_TAGS", "WHEEL", str(facts.name), details=details)


def _list(tags: FrozenSet[str]) -> str:
    return ", ".join(sorted(tags))


def elf_presence(facts: WheelFacts, request: Request) -> Iterator[Finding]:
    """Yield findings for a Linux wheel without machine code, and for machine code in a pure wheel.

    If a compiler was called, a pure wheel must have machine code too: a build may continue without
    an extension that it could not compile.
    """
    native = list(_native(facts))
    called = request.compiled is not None and request.compiled.called
    if not native and (facts.name.linux or (facts.name.pure and called)):
        severity = f.ERROR if request.strict or request.compiled else f.WARNING
        linux = facts.name.linux
        evidence = Evidence.TAGGED_FOR_LINUX if linux else Evidence.COMPILER_CALLED
        yield finding("NO_ELF", "", str(facts.name), severity=severity, evidence=evidence)
    purelib = f"{facts.distribution}.data/purelib/"
    for path in native:
        if facts.name.pure:
            yield finding("ELF_IN_PURE_WHEEL", path, "the platform tag any")
        elif facts.purelib:
            yield finding("ELF_IN_PURE_WHEEL", path, "Root-Is-Purelib: true")
        elif path.startswith(purelib):
            yield finding("ELF_IN_PURE_WHEEL", path, "the folder purelib")


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
        if elf.loadable and elf.ident.machine in MACHINES:
            yield elf.path
    for member in facts.unreadable:
        yield member.path


def record(facts: WheelFacts, request: Request) -> Iterator[Finding]:
    """Yield findings for differences of RECORD: errors if `request.thorough` is set."""
    severity = f.ERROR if request.thorough else f.WARNING
    for evidence, paths in (
        (Evidence.UNLISTED, facts.record.unlisted),
        (Evidence.ABSENT, facts.record.absent),
        (Evidence.WRONG_SIZE, facts.record.wrong_size),
        (Evidence.WRONG_HASH, facts.record.wrong_hash),
        (Evidence.WRONG_CRC, facts.record.wrong_crc),
        (Evidence.BLANK_LINE, ("RECORD",) if facts.record.blank else ()),
    ):
        for path in paths[:_MAX_RECORD_SHOWN]:
            yield finding("RECORD", path, evidence.value, severity=severity, evidence=evidence)
        more = len(paths) - _MAX_RECORD_SHOWN
        if more > 0:
            made = finding("RECORD", "", evidence.value, severity=severity, evidence=evidence)
            yield made._replace(details=(str(more),))
