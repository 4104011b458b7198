"""Facts of macOS, iOS and Windows wheels for tests of the rules, and what the rules find."""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple, Union

from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.messages import sentence
from manyshim.audit.native import native
from manyshim.audit.nativefacts import (
    MACOS,
    Broken,
    Built,
    Dylib,
    MachoFile,
    NativeFacts,
    PeFile,
    Slice,
)
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_wheel_name

MODULE = "pkg/_x.cpython-311-darwin.so"
LIBRARY = "pkg/libx.dylib"
SCRIPT = "demo-1.0.data/scripts/tool"
PYD = "pkg/_x.cp311-win_amd64.pyd"
DLL = "demo.libs/x.dll"
EXE = "demo-1.0.data/scripts/tool.exe"

File = Union[MachoFile, PeFile, Broken]
# The severity, kind, path and subject of a finding.
Row = Tuple[str, str, str, str]


def part(arch: str = "arm64", version: Tuple[int, ...] = (11, 0), **facts: Any) -> Slice:
    """Return a slice for macOS without faults. `needed` are names; `weak` ones are optional."""
    needed = tuple(Dylib(name) for name in facts.pop("needed", ()))
    needed += tuple(Dylib(name, optional=True) for name in facts.pop("weak", ()))
    system = facts.pop("system", MACOS)
    release = (*version, 0, 0)[:3]
    sdk = (facts.pop("sdk", 14), 0, 0)
    builds = (Built(system, (release[0], release[1], release[2]), sdk),)
    made = Slice(arch, builds=builds, needed=needed, signed=arch == "arm64")
    return made._replace(**facts)


def macho(path: str = MODULE, *slices: Slice, **facts: Any) -> MachoFile:
    """Return a file with slices, or with one that has these facts."""
    return MachoFile(path, slices or (part(**facts),))


def pe(path: str = PYD, *imports: str, machine: str = "amd64", **facts: Any) -> PeFile:
    """Return a DLL, or a program if its name says so."""
    return PeFile(path, machine, not path.endswith(".exe"), imports)._replace(**facts)


def facts_of(
    platform: str, files: Sequence[File], tags: str = "cp311-cp311", **more: Any
) -> WheelFacts:
    """Return the facts of a wheel. `paths` are more members, `requires` those of Requires-Dist."""
    name = parse_wheel_name(f"demo-1.0-{tags}-{platform}.whl")
    assert name is not None
    read = NativeFacts(
        tuple(one for one in files if isinstance(one, MachoFile)),
        tuple(one for one in files if isinstance(one, PeFile)),
        tuple(one for one in files if isinstance(one, Broken)),
        tuple(more.pop("requires", ())),
    )
    paths = (*(one.path for one in files), *more.pop("paths", ()))
    return WheelFacts(name, "demo-1.0", paths=paths, tags=name.tags, native=read)


def findings(platform: str, *files: File, strict: bool = False, **more: Any) -> List[Finding]:
    """Return what the rules find."""
    return list(native(facts_of(platform, files, **more), Request(strict=strict)).findings)


def rows(found: Sequence[Finding]) -> List[Row]:
    """Return the findings as rows, sorted."""
    return sorted((one.severity, one.kind, one.path, one.subject) for one in found)


def said(found: Sequence[Finding]) -> str:
    """Return the sentences and fixes of findings."""
    lines = (sentence(one) for one in found)
    return "\n".join(f"{one.message}\n{one.fix}" for one in lines)
