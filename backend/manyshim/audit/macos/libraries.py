"""Libraries that dyld does not find, and search paths that leave the wheel."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Set, Tuple

from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import (
    ERROR,
    INFO,
    WARNING,
    Finding,
    Problem,
    Row,
    problem_finding,
)
from manyshim.audit.macos.loading import SYSTEM_PLACES, Loading, simulate
from manyshim.audit.macos.promises import promises
from manyshim.audit.nativefacts import MACOS, MachoFile
from manyshim.audit.nativenames import words

_COPY = "copy the library into the wheel (delocate), or link it statically"
# /Library/Frameworks/Python.framework/Versions/3.11/Python, @rpath/libpython3.11.dylib
_LIBPYTHON = re.compile(r"(?:^|/)(?:Python3?\.framework/|libpython[0-9][0-9.]*t?d?\.dylib$)")


class LibraryProblem(Problem):
    """Which library dyld does not find, by what that does."""

    MISSING = Row(
        *("MACOS_LIBRARY", ERROR),
        "needs {subject}{0}, which is neither in the wheel nor in macOS; the import fails",
        _COPY,
    )
    UNREACHED = Row(
        *("MACOS_LIBRARY", WARNING),
        "needs {subject}{0}, which is neither in the wheel nor in macOS; no module or program of "
        "the wheel loads the file",
        f"{_COPY}; or tell your users to install it",
    )
    REQUIRED = Row(
        *("MACOS_LIBRARY", WARNING),
        "needs {subject}{0}, which is not in the wheel; it may come with "
        "{1}, which the wheel requires",
        "load it in the package before the file is imported, or add @loader_path/... to its search "
        "paths",
    )
    BY_NAME_ONLY = Row(
        *("MACOS_LIBRARY", INFO),
        "needs {subject}{0}, which finds {1} of the wheel only if that is already loaded",
        "install_name_tool -change {subject} @loader_path/... FILE",
    )
    LIBPYTHON = Row(
        *("LIBPYTHON", ERROR),
        "needs {subject}{0}, which only some installations of Python have",
        "link modules with -undefined dynamic_lookup, and not with Python's library",
    )
    LIBPYTHON_UNREACHED = Row(
        *("LIBPYTHON", WARNING),
        "needs {subject}{0}, which only some installations of Python have; no module or program of "
        "the wheel loads the file",
        "link with -undefined dynamic_lookup, and not with Python's library",
    )
    ABSOLUTE_PATH = Row(
        *("RPATH_LEAK", INFO),
        "has the search path {subject}, which other machines may not have",
        "in a wheel, use only @loader_path/... (install_name_tool -delete_rpath)",
    )


def libraries(facts: WheelFacts, machos: Tuple[MachoFile, ...]) -> Iterator[Finding]:
    """Yield the libraries that files for macOS need and do not find."""
    found = {
        promise.arch: simulate(facts, machos, promise.arch)
        for promise in promises(facts.name)
        if promise.system == MACOS
    }
    required = words(facts.native.requires if facts.native else ())
    names = _install_names(machos)
    for file in machos:
        not_found = _not_found(file, found)
        project = required.project_for(not_found) if not_found else ""
        for library, arches in not_found.items():
            loaded = any(file.path in found[arch].reached for arch in arches)
            where = "" if len(arches) == _present(file, found) else f" on {', '.join(arches)}"
            yield _judge(file, library, where, _Known(names, project, loaded=loaded))


class _Known:
    """What decides how bad a library that is not found is."""

    def __init__(self, names: Dict[str, str], project: str, *, loaded: bool) -> None:
        self.names = names
        self.project = project
        self.loaded = loaded


def _judge(file: MachoFile, library: str, where: str, known: _Known) -> Finding:
    details = [where]
    if _LIBPYTHON.search(library):
        problem = LibraryProblem.LIBPYTHON if known.loaded else LibraryProblem.LIBPYTHON_UNREACHED
    elif library in known.names:
        problem = LibraryProblem.BY_NAME_ONLY
        details.append(known.names[library])
    elif not known.loaded:
        problem = LibraryProblem.UNREACHED
    elif known.project:
        problem = LibraryProblem.REQUIRED
        details.append(known.project)
    else:
        problem = LibraryProblem.MISSING
    return problem_finding(problem, file.path, *details, subject=library)


def _not_found(file: MachoFile, found: Dict[str, Loading]) -> Dict[str, List[str]]:
    """Return the libraries that a file does not find, with the architectures that need them."""
    not_found: Dict[str, List[str]] = {}
    for arch, loading in found.items():
        for dylib in loading.missing.get(file.path, ()):
            arches = not_found.setdefault(dylib.name, [])
            if arch not in arches:
                arches.append(arch)
    return not_found


def _present(file: MachoFile, found: Dict[str, Loading]) -> int:
    return sum(1 for arch in found if arch in file.arches)


def _install_names(machos: Tuple[MachoFile, ...]) -> Dict[str, str]:
    """Return the members by the names that they have for dyld once they are loaded."""
    return {
        one.install_name: file.path for file in machos for one in file.slices if one.install_name
    }


def search_paths(facts: WheelFacts, machos: Tuple[MachoFile, ...]) -> Iterator[Finding]:
    """Yield the search paths that are absolute, and not the system's."""
    if MACOS not in {promise.system for promise in promises(facts.name)}:
        return
    for file in machos:
        paths: Set[str] = {path for one in file.slices for path in one.rpaths}
        for path in sorted(paths):
            if path.startswith("/") and not f"{path}/".startswith(SYSTEM_PLACES):
                yield problem_finding(LibraryProblem.ABSOLUTE_PATH, file.path, subject=path)
