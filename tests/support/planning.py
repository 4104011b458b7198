"""Wheels and libraries from facts made by hand, to plan repairs of them."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from manyshim.audit.facts import SHARED, ElfFile, ElfIdent, VersionNeed, WheelFacts
from manyshim.audit.request import Request
from manyshim.audit.tags import PlatformTag, parse_platform, parse_wheel_name
from manyshim.audit.verdict import audit
from manyshim.repair.plan import Copy, Library, Plan, RepairRequest

EXT = "pkg/_x.cpython-311-x86_64-linux-gnu.so"
_PARSED = parse_wheel_name("demo-1.0-cp311-cp311-linux_x86_64.whl")
assert _PARSED is not None
NAME = _PARSED
DIGEST = "0123456789abcdef" * 4


def libc(version: str, *symbols: str) -> VersionNeed:
    return VersionNeed("libc.so.6", version, symbols=symbols or ("malloc",))


def elf(path: str, *needed: str, version: str = "GLIBC_2.17", **facts: Any) -> ElfFile:
    ident = ElfIdent(64, True, 62, SHARED, 0, 0, 0)
    names = (*needed, "libc.so.6")
    made = ElfFile(path, ident, dynamic=True, needed=names, versions_needed=(libc(version),))
    return made._replace(**{"executable_stack": False, **facts})


def library(name: str, *needed: str, digest: str = DIGEST, **facts: Any) -> Library:
    path = f"/usr/lib/{name}"
    return Library(
        name, path, path, "default folder", digest, elf(path, *needed, soname=name, **facts)
    )


class Libraries:
    """Finds the given libraries by name, and records who needed them."""

    def __init__(self, *libraries: Library) -> None:
        self.libraries = {one.needed_name: one for one in libraries}
        self.asked: Dict[str, Sequence[str]] = {}

    def find(self, name: str, chain: Sequence[ElfFile]) -> Optional[Library]:
        self.asked[name] = [elf.path for elf in chain]
        return self.libraries.get(name)


def repair_request(
    libraries: Libraries,
    *elfs: ElfFile,
    bundle: Sequence[str] = ("*",),
    fix: Sequence[str] = (),
    **options: Any,
) -> RepairRequest:
    paths = tuple(one.path for one in elfs)
    facts = WheelFacts(NAME, "demo-1.0", paths, elfs=elfs)
    request = Request(**options)
    return RepairRequest(facts, audit(facts, request), request, bundle, libraries.find, fix)


def policy(text: str) -> Optional[PlatformTag]:
    return parse_platform(f"{text}_x86_64")


def by_name(planned: Plan) -> Dict[str, Copy]:
    return {copy.library.needed_name: copy for copy in planned.copies}
