"""Turns a report into values that JSON can represent."""

from __future__ import annotations

from manyshim.audit.decision import Blockers, TagDecision
from manyshim.audit.facts import NO_PLACES, Places
from manyshim.audit.findings import Finding
from manyshim.audit.messages import sentence
from manyshim.audit.reasons import describe
from manyshim.audit.systems import systems
from manyshim.audit.verdict import Report
from manyshim.errors import escape, shorten
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

# The version of the JSON layout. A key that goes or changes its meaning raises it; a new key does
# not. Version 2 renamed the kind CLAIM to FALSE_TAG.
JSON_VERSION = 2

# PATH_MAX of Linux.
_MAX_NAME = 4096


class Extras(NamedTuple):
    """What the JSON of a wheel has beyond its report and its tag.

    `places` are the source lines that use each symbol. `blocked` is what rules out the next older
    policy. `written` is the path of the wheel that was written, and `notes` are the lines about how
    it was changed, or why not.
    """

    places: Places = NO_PLACES
    blocked: Optional[Blockers] = None
    written: Optional[str] = None
    notes: Tuple[str, ...] = ()


_NO_EXTRAS = Extras()


def to_dict(report: Report, decision: TagDecision, extras: Extras = _NO_EXTRAS) -> Dict[str, Any]:
    """Return a report as a dictionary for JSON.

    The lists are sorted, so equal wheels give equal text. `claimed` are the platform tags of the
    file name, and `reason` is why there is no tag. `runs_on` and `not_on` are about the tag that is
    proved.
    """
    minimum = report.musl_minimum
    runs_on, not_on = systems(decision.tag, minimum)
    return {
        **_named(str(report.name)),
        "claimed": sorted(report.name.platforms),
        "arch": report.arch,
        "libc": report.libc,
        "policy": str(report.policy) if report.policy else None,
        "tag": str(decision.tag) if decision.tag else None,
        "tags": list(decision.platforms),
        "right_tags": list(report.right_tags or ()),
        "reason": describe(decision.reason, decision.details) or None,
        "runs_on": list(runs_on),
        "not_on": list(not_on),
        "external": list(map(_name, report.external)),
        "musl_minimum": ".".join(map(str, minimum)) if minimum else None,
        "findings": [finding_dict(found, extras.places) for found in report.findings],
        "blocked": _blocked(extras.blocked, report.findings),
        "written": None if extras.written is None else _name(extras.written),
        "notes": list(map(escape, extras.notes)),
        "error": None,
        "internal": False,
    }


def failure(name: str, error: str, *, internal: bool) -> Dict[str, Any]:
    """Return a dictionary with the keys of a report for a wheel that has none.

    `internal` tells that manyshim failed, and not that the wheel cannot be read.
    """
    empty: Dict[str, Any] = {
        **_named(name),
        "claimed": [],
        "arch": None,
        "libc": None,
        "policy": None,
        "tag": None,
        "tags": [],
        "right_tags": [],
        "reason": None,
        "runs_on": [],
        "not_on": [],
        "external": [],
        "musl_minimum": None,
        "findings": [],
        "blocked": None,
        "written": None,
        "notes": [],
    }
    return {**empty, "error": error, "internal": internal}


def sdist_dict(name: str, findings: Iterable[Finding]) -> Dict[str, Any]:
    """Return what `check` found of an sdist as a dictionary for JSON."""
    rows = [finding_dict(found) for found in findings]
    named = {"sdist": _name(name), "file": _name(name)}
    return {**named, "findings": rows, "error": None, "internal": False}


def with_file(data: Dict[str, Any], path: str) -> Dict[str, Any]:
    """Return the dictionary of a wheel or an sdist with the path that was given for it."""
    return {**data, "file": _name(path)}


def finding_dict(found: Finding, places: Places = NO_PLACES) -> Dict[str, Any]:
    """Return a finding as a dictionary for JSON, with the source lines that use its symbols."""
    text = sentence(found)
    return {
        "kind": found.kind,
        "severity": found.severity,
        "path": _name(found.path),
        "policy": str(found.policy) if found.policy else None,
        "subject": _name(found.subject),
        "library": _name(found.library) or None,
        "symbols": list(map(_name, found.symbols)),
        "places": _places(found.symbols, places),
        "allowed": found.allowed,
        "message": text.message,
        "fix": text.fix or None,
    }


def _named(wheel: str) -> Dict[str, Any]:
    """Return the two names of a wheel. The path that was given is not known where it is judged."""
    return {"wheel": _name(wheel), "file": _name(wheel)}


def _places(symbols: Sequence[str], places: Places) -> List[Dict[str, Any]]:
    return [
        {
            "symbol": _name(symbol),
            "file": _name(one.file) or None,
            "line": one.line or None,
            "function": _name(one.function) or None,
        }
        for symbol in sorted(symbols)
        for one in places.get(symbol, ())
    ]


def _blocked(blocked: Optional[Blockers], findings: Sequence[Finding]) -> Optional[Dict[str, Any]]:
    """Return what rules out a policy; findings as positions in the list of all."""
    if blocked is None:
        return None
    of_policy = set(blocked.findings)
    return {
        "policy": str(blocked.policy),
        "without": str(blocked.without) if blocked.without else None,
        "findings": [index for index, found in enumerate(findings) if found in of_policy],
    }


def _name(text: str) -> str:
    """Return a name, escaped; without its middle if it is longer than any path can be."""
    return escape(text) if len(text) <= _MAX_NAME else shorten(text)
