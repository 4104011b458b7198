"""What the kernel or the loader may refuse, or resolve in a way that nobody meant."""

from __future__ import annotations

import posixpath
import re
from typing import Iterator

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile, install_path
from manyshim.audit.findings import Finding, finding
from manyshim.audit.loading import INTERNAL, SYSTEM
from manyshim.audit.rules import Audit
from manyshim.audit.tags import MUSL

# glibc's DEFAULT_STACK_PERMS: where a missing PT_GNU_STACK means an executable stack.
_EXECUTABLE_BY_DEFAULT = ("x86_64", "i686", "armv7l", "s390x")

# glibc keeps about 1.6 KiB of static TLS for all libraries that are opened later (rtld.tunables).
_STATIC_TLS_SHARE = 512

_LARGE_PAGE_ARCHES = ("aarch64", "ppc64le")
_LARGE_PAGE = 0x10000

_ARM_FLOAT_ABI = 0x600

# On every list of the policies, and in no slim container.
_COMMONLY_ABSENT = frozenset(
    f"lib{name}"
    for name in (
        *("X11", "Xext", "Xrender", "ICE", "SM", "GL", "glib-2.0", "gobject-2.0", "gthread-2.0"),
        *("atomic", "expat", "nsl"),
    )
)

# Sonames that a process may have loaded from elsewhere already.
_WELL_KNOWN = frozenset(
    f"lib{name}"
    for name in (
        *("gomp", "omp", "iomp5", "ssl", "crypto", "curl", "ffi", "gfortran", "quadmath"),
        *("protobuf", "tbb", "sqlite3", "xml2", "jpeg", "png16", "stdc++", "gcc_s", "z"),
        *("expat", "atomic"),
    )
)


def executable_stack(audit: Audit) -> Iterator[Finding]:
    """Find libraries that ask for an executable stack, which glibc 2.41 and musl refuse."""
    by_default = audit.ladder.arch in _EXECUTABLE_BY_DEFAULT
    for elf in audit.elfs:
        asks = by_default if elf.executable_stack is None else elf.executable_stack
        if asks and not elf.executable:
            missing = "no PT_GNU_STACK" if elf.executable_stack is None else "PT_GNU_STACK is RWE"
            yield finding("EXECSTACK", elf.path, missing)


def text_relocations(audit: Audit) -> Iterator[Finding]:
    """Find code that the loader would have to write into."""
    severity = f.ERROR if audit.ladder.libc == MUSL else f.WARNING
    for elf in audit.elfs:
        if elf.textrel:
            yield finding("TEXTREL", elf.path, "DT_TEXTREL", severity=severity)


def static_tls(audit: Audit) -> Iterator[Finding]:
    """Find libraries whose thread-local storage must fit into what the process has left."""
    users = [elf for elf in audit.elfs if elf.static_tls and not elf.executable]
    total = sum(elf.tls_size for elf in users)
    severity = f.WARNING if total > _STATIC_TLS_SHARE else f.INFO
    for elf in users:
        evidence = f"{total} bytes in all of the wheel"
        yield finding(
            "STATIC_TLS", elf.path, f"{elf.tls_size} bytes", severity=severity, evidence=evidence
        )


def page_alignment(audit: Audit) -> Iterator[Finding]:
    """Find segments that a kernel with pages of 64 KiB cannot map."""
    if audit.ladder.arch in _LARGE_PAGE_ARCHES:
        for elf in audit.elfs:
            if 0 < elf.page_size < _LARGE_PAGE:
                yield finding("PAGE_ALIGN", elf.path, f"{elf.page_size:#x}")


def writable_code(audit: Audit) -> Iterator[Finding]:
    """Find segments that are writable and executable at once."""
    for elf in audit.elfs:
        if elf.writable_code:
            yield finding("WX_SEGMENT", elf.path, "a PT_LOAD is RWX")


def float_abi(audit: Audit) -> Iterator[Finding]:
    """Find ARM files that do not say how they pass floating-point numbers."""
    if audit.ladder.arch == "armv7l":
        for elf in audit.elfs:
            if not elf.ident.flags & _ARM_FLOAT_ABI:
                yield finding("FLOAT_ABI_UNKNOWN", elf.path, f"e_flags {elf.ident.flags:#x}")


def search_paths(audit: Audit) -> Iterator[Finding]:
    """Find RPATH and RUNPATH entries that lead out of the wheel."""
    distribution = audit.facts.distribution
    # A toolchain's output runs on no machine that has the building one's folders.
    severity = f.ERROR if audit.request.compiled else ""
    for elf in audit.elfs:
        for entry in dict.fromkeys((*elf.rpath, *elf.runpath)):
            reason = leaves(elf, entry, distribution)
            if reason:
                yield finding("RPATH_LEAK", elf.path, entry, severity=severity, evidence=reason)


def leaves(elf: ElfFile, entry: str, distribution: str) -> str:
    """Say how an RPATH entry leads out of the wheel as it lies after installation; "" if not."""
    if not entry:
        return "empty: the current folder"
    if entry.startswith("/"):
        return "absolute"
    origin = re.match(r"\$(?:ORIGIN|\{ORIGIN\})(?=/|$)", entry)
    if "$" in (entry[origin.end() :] if origin else entry):
        return "differs from system to system"
    if not origin:
        return "relative to the current folder"
    folder = posixpath.dirname(install_path(elf.path, distribution).path)
    reached = posixpath.normpath(posixpath.join(folder, entry[origin.end() :].lstrip("/")))
    return "leaves the wheel" if reached.split("/")[0] == ".." else ""


def absent_libraries(audit: Audit) -> Iterator[Finding]:
    """Find libraries that the policies allow and slim systems do not have."""
    for elf in audit.elfs:
        for name in dict.fromkeys(elf.needed):
            stem, shared, _ = name.partition(".so")
            if (
                shared
                and stem in _COMMONLY_ABSENT
                and audit.loading.provider(elf.path, name).kind == SYSTEM
            ):
                yield finding("COMMONLY_ABSENT", elf.path, name)


def soname_clashes(audit: Audit) -> Iterator[Finding]:
    """Find libraries of the wheel under a name that the system's copy has as well."""
    loaded = {edge.target for edge in audit.loading.edges.values() if edge.kind == INTERNAL}
    for elf in audit.elfs:
        stem, shared, release = (elf.soname or "").partition(".so")
        known = shared and stem in _WELL_KNOWN and re.fullmatch(r"(?:\.\d+)*", release)
        if known and elf.path in loaded:
            yield finding("VENDORED_SONAME_CLASH", elf.path, f"{stem}.so{release}")
