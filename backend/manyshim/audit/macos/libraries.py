"""Libraries that dyld does not find, and search paths that leave the wheel."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Mapping, Set, Tuple

from manyshim.audit.findings import (
    ERROR,
    INFO,
    WARNING,
    Finding,
    Problem,
    Row,
    problem_finding,
)
from manyshim.audit.macos.context import Context
from manyshim.audit.macos.loading import SYSTEM_PLACES, Loading
from manyshim.audit.nativefacts import MachoFile
from manyshim.audit.nativenames import words
from manyshim.audit.reasons import join_names

_COPY = "copy the library into the wheel (delocate), or link it statically"
# /Library/Frameworks/Python.framework/Versions/3.11/Python, @rpath/libpython3.11.dylib
_LIBPYTHON = re.compile(r"(?:^|/)(?:Python3?\.framework/|libpython[0-9][0-9.]*t?d?\.dylib$)")


class LibraryProblem(Problem):
    """Which library dyld does not find, by what that does."""

    MISSING = Row(
        *("MACOS_LIBRARY", ERROR),
        "needs {subject}{0}, which is neither in the wheel nor in macOS; the file does not load",
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


def libraries(context: Context) -> Iterator[Finding]:
    """Yield the libraries that files for macOS need and do not find."""
    loadings = context.loadings
    lacks = {file.path: _not_found(file, loadings) for file in context.machos}
    required = _Required(context, lacks)
    names = _install_names(context.machos)
    for file in context.machos:
        for library, arches in lacks[file.path].items():
            loaded = any(file.path in loadings[arch].reached for arch in arches)
            where = "" if len(arches) == _present(file, loadings) else f" on {', '.join(arches)}"
            project = required.project_for(file, library, loaded=loaded)
            yield _judge(file, library, where, _Known(names, project, loaded=loaded))


# By library that a file does not find, the architectures that need it.
_Lacks = Dict[str, List[str]]


class _Required:
    """Which projects that the wheel requires may bring a library.

    A wheel that needs one library of other projects often needs more of them, by other names. And a
    search path into a folder of packages where the wheel itself has no file is for the files of
    another project, as PyQt's modules have for Qt.
    """

    def __init__(self, context: Context, lacks: Mapping[str, _Lacks]) -> None:
        native = context.facts.native
        requires = native.requires if native else ()
        known = words(requires)
        self._of_file = {path: known.project_for(found) for path, found in lacks.items() if found}
        self._known = join_names(tuple(dict.fromkeys(filter(None, self._of_file.values()))))
        self._all = join_names(requires)
        self._loadings = tuple(context.loadings.values())

    def project_for(self, file: MachoFile, library: str, *, loaded: bool) -> str:
        """Return the project or projects; empty if none may bring it."""
        found = self._of_file.get(file.path, "")
        if found or not loaded or not library.startswith("@rpath/"):
            return found
        elsewhere = any(loading.unused.get(file.path) for loading in self._loadings)
        return self._known or (self._all if elsewhere else "")


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
    elif known.project:
        problem = LibraryProblem.REQUIRED
        details.append(known.project)
    elif not known.loaded:
        problem = LibraryProblem.UNREACHED
    else:
        problem = LibraryProblem.MISSING
    return problem_finding(problem, file.path, *details, subject=library)


def _not_found(file: MachoFile, found: Mapping[str, Loading]) -> _Lacks:
    """Return the libraries that a file does not find, with the architectures that need them."""
    not_found: _Lacks = {}
    for arch, loading in found.items():
        for dylib in loading.missing.get(file.path, ()):
            arches = not_found.setdefault(dylib.name, [])
            if arch not in arches:
                arches.append(arch)
    return not_found


def _present(file: MachoFile, found: Mapping[str, Loading]) -> int:
    return sum(1 for arch in found if arch in file.arches)


def _install_names(machos: Tuple[MachoFile, ...]) -> Dict[str, str]:
    """Return the members by the names that they have for dyld once they are loaded."""
    return {
        one.install_name: file.path for file in machos for one in file.slices if one.install_name
    }


def search_paths(context: Context) -> Iterator[Finding]:
    """Yield the search paths that are absolute, and not the system's."""
    for file in context.machos if context.for_macos else ():
        paths: Set[str] = {path for one in file.slices for path in one.rpaths}
        for path in sorted(paths):
            if path.startswith("/") and not f"{path}/".startswith(SYSTEM_PLACES):
                yield problem_finding(LibraryProblem.ABSOLUTE_PATH, file.path, subject=path)
