"""The gate on WHEEL: a table of versions; each was given to pip, uv and installer."""

from __future__ import annotations

from typing import List, Optional

import pytest

from manyshim.audit.gate.facts import VersionField
from manyshim.audit.gate.wheelfile import WheelFileProblem, wheel_version


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, []),
        (VersionField("Wheel-Version", "1.0"), []),
        (VersionField("Wheel-Version", "1.9"), []),
        # The audit has a finding for these.
        (VersionField("Wheel-Version", "2.0"), []),
        (VersionField("Wheel-Version", ""), []),
        (VersionField("Wheel-Version", "1"), [WheelFileProblem.NO_NUMBER]),
        (VersionField("Wheel-Version", "1."), [WheelFileProblem.NO_NUMBER]),
        (VersionField("Wheel-Version", "1.0."), [WheelFileProblem.NO_NUMBER]),
        (VersionField("Wheel-Version", "1.x"), [WheelFileProblem.NO_NUMBER]),
        (VersionField("Wheel-Version", "1.0rc1"), [WheelFileProblem.NO_NUMBER]),
        (VersionField("Wheel-Version", "1." + "9" * 9000), [WheelFileProblem.NO_NUMBER]),
        (VersionField("Wheel-Version", "1.0.1"), [WheelFileProblem.ODD_NUMBER]),
        (VersionField("Wheel-Version", "1.-1"), [WheelFileProblem.ODD_NUMBER]),
        (VersionField("Wheel-Version", "1. 0"), [WheelFileProblem.ODD_NUMBER]),
        (VersionField("Wheel-Version", "1.0", folded=True), [WheelFileProblem.FOLDED]),
        (VersionField("wheel-version", "1.0"), [WheelFileProblem.SPELLING]),
    ],
)
def test_wheel_version(field: Optional[VersionField], expected: List[WheelFileProblem]) -> None:
    assert [one.problem for one in wheel_version(field)] == expected
