"""Rules about names that no file of a process defines."""

from __future__ import annotations

from manyshim.audit import findings as f
from manyshim.audit.findings import Evidence, Finding, finding
from manyshim.audit.loader.search import Process
from manyshim.audit.policy import glibc_version
from manyshim.audit.rules.context import LISTED, Context
from manyshim.audit.tags import MUSL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, FrozenSet, Iterator, Optional, Set, Tuple

    from manyshim.audit.definitions import Definition, Definitions

# The interpreter has loaded these. In the list, libc has the names of libpthread, libdl and libutil
# too, which it has loaded before glibc 2.34 put them into libc.
_ALWAYS_LOADED = frozenset(("libc.so.6", "libm.so.6"))
_RUNTIMES_OF_GCC = frozenset(("libstdc++.so.6", "libgcc_s.so.1"))


def unresolved(context: Context) -> Iterator[Tuple[Process, Dict[str, Set[str]]]]:
    """Yield each process with the unversioned names, by member, that nothing is known to define.

    Beside a library that may define names unknown to us, only names matter that are newer in glibc
    than a policy: no library that a policy promises defines these. In what manyshim's toolchain
    linked, each name of the target's glibc has a version. So all others matter there.
    """
    newer: Dict[str, FrozenSet[str]] = {}
    for process in context.loading.processes if any(context.imported.values()) else ():
        if context.request.compiled or not context.definers[process.root]:
            yield process, context.missing(process, context.imported)
            continue
        newer = newer or _too_new(context)
        yield process, context.missing(process, newer)


def _too_new(context: Context) -> Dict[str, FrozenSet[str]]:
    """Return, by file, the imported names that glibc defines, but not for the oldest policy."""
    from manyshim.audit.definitions import glibc_definitions  # noqa: PLC0415 (most wheels: unused)

    listed = glibc_definitions(context.policies.arch)
    names = listed.keys() & frozenset().union(*context.imported.values())
    found = ((name, _best(context, listed, name, _ALWAYS_LOADED)) for name in names)
    newer = frozenset(name for name, best in found if best and best.version)
    return {path: names & newer for path, names in context.imported.items()}


def _best(
    context: Context, listed: Definitions, name: str, loaded: FrozenSet[str]
) -> Optional[Definition]:
    """Return the definition of a name that the oldest policy has, among loaded libraries."""
    found = [one for one in listed.get(name, ()) if one.library in loaded]
    return min(found, key=lambda one: _allowed_from(context, one.version), default=None)


def _finder(
    context: Context, listed: Definitions
) -> Callable[[str, FrozenSet[str]], Optional[Definition]]:
    """Return `_best` for the listed names; many processes ask for the same."""
    known: Dict[Tuple[str, FrozenSet[str]], Optional[Definition]] = {}

    def find(name: str, loaded: FrozenSet[str]) -> Optional[Definition]:
        if name not in listed:
            return None
        if (name, loaded) not in known:
            known[name, loaded] = _best(context, listed, name, loaded)
        return known[name, loaded]

    return find


def _allowed_from(context: Context, version: str) -> int:
    if not version:
        return 0
    first = context.policies.first_policy_allowing_version(version)
    return context.policies.never if first is None else first


def undefined(context: Context) -> Iterator[Finding]:
    """Yield findings for names that no file of a process defines.

    glibc's loader binds a reference without a version to the default version of the name, or to one
    of the library's oldest version node, even where that one is kept for old files only. Any other
    version that is kept for old files is not found (tests/audit/loader/test_unversioned_truth.py).
    So such a reference needs the first release that has the name.
    """
    if context.policies.libc == MUSL:
        return
    if context.request.compiled is not None:
        yield from _not_of_the_target(context)
        return
    found = {name for _, left in unresolved(context) for names in left.values() for name in names}
    listed = _listed(context, found) if found else {}
    needs: Dict[Tuple[str, Definition], Set[str]] = {}
    missing: Dict[str, Set[str]] = {}
    find = _finder(context, listed)
    for process, left in unresolved(context) if found else ():
        loaded = _loaded(process) & LISTED
        decided = not context.definers[process.root]
        for path, name in ((path, name) for path, names in left.items() for name in names):
            best = find(name, loaded)
            if best and best.version:
                needs.setdefault((path, best), set()).add(name)
            elif not best and decided:
                missing.setdefault(path, set()).add(name)
    for (path, need), newer in sorted(needs.items()):
        yield from _too_new_finding(context, path, need, newer)
    for path, names in sorted(missing.items()):
        symbols = tuple(sorted(names))
        yield finding("UNDEFINED", path, symbols[0], symbols=symbols)


def _loaded(process: Process) -> FrozenSet[str]:
    """Return the libraries with lists that a process has loaded."""
    loaded = _ALWAYS_LOADED | process.outside
    return loaded | _RUNTIMES_OF_GCC if "libstdc++.so.6" in loaded else loaded


def _listed(context: Context, names: Set[str]) -> Definitions:
    """Return the definitions of names by glibc, and by GCC's runtimes if a process loads one."""
    from manyshim.audit.definitions import (  # noqa: PLC0415 (most wheels do not need it)
        glibc_definitions,
        runtime_definitions,
    )

    arch = context.policies.arch
    glibc = glibc_definitions(arch)
    listed = {name: glibc[name] for name in names if name in glibc}
    if any(process.outside & _RUNTIMES_OF_GCC for process in context.loading.processes):
        for name, definitions in runtime_definitions(arch, names).items():
            listed[name] = (*listed.get(name, ()), *definitions)
    return listed


def _too_new_finding(
    context: Context, path: str, need: Definition, names: Set[str]
) -> Iterator[Finding]:
    made = finding(
        "TOO_NEW",
        path,
        need.version,
        library=need.library,
        symbols=tuple(sorted(names)),
        required=glibc_version(need.version),
        evidence=Evidence.UNVERSIONED,
    )
    yield from context.ruled_out(_allowed_from(context, need.version), made)


def _not_of_the_target(context: Context) -> Iterator[Finding]:
    """Yield findings for names that the glibc which zig linked with does not have."""
    compiled = context.request.compiled
    missing: Dict[str, Set[str]] = {}
    for process, left in unresolved(context):
        outside = context.definers[process.root]
        for path, names in left.items():
            found = names & compiled.glibc_names if outside and compiled else names
            missing.setdefault(path, set()).update(found)
    for path, names in sorted(missing.items()):
        symbols = tuple(sorted(name for name in names if not _is_runtime_name(context, name)))
        if symbols:
            yield finding("UNDEFINED", path, symbols[0], severity=f.ERROR, symbols=symbols)


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
