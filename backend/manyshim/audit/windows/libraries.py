"""DLLs that Windows does not find: missing ones, and runtimes of Visual C++."""

from __future__ import annotations

from typing import Iterator, List

from manyshim.audit.findings import ERROR, INFO, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.nativefacts import PeFile
from manyshim.audit.nativenames import Words, words
from manyshim.audit.windows.loading import Context
from manyshim.audit.windows.systemdlls import (
    is_debug_runtime,
    is_there,
    is_visual_c,
    of_other_python,
    parse_python,
    some_windows_has,
)

_COPY = "copy the DLL into the wheel (delvewheel repair), or link it statically"


class DllProblem(Problem):
    """Which DLL Windows does not find, by what that does."""

    MISSING = Row(
        *("WINDOWS_LIBRARY", ERROR),
        "needs {subject}, which is neither in the wheel nor in Windows; the import fails",
        _COPY,
    )
    UNREACHED = Row(
        *("WINDOWS_LIBRARY", WARNING),
        "needs {subject}, which is neither in the wheel nor in Windows; no module or program of "
        "the wheel loads the file",
        f"{_COPY}; or leave the file out of the wheel",
    )
    SOME_WINDOWS = Row(
        *("WINDOWS_LIBRARY", WARNING),
        "needs {subject}, which not every Windows for {0} has",
        f"{_COPY}; or tell your users which Windows they need",
    )
    REQUIRED = Row(
        *("WINDOWS_LIBRARY", WARNING),
        "needs {subject}, which is not in the wheel; it may come with "
        "{0}, which the wheel requires",
        "import that project first, or call os.add_dll_directory with its folder",
    )
    DELAYED = Row(
        *("WINDOWS_LIBRARY", INFO),
        "loads {subject} when it is first used; it is neither in the wheel nor in Windows",
        _COPY,
    )
    RUNTIME = Row(
        *("VC_RUNTIME", WARNING),
        "needs {subject}, which Python does not bring; users need the Visual C++ Redistributable",
        "copy the DLL into the wheel (delvewheel repair), or link the C++ runtime statically (/MT)",
    )
    RUNTIME_UNREACHED = Row(
        *("VC_RUNTIME", INFO),
        "needs {subject}, which Python does not bring; no module or program of the wheel loads the "
        "file",
        "copy the DLL into the wheel (delvewheel repair), or link the C++ runtime statically (/MT)",
    )
    DEBUG = Row(
        *("DEBUG_RUNTIME", ERROR),
        "needs {subject}, a debug runtime that only development machines have; the import fails",
        "build in release mode (/MD, CMAKE_BUILD_TYPE=Release)",
    )
    DEBUG_UNREACHED = Row(
        *("DEBUG_RUNTIME", WARNING),
        "needs {subject}, a debug runtime that only development machines have; no module or "
        "program of the wheel loads the file",
        "build in release mode (/MD, CMAKE_BUILD_TYPE=Release), or leave the file out of the wheel",
    )


def libraries(context: Context) -> Iterator[Finding]:
    """Yield the DLLs that files need and that neither the wheel nor Windows has.

    Files for another machine than the wheel's are data here.
    """
    native = context.facts.native
    required = words(native.requires if native else ())
    for file in context.pes:
        if file.machine in context.machines:
            yield from _of_file(context, file, required)


def _of_file(context: Context, file: PeFile, required: Words) -> Iterator[Finding]:
    reached = file.path in context.reached
    missing: List[str] = []
    for name in dict.fromkeys(map(str.lower, file.imports)):
        if is_debug_runtime(name):
            problem = DllProblem.DEBUG if reached else DllProblem.DEBUG_UNREACHED
            yield problem_finding(problem, file.path, subject=name)
        elif _is_found(context, name, file.machine):
            continue
        elif is_visual_c(name):
            problem = DllProblem.RUNTIME if reached else DllProblem.RUNTIME_UNREACHED
            yield problem_finding(problem, file.path, subject=name)
        else:
            missing.append(name)
    project = required.project_for(missing) if missing else ""
    for name in missing:
        yield _missing(file, name, project, reached=reached)
    for name in dict.fromkeys(map(str.lower, file.delayed)):
        if not (_is_found(context, name, file.machine) or is_visual_c(name)):
            yield problem_finding(DllProblem.DELAYED, file.path, subject=name)


def _is_found(context: Context, name: str, machine: str) -> bool:
    of_python = parse_python(name) is not None or of_other_python(name)
    return of_python or name in context.names or is_there(name, machine, context.oldest)


def _missing(file: PeFile, name: str, project: str, *, reached: bool) -> Finding:
    if some_windows_has(name):
        return problem_finding(DllProblem.SOME_WINDOWS, file.path, file.machine, subject=name)
    if not reached:
        return problem_finding(DllProblem.UNREACHED, file.path, subject=name)
    if project:
        return problem_finding(DllProblem.REQUIRED, file.path, project, subject=name)
    return problem_finding(DllProblem.MISSING, file.path, subject=name)
