"""Published wheels: the verdict is auditwheel's, or the difference is known and has a reason."""

from __future__ import annotations

import sys
from typing import Any, Dict, List

import pytest

from manyshim import operations
from manyshim.audit.request import Request
from manyshim.formats.wheel.wheel import Wheel
from publishedwheels import DIFFERENCES, WHEELS, auditwheel, fetch
from recording import Record


def cases() -> List[Any]:
    """Return all wheels; only the small ones run without the marker `full`."""
    return [
        pytest.param(row, id=row["filename"], marks=() if row["ci"] else pytest.mark.full)
        for row in WHEELS
    ]


@pytest.mark.network
@pytest.mark.parametrize("row", cases())
def test_the_verdict_is_auditwheels_or_a_known_difference(
    row: Dict[str, Any], pytestconfig: pytest.Config, record: Record
) -> None:
    """`python scripts/write_verdicts.py` writes a page from the recorded verdicts."""
    path = fetch(row, pytestconfig.cache.mkdir("wheels"))
    judged = auditwheel(path) if sys.version_info >= (3, 10) else row["auditwheel"]
    assert judged == row["auditwheel"], "the recorded verdict of auditwheel is stale"
    reason, expected = DIFFERENCES.get(row["filename"], ("", judged))
    with Wheel(str(path)) as wheel:
        report = operations.inspect(wheel, Request())
    verdict = str(report.policy) if report.policy else f"linux_{report.arch}"
    assert verdict == expected, reason
    kinds = sorted({one.kind for one in report.findings if one.severity != "policy"})
    record("verdicts", wheel=row["filename"], verdict=verdict, kinds=kinds)


def test_the_small_wheels_are_a_good_selection() -> None:
    ci = [row for row in WHEELS if row["ci"]]
    assert len(WHEELS) >= 60
    assert len(ci) >= 20
    arches = {row["platform"].split("_", 3)[-1] for row in ci}
    assert len(arches) >= 5
    assert any("musllinux" in row["platform"] for row in ci)
