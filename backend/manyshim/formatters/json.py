"""Turns a report into values that JSON can represent."""

from __future__ import annotations

from typing import Any, Dict, Iterable

from manyshim.audit.decision import TagDecision
from manyshim.audit.findings import Finding
from manyshim.audit.messages import sentence
from manyshim.audit.verdict import Report
from manyshim.errors import escape, shorten

# The version of the JSON layout. Version 2 renamed the kind CLAIM to FALSE_TAG.
JSON_VERSION = 2

# PATH_MAX of Linux.
_MAX_NAME = 4096


def to_dict(report: Report, decision: TagDecision) -> Dict[str, Any]:
    """Return a report as a dictionary for JSON.

    The lists are sorted, so equal wheels give equal text. `claimed` are the platform tags of the
    file name.
    """
    minimum = report.musl_minimum
    return {
        "wheel": str(report.name),
        "claimed": sorted(report.name.platforms),
        "arch": report.arch,
        "libc": report.libc,
        "policy": str(report.policy) if report.policy else None,
        "tag": str(decision.tag) if decision.tag else None,
        "tags": list(decision.platforms),
        "external": list(map(_name, report.external)),
        "musl_minimum": ".".join(map(str, minimum)) if minimum else None,
        "findings": [finding_dict(found) for found in report.findings],
        "error": None,
        "internal": False,
    }


def failure(name: str, error: str, *, internal: bool) -> Dict[str, Any]:
    """Return a dictionary with the keys of a report for a wheel that has none.

    `internal` tells that manyshim failed, and not that the wheel cannot be read.
    """
    empty: Dict[str, Any] = {
        "wheel": name,
        "claimed": [],
        "arch": None,
        "libc": None,
        "policy": None,
        "tag": None,
        "tags": [],
        "external": [],
        "musl_minimum": None,
        "findings": [],
    }
    return {**empty, "error": error, "internal": internal}


def sdist_dict(name: str, findings: Iterable[Finding]) -> Dict[str, Any]:
    """Return what `check` found of an sdist as a dictionary for JSON."""
    rows = [finding_dict(found) for found in findings]
    return {"sdist": _name(name), "findings": rows, "error": None, "internal": False}


def _name(text: str) -> str:
    """Return a name, escaped; without its middle if it is longer than any path can be."""
    return escape(text) if len(text) <= _MAX_NAME else shorten(text)


def finding_dict(found: Finding) -> Dict[str, Any]:
    """Return a finding as a dictionary for JSON."""
    text = sentence(found)
    return {
        "kind": found.kind,
        "severity": found.severity,
        "path": _name(found.path),
        "policy": str(found.policy) if found.policy else None,
        "subject": _name(found.subject),
        "library": _name(found.library) or None,
        "symbols": list(map(_name, found.symbols)),
        "message": text.message,
        "fix": text.fix or None,
    }
