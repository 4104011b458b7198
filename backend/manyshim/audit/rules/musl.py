"""Rules for musl. It has no symbol versions, so imported names and DT_RELR are the requirement."""

from __future__ import annotations

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile
from manyshim.audit.findings import Evidence, Finding, dotted, finding
from manyshim.audit.loader.search import Process
from manyshim.audit.names import is_copy
from manyshim.audit.policy import MUSL_FIRST, MuslRelease, musl_symbols
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import ARCHES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet, Dict, FrozenSet, Iterator, List, Mapping, Set, Tuple

# The first release that reads DT_RELR. A library that has it crashes on older ones.
_FIRST_RELR: MuslRelease = (1, 2, 4)
# The compiler's libraries, as the names of their copies begin.
_RUNTIMES = tuple(
    f"lib{name}-" for name in ("gcc_s", "stdc++", "gfortran", "quadmath", "gomp", "atomic", "ssp")
)


def unresolved(context: Context) -> Iterator[Tuple[Process, Dict[str, Set[str]]]]:
    """Yield each process with the imported names that neither the oldest musl nor it defines."""
    known = musl_symbols(context.policies.arch)
    wanted = {elf.path: _not_in_oldest(context, elf, known) for elf in context.elfs}
    for process in context.loading.processes:
        yield process, context.missing(process, wanted)


def _not_in_oldest(
    context: Context, elf: ElfFile, known: Mapping[str, MuslRelease]
) -> FrozenSet[str]:
    """Return the imported names that the oldest musl of the architecture does not have."""
    oldest = ARCHES[context.policies.arch].first_musl or MUSL_FIRST
    names = context.imported[elf.path]
    return frozenset(name for name in names if known.get(name, (9, 9, 9)) > oldest)


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
        for name in sorted(_not_in_oldest(context, elf, known)):
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
            yield _release_finding(context, elf, made, names)


def _release_finding(
    context: Context, elf: ElfFile, made: Finding, names: Tuple[str, ...]
) -> Finding:
    """Return the finding that the release is newer than the one that musllinux_1_2 promises."""
    # zig's musl is newer than the tag's. Configure scripts find names that Alpine may lack.
    fails = "DT_RELR" in names or context.request.compiled is not None
    copied = elf.name.startswith(_RUNTIMES) and is_copy(elf.path)
    return made._replace(
        kind="MUSL_PATCH_LEVEL",
        severity=f.ERROR if fails and context.request.strict else f.WARNING,
        policy=None,
        evidence=Evidence.RUNTIME_COPY if copied else None,
    )


def _glibc_names(context: Context) -> AbstractSet[str]:
    from manyshim.audit.definitions import glibc_definitions  # noqa: PLC0415 (most wheels: unused)

    return glibc_definitions(context.policies.arch).keys()


def undefined(context: Context) -> Iterator[Finding]:
    """Yield findings for names that neither musl nor the wheel defines.

    A library from outside the wheel may define any name. If a policy promises all of them, names of
    glibc that musl does not have remain, because none of these libraries defines glibc's names.
    """
    missing: Dict[str, Set[str]] = {}
    known = musl_symbols(context.policies.arch).keys()
    for process, left in unresolved(context):
        outside = context.definers.get(process.root, frozenset())
        if not all(map(context.promises, outside)):
            continue
        for path, names in left.items():
            found = names - known
            if found and outside:
                found &= _glibc_names(context)
            if found:
                missing.setdefault(path, set()).update(found)
    for path, names in sorted(missing.items()):
        symbols = tuple(sorted(names))
        yield finding("MUSL_UNDEFINED", path, symbols[0], library="libc.so", symbols=symbols)
