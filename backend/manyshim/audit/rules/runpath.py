"""Rules about search paths that lead out of the wheel."""

from __future__ import annotations

from manyshim.audit import findings as f
from manyshim.audit.findings import Finding, finding
from manyshim.audit.loader.runpath import used_entries
from manyshim.audit.names import escapes_wheel
from manyshim.audit.rules.context import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator


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
