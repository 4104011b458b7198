"""Names that nothing in a file's load closure defines."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterator, Mapping, Set, Tuple

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile
from manyshim.audit.findings import Finding, finding
from manyshim.audit.loader.search import LOADER, SYSTEM, Process
from manyshim.audit.names import imported_names, is_libpython
from manyshim.audit.policy import musl_symbols
from manyshim.audit.rules.context import Context
from manyshim.audit.tags import ARCHES, GLIBC, MUSL

# glibc's names beside those that musl has too: C23's and C99's, and its streams. Fortified
# functions end in `_chk`. No regular expression: to compile one costs a build more than the search.
_GLIBC_PREFIXES = ("__isoc99_", "__isoc23_", "_IO_")
# Their libraries define every symbol with a version, so an unversioned name is not theirs.
_VERSIONED_LIBRARIES = frozenset(
    f"lib{name}"
    for name in (
        *("c", "m", "mvec", "pthread", "dl", "rt", "util", "resolv", "anl", "nsl"),
        *("gcc_s", "stdc++"),
    )
)


def unexplained(context: Context) -> Dict[str, FrozenSet[str]]:
    """Collect, by file, the names that libc does not explain; the closures must define them.

    Our linker gives each of glibc's names its version, so that one without is none of the target's.
    """
    arch = context.policies.arch
    if context.request.compiled and context.policies.libc == GLIBC:
        return {elf.path: _not_of_python(elf) for elf in context.elfs}
    wanted = imported_names if context.policies.libc == MUSL else _not_by_name
    names = {elf.path: wanted(elf) for elf in context.elfs}
    # The table is long, and most wheels for glibc leave no question.
    known = musl_symbols(arch) if ARCHES[arch].musl_floor and any(names.values()) else {}
    return {path: found - known.keys() for path, found in names.items()}


def _not_by_name(elf: ElfFile) -> FrozenSet[str]:
    """Collect the unversioned names that are neither CPython's nor, by their looks, glibc's."""
    return frozenset(name for name in _not_of_python(elf) if not _looks_like_glibc(name))


def _looks_like_glibc(name: str) -> bool:
    return name.startswith("_") and (
        (name.startswith("__") and name.endswith("_chk"))
        or name.startswith(_GLIBC_PREFIXES)
        or name == "__gmon_start__"
    )


def _not_of_python(elf: ElfFile) -> FrozenSet[str]:
    return frozenset(name for name in elf.undefined if not name.startswith(("Py", "_Py")))


def decidable(context: Context) -> Tuple[Process, ...]:
    """List the processes in which nothing from outside the wheel could define a name left open.

    In what our toolchain compiled that is said of each name, see `_elsewhere`.
    """
    if context.request.compiled:
        return context.loading.processes
    return tuple(one for one in context.loading.processes if not _has_definers(context, one))


def _has_definers(context: Context, process: Process) -> bool:
    return any(_may_define(context, process, name) for name in process.outside)


def _elsewhere(context: Context, process: Process, names: Set[str]) -> Set[str]:
    """Leave out the names that a library from outside may define, which are none of glibc's."""
    compiled = context.request.compiled
    if compiled is None or not _has_definers(context, process):
        return names
    return names & compiled.glibc_names


def _may_define(context: Context, process: Process, name: str) -> bool:
    edges = (context.loading.edges.get((path, name)) for path in process.members)
    kinds = {edge.kind for edge in edges if edge}
    if kinds <= {LOADER} or is_libpython(name):
        return False
    stem, _, release = name.partition(".so.")
    return kinds != {SYSTEM} or stem not in _VERSIONED_LIBRARIES or not release.isdigit()


def left_open(
    context: Context, process: Process, wanted: Mapping[str, FrozenSet[str]]
) -> Dict[str, Set[str]]:
    """Collect, by member, the wanted names that no member of the process is known to define."""
    left = {name for path in process.members for name in wanted[path]}
    for path in process.members if left else ():
        left -= context.facts.exports.get(path, frozenset())
    return {path: left & wanted[path] for path in process.members}


def undefined(context: Context) -> Iterator[Finding]:
    """Find names that nothing in a file's load closure defines."""
    strict = context.request.compiled is not None and context.policies.libc == GLIBC
    if context.policies.libc == MUSL:
        processes = tuple(one for one in context.loading.processes if one.outside)
    else:
        processes = decidable(context)
    names = unexplained(context)
    missing: Dict[str, Set[str]] = {}
    for process in processes:
        for path, left in left_open(context, process, names).items():
            found = _elsewhere(context, process, left) if strict else left
            if found:
                missing.setdefault(path, set()).update(found)
    severity = f.ERROR if strict else ""
    for path, open_names in sorted(missing.items()):
        symbols = tuple(sorted(name for name in open_names if not _told_by_runtimes(context, name)))
        if symbols:
            yield finding("UNDEFINED", path, symbols[0], severity=severity, symbols=symbols)


# Clang's calls into its sanitizers and into OpenMP; our toolchain has no library for either.
_RUNTIMES = ("__ubsan_", "__asan_", "__kmpc_", "GOMP_", "omp_")


def _told_by_runtimes(context: Context, name: str) -> bool:
    return context.request.compiled is not None and name.startswith(_RUNTIMES)


def runtimes(context: Context) -> Iterator[Finding]:
    """Find calls into a runtime of the compiler that our toolchain does not link."""
    for elf in context.elfs:
        symbols = tuple(sorted(name for name in elf.undefined if _told_by_runtimes(context, name)))
        if symbols:
            yield finding("UNDEFINED", elf.path, symbols[0], severity=f.ERROR, symbols=symbols)
