"""Rules for musl. It has no symbol versions, so imported names and DT_RELR are the requirement."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterator, List, Mapping, Tuple

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile
from manyshim.audit.findings import Finding, dotted, finding
from manyshim.audit.loader.search import Process
from manyshim.audit.names import imported_names
from manyshim.audit.policy import MUSL_FIRST, MuslRelease, musl_symbols
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import ARCHES

# The first release that reads DT_RELR. A library that has it crashes on older ones.
_FIRST_RELR: MuslRelease = (1, 2, 4)
# A single one is an error already, so longer lists do not help.
_MAX_UNDEFINED_SHOWN = 1000


def not_in_oldest(elf: ElfFile, known: Mapping[str, MuslRelease], arch: str) -> FrozenSet[str]:
    """Return the imported names that the oldest musl of the architecture does not have."""
    oldest = ARCHES[arch].first_musl or MUSL_FIRST
    return frozenset(name for name in imported_names(elf) if known.get(name, (9, 9, 9)) > oldest)


def _offered(context: Context, process: Process) -> FrozenSet[str]:
    """Return the names that the members of a process define."""
    exports = context.facts.exports
    return frozenset().union(*(exports.get(path, frozenset()) for path in process.members))


def _needs(context: Context) -> Iterator[Tuple[ElfFile, MuslRelease, Tuple[str, ...]]]:
    """Yield each file with each release of musl that it needs, and the names that need it."""
    known = musl_symbols(context.policies.arch)
    # By file, the names that are defined in every process that loads the file.
    found: Dict[str, FrozenSet[str]] = {}
    for process in context.loading.processes:
        offered = _offered(context, process)
        for path in process.members:
            found[path] = found[path] & offered if path in found else offered
    for elf in context.elfs:
        needs: Dict[MuslRelease, List[str]] = {}
        for name in sorted(not_in_oldest(elf, known, context.policies.arch)):
            if name in known and name not in found.get(elf.path, ()):
                needs.setdefault(known[name], []).append(name)
        if elf.relr and not elf.static:
            needs.setdefault(_FIRST_RELR, []).append("DT_RELR")
        for release_, names in sorted(needs.items()):
            yield elf, release_, tuple(names)


def minimum(context: Context) -> MuslRelease:
    """Return the oldest release of musl that has everything that the files import."""
    oldest = ARCHES[context.policies.arch].first_musl or MUSL_FIRST
    return max((release_ for _, release_, _ in _needs(context)), default=oldest)


def release(context: Context) -> Iterator[Finding]:
    """Yield findings for releases of musl that are newer than a policy promises."""
    promised = max((1, 2, 0), ARCHES[context.policies.arch].first_musl or MUSL_FIRST)
    for elf, needed, names in _needs(context):
        subject = f"musl {dotted(needed)}"
        made = finding(
            "TOO_NEW", elf.path, subject, library="libc.so", symbols=names, required=needed
        )
        if needed >= (1, 2, 0):
            yield from context.ruled_out(context.policies.first_policy_promising((1, 2)), made)
        if needed > promised:
            # zig's musl is newer than the tag's. Configure scripts find names that Alpine may lack.
            fails = "DT_RELR" in names or context.request.compiled is not None
            severity = f.ERROR if fails and context.request.strict else f.WARNING
            yield made._replace(kind="MUSL_PATCH_LEVEL", severity=severity, policy=None)


def undefined(context: Context) -> Iterator[Finding]:
    """Yield findings for names that neither musl nor the wheel defines.

    Processes with a library from outside the wheel are left out, because it may define the name.
    """
    known = musl_symbols(context.policies.arch)
    elfs = {elf.path: elf for elf in context.elfs}
    missing: Dict[Tuple[str, str], None] = {}
    for process in context.loading.processes:
        if process.outside:
            continue
        offered = _offered(context, process)
        for path in process.members:
            for name in imported_names(elfs[path]) - known.keys() - offered:
                missing[path, name] = None
    for path, name in sorted(missing)[:_MAX_UNDEFINED_SHOWN]:
        yield finding("MUSL_UNDEFINED", path, name, library="libc.so")
