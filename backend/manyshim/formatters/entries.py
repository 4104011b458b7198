"""Reads the JSON object of a run for the formats that are written from it.

The object is that of json.py and release.py. Names in it may be hostile: those of findings are
escaped there, paths of the command line are escaped here.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from manyshim.errors import escape, shorten
from manyshim.values import NamedTuple

# Maps the file of a place to its path in the repository; None if it is not there.
Locate = Callable[[str], Optional[str]]

ERROR = "error"
WARNING = "warning"
NOTE = "note"


class Entry(NamedTuple):
    """A wheel, an sdist or a set of files, with its findings as they are in the JSON object.

    `name` is the file name, or the project of a set. `path` is the path as it was given; for a set,
    that of its first file. `error` is why a file has no verdict, and `failure` the identifier of
    that. `values` are the data of a wheel.
    """

    what: str
    name: str
    path: str
    findings: Sequence[Dict[str, Any]] = ()
    error: str = ""
    failure: str = ""
    values: Mapping[str, Any] = {}

    @property
    def errors(self) -> List[Dict[str, Any]]:
        """The findings that block the wheel or its upload."""
        return [found for found in self.findings if found["severity"] == ERROR]


class Place(NamedTuple):
    """A source line in the repository; the path has slashes, and `line` is at least 1."""

    file: str
    line: int
    symbol: str
    function: str


def entries(data: Dict[str, Any]) -> List[Entry]:
    """Return the wheels, the sdists and the sets of a run, in this order."""
    files = [_file(what, one) for what in ("wheel", "sdist") for one in data.get(f"{what}s") or ()]
    return [*files, *(_set(one, files) for one in data.get("sets") or ())]


def _file(what: str, values: Dict[str, Any]) -> Entry:
    name, error = escape(values[what]), values.get("error") or ""
    if values.get("written"):
        # What a build or a command has delivered is what the user has.
        name = escape(values["written"].rpartition("/")[2])
    failure = "INTERNAL_ERROR" if values.get("internal") else "UNREADABLE"
    path = values.get("file") or values[what]
    text = "\n".join(map(escape, error.split("\n")))
    return Entry(what, name, path, values["findings"], text, failure if error else "", values)


def _set(values: Dict[str, Any], files: Sequence[Entry]) -> Entry:
    """Return a set; its files are those whose names begin with its project and a version."""
    starts = tuple(f"{values['project']}-{_canonical(version)}" for version in values["versions"])
    own = [one.path for one in files if _canonical(one.name).startswith(starts)]
    paths = own or [one.path for one in files]
    return Entry("set", escape(values["project"]), paths[0] if paths else "", values["findings"])


def _canonical(name: str) -> str:
    """Return a name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def level(found: Dict[str, Any]) -> str:
    """Return the level of a finding. An accepted error has the severity of a warning."""
    return str(found["severity"]) if found["severity"] in (ERROR, WARNING) else NOTE


def message(found: Dict[str, Any]) -> str:
    """Return the sentence of a finding, after the name of the member that it is about."""
    # The sentence about a false tag names the files of its causes.
    path = "" if found["kind"] == "FALSE_TAG" else found["path"]
    return f"{shorten(path)} {found['message']}" if path else str(found["message"])


def places(found: Dict[str, Any], locate: Locate) -> List[Place]:
    """Return the source lines that use the symbols of a finding and are in the repository."""
    listed: Dict[Tuple[str, int, str], Place] = {}
    for one in found.get("places") or ():
        file, line = locate(one["file"] or ""), one["line"] or 0
        if file and line > 0:
            symbol, function = escape(one["symbol"]), escape(one.get("function") or "")
            listed.setdefault((file, line, symbol), Place(file, line, symbol, function))
    return list(listed.values())


def blocking(entry: Entry) -> List[Dict[str, Any]]:
    """Return the findings that rule out the next older policy, or the one that was asked for."""
    blocked = entry.values.get("blocked") or {}
    return [entry.findings[position] for position in blocked.get("findings", ())]
