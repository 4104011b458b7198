"""Machine code for Linux in a wheel for a system that has no ELF files.

Such wheels may ship ELF files as data: firmware, payloads for other systems, files of tests. So a
finding needs a file that the wheel's own users would import or run.
"""

from __future__ import annotations

from itertools import islice
from typing import Dict, FrozenSet, Iterator, List, Set

from manyshim.audit.facts import ElfFile, WheelFacts, install_path
from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.names import system_name
from manyshim.audit.tags import MACHINES

# Android, the BSDs and others have ELF files of their own.
_WITHOUT_ELF = frozenset(("macOS", "Windows", "iOS", "Emscripten", "WASI"))
# How the names of extension modules end there.
_OWN_SUFFIXES = (
    *(".pyd", "-darwin.so", "-emscripten.so", "-iphoneos.so", "-iphonesimulator.so", "-wasi.so"),
    ".fwork",
)
_MAX_FINDINGS = 1000


class PlatformProblem(Problem):
    """Which machine code the system of the wheel cannot load."""

    MODULE = Row(
        *("WRONG_PLATFORM", ERROR),
        "is an extension module in the format of Linux (ELF), which {0} does not load",
        "build the module for {0}, or give the wheel the tag of the system that it was built for",
    )
    PROGRAM = Row(
        *("WRONG_PLATFORM", ERROR),
        "is a program in the format of Linux (ELF), which {0} does not run",
        "build the program for {0}, or put it into the package if it is only data",
    )


def undecided(facts: WheelFacts) -> Dict[str, FrozenSet[str]]:
    """Return the files whose name does not tell whether they are modules: a bare `name.so`.

    The value has the init functions that a module of that name exports.
    """
    return {
        elf.path: frozenset((f"PyInit_{elf.module_name}", f"PyModExport_{elf.module_name}"))
        for elf in (_foreign(facts) if _systems(facts) else ())
        if _is_bare(elf)
    }


def wrong_platform(facts: WheelFacts) -> Iterator[Finding]:
    """Yield the ELF files that users of another system would import or run.

    Put into `facts.exports` what `undecided` asks for. Without it, a bare `name.so` is data.
    """
    systems = _systems(facts)
    if systems:
        yield from islice(_judge(facts, ", ".join(systems)), _MAX_FINDINGS)


def _judge(facts: WheelFacts, systems: str) -> Iterator[Finding]:
    own = _own_modules(facts)
    for elf in _foreign(facts):
        installed = install_path(elf.path, facts.distribution)
        if installed.root == "scripts" and elf.executable:
            yield problem_finding(PlatformProblem.PROGRAM, elf.path, systems)
        # A wheel for several systems has the module of its own system, too.
        elif installed.root == "site" and _is_module(elf, facts) and elf.module_name not in own:
            yield problem_finding(PlatformProblem.MODULE, elf.path, systems)


def _systems(facts: WheelFacts) -> List[str]:
    """Return the systems of a wheel if none of them has ELF files."""
    systems = sorted(set(map(system_name, facts.name.platforms)))
    return systems if set(systems) <= _WITHOUT_ELF else []


def _foreign(facts: WheelFacts) -> Iterator[ElfFile]:
    """Yield the programs and libraries for processors that have wheels: no device code."""
    links = frozenset(facts.symlinks)
    for elf in facts.elfs:
        if elf.loadable and elf.ident.machine in MACHINES and elf.path not in links:
            yield elf


def _is_bare(elf: ElfFile) -> bool:
    stem, _, extension = elf.name.partition(".")
    return extension == "so" and stem.isidentifier()


def _is_module(elf: ElfFile, facts: WheelFacts) -> bool:
    if elf.extension_module or elf.name.endswith(_OWN_SUFFIXES):
        return True
    return _is_bare(elf) and bool(facts.exports.get(elf.path))


def _own_modules(facts: WheelFacts) -> Set[str]:
    """Return the names of extension modules in the wheel that are no ELF files."""
    elfs = {elf.path for elf in facts.elfs} | {one.path for one in facts.unreadable}
    names = set()
    for path in facts.paths:
        if path.endswith((".so", *_OWN_SUFFIXES)) and path not in elfs:
            folder, _, name = path.rpartition("/")
            stem = name.partition(".")[0]
            names.add(folder.rpartition("/")[2] if stem == "__init__" else stem)
    return names
