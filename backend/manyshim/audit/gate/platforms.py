"""The gate on machine code in wheels for other systems than Linux."""

from __future__ import annotations

from typing import Iterator

from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.names import system_name

# Android's files are ELF files, too.
_ELF_SYSTEMS = ("Android", "FreeBSD")


class PlatformProblem(Problem):
    """Machine code for another system than that of the wheel's tags."""

    ELF = Row(
        "WRONG_PLATFORM",
        ERROR,
        "is an ELF file, which {0} cannot load or run",
        "build the wheel on the system of its tag",
    )


def foreign_code(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for modules and programs in ELF format where no system can load them.

    Other ELF files may be data, such as firmware or libraries for another device.
    """
    if facts.name.linux or facts.name.pure:
        return
    systems = sorted({system_name(platform) for platform in facts.name.platforms})
    if set(systems) & {*_ELF_SYSTEMS} or set(systems) <= {*facts.name.platforms}:
        return
    scripts = f"{facts.distribution}.data/scripts/"
    for elf in facts.elfs:
        program = elf.executable and elf.path.startswith(scripts)
        if elf.loadable and (elf.extension_module or program):
            yield problem_finding(PlatformProblem.ELF, elf.path, ", ".join(systems))
