"""The fixes that the option `fix` selects by name: `execstack`, `rpath` and `musl-soname`."""

from __future__ import annotations

from typing import Dict, Sequence

from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.loader.installed import used_entries
from manyshim.audit.names import escapes_wheel
from manyshim.audit.tags import ARCHES, MUSL
from manyshim.audit.verdict import Report
from manyshim.formats.elf.edits import Patch

# zig and Debian's musl-gcc write this name for musl's libc. Alpine and auditwheel use
# libc.musl-<arch>.so.1.
_MUSL_LIBC = "libc.so"


def fixes(facts: WheelFacts, report: Report, wanted: Sequence[str]) -> Dict[str, Patch]:
    """Return the patches for the selected fixes, by member; unchanged members are left out."""
    elfs = (elf for elf in facts.elfs if elf.loadable)
    found = {elf.path: fix(elf, report, wanted, facts.distribution) for elf in elfs}
    return {path: patch for path, patch in found.items() if patch != Patch()}


def fix(elf: ElfFile, report: Report, wanted: Sequence[str], distribution: str) -> Patch:
    """Return the patch of one file for the selected fixes; it may change nothing."""
    patch = Patch()
    if "execstack" in wanted and elf.executable_stack:
        patch = patch._replace(plain_stack=True)
    if "rpath" in wanted:
        entries = used_entries(elf, report.libc or "")
        kept = [entry for entry in entries if not escapes_wheel(elf, entry, distribution)]
        if len(kept) < len(entries):
            patch = patch._replace(rpath=":".join(kept))
    if "musl-soname" in wanted and report.libc == MUSL and _MUSL_LIBC in elf.needed:
        name = f"libc.musl-{ARCHES[report.arch or ''].musl_name}.so.1"
        patch = patch._replace(replace_needed=((_MUSL_LIBC, name),))
    return patch
