"""Facts for tests of the rules, and the expected findings."""

from __future__ import annotations

from typing import Any, FrozenSet, List, NamedTuple, Optional, Tuple

from manyshim.audit.facts import ElfFile, ElfIdent, VersionNeed, WheelFacts
from manyshim.audit.request import Request
from manyshim.audit.tags import ARCHES, PlatformTag, parse_wheel_name
from manyshim.audit.verdict import Report

X86, ARM64 = "x86_64", "aarch64"
EXT = "pkg/_x.cpython-311.so"
LIB = "pkg/liby.so"
NEAR = ("$ORIGIN",)
FLAGS = {"armv7l": 0x05000400, "ppc64le": 2, "ppc64": 1, "riscv64": 5, "loongarch64": 3}


def need(version: str, library: str = "libc.so.6", **more: Any) -> VersionNeed:
    return VersionNeed(library, version, **more)


def elf(path: str = EXT, *needed: str, arch: str = X86, **facts: Any) -> ElfFile:
    """Return a file without faults: valid for every page size, without an executable stack."""
    row, ident = ARCHES[arch], {"flags": FLAGS.get(arch, 0), "type": 3, "os_abi": 0}
    ident.update((key, facts.pop(key)) for key in [*ident] if key in facts)
    identity = ElfIdent(row.bits, row.little_endian, row.machine, abi_version=0, **ident)
    file = ElfFile(path, identity, dynamic=True, needed=needed)
    spotless = {"executable_stack": False, "page_size": 0x10000, "module_init": True}
    known = {key: value for key, value in spotless.items() if key in ElfFile._fields}
    return file._replace(**{**known, **facts})


def libc(path: str = EXT, *needs: VersionNeed, **facts: Any) -> ElfFile:
    """Return a file that needs glibc."""
    libraries = dict.fromkeys(("libc.so.6", *(one.library for one in needs)))
    return elf(path, *libraries, versions_needed=needs, **facts)


def musl(*undefined: str, **facts: Any) -> ElfFile:
    """Return a file that needs musl."""
    path, needed = facts.pop("path", EXT), facts.pop("needed", ())
    return elf(path, "libc.so", *needed, undefined=undefined, **facts)


def wheel(*elfs: ElfFile, platform: str = "linux_x86_64", **facts: Any) -> WheelFacts:
    name = parse_wheel_name(f"demo-1.0-cp311-cp311-{platform}.whl")
    assert name is not None
    paths = tuple(one.path for one in elfs)
    made = WheelFacts(name, "demo-1.0", paths=paths, tags=name.tags, elfs=elfs)
    return made._replace(**facts)


def tagged(tags: str, *elfs: ElfFile, platform: str = "linux_x86_64", **facts: Any) -> WheelFacts:
    name = parse_wheel_name(f"demo-1.0-{tags}-{platform}.whl")
    assert name is not None
    return wheel(*elfs, name=name, tags=name.tags, **facts)


def found(report: Report, kind: str) -> List[Tuple[str, str]]:
    """Return the severity and the path of each finding of a kind."""
    return [(one.severity, one.path) for one in report.findings if one.kind == kind]


# A finding as a row of the table: kind, path, subject, the newest policy that it rules out.
Row = Tuple[str, str, str, str]


class Case(NamedTuple):
    """Facts, a request, the oldest policy that holds, and all findings."""

    facts: WheelFacts
    policy: Optional[str]
    rows: FrozenSet[Row] = frozenset()
    request: Request = Request()


def says(*rows: Row) -> FrozenSet[Row]:
    return frozenset(rows)


Y1 = need("Y_1", "liby.so")


def version(tag: Optional[PlatformTag]) -> str:
    return f"{tag.major}_{tag.minor}" if tag else ""


def rows(report: Report) -> FrozenSet[Row]:
    return frozenset(
        (one.kind, one.path, one.subject, version(one.policy)) for one in report.findings
    )


PROGRAM = {"interpreter": "/lib64/ld-linux-x86-64.so.2"}
ABI3 = "pkg/_x.abi3.so"


def abi3(python: str, *undefined: str) -> WheelFacts:
    name = parse_wheel_name(f"demo-1.0-{python}-abi3-linux_x86_64.whl")
    assert name is not None
    return wheel(libc(ABI3, undefined=undefined), name=name, tags=name.tags)
