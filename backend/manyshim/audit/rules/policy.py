"""Rules of the policies: versions, libraries, forbidden symbols, and the processor."""

from __future__ import annotations

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile, VersionNeed, install_path
from manyshim.audit.findings import Evidence, Finding, finding
from manyshim.audit.loader.search import BY_NAME_ONLY, INTERNAL, LOADER, PATH, SYSTEM, Edge
from manyshim.audit.names import is_libpython
from manyshim.audit.policy import glibc_version
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import GLIBC, MUSL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator

# A single one rules out every policy, so longer lists do not help.
_MAX_BY_NAME = 100


def isa(context: Context) -> Iterator[Finding]:
    """Yield findings for files that require a newer x86 processor than the tag promises."""
    for elf in context.elfs:
        level = max(elf.isa_level.bit_length(), 1)
        if level > 1 and not _is_variant(elf, level):
            yield finding("ISA", elf.path, f"x86-64-v{level}")


def _is_variant(elf: ElfFile, level: int) -> bool:
    """Whether a library is in a folder that only machines of that level search (ld.so(8))."""
    if elf.extension_module or elf.executable or "glibc-hwcaps/" not in elf.path:
        return False
    import re  # noqa: PLC0415 (few wheels have such folders)

    variant = re.search(r"(?:^|/)glibc-hwcaps/x86-64-v([234])/", elf.path)
    return variant is not None and int(variant.group(1)) >= level


def libraries(context: Context) -> Iterator[Finding]:
    """Yield findings for needed libraries that the wheel does not provide on a search path."""
    for elf in context.elfs:
        by_name = 0
        for name in _needed(context, elf):
            edge = context.loading.provider(elf.path, name)
            if edge.kind == PATH:
                yield finding("NEEDED_PATH", elf.path, name)
            elif is_libpython(name) and edge.kind != INTERNAL:
                severity = f.WARNING if elf.executable else f.ERROR
                yield finding("LIBPYTHON", elf.path, name, severity=severity)
            elif edge.kind == BY_NAME_ONLY:
                for found in _by_name_only(context, elf, name, edge):
                    by_name += found.severity == f.POLICY
                    if found.severity != f.POLICY or by_name <= _MAX_BY_NAME:
                        yield found
            elif edge.kind == SYSTEM:
                yield from _system_library(context, elf, name)


def _needed(context: Context, elf: ElfFile) -> Iterable[str]:
    """Return the NEEDED libraries; for glibc also filters and the libraries of needed versions."""
    if context.policies.libc != GLIBC:
        return dict.fromkeys(elf.needed)
    # Weak versions count too: ld.so fails an assertion if the library is not loaded.
    versions = (need.library for need in elf.versions_needed)
    return dict.fromkeys((*elf.needed, *elf.filters, *versions))


def _by_name_only(context: Context, elf: ElfFile, name: str, edge: Edge) -> Iterator[Finding]:
    declared = any(context.request.allows("BY_NAME_ONLY", path) for path in (elf.path, edge.target))
    here, there = (
        install_path(path, context.facts.distribution).root for path in (elf.path, edge.target)
    )
    made = finding("BY_NAME_ONLY", elf.path, name, library=edge.target)
    if here != there:
        made = made._replace(evidence=Evidence.OTHER_FOLDER, details=(here,))
    elif elf.executable:
        made = made._replace(evidence=Evidence.PROGRAM)
    if edge.preloaded or declared:
        yield made._replace(severity=f.WARNING, allowed=declared)
    else:
        yield from context.ruled_out(context.policies.never, made)


def _system_library(context: Context, elf: ElfFile, name: str) -> Iterator[Finding]:
    if context.request.excludes(name):
        yield finding("EXCLUDED", elf.path, name)
        return
    allowed_from = context.policies.first_policy_allowing_library(name)
    yield from context.ruled_out(allowed_from, finding("EXTERNAL_LIBRARY", elf.path, name))


def versions(context: Context) -> Iterator[Finding]:
    """Yield findings for versions that a policy or a library in the wheel does not have."""
    if context.policies.libc == MUSL:
        return
    offered = {elf.path: frozenset(elf.versions_defined) for elf in context.elfs}
    for elf in context.elfs:
        for need in elf.versions_needed:
            edge = context.loading.provider(elf.path, need.library)
            # With the weak flag the loader continues, but a strong reference then fails.
            if need.weak and (need.only_weak or not need.symbols):
                continue
            if edge.kind in (INTERNAL, BY_NAME_ONLY):
                # Without this version glibc refuses to load the file. If the library defines no
                # version at all, ld.so fails an assertion.
                for target in context.loading.targets(elf.path, need.library):
                    if need.version not in offered[target]:
                        yield finding(
                            "VERDEF_MISSING",
                            elf.path,
                            need.version,
                            library=target,
                            symbols=need.symbols,
                        )
            elif _judged(context, edge, need.library):
                yield from _version_need(context, elf, need)
        if elf.relr and not elf.static:
            yield from _relr(context, elf)


def _judged(context: Context, edge: Edge, library: str) -> bool:
    """Whether the policies list a library. If not, another finding reports it already."""
    if edge.kind == LOADER:
        return True
    known = context.policies.first_policy_allowing_library(library) < context.policies.never
    return edge.kind == SYSTEM and known and not context.request.excludes(library)


def _version_need(context: Context, elf: ElfFile, need: VersionNeed) -> Iterator[Finding]:
    allowed_from = context.policies.first_policy_allowing_version(need.version)
    kind = "UNKNOWN_NAMESPACE" if allowed_from is None else "TOO_NEW"
    made = finding(
        kind,
        elf.path,
        need.version,
        library=need.library,
        symbols=need.symbols,
        required=glibc_version(need.version),
        evidence=Evidence.WEAK_REFERENCES if need.only_weak else None,
    )
    yield from context.ruled_out(allowed_from, made)


RELR_NODE = "GLIBC_ABI_DT_RELR"


def _relr(context: Context, elf: ElfFile) -> Iterator[Finding]:
    # Without libc among the linked libraries, GNU ld writes no such version. The loader must
    # support DT_RELR all the same.
    if not any(need.version == RELR_NODE and not need.weak for need in elf.versions_needed):
        allowed_from = context.policies.first_policy_allowing_version(RELR_NODE)
        made = finding("TOO_NEW", elf.path, RELR_NODE, library="libc.so.6", evidence=Evidence.RELR)
        yield from context.ruled_out(allowed_from, made)


def forbidden(context: Context) -> Iterator[Finding]:
    """Yield findings for strong references to forbidden symbols of an allowed library."""
    for elf in context.elfs:
        # Each name with the library that must provide it; empty if the file does not tell.
        from_library = {
            symbol: need.library
            for need in elf.versions_needed
            for symbol in need.symbols
            if symbol in elf.strong_versioned
        }
        from_library.update(dict.fromkeys(elf.undefined, ""))
        # TOO_NEW reports the symbols whose version the same policies lack.
        too_new = {
            symbol: context.policies.first_policy_allowing_version(need.version) or 0
            for need in elf.versions_needed
            for symbol in need.symbols
        }
        for library, symbols in context.policies.forbidden.items():
            if not _uses(context, elf, library):
                continue
            for symbol in sorted(symbols.keys() & from_library.keys()):
                beyond = too_new.get(symbol, 0) >= symbols[symbol]
                if from_library[symbol] in ("", library) and not beyond:
                    made = finding("FORBIDDEN_SYMBOL", elf.path, symbol, library=library)
                    yield from context.ruled_out(symbols[symbol], made)


def _uses(context: Context, elf: ElfFile, library: str) -> bool:
    if context.request.excludes(library):
        return False
    if library in elf.needed:
        return context.loading.provider(elf.path, library).kind == SYSTEM
    # The interpreter has loaded libc, so its symbols are found without a NEEDED entry.
    return library == "libc.so.6"


# Every policy allows these libraries, but slim containers do not have them.
_COMMONLY_ABSENT = frozenset(
    f"lib{name}"
    for name in (
        *("X11", "Xext", "Xrender", "ICE", "SM", "GL", "glib-2.0", "gobject-2.0", "gthread-2.0"),
        *("atomic", "expat", "nsl"),
    )
)
# A process may already have loaded other copies of these libraries.
_WELL_KNOWN = frozenset(
    f"lib{name}"
    for name in (
        *("gomp", "omp", "iomp5", "ssl", "crypto", "curl", "ffi", "gfortran", "quadmath"),
        *("protobuf", "tbb", "sqlite3", "xml2", "jpeg", "png16", "stdc++", "gcc_s", "z"),
        *("expat", "atomic"),
    )
)


def absent_libraries(context: Context) -> Iterator[Finding]:
    """Yield findings for libraries that the policies allow but slim systems do not have."""
    for elf in context.elfs:
        for name in dict.fromkeys(elf.needed):
            stem, shared, _ = name.partition(".so")
            if (
                shared
                and stem in _COMMONLY_ABSENT
                and context.loading.provider(elf.path, name).kind == SYSTEM
            ):
                yield finding("COMMONLY_ABSENT", elf.path, name)


def soname_clashes(context: Context) -> Iterator[Finding]:
    """Yield findings for libraries in the wheel whose soname the system's copy has too."""
    loaded = {edge.target for edge in context.loading.edges.values() if edge.kind == INTERNAL}
    for elf in context.elfs:
        stem, shared, release = (elf.soname or "").partition(".so")
        known = shared and stem in _WELL_KNOWN and _is_release(release)
        if known and elf.path in loaded:
            yield finding("VENDORED_SONAME_CLASH", elf.path, f"{stem}.so{release}")


def _is_release(text: str) -> bool:
    """Whether what follows `.so` in a soname is empty, or dots with a number after each."""
    first, *numbers = text.split(".")
    return not first and all(map(str.isdecimal, numbers))
