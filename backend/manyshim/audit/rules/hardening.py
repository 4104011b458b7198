"""Rules about what a kernel or loader may refuse: stack, code, thread-local storage, pages."""

from __future__ import annotations

from typing import Iterator

from manyshim.audit import findings as f
from manyshim.audit.findings import Finding, finding
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import MUSL

# A missing PT_GNU_STACK means an executable stack there (glibc, DEFAULT_STACK_PERMS).
_EXECUTABLE_BY_DEFAULT = ("x86_64", "i686", "armv7l", "s390x")
# glibc reserves about 1.6 KiB of static TLS for all libraries that are opened later
# (rtld.tunables). Above this share, in bytes, the finding is a warning.
_STATIC_TLS_SHARE = 512
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
    """Yield findings for static thread-local storage, which is limited in a process."""
    users = [elf for elf in context.elfs if elf.static_tls and not elf.executable]
    total = sum(elf.tls_size for elf in users)
    severity = f.WARNING if total > _STATIC_TLS_SHARE else f.INFO
    for elf in users:
        yield finding(
            "STATIC_TLS",
            elf.path,
            f"{elf.tls_size} bytes",
            severity=severity,
            details=(str(total),),
        )


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
