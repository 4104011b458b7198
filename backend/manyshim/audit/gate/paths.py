"""The gate on install paths: members that installers write to one place, or nowhere."""

from __future__ import annotations

import posixpath
from itertools import chain, islice
from typing import Dict, Iterator, Sequence
from unicodedata import category, normalize

from manyshim.audit.facts import WheelFacts, install_path, is_too_long
from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import is_interpreter

_KIND = "INSTALL_PATH"
_SCHEMES = ("purelib", "platlib", "scripts", "headers", "data")
_MAX_SHOWN = 1000
_ONE = "keep one of the two members"


class PathProblem(Problem):
    """What is wrong with the places of members (PEP 427, "The .data directory")."""

    SAME_PATH = Row(
        _KIND, ERROR, "is installed to the same path as {0}; installers refuse the second", _ONE
    )
    FILE_AND_FOLDER = Row(
        _KIND, ERROR, "is a file, and a folder for {0}; no installer can write both", _ONE
    )
    UNKNOWN_SCHEME = Row(
        _KIND,
        ERROR,
        "lies in the folder '{0}' of .data, which installers refuse",
        "use one of purelib, platlib, scripts, headers and data",
    )
    OTHER_DATA = Row(
        _KIND,
        ERROR,
        "lies at the top under a name that ends in .data, where pip accepts only purelib, platlib, "
        "scripts, headers and data",
        "rename the file or folder '{0}'",
    )
    MOVED_BY_PIP = Row(
        _KIND,
        WARNING,
        "is installed into the folder for {1} by pip alone; for others, '{0}' is no .data folder",
        "rename the folder to that of the wheel's .dist-info, or remove .data from its name",
    )
    BACKSLASH = Row(
        _KIND,
        ERROR,
        "has a backslash in its name; Windows takes it for a folder, and installers refuse it",
        "rename the file",
    )
    SCRIPT_FOLDER = Row(
        _KIND,
        ERROR,
        "lies in a folder below the scripts of .data, which uv refuses",
        "put it directly into scripts, or into another folder of the wheel",
    )
    INTERPRETER = Row(
        _KIND,
        ERROR,
        "is a script with the name of an interpreter, which uv refuses",
        "rename the script",
    )
    SECOND_DIST_INFO = Row(
        _KIND,
        ERROR,
        "lies at the top under a name that ends in .dist-info; pip and installer take it for a "
        "second .dist-info folder, and refuse the wheel",
        "rename the file",
    )
    # Control characters below U+0080 have a finding of the audit.
    INVISIBLE = Row(
        "BAD_PATH",
        ERROR,
        "has the character {0} in its name, and uv refuses invisible characters",
        "rename it",
    )
    CASE = Row(
        _KIND,
        WARNING,
        "differs from {0} only by case or Unicode form; macOS and Windows have one file for both",
        "rename one of the two members",
    )


def install_paths(facts: WheelFacts, folders: Sequence[str] = ()) -> Iterator[Finding]:
    """Yield findings for members that collide when they are installed; at most 1,000.

    `folders` are the directory entries of the archive.
    """
    found = (_invisible((*facts.paths, *folders)), _of_folders(facts, folders), _all(facts))
    yield from islice(chain(*found), _MAX_SHOWN)


def _all(facts: WheelFacts) -> Iterator[Finding]:
    data = f"{facts.distribution}.data/"
    places: Dict[str, str] = {}
    # Of members with one name, DUP_MEMBER tells.
    for path in dict.fromkeys(facts.paths):
        if is_too_long(path):
            continue
        if "\\" in path:
            yield problem_finding(PathProblem.BACKSLASH, path)
        clean = posixpath.normpath(path)
        if clean.startswith(data):
            scheme, slash, _ = clean[len(data) :].partition("/")
            if not slash or scheme not in _SCHEMES:
                yield problem_finding(PathProblem.UNKNOWN_SCHEME, path, scheme if slash else "")
                continue
            yield from _script(path, clean[len(data) :])
        else:
            yield from _at_top(path, clean)
        place = _place(path, facts.distribution)
        first = places.setdefault(place, path)
        if first != path:
            yield problem_finding(PathProblem.SAME_PATH, path, first)
    yield from _folders(places)
    # Only these systems have file systems that ignore case.
    if any(one.lower().startswith(("any", "macosx", "win")) for one in facts.name.platforms):
        yield from _by_case(places)


def _invisible(paths: Sequence[str]) -> Iterator[Finding]:
    """Yield findings for names with characters that uv refuses: control, format and private ones.

    Python may be older than a character, so what it does not know passes.
    """
    for path in paths:
        for one in "" if path.isprintable() else path:
            if not one.isascii() and category(one) in ("Cc", "Cf", "Co"):
                yield problem_finding(PathProblem.INVISIBLE, path, f"U+{ord(one):04X}")
                break


def _at_top(path: str, clean: str) -> Iterator[Finding]:
    """Judge what a member at the top, or its folder there, is named."""
    if path.split("/", 1)[0].endswith(".data"):
        yield _other_data(path, clean)
    elif path.endswith(".dist-info") and "/" not in path:
        yield problem_finding(PathProblem.SECOND_DIST_INFO, path)


def _script(path: str, place: str) -> Iterator[Finding]:
    """Judge a member by its place below .data, if that is the folder for scripts."""
    scheme, _, name = place.partition("/")
    if scheme != "scripts":
        return
    if "/" in name:
        yield problem_finding(PathProblem.SCRIPT_FOLDER, path)
    elif is_interpreter(name[: -len(".exe")] if name.endswith(".exe") else name):
        yield problem_finding(PathProblem.INTERPRETER, path)


def _of_folders(facts: WheelFacts, folders: Sequence[str]) -> Iterator[Finding]:
    """Yield findings for directory entries in .data that uv refuses, even if they are empty."""
    data = f"{facts.distribution}.data/"
    for folder in folders:
        scheme = folder[len(data) :].partition("/")[0] if folder.startswith(data) else ""
        if scheme and scheme not in _SCHEMES:
            yield problem_finding(PathProblem.UNKNOWN_SCHEME, folder, scheme)
        if scheme == "scripts" and folder != f"{data}scripts/":
            yield problem_finding(PathProblem.SCRIPT_FOLDER, folder)


def _other_data(path: str, clean: str) -> Finding:
    """Return the finding of a member below another folder that pip takes for .data."""
    top, *rest = clean.split("/", 2)
    if len(rest) == 2 and rest[0] in _SCHEMES:
        return problem_finding(PathProblem.MOVED_BY_PIP, path, top, rest[0])
    return problem_finding(PathProblem.OTHER_DATA, path, top)


def _place(path: str, distribution: str) -> str:
    """Return a key for where a member is installed, in which folders end with a slash.

    Of most members it is the path itself. So 200,000 of them take little memory.
    """
    root, place = install_path(path, distribution)
    if root != "site":
        # No path below the site folder begins so.
        return f"/{root}/{place}"
    return path if place == path else place


def _folders(places: Dict[str, str]) -> Iterator[Finding]:
    """Yield findings for files where another member needs a folder.

    What lies below a file follows it if the slash sorts before every other character. So no list of
    all folders is needed, which has gigabytes for deep paths.
    """
    above = ""
    for place in sorted(places, key=lambda place: place.replace("/", "\0")):
        if above and place.startswith(f"{above}/"):
            yield problem_finding(PathProblem.FILE_AND_FOLDER, places[above], places[place])
        else:
            above = place


def _by_case(places: Dict[str, str]) -> Iterator[Finding]:
    """Yield findings for paths that file systems without case have once."""
    firsts: Dict[str, str] = {}
    for place, path in places.items():
        first = firsts.setdefault(normalize("NFC", place).casefold(), path)
        if first != path:
            yield problem_finding(PathProblem.CASE, path, first)
