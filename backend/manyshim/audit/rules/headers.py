"""Rules about the header of each ELF file, and about files that no loader reads."""

from __future__ import annotations

from manyshim.audit.facts import RELOCATABLE, ElfFile, WheelFacts
from manyshim.audit.findings import Evidence, Finding, finding
from manyshim.audit.identity import DEVICES, OS_ABIS, identify, machine_name
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import ARCHES, MACHINES, platform_arch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from manyshim.audit.tags import WheelName


def headers(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for unreadable or damaged files, and for headers that no tag covers."""
    for member in facts.unreadable:
        yield finding("ELF_CORRUPT", member.path, member.reason)
    for elf in facts.elfs:
        if not elf.loadable:
            continue
        if elf.ident.machine not in MACHINES:
            yield _of_other_machine(facts, elf)
            continue
        for damage in elf.damage:
            yield finding("ELF_DAMAGED", elf.path, damage)
        identity = identify(elf.ident)
        if identity.problem:
            yield finding("WRONG_ABI", elf.path, identity.problem)
        if elf.ident.os_abi not in OS_ABIS:
            yield finding("WRONG_OS", elf.path, f"OSABI {elf.ident.os_abi}")


def _of_other_machine(facts: WheelFacts, elf: ElfFile) -> Finding:
    """Return the finding for a file of a machine that no tag names.

    It may be code for a device, or data. But an extension module is to be loaded.
    """
    machine, arch = machine_name(elf.ident.machine), facts.name.header_arch
    if arch and elf.extension_module and elf.ident.machine not in DEVICES:
        made = finding("MIXED_ARCH", elf.path, machine, evidence=Evidence.OTHER_WHEEL)
        return made._replace(details=(arch,))
    return finding("DEVICE_CODE", elf.path, machine)


def unused(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for files that only a linker or a debugger reads, never a loader."""
    for path in facts.static_objects:
        yield finding("STATIC_OBJECT", path, "an archive of object files")
    for elf in facts.elfs:
        if elf.ident.type == RELOCATABLE:
            yield finding("STATIC_OBJECT", elf.path, "an object file")
        elif elf.detached:
            yield finding("STATIC_OBJECT", elf.path, "detached debug information")


def copies(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for loadable files that are in the wheel several times."""
    for paths, size in facts.copies:
        cost = (len(paths) - 1) * size
        made = finding("DUPLICATE_LIBRARY", paths[0], str(cost), symbols=paths[1:])
        # The first path makes each group of equal files a line of its own.
        yield made._replace(details=(str(len(paths)), paths[0]))


_ARM_FLOAT_ABI = 0x600


def float_abi(context: Context) -> Iterator[Finding]:
    """Yield findings for ARM files whose header has no flag for the floating-point ABI."""
    if context.policies.arch == "armv7l":
        for elf in context.elfs:
            if not elf.ident.flags & _ARM_FLOAT_ABI:
                yield finding("FLOAT_ABI_UNKNOWN", elf.path, f"e_flags {elf.ident.flags:#x}")


def other_arch(path: str, other: str, meant: str, name: WheelName) -> Finding:
    """Return the finding about a file of the architecture `other`, where `meant` is expected."""
    stated = platform_arch(name.platforms[0]) if name.header_arch else None
    wanted = ARCHES.get(meant)
    if wanted and wanted.machine == ARCHES[other].machine:
        order = "little" if ARCHES[other].little_endian else "big"
        return finding("WRONG_ABI", path, f"{order}-endian {other}; the wheel is for {meant}")
    details = (stated or meant,)
    return finding("MIXED_ARCH", path, other, evidence=Evidence.OTHER_WHEEL, details=details)
