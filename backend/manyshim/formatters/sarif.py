"""Writes a run as a SARIF log (OASIS, version 2.1.0), with what GitHub's code scanning requires."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Counter, Dict, List, Tuple
from urllib.parse import quote

from manyshim.audit.explanations.explanation import Explanation
from manyshim.audit.explanations.table import explanation
from manyshim.audit.findings import KINDS
from manyshim.errors import escape, shorten
from manyshim.formatters.entries import (
    ERROR,
    NOTE,
    WARNING,
    Entry,
    Locate,
    Place,
    entries,
    level,
    message,
    places,
)

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"
# GitHub refuses a file with more results, and a result with more locations.
_MAX_RESULTS = 25_000
_MAX_LOCATIONS = 100
_ORDER = (ERROR, WARNING, NOTE)
# GitHub's names of the levels of rules.
_PROBLEM_SEVERITY = {ERROR: "error", WARNING: "warning", NOTE: "recommendation"}
_FAILURES = {
    "UNREADABLE": "the file has no verdict, because it cannot be read",
    "INTERNAL_ERROR": "the file has no verdict, because manyshim failed",
    "TOO_MANY_RESULTS": "the run has more results than a file may have",
}
# The subjects of these kinds are sizes, addresses and file names, which differ between builds.
_MEASURED = ("DUPLICATE_LIBRARY", "ELF_CORRUPT", "ELF_DAMAGED", "NO_ELF", "STATIC_TLS", "TOO_LARGE")
_WHEEL_PARTS = 5
# A repair puts a part of the hash of a library into its name.
_HASH = re.compile(r"-[0-9a-f]{8,}(?=\.)")


def to_sarif(
    data: Dict[str, Any], command: str, exit_code: int, locate: Locate, version: str
) -> Dict[str, Any]:
    """Return a run of a command as a SARIF log.

    `locate` returns the path of a source file in the repository, and `version` is manyshim's. The
    location of a result is the source line if it is known, else the file that was judged.
    """
    listed = entries(data)
    kinds = _kinds(listed)
    results = _results(listed, kinds, locate)
    notifications = [_notification(entry, locate) for entry in listed if entry.error]
    failed = bool(notifications)
    more = len(results) - _MAX_RESULTS
    if more > 0:
        results.sort(key=lambda result: _ORDER.index(result["level"]))
        text = f"{more} results are left out; check fewer files at once"
        notifications.append(_notice("TOO_MANY_RESULTS", WARNING, text))
    driver = {
        "name": "manyshim",
        "version": version,
        "rules": list(map(_rule, kinds)),
        "notifications": [_descriptor(name, text) for name, text in _FAILURES.items()],
    }
    invocation = {
        "executionSuccessful": not failed and exit_code <= 1,
        "exitCode": exit_code,
        "toolExecutionNotifications": notifications,
        "properties": {"command": command},
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the root of the repository"}}},
        "columnKind": "unicodeCodePoints",
        "results": results[:_MAX_RESULTS],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _kinds(listed: List[Entry]) -> List[str]:
    """Return the kinds that occur, in the order of KINDS."""
    found = {one["kind"] for entry in listed for one in entry.findings}
    return [*(kind for kind in KINDS if kind in found), *sorted(found - KINDS.keys())]


def _rule(kind: str) -> Dict[str, Any]:
    severity = level({"severity": KINDS.get(kind, WARNING)})
    text = explanation(kind)
    return {
        "id": kind,
        "shortDescription": _text(text.summary),
        "fullDescription": _text(text.meaning),
        "help": {"text": _help(text, "{}:"), "markdown": _help(text, "**{}**")},
        "defaultConfiguration": {"level": severity},
        "properties": {"problem.severity": _PROBLEM_SEVERITY[severity], "tags": ["packaging"]},
    }


def _help(text: Explanation, heading: str) -> str:
    """Return why a finding matters and how to fix it; its lines are ours, so none is escaped."""
    why, fix = ("Why it matters", text.why), ("How to fix it", text.fix)
    parts = (why, fix, ("When to allow it", text.allow))
    paragraphs = (part for name, said in parts for part in (heading.format(name), said))
    return "\n\n".join(paragraphs).replace("{", "{{").replace("}", "}}")


def _descriptor(name: str, text: str) -> Dict[str, Any]:
    said = _text(text)
    return {"id": name, "shortDescription": said, "fullDescription": said, "help": said}


def _results(listed: List[Entry], kinds: List[str], locate: Locate) -> List[Dict[str, Any]]:
    results: List[Dict[str, Any]] = []
    for entry in listed:
        file = _file_location(entry, locate)
        counted: Counter[str] = Counter()
        for found in entry.findings:
            fingerprint = _fingerprint(entry, found)
            counted[fingerprint] += 1
            identity = f"{fingerprint}:{counted[fingerprint]}"
            located = places(found, locate)[:_MAX_LOCATIONS]
            result = {
                "ruleId": found["kind"],
                "ruleIndex": kinds.index(found["kind"]),
                "level": level(found),
                "message": _text(_sentence(entry, found)),
                "locations": [_source(place, found) for place in located]
                or [{**file, **_logical(found)}],
                "partialFingerprints": {"manyshimFinding/v1": identity},
                "suppressions": _suppressions(found),
            }
            if located:
                result["relatedLocations"] = [{"id": 1, **file, **_logical(found)}]
            else:
                # GitHub compares this one. For source lines it computes its own.
                result["partialFingerprints"]["primaryLocationLineHash"] = identity
            results.append(result)
    return results


def _sentence(entry: Entry, found: Dict[str, Any]) -> str:
    file = "" if entry.what == "set" else f"{shorten(entry.name)}: "
    fix = f"; {found['fix']}" if found["fix"] else ""
    return f"{file}{message(found)}{fix}"


def _suppressions(found: Dict[str, Any]) -> List[Dict[str, str]]:
    if not found.get("allowed"):
        return []
    why = "the option allow of manyshim accepts it"
    return [{"kind": "external", "status": "accepted", "justification": why}]


def _source(place: Place, found: Dict[str, Any]) -> Dict[str, Any]:
    """Return the location of a source line."""
    physical = {
        "artifactLocation": {
            "uri": quote(place.file, errors="backslashreplace"),
            "uriBaseId": _ROOT,
        },
        "region": {"startLine": place.line},
    }
    function = {"name": place.function, "kind": "function"}
    logical = [
        *_logical(found).get("logicalLocations", ()),
        *([function] if place.function else []),
    ]
    location: Dict[str, Any] = {"physicalLocation": physical}
    location.update({"logicalLocations": logical} if logical else {})
    location["message"] = _text(f"uses {shorten(place.symbol)}")
    return location


def _file_location(entry: Entry, locate: Locate) -> Dict[str, Any]:
    """Return the location of a wheel or an sdist: a path in the repository, or its file name.

    GitHub shows no result without a line, so it is the first one.
    """
    file = locate(entry.path) if entry.path else None
    artifact = {"uri": quote(file, errors="backslashreplace"), "uriBaseId": _ROOT} if file else {}
    if not artifact:
        artifact = {"uri": quote(_relative(entry.path or entry.name), errors="backslashreplace")}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}}}


def _relative(path: str) -> str:
    """Return a relative path without `..`; of any other path, the file name."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    outside = ".." in parts or path.startswith("/")
    return "/".join(parts[-1:] if outside else parts) or "."


def _logical(found: Dict[str, Any]) -> Dict[str, Any]:
    """Return the member that a finding is about, as logical locations."""
    if not found["path"]:
        return {}
    return {"logicalLocations": [{"fullyQualifiedName": found["path"], "kind": "resource"}]}


def _notification(entry: Entry, locate: Locate) -> Dict[str, Any]:
    first, _, _ = entry.error.partition("\n")
    notice = _notice(entry.failure, ERROR, first)
    return {**notice, "locations": [_file_location(entry, locate)]}


def _notice(name: str, severity: str, text: str) -> Dict[str, Any]:
    index = list(_FAILURES).index(name)
    return {
        "descriptor": {"id": name, "index": index},
        "level": severity,
        "message": _text(text),
    }


def _text(text: str) -> Dict[str, str]:
    """Return a message. Braces would be placeholders, and brackets the text of a link."""
    lines = "\n".join(map(escape, text.split("\n")))
    return {"text": lines.replace("{", "{{").replace("}", "}}").replace("](", "] (")}


def _fingerprint(entry: Entry, found: Dict[str, Any]) -> str:
    """Return what identifies a finding in the next release, too.

    The version of the project is no part of it, nor is the platform tag, which follows from the
    audit.
    """
    subject = "" if found["kind"] in _MEASURED else found["subject"]
    texts = (found["path"], subject, found["library"] or "")
    if entry.what == "set":
        # The path of such a finding is the name of a file.
        project, _, tags = _name_parts(found["path"])
        values: Tuple[str, ...] = ("set", entry.name, project, tags)
    else:
        project, version, tags = _name_parts(entry.name)
        stable = (_HASH.sub("", text.replace(f"{project}-{version}", project)) for text in texts)
        values = (entry.what, project, tags, entry.values.get("arch") or "", *stable)
    identified = "\0".join((found["kind"], *values))
    return hashlib.sha256(identified.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _name_parts(name: str) -> Tuple[str, str, str]:
    """Return the project, the version, and the tags for Python and ABI of a file name."""
    parts = name.split("-")
    if name.endswith(".whl") and len(parts) >= _WHEEL_PARTS:
        return parts[0], parts[1], "-".join(parts[-3:-1])
    stem = re.sub(r"\.(tar\.gz|zip|tgz)$", "", name)
    project, _, version = stem.rpartition("-")
    return (project, version, "sdist") if project else (name, "", "")
