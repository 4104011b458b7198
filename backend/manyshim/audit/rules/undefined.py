"""Rules about names that no file of a process defines."""

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

# Prefixes of glibc's names that musl does not have: variants for C99 and C23, and streams.
# Fortified functions end in `_chk`. Compiling a regular expression would cost more than the search.
_GLIBC_PREFIXES = ("__isoc99_", "__isoc23_", "_IO_")
# These libraries define every symbol with a version, so they never define an unversioned name.
_VERSIONED_LIBRARIES = frozenset(
    f"lib{name}"
    for name in (
        *("c", "m", "mvec", "pthread", "dl", "rt", "util", "resolv", "anl", "nsl"),
        *("gcc_s", "stdc++"),
    )
)


def not_in_libc(context: Context) -> Dict[str, FrozenSet[str]]:
    """Return, by file, the imported names that libc does not define, so that others must.

    In a file that manyshim's toolchain linked, each name of the target's glibc has a version. So
    every name without a version counts there.
    """
    arch = context.policies.arch
    if context.request.compiled and context.policies.libc == GLIBC:
        return {elf.path: _not_of_python(elf) for elf in context.elfs}
    wanted = imported_names if context.policies.libc == MUSL else _not_by_name
    names = {elf.path: wanted(elf) for elf in context.elfs}
    # The table is long, and most wheels for glibc have no such names.
    known = musl_symbols(arch) if ARCHES[arch].first_musl and any(names.values()) else {}
    return {path: found - known.keys() for path, found in names.items()}


def _not_by_name(elf: ElfFile) -> FrozenSet[str]:
    """Return the unversioned names that do not look like those of CPython or glibc."""
    return frozenset(name for name in _not_of_python(elf) if not _looks_like_glibc(name))


def _looks_like_glibc(name: str) -> bool:
    return name.startswith("_") and (
        (name.startswith("__") and name.endswith("_chk"))
        or name.startswith(_GLIBC_PREFIXES)
        or name == "__gmon_start__"
    )


def _not_of_python(elf: ElfFile) -> FrozenSet[str]:
    """Return the unversioned names that do not look like those of CPython."""
    return frozenset(name for name in elf.undefined if not name.startswith(("Py", "_Py")))


def decidable(context: Context) -> Tuple[Process, ...]:
    """Return the processes in which no library from outside the wheel may define more names.

    For what manyshim's toolchain compiled, these are all processes: `_not_external` then decides
    for each name.
    """
    if context.request.compiled:
        return context.loading.processes
    return tuple(one for one in context.loading.processes if not _has_definers(context, one))


def _has_definers(context: Context, process: Process) -> bool:
    """Whether a library from outside the wheel may define unversioned names."""
    return any(_may_define(context, process, name) for name in process.outside)


def _not_external(context: Context, process: Process, names: Set[str]) -> Set[str]:
    """Return the names that no library from outside the wheel may define.

    If the process loads a library that may define names, only the names of glibc remain.
    """
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


def unresolved(
    context: Context, process: Process, wanted: Mapping[str, FrozenSet[str]]
) -> Dict[str, Set[str]]:
    """Return, by member, the wanted names that no member of the process is known to define."""
    left = {name for path in process.members for name in wanted[path]}
    for path in process.members if left else ():
        left -= context.facts.exports.get(path, frozenset())
    return {path: left & wanted[path] for path in process.members}


def undefined(context: Context) -> Iterator[Finding]:
    """Yield findings for names that no file of a process defines."""
    strict = context.request.compiled is not None and context.policies.libc == GLIBC
    if context.policies.libc == MUSL:
        processes = tuple(one for one in context.loading.processes if one.outside)
    else:
        processes = decidable(context)
    names = not_in_libc(context)
    missing: Dict[str, Set[str]] = {}
    for process in processes:
        for path, left in unresolved(context, process, names).items():
            found = _not_external(context, process, left) if strict else left
            if found:
                missing.setdefault(path, set()).update(found)
    severity = f.ERROR if strict else ""
    for path, found_names in sorted(missing.items()):
        symbols = tuple(sorted(name for name in found_names if not _is_runtime_name(context, name)))
        if symbols:
            yield finding("UNDEFINED", path, symbols[0], severity=severity, symbols=symbols)


# Names of sanitizer and OpenMP runtimes, which manyshim's toolchain has no library for.
_RUNTIMES = ("__ubsan_", "__asan_", "__kmpc_", "GOMP_", "omp_")


def _is_runtime_name(context: Context, name: str) -> bool:
    return context.request.compiled is not None and name.startswith(_RUNTIMES)


def runtimes(context: Context) -> Iterator[Finding]:
    """Yield findings for calls into a runtime that manyshim's toolchain does not link."""
    for elf in context.elfs:
        symbols = tuple(sorted(name for name in elf.undefined if _is_runtime_name(context, name)))
        if symbols:
            yield finding("UNDEFINED", elf.path, symbols[0], severity=f.ERROR, symbols=symbols)
