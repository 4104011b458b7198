"""What the kernel or the loader may refuse to map: stack, code, thread-local storage, pages."""

from __future__ import annotations

from typing import Iterator

from manyshim.audit import findings as f
from manyshim.audit.findings import Finding, finding
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import MUSL

# glibc's DEFAULT_STACK_PERMS: where a missing PT_GNU_STACK means an executable stack.
_EXECUTABLE_BY_DEFAULT = ("x86_64", "i686", "armv7l", "s390x")
# glibc keeps about 1.6 KiB of static TLS for all libraries that are opened later (rtld.tunables).
_STATIC_TLS_SHARE = 512
_LARGE_PAGE_ARCHES = ("aarch64", "ppc64le")
_LARGE_PAGE = 0x10000


def executable_stack(context: Context) -> Iterator[Finding]:
    """Find libraries that ask for an executable stack, which glibc 2.41 and musl refuse."""
    by_default = context.policies.arch in _EXECUTABLE_BY_DEFAULT
    for elf in context.elfs:
        asks = by_default if elf.executable_stack is None else elf.executable_stack
        if asks and not elf.executable:
            missing = "no PT_GNU_STACK" if elf.executable_stack is None else "PT_GNU_STACK is RWE"
            yield finding("EXECSTACK", elf.path, missing)


def text_relocations(context: Context) -> Iterator[Finding]:
    """Find code that the loader would have to write into."""
    severity = f.ERROR if context.policies.libc == MUSL else f.WARNING
    for elf in context.elfs:
        if elf.textrel:
            yield finding("TEXTREL", elf.path, "DT_TEXTREL", severity=severity)


def static_tls(context: Context) -> Iterator[Finding]:
    """Find libraries whose thread-local storage must fit into what the process has left."""
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
    """Find segments that a kernel with pages of 64 KiB cannot map."""
    if context.policies.arch in _LARGE_PAGE_ARCHES:
        for elf in context.elfs:
            if 0 < elf.page_size < _LARGE_PAGE:
                yield finding("PAGE_ALIGN", elf.path, f"{elf.page_size:#x}")


def writable_code(context: Context) -> Iterator[Finding]:
    """Find segments that are writable and executable at once."""
    for elf in context.elfs:
        if elf.writable_code:
            yield finding("WX_SEGMENT", elf.path, "a PT_LOAD is RWX")
