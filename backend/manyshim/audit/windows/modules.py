"""Modules for another machine or another Python than the tags name."""

from __future__ import annotations

import posixpath
from typing import Dict, Iterator, List, Optional, Tuple

from manyshim.audit import findings as f
from manyshim.audit.findings import (
    ERROR,
    INFO,
    Evidence,
    Finding,
    Problem,
    Row,
    dotted,
    finding,
    problem_finding,
)
from manyshim.audit.nativefacts import PeFile
from manyshim.audit.policy import abi3_names, abi3_version
from manyshim.audit.request import Request
from manyshim.audit.suffixes import STABLE_ABIS
from manyshim.audit.windows.loading import MACHINES, TAGS, Context, parse_suffix
from manyshim.audit.windows.systemdlls import PythonDll, parse_python

_OF_PYTHON = ("Py", "_Py")


class PythonProblem(Problem):
    """Which DLL of Python a file needs that the Pythons of the tags are not."""

    IN_STABLE = Row(
        *("PYTHON_DLL", ERROR),
        "needs {subject}, which is that of one Python; the wheel is tagged for every newer one "
        "({0})",
        "define Py_LIMITED_API when you compile, so that python3.dll is linked",
    )
    OTHER = Row(
        *("PYTHON_DLL", ERROR),
        "needs {subject}, but the wheel is for {0}; the import fails",
        "build the file with the Python of the tag",
    )
    GENERIC = Row(
        *("PYTHON_DLL", INFO),
        "needs {subject}, but the tag {0} is for every Python",
        "use the tags of the Python that you built with",
    )


def python_dlls(context: Context) -> Iterator[Finding]:
    """Yield the files that need the DLL of another Python than those of the tags."""
    wheel = context.facts.name
    tags = "-".join((".".join(wheel.pythons), ".".join(wheel.abis)))
    modules = _modules(context)
    for file in context.pes:
        for name in dict.fromkeys(map(str.lower, file.imports)):
            dll = parse_python(name)
            # python3.dll is the same for all. Debug ones are judged as debug runtimes.
            if dll is None or dll.minor is None or dll.debug:
                continue
            problem = _python_problem(context, file, dll)
            # A program that brings its own Python needs none of the user's.
            own = name in context.names and file.path not in context.reached
            if problem and not own and not _has_twin(context, file, modules):
                yield problem_finding(problem, file.path, tags, subject=name)


def _python_problem(context: Context, file: PeFile, dll: PythonDll) -> Optional[PythonProblem]:
    pythons = [python.lower() for python in context.facts.name.pythons]
    if any(python in ("py2", "py3") for python in pythons):
        return PythonProblem.GENERIC
    suffix = parse_suffix(file.name)
    if context.abis & set(STABLE_ABIS):
        own = suffix.version == (dll.major, dll.minor)
        return None if own else PythonProblem.IN_STABLE
    version = f"{dll.major}{dll.minor}"
    fits = any(python.lstrip("abcdefghijklmnopqrstuvwxyz") == version for python in pythons)
    threads = {abi.endswith("t") for abi in context.abis if abi.startswith("cp")}
    same = not threads or dll.free_threaded in threads
    return None if fits and same else PythonProblem.OTHER


# The modules of a wheel by their folder and name, without their suffix.
_Modules = Dict[Tuple[str, str], List[PeFile]]


def _modules(context: Context) -> _Modules:
    found: _Modules = {}
    for file in context.pes:
        if file.module and context.in_site(file):
            found.setdefault(_place(file), []).append(file)
    return found


def _place(file: PeFile) -> Tuple[str, str]:
    return posixpath.dirname(file.path), file.name.partition(".")[0]


def _has_twin(context: Context, file: PeFile, modules: _Modules) -> bool:
    """Whether another file of the same module is for the wheel, so that Python loads that one."""
    files = modules.get(_place(file), ()) if file.module else ()
    return any(other is not file and _fits(context, other) for other in files)


def _fits(context: Context, file: PeFile) -> bool:
    """Whether a module is for a machine of the tags, by header and by suffix."""
    stated = parse_suffix(file.name).platform
    same = MACHINES.get(stated, file.machine) == file.machine
    return same and file.machine in context.machines


def machines(context: Context) -> Iterator[Finding]:
    """Yield the modules that are for another machine than the tags, by header or by suffix.

    The ABI none means that the package may open its files itself, under any suffix.
    """
    details = (", ".join(sorted(TAGS[one] for one in context.machines)),)
    modules = _modules(context)
    for file in (file for files in modules.values() for file in files):
        subject = ""
        if file.machine not in context.machines:
            subject = TAGS.get(file.machine, f"the machine {file.machine}")
        elif not _fits(context, file) and context.abis != {"none"}:
            subject = f"{parse_suffix(file.name).platform} by its file name"
        if subject and not _has_twin(context, file, modules):
            evidence = Evidence.OTHER_WHEEL
            yield finding("MIXED_ARCH", file.path, subject, evidence=evidence, details=details)


def stable_abi(context: Context, request: Request) -> Iterator[Finding]:
    """Yield the names of Python that an abi3 wheel may not use (PEP 384)."""
    if not context.abis & set(STABLE_ABIS) or context.oldest is None:
        return
    known = abi3_names()
    severity = f.ERROR if request.strict else f.WARNING
    evidence = Evidence.NOT_IN_STABLE_ABI
    for file in context.pes:
        if parse_suffix(file.name).python:
            continue
        used = [name for name in file.python_names if name.startswith(_OF_PYTHON)]
        foreign = tuple(name for name in used if name not in known)
        if foreign:
            made = finding("ABI3", file.path, foreign[0], severity=severity, symbols=foreign)
            yield made._replace(evidence=evidence, details=(dotted(abi3_version()),))
        yield from _too_new(file, used, context.oldest)


def _too_new(file: PeFile, used: List[str], oldest: Tuple[int, int]) -> Iterator[Finding]:
    added = abi3_names()
    newer: Dict[Tuple[int, int], List[str]] = {}
    for name in used:
        since = added.get(name)
        if since and since > oldest:
            newer.setdefault(since, []).append(name)
    for since, names in sorted(newer.items()):
        made = finding("ABI3", file.path, names[0], required=since, symbols=tuple(names))
        yield made._replace(details=(dotted(oldest),))
