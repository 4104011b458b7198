"""Rules about what a kernel or loader may refuse, and about search paths that leave the wheel."""

from __future__ import annotations

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile
from manyshim.audit.findings import Evidence, Finding, finding
from manyshim.audit.loader.installed import used_entries
from manyshim.audit.names import escapes_wheel
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import MUSL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Optional

# A missing PT_GNU_STACK means an executable stack there (glibc, DEFAULT_STACK_PERMS).
_EXECUTABLE_BY_DEFAULT = ("x86_64", "i686", "armv7l", "s390x")
# glibc reserves about 1.6 KiB of static TLS for all libraries that are opened later
# (rtld.tunables). Above this share, in bytes, the finding is a warning.
_STATIC_TLS_SHARE = 512
# The largest size, in bytes, of a library's own static TLS that dlopen accepted on glibc 2.31, 2.36
# and 2.41 was 1,712. The sources of 2.17 to 2.41 have 1,664, which alignment raises by 63 at most.
_LARGEST_SURPLUS = 1727
_LARGE_PAGE_ARCHES = ("aarch64", "ppc64le")
_LARGE_PAGE = 0x10000


def executable_stack(context: Context) -> Iterator[Finding]:
    """Yield findings for libraries that request an executable stack.

    glibc 2.41 and musl refuse it.
    """
    by_default = context.policies.arch in _EXECUTABLE_BY_DEFAULT
    for elf in context.elfs:
        executable = by_default if elf.executable_stack is None else elf.executable_stack
        if executable and not elf.executable:
            reason = "no PT_GNU_STACK" if elf.executable_stack is None else "PT_GNU_STACK is RWE"
            yield finding("EXECSTACK", elf.path, reason)


def text_relocations(context: Context) -> Iterator[Finding]:
    """Yield findings for relocations in code, which the loader has to write into."""
    severity = f.ERROR if context.policies.libc == MUSL else f.WARNING
    for elf in context.elfs:
        if elf.textrel:
            yield finding("TEXTREL", elf.path, "DT_TEXTREL", severity=severity)


def static_tls(context: Context) -> Iterator[Finding]:
    """Yield findings for static thread-local storage, which is limited in a process.

    It is an error if variables have no room in a process that opens the file: glibc has a surplus
    for such files, and musl none (initial-exec TLS, ELF TLS ABI). What a program loads at its start
    needs no surplus.
    """
    users = [elf for elf in context.elfs if elf.static_tls and not elf.executable]
    surplus = 0 if context.policies.libc == MUSL else _LARGEST_SURPLUS
    total = sum(elf.tls_size for elf in users)
    for elf in users:
        definer = _opened_later(context, elf)
        if definer and definer.tls_size > surplus:
            evidence = Evidence.BEYOND_SURPLUS if surplus else Evidence.NO_SURPLUS
            severity, size = f.ERROR, definer.tls_size
        else:
            evidence, size = None, elf.tls_size
            severity = f.WARNING if total > _STATIC_TLS_SHARE else f.INFO
        library = definer.path if evidence and definer and definer is not elf else ""
        made = finding("STATIC_TLS", elf.path, f"{size} bytes", severity=severity, library=library)
        yield made._replace(evidence=evidence, details=(str(total), str(surplus)))


def _opened_later(context: Context, elf: ElfFile) -> Optional[ElfFile]:
    """Return the file with the most variables that a file accesses at fixed offsets, if any.

    None if a program loads the file at its start.
    """
    processes = [one for one in context.loading.processes if elf.path in one.members]
    if any(one.program for one in processes):
        return None
    exports, wanted = context.facts.exports, frozenset(elf.static_tls_imports)
    members = {path for one in processes for path in one.members} if wanted else set()
    paths = {path for path in members if wanted & exports.get(path, frozenset())}
    found = [one for one in context.elfs if one.path in paths and one.tls_size]
    return max((*found, *((elf,) if elf.own_static_tls else ())), key=_tls_size, default=None)


def _tls_size(elf: ElfFile) -> int:
    return elf.tls_size


def page_alignment(context: Context) -> Iterator[Finding]:
    """Yield findings for files with segments that a kernel with pages of 64 KiB cannot map."""
    if context.policies.arch in _LARGE_PAGE_ARCHES:
        for elf in context.elfs:
            if 0 < elf.page_size < _LARGE_PAGE:
                yield finding("PAGE_ALIGN", elf.path, f"{elf.page_size:#x}")


def writable_code(context: Context) -> Iterator[Finding]:
    """Yield findings for files with a segment that is both writable and executable."""
    for elf in context.elfs:
        if elf.writable_code:
            yield finding("WX_SEGMENT", elf.path, "a PT_LOAD is RWX")


def search_paths(context: Context) -> Iterator[Finding]:
    """Yield findings for RPATH and RUNPATH entries that lead out of the wheel."""
    distribution = context.facts.distribution
    # What the toolchain compiled runs on other machines, which do not have these folders.
    severity = f.ERROR if context.request.compiled else ""
    for elf in context.elfs:
        for entry in dict.fromkeys(used_entries(elf, context.policies.libc)):
            evidence = escapes_wheel(elf, entry, distribution)
            if evidence:
                yield finding("RPATH_LEAK", elf.path, entry, severity=severity, evidence=evidence)
