"""Turns a report into values that JSON can represent."""

from __future__ import annotations

from typing import Any, Dict

from manyshim.audit.decision import TagDecision
from manyshim.audit.findings import Finding
from manyshim.audit.messages import sentence
from manyshim.audit.reasons import escape
from manyshim.audit.verdict import Report

# The version of the JSON layout. Version 2 renamed the kind CLAIM to FALSE_TAG.
JSON_VERSION = 2


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
        "external": list(map(escape, report.external)),
        "musl_minimum": ".".join(map(str, minimum)) if minimum else None,
        "findings": [_finding_dict(found) for found in report.findings],
        "error": None,
    }


def failure(name: str, error: str) -> Dict[str, Any]:
    """Return a dictionary with the keys of a report for a wheel that cannot be read."""
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
    return {**empty, "error": error}


def _finding_dict(found: Finding) -> Dict[str, Any]:
    text = sentence(found)
    return {
        "kind": found.kind,
        "severity": found.severity,
        "path": escape(found.path),
        "policy": str(found.policy) if found.policy else None,
        "subject": escape(found.subject),
        "library": escape(found.library) or None,
        "symbols": list(map(escape, found.symbols)),
        "message": text.message,
        "fix": text.fix or None,
    }
