"""The gate on WHEEL: a Wheel-Version that pip, uv or installer refuses.

`audit/rules/archive.py` has the rule for another major version, which every installer refuses.
"""

from __future__ import annotations

import re
from typing import Iterator, Optional

from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import VersionField

_KIND = "WHEEL_FILE"
_FIX = "write the line `Wheel-Version: 1.0`, and rebuild the wheel"
_NAME = "Wheel-Version"
# pip converts each part with int(), which takes a sign, spaces and single underscores.
_TAKEN_BY_PIP = r"1(?:\.\s*[+-]?\d{1,4000}(?:_\d{1,4000}){0,9}\s*)+"


class WheelFileProblem(Problem):
    """What is wrong with the Wheel-Version of WHEEL (PEP 427)."""

    NO_NUMBER = Row(
        _KIND, ERROR, "states the Wheel-Version '{0}'; an installer accepts only 1.0 and such", _FIX
    )
    ODD_NUMBER = Row(
        _KIND, WARNING, "states the Wheel-Version '{0}', which is not of the form 1.0", _FIX
    )
    FOLDED = Row(
        _KIND, ERROR, "states the Wheel-Version on a line of its own; installer refuses it", _FIX
    )
    SPELLING = Row(_KIND, ERROR, "spells Wheel-Version as '{0}'; uv does not find it", _FIX)


def wheel_version(field: Optional[VersionField]) -> Iterator[Finding]:
    """Yield findings for the first Wheel-Version; none for one that is missing or not 1.x."""
    if field is None or field.value.partition(".")[0] != "1":
        return
    if re.fullmatch(_TAKEN_BY_PIP, field.value) is None:
        yield problem_finding(WheelFileProblem.NO_NUMBER, "WHEEL", field.value)
    elif re.fullmatch(r"1\.[0-9]+", field.value) is None:
        yield problem_finding(WheelFileProblem.ODD_NUMBER, "WHEEL", field.value)
    if field.folded:
        yield problem_finding(WheelFileProblem.FOLDED, "WHEEL")
    if field.name != _NAME:
        yield problem_finding(WheelFileProblem.SPELLING, "WHEEL", field.name)
