"""What the lines of a report need beyond the audit: who made a file, and readable names."""

from __future__ import annotations

import os
from typing import Mapping, Optional, Tuple

from manyshim.audit.decision import TagDecision, needs_advice
from manyshim.audit.findings import Origin
from manyshim.audit.names import is_copy
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.text import Notes

_NOWHERE: Mapping[str, Tuple[str, ...]] = {}


def advised(
    report: Report, decision: TagDecision, wheel: Wheel, request: Request, *, always: bool = False
) -> Report:
    """Return the report with who made the files that need an advice.

    That takes a further pass over these files, so it is done only for a tag that is too new, or if
    `always` is set.
    """
    if not always and not needs_advice(decision):
        return report
    paths = {found.path for found in report.findings if found.kind == "TOO_NEW"}
    origins = {path: _origin(path, wheel, request) for path in paths}
    found = (one._replace(origin=origins.get(one.path)) for one in report.findings)
    return report._replace(findings=tuple(found))


def _origin(path: str, wheel: Wheel, request: Request) -> Optional[Origin]:
    if is_copy(path):
        return Origin.COPIED
    return Origin.ZIG if request.compiled else wheel.origin(path)


def readable(report: Report, places: Mapping[str, Tuple[str, ...]] = _NOWHERE) -> Notes:
    """Return the notes for the lines of a report: readable names of its C++ symbols, and places."""
    names = {name for found in report.findings for name in found.symbols if name.startswith("_Z")}
    if not names:
        return Notes(places)
    from manyshim.demangle import demangled  # noqa: PLC0415 (only for C++ names)

    return Notes(places, demangled(names, os.environ))
