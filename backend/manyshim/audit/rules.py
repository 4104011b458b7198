"""What the loader and the policies say of the files of one architecture and libc family."""

from __future__ import annotations

import re
from typing import Iterable, Iterator, Tuple

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile, VersionNeed, WheelFacts
from manyshim.audit.findings import Finding, finding
from manyshim.audit.loading import BY_NAME_ONLY, INTERNAL, LOADER, PATH, SYSTEM, Edge, Loading
from manyshim.audit.policy import Ladder
from manyshim.audit.request import Request
from manyshim.audit.tags import GLIBC, MUSL
from manyshim.values import NamedTuple

# What stands as evidence where no symbol explains a version.
WEAK_ONLY = "weak references only"
RELR = "DT_RELR"


class Audit(NamedTuple):
    """What a rule may look at: `elfs` are the files that the ladder's policies speak of."""

    facts: WheelFacts
    request: Request
    ladder: Ladder
    elfs: Tuple[ElfFile, ...]
    loading: Loading

    def ruled_out(self, rung: int, made: Finding) -> Iterator[Finding]:
        """Yield a policy finding for what the rungs before `rung` do not allow."""
        if rung > 0:
            yield made._replace(policy=self.ladder.rungs[rung - 1])


def isa(audit: Audit) -> Iterator[Finding]:
    """Find files that ask for a newer x86 than every machine of the tag has."""
    for elf in audit.elfs:
        level = max(elf.isa_level.bit_length(), 1)
        entered = elf.extension_module or elf.executable
        variant = re.search(r"(?:^|/)glibc-hwcaps/x86-64-v([234])/", elf.path)
        if level > 1 and (entered or not (variant and int(variant.group(1)) >= level)):
            yield finding("ISA", elf.path, f"x86-64-v{level}")


def libraries(audit: Audit) -> Iterator[Finding]:
    """Judge each NEEDED entry: a path, libpython, excluded, by name only, or outside."""
    for elf in audit.elfs:
        for name in _asked(audit, elf):
            edge = audit.loading.provider(elf.path, name)
            if edge.kind == PATH:
                yield finding("NEEDED_PATH", elf.path, name)
            elif is_libpython(name) and edge.kind != INTERNAL:
                severity = f.WARNING if elf.executable else f.ERROR
                yield finding("LIBPYTHON", elf.path, name, severity=severity)
            elif edge.kind == BY_NAME_ONLY:
                yield from _by_name_only(audit, elf, name, edge)
            elif edge.kind == SYSTEM:
                yield from _system_library(audit, elf, name)


def _asked(audit: Audit, elf: ElfFile) -> Iterable[str]:
    """List whom a file asks: NEEDED, and in glibc each library that a version is required of."""
    versions = elf.versions_needed if audit.ladder.libc == GLIBC else ()
    # Also where the node is weak: ld.so dies in an assertion if nobody has loaded the library.
    return dict.fromkeys((*elf.needed, *(need.library for need in versions)))


def _by_name_only(audit: Audit, elf: ElfFile, name: str, edge: Edge) -> Iterator[Finding]:
    declared = any(audit.request.allows("BY_NAME_ONLY", path) for path in (elf.path, edge.target))
    made = finding("BY_NAME_ONLY", elf.path, name, library=edge.target)
    if edge.preloaded or declared:
        yield made._replace(severity=f.WARNING, allowed=declared)
    else:
        yield from audit.ruled_out(audit.ladder.never, made)


def _system_library(audit: Audit, elf: ElfFile, name: str) -> Iterator[Finding]:
    if audit.request.excludes(name):
        yield finding("EXCLUDED", elf.path, name)
        return
    rung = audit.ladder.library_rung(name)
    yield from audit.ruled_out(rung, finding("EXTERNAL_LIBRARY", elf.path, name))


# libpython3.so, libpython3.11.so.1.0, libpython3.13t.so.1.0, libpython2.7u.so.1.0, libpypy3.10-c.so
_LIBPYTHON = r"libpython\d(?:\.\d+)?[a-z]*\.so(?:\.\d+)*|libpypy[\d.]*-c\.so(?:\.\d+)*"


def is_libpython(name: str) -> bool:
    """Whether a NEEDED name is an interpreter's own library."""
    return name.startswith("libpy") and re.fullmatch(_LIBPYTHON, name) is not None


def versions(audit: Audit) -> Iterator[Finding]:
    """Judge each required version node by who provides it. musl knows no versions."""
    if audit.ladder.libc == MUSL:
        return
    offered = {elf.path: frozenset(elf.versions_defined) for elf in audit.elfs}
    for elf in audit.elfs:
        for need in elf.versions_needed:
            edge = audit.loading.provider(elf.path, need.library)
            # The flag lets the loader go on, and a strong reference then finds no symbol.
            if need.weak and (need.only_weak or not need.symbols):
                continue
            if edge.kind in (INTERNAL, BY_NAME_ONLY):
                # Without the node glibc refuses to load; without any node it dies in an assertion.
                for target in audit.loading.targets(elf.path, need.library):
                    if need.version not in offered[target]:
                        yield finding(
                            "VERDEF_MISSING",
                            elf.path,
                            need.version,
                            library=target,
                            symbols=need.symbols,
                        )
            elif _judged(audit, edge, need.library):
                yield from _version_need(audit, elf, need)
        if elf.relr and not elf.static:
            yield from _relr(audit, elf)


def _judged(audit: Audit, edge: Edge, library: str) -> bool:
    """Whether the policies speak of a library: otherwise it is a finding of its own already."""
    if edge.kind == LOADER:
        return True
    known = audit.ladder.library_rung(library) < audit.ladder.never
    return edge.kind == SYSTEM and known and not audit.request.excludes(library)


def _version_need(audit: Audit, elf: ElfFile, need: VersionNeed) -> Iterator[Finding]:
    rung = audit.ladder.version_rung(need.version)
    kind = "UNKNOWN_NAMESPACE" if rung is None else "TOO_NEW"
    made = finding(
        kind,
        elf.path,
        need.version,
        library=need.library,
        symbols=need.symbols,
        evidence=WEAK_ONLY if need.only_weak else "",
    )
    yield from audit.ruled_out(audit.ladder.never if rung is None else rung, made)


RELR_NODE = "GLIBC_ABI_DT_RELR"


def _relr(audit: Audit, elf: ElfFile) -> Iterator[Finding]:
    # GNU ld leaves the marker out of a file that does not link libc, yet the loader must know RELR.
    if not any(need.version == RELR_NODE and not need.weak for need in elf.versions_needed):
        rung = audit.ladder.version_rung(RELR_NODE)
        made = finding("TOO_NEW", elf.path, RELR_NODE, library="libc.so.6", evidence=RELR)
        yield from audit.ruled_out(audit.ladder.never if rung is None else rung, made)


def forbidden(audit: Audit) -> Iterator[Finding]:
    """Find strong references to symbols that a policy takes out of an allowed library."""
    for elf in audit.elfs:
        # Each name with the library that must provide it, where the file says which.
        from_library = {
            symbol: need.library
            for need in elf.versions_needed
            for symbol in need.symbols
            if symbol in elf.strong_versioned
        }
        from_library.update(dict.fromkeys(elf.undefined, ""))
        for library, symbols in audit.ladder.forbidden.items():
            if not _uses(audit, elf, library):
                continue
            for symbol in sorted(symbols.keys() & from_library.keys()):
                if from_library[symbol] in ("", library):
                    made = finding("FORBIDDEN_SYMBOL", elf.path, symbol, library=library)
                    yield from audit.ruled_out(symbols[symbol], made)


def _uses(audit: Audit, elf: ElfFile, library: str) -> bool:
    if audit.request.excludes(library):
        return False
    if library in elf.needed:
        return audit.loading.provider(elf.path, library).kind == SYSTEM
    # The interpreter has libc loaded, so its names are found without a NEEDED entry.
    return library == "libc.so.6"
