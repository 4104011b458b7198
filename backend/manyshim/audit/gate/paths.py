"""The gate on install paths: members that installers write to one place, or nowhere."""

from __future__ import annotations

from typing import Dict, Iterator
from unicodedata import normalize

from manyshim.audit.facts import WheelFacts, install_path, is_too_long
from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, problem_finding

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
    BACKSLASH = Row(
        _KIND,
        ERROR,
        "has a backslash in its name; Windows takes it for a folder, and installers refuse it",
        "rename the file",
    )
    CASE = Row(
        _KIND,
        WARNING,
        "differs from {0} only by case or Unicode form; macOS and Windows have one file for both",
        "rename one of the two members",
    )


def install_paths(facts: WheelFacts) -> Iterator[Finding]:
    """Yield findings for members that collide when they are installed; at most 1,000."""
    for count, found in enumerate(_all(facts)):
        if count == _MAX_SHOWN:
            return
        yield found


def _all(facts: WheelFacts) -> Iterator[Finding]:
    data = f"{facts.distribution}.data/"
    places: Dict[str, str] = {}
    # Of members with one name, DUP_MEMBER tells.
    for path in dict.fromkeys(facts.paths):
        if is_too_long(path):
            continue
        if "\\" in path:
            yield problem_finding(PathProblem.BACKSLASH, path)
        if path.startswith(data):
            scheme, slash, _ = path[len(data) :].partition("/")
            if not slash or scheme not in _SCHEMES:
                yield problem_finding(PathProblem.UNKNOWN_SCHEME, path, scheme if slash else "")
                continue
        place = _place(path, facts.distribution)
        first = places.setdefault(place, path)
        if first != path:
            yield problem_finding(PathProblem.SAME_PATH, path, first)
    yield from _folders(places)
    if not facts.name.linux:
        yield from _by_case(places)


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
