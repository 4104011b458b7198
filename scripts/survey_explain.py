"""Why a library of a wheel was not opened, as far as the results say it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

OPENED, EXPLAINED, UNEXPLAINED = "opened", "explained", "not explained"
_ABSENT = re.compile(r"(\S+): cannot open shared object file")
_VERSION = re.compile(r"version `(GLIBC\w*_[\d.]+)' not found")
_NO_NAME = re.compile(r"undefined symbol: (\w+)")


class Opening(NamedTuple):
    """A library that was to be opened: the loader's message, and what it means."""

    wheel: str
    path: str
    message: str
    label: str
    reason: str


def explain(
    opened: Mapping[str, Any], report: Mapping[str, Any], judged: Sequence[Sequence[str]]
) -> Iterator[Opening]:
    """Yield each library of a wheel.

    `opened` is a result of open_all, `report` one of `manyshim show --json`.
    """
    loaded = _loaded(opened)
    findings = report.get("findings", ())
    for path, message in opened["files"].items():
        if not message:
            yield Opening(opened["wheel"], path, "", OPENED, "")
            continue
        reason = _judged(opened["wheel"], path, judged)
        if not reason and posixpath.basename(path) in loaded:
            reason = "opened as a dependency of another file"
        reason = reason or _finding(path, message, opened["needed"], findings)
        label = EXPLAINED if reason else UNEXPLAINED
        yield Opening(opened["wheel"], path, message, label, reason)


def _loaded(opened: Mapping[str, Any]) -> set[str]:
    """Return the names that the files which were opened need, and what these need in turn."""
    needed = {posixpath.basename(path): names for path, names in opened["needed"].items()}
    waiting = [
        name for path, said in opened["files"].items() if not said
        for name in opened["needed"].get(path, ())
    ]  # fmt: skip
    loaded: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in loaded:
            loaded.add(name)
            waiting += needed.get(name, ())
    return loaded


def _judged(wheel: str, path: str, judged: Sequence[Sequence[str]]) -> str:
    for wheels, paths, reason in judged:
        if fnmatchcase(wheel, wheels) and fnmatchcase(path, paths):
            return reason
    return ""


def _finding(
    path: str,
    message: str,
    needed: Mapping[str, Sequence[str]],
    findings: Sequence[Mapping[str, Any]],
) -> str:
    """Return the finding that predicts a failure; empty if there is none.

    It is about the file, or about a library that the file needs, and names what is missing.
    """
    names = _closure(path, needed)
    about = [one for one in findings if posixpath.basename(one["path"]) in names]
    absent, version, name = (pattern.search(message) for pattern in (_ABSENT, _VERSION, _NO_NAME))
    for one in about:
        kind = one["kind"]
        if absent and absent[1] in (one["library"], one["subject"]):
            return f"finding {kind}: a library is not there"
        if version and kind in ("TOO_NEW", "UNKNOWN_NAMESPACE") and version[1] in one["subject"]:
            return f"finding {kind}: this system is older"
        if name and name[1] in (one["subject"], *one["symbols"]):
            return f"finding {kind}: a symbol is not there"
        if kind == "EXECSTACK" and "executable stack" in message:
            return f"finding {kind}"
    return ""


def _closure(path: str, needed: Mapping[str, Sequence[str]]) -> set[str]:
    by_name = {posixpath.basename(one): names for one, names in needed.items()}
    closure, waiting = set(), [posixpath.basename(path)]
    while waiting:
        name = waiting.pop()
        if name not in closure:
            closure.add(name)
            waiting += by_name.get(name, ())
    return closure
