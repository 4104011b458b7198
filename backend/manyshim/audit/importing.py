"""What makes an import fail, though every policy may hold."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterator, Mapping, Optional, Set, Tuple

from manyshim.audit import findings as f
from manyshim.audit.facts import ElfFile
from manyshim.audit.findings import Finding, finding
from manyshim.audit.loading import LOADER, SYSTEM, Process
from manyshim.audit.musl import wanted_names
from manyshim.audit.policy import abi3_names, musl_symbols
from manyshim.audit.request import Compiled
from manyshim.audit.rules import Audit, is_libpython
from manyshim.audit.tags import ARCHES, GLIBC, MUSL, ModuleSuffix, WheelName, parse_module_suffix

_CP = r"cp(\d)(\d+)([a-z]*)"


def init_function(audit: Audit) -> Iterator[Finding]:
    """Find extension modules that an interpreter cannot initialise."""
    for elf in audit.elfs:
        if elf.module_init is False:
            yield finding("NO_INIT", elf.path, elf.module_name)


def suffixes(audit: Audit) -> Iterator[Finding]:
    """Compare the suffix of each extension module with the wheel's ABI tag and its platform."""
    for elf in audit.elfs:
        suffix = parse_module_suffix(elf.name)
        if suffix is None:
            continue
        compiled = audit.request.compiled
        for evidence in (
            _wrong_abi(suffix, audit.facts.name),
            _wrong_triplet(suffix, audit.ladder.arch, audit.ladder.libc)
            or _wrong_target(suffix, compiled),
        ):
            if evidence:
                severity = f.ERROR if compiled else ""
                subject = suffix.implementation
                yield finding("SUFFIX", elf.path, subject, severity=severity, evidence=evidence)


def _wrong_abi(suffix: ModuleSuffix, name: WheelName) -> str:
    """Say what the ABI tag has against a suffix; nothing where the wheel has several ABIs."""
    if len(name.abis) != 1 or (len(name.pythons) != 1 and name.abis[0] not in ("abi3", "abi3t")):
        return ""
    abi = name.abis[0]
    tag = re.fullmatch(_CP, abi)
    if suffix.implementation.startswith("abi3"):
        free_threaded = tag is not None and "t" in tag.group(3)
        wrong = free_threaded and suffix.implementation == "abi3"
    elif abi in ("abi3", "abi3t"):
        wrong = suffix.implementation.startswith("cpython-")
    else:
        wanted = f"cpython-{''.join(tag.groups())}" if tag else suffix.implementation
        wrong = suffix.implementation != wanted and suffix.implementation.startswith("cpython-")
    return f"the wheel's ABI tag is {abi}" if wrong else ""


def _wrong_triplet(suffix: ModuleSuffix, arch: str, libc: str) -> str:
    if not suffix.triplet:
        return ""
    cpu = suffix.triplet.partition("-")[0]
    if cpu not in (ARCHES[arch].triplet, arch):
        return f"it says {suffix.triplet}, and the file is for {arch}"
    if suffix.libc not in (None, libc):
        return f"it says {suffix.triplet}, and the file is for {libc}"
    return ""


def _wrong_target(suffix: ModuleSuffix, compiled: Optional[Compiled]) -> str:
    if compiled is None or suffix.triplet in ("", compiled.multiarch):
        return ""
    return f"it says {suffix.triplet}, and the target's Python looks for {compiled.multiarch}"


def stable_abi(audit: Audit) -> Iterator[Finding]:
    """Hold the interpreter's names in an abi3 wheel against the stable ABI (PEP 384)."""
    oldest = _oldest_python(audit.facts.name)
    if oldest is None:
        return
    added = abi3_names()
    for elf in audit.elfs:
        for name in elf.undefined:
            if not name.startswith(("Py", "_Py")):
                continue
            since = added.get(name)
            if since is None:
                yield finding("ABI3", elf.path, name, severity=f.INFO)
            elif since > oldest:
                yield finding("ABI3", elf.path, name, evidence=_dotted(since, oldest))


def _dotted(since: Tuple[int, int], oldest: Tuple[int, int]) -> str:
    return f"{since[0]}.{since[1]}; the tag promises {oldest[0]}.{oldest[1]}"


def _oldest_python(name: WheelName) -> Optional[Tuple[int, int]]:
    """Name the oldest CPython that an abi3 wheel promises to run on; None for other wheels."""
    if not set(name.abis) & {"abi3", "abi3t"}:
        return None
    matches = filter(None, (re.fullmatch(_CP, one) for one in name.pythons))
    return min(((int(one.group(1)), int(one.group(2))) for one in matches), default=None)


# glibc's names beside those that musl has too: fortified functions, and C23's and C99's.
_GLIBC_NAMES = r"__\w+_chk|__isoc(?:99|23)_\w+|__gmon_start__|_IO_\w+"
# Their libraries define every symbol with a version, so an unversioned name is not theirs.
_VERSIONED_LIBRARIES = r"lib(?:c|m|mvec|pthread|dl|rt|util|resolv|anl|nsl|gcc_s|stdc\+\+)\.so\.\d+"


def unexplained(audit: Audit) -> Dict[str, FrozenSet[str]]:
    """Collect, by file, the names that libc does not explain; the closures must define them.

    Our linker gives each of glibc's names its version, so that one without is none of the target's.
    """
    arch = audit.ladder.arch
    if audit.request.compiled and audit.ladder.libc == GLIBC:
        return {elf.path: _not_of_python(elf) for elf in audit.elfs}
    wanted = wanted_names if audit.ladder.libc == MUSL else _not_by_name
    names = {elf.path: wanted(elf) for elf in audit.elfs}
    # The table is long, and most wheels for glibc leave no question.
    known = musl_symbols(arch) if ARCHES[arch].musl_floor and any(names.values()) else {}
    return {path: found - known.keys() for path, found in names.items()}


def _not_by_name(elf: ElfFile) -> FrozenSet[str]:
    """Collect the unversioned names that are neither CPython's nor, by their looks, glibc's."""
    is_glibc = re.compile(_GLIBC_NAMES).fullmatch
    names = _not_of_python(elf)
    return frozenset(name for name in names if not (name.startswith("_") and is_glibc(name)))


def _not_of_python(elf: ElfFile) -> FrozenSet[str]:
    return frozenset(name for name in elf.undefined if not name.startswith(("Py", "_Py")))


def decidable(audit: Audit) -> Tuple[Process, ...]:
    """List the processes in which nothing from outside the wheel could define a name left open.

    In what our toolchain compiled that is said of each name, see `_elsewhere`.
    """
    if audit.request.compiled:
        return audit.loading.processes
    return tuple(one for one in audit.loading.processes if not _has_definers(audit, one))


def _has_definers(audit: Audit, process: Process) -> bool:
    return any(_may_define(audit, process, name) for name in process.outside)


def _elsewhere(audit: Audit, process: Process, names: Set[str]) -> Set[str]:
    """Leave out the names that a library from outside may define, which are none of glibc's."""
    compiled = audit.request.compiled
    if compiled is None or not _has_definers(audit, process):
        return names
    return names & compiled.glibc_names


def _may_define(audit: Audit, process: Process, name: str) -> bool:
    edges = (audit.loading.edges.get((path, name)) for path in process.members)
    kinds = {edge.kind for edge in edges if edge}
    if kinds <= {LOADER} or is_libpython(name):
        return False
    return kinds != {SYSTEM} or not re.fullmatch(_VERSIONED_LIBRARIES, name)


def left_open(
    audit: Audit, process: Process, wanted: Mapping[str, FrozenSet[str]]
) -> Dict[str, Set[str]]:
    """Collect, by member, the wanted names that no member of the process is known to define."""
    left = {name for path in process.members for name in wanted[path]}
    for path in process.members if left else ():
        left -= audit.facts.exports.get(path, frozenset())
    return {path: left & wanted[path] for path in process.members}


def undefined(audit: Audit) -> Iterator[Finding]:
    """Find names that nothing in a file's load closure defines."""
    strict = audit.request.compiled is not None and audit.ladder.libc == GLIBC
    if audit.ladder.libc == MUSL:
        processes = tuple(one for one in audit.loading.processes if one.outside)
    else:
        processes = decidable(audit)
    names = unexplained(audit)
    missing: Dict[str, Set[str]] = {}
    for process in processes:
        for path, left in left_open(audit, process, names).items():
            found = _elsewhere(audit, process, left) if strict else left
            if found:
                missing.setdefault(path, set()).update(found)
    severity = f.ERROR if strict else ""
    for path, open_names in sorted(missing.items()):
        symbols = tuple(sorted(name for name in open_names if not _told_by_runtimes(audit, name)))
        if symbols:
            yield finding("UNDEFINED", path, symbols[0], severity=severity, symbols=symbols)


# Clang's calls into its sanitizers and into OpenMP; our toolchain has no library for either.
_RUNTIMES = ("__ubsan_", "__asan_", "__kmpc_", "GOMP_", "omp_")


def _told_by_runtimes(audit: Audit, name: str) -> bool:
    return audit.request.compiled is not None and name.startswith(_RUNTIMES)


def runtimes(audit: Audit) -> Iterator[Finding]:
    """Find calls into a runtime of the compiler that our toolchain does not link."""
    for elf in audit.elfs:
        symbols = tuple(sorted(name for name in elf.undefined if _told_by_runtimes(audit, name)))
        if symbols:
            yield finding("UNDEFINED", elf.path, symbols[0], severity=f.ERROR, symbols=symbols)
