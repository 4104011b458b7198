"""DLLs that Windows does not find: missing ones, and runtimes of Visual C++."""

from __future__ import annotations

from typing import Iterator, List, Tuple

from manyshim.audit.findings import ERROR, INFO, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.nativefacts import PeFile
from manyshim.audit.nativenames import words
from manyshim.audit.reasons import join_names
from manyshim.audit.windows.loading import Context
from manyshim.audit.windows.systemdlls import (
    is_debug_runtime,
    is_there,
    is_visual_c,
    of_other_python,
    parse_python,
    some_windows_has,
)
from manyshim.values import NamedTuple

_COPY = "copy the DLL into the wheel (delvewheel repair), or link it statically"


class DllProblem(Problem):
    """Which DLL Windows does not find, by what that does."""

    MISSING = Row(
        *("WINDOWS_LIBRARY", ERROR),
        "needs {subject}, which is neither in the wheel nor in Windows; the file does not load",
        _COPY,
    )
    UNREACHED = Row(
        *("WINDOWS_LIBRARY", WARNING),
        "needs {subject}, which is neither in the wheel nor in Windows; no module or program of "
        "the wheel loads the file",
        f"{_COPY}; or leave the file out of the wheel",
    )
    OTHER_COPY = Row(
        *("WINDOWS_LIBRARY", WARNING),
        "needs {subject}, which is neither in the wheel nor in Windows; another file of this name "
        "in the wheel finds all that it needs",
        "keep one of the files, the one that delvewheel has changed",
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
    RUNTIME_REQUIRED = Row(
        *("VC_RUNTIME", WARNING),
        "needs {subject}, which Python does not bring; unless it comes with {0}, which the wheel "
        "requires, users need the Visual C++ Redistributable",
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
        "needs {subject}, a debug runtime, which only development machines have and no wheel may "
        "bring",
        "build in release mode (/MD, CMAKE_BUILD_TYPE=Release)",
    )
    DEBUG_UNREACHED = Row(
        *("DEBUG_RUNTIME", WARNING),
        "needs {subject}, a debug runtime, which only development machines have and no wheel may "
        "bring; no module or program of the wheel loads the file",
        "build in release mode (/MD, CMAKE_BUILD_TYPE=Release), or leave the file out of the wheel",
    )


def libraries(context: Context) -> Iterator[Finding]:
    """Yield the DLLs that files need and that neither the wheel nor Windows has.

    Files for another machine than the wheel's are data here.
    """
    native = context.facts.native
    required = words(native.requires if native else ())
    files = [file for file in context.pes if file.machine in context.machines]
    missing = {file.path: _missing(context, file) for file in files}
    complete = {(file.machine, file.name) for file in files if not missing[file.path]}
    projects = {path: required.project_for(names) for path, names in missing.items() if names}
    # A wheel that needs one library of other projects often needs more of them.
    of_wheel = join_names(tuple(dict.fromkeys(filter(None, projects.values()))))
    for file in files:
        yield from _runtimes(context, file, of_wheel)
        # Windows loads a DLL of each name once. Which of several it is depends on the package.
        other = not file.module and (file.machine, file.name) in complete
        reached = file.path in context.reached
        project = projects.get(file.path, "") or (of_wheel if reached else "")
        known = _Known(project, reached=reached, other_copy=other)
        for name in missing[file.path]:
            yield _judge(file, name, known)
        for name in dict.fromkeys(map(str.lower, file.delayed)):
            if not (_is_found(context, name, file.machine) or is_visual_c(name)):
                yield problem_finding(DllProblem.DELAYED, file.path, subject=name)


class _Known(NamedTuple):
    """What decides how bad a missing DLL is."""

    project: str
    reached: bool
    other_copy: bool


def _missing(context: Context, file: PeFile) -> List[str]:
    """Return the DLLs that nobody brings; runtimes of Visual C++ have findings of their own."""
    return [
        name
        for name in dict.fromkeys(map(str.lower, file.imports))
        if not (
            is_debug_runtime(name) or _is_found(context, name, file.machine) or is_visual_c(name)
        )
    ]


def _runtimes(context: Context, file: PeFile, project: str) -> Iterator[Finding]:
    """Yield the runtimes that a file needs; `project` is one that brings libraries of the wheel."""
    reached = file.path in context.reached
    # A wheel without modules and programs is there for the DLLs that Python code opens.
    needed = reached or not context.reached
    for name in dict.fromkeys(map(str.lower, file.imports)):
        if is_debug_runtime(name):
            problem = DllProblem.DEBUG if reached else DllProblem.DEBUG_UNREACHED
            yield problem_finding(problem, file.path, subject=name)
        elif is_visual_c(name) and not _is_found(context, name, file.machine):
            problem = DllProblem.RUNTIME_REQUIRED if project else DllProblem.RUNTIME
            problem = problem if needed else DllProblem.RUNTIME_UNREACHED
            yield problem_finding(problem, file.path, project, subject=name)


def _is_found(context: Context, name: str, machine: str) -> bool:
    of_python = parse_python(name) is not None or of_other_python(name)
    there = name in context.runtimes or is_there(name, machine, context.oldest)
    return of_python or name in context.names or there


def _judge(file: PeFile, name: str, known: _Known) -> Finding:
    details: Tuple[str, ...] = ()
    if some_windows_has(name):
        problem, details = DllProblem.SOME_WINDOWS, (file.machine,)
    elif known.other_copy and known.reached:
        problem = DllProblem.OTHER_COPY
    elif known.project:
        problem, details = DllProblem.REQUIRED, (known.project,)
    elif not known.reached:
        problem = DllProblem.UNREACHED
    else:
        problem = DllProblem.MISSING
    return problem_finding(problem, file.path, *details, subject=name)
