"""Published wheels: our verdict is auditwheel's, or the difference is a known one, and named."""

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
    """Take the small wheels always, all of them with the marker."""
    return [
        pytest.param(row, id=row["filename"], marks=() if row["ci"] else pytest.mark.full)
        for row in WHEELS
    ]


@pytest.mark.network
@pytest.mark.parametrize("row", cases())
def test_the_verdict_is_auditwheels_or_a_known_difference(
    row: Dict[str, Any], pytestconfig: pytest.Config, record: Record
) -> None:
    """`python scripts/write_verdicts.py` makes a page of what all wheels have recorded."""
    path = fetch(row, pytestconfig.cache.mkdir("wheels"))
    judged = auditwheel(path) if sys.version_info >= (3, 10) else row["auditwheel"]
    assert judged == row["auditwheel"], "the recorded verdict of the judge is stale"
    reason, expected = DIFFERENCES.get(row["filename"], ("", judged))
    with Wheel(str(path)) as wheel:
        report = operations.inspect(wheel, Request())
    verdict = str(report.policy) if report.policy else f"linux_{report.arch}"
    assert verdict == expected, reason
    kinds = sorted({one.kind for one in report.findings if one.severity != "policy"})
    record("verdicts", wheel=row["filename"], ours=verdict, kinds=kinds)


def test_the_selection_covers_what_it_should() -> None:
    ci = [row for row in WHEELS if row["ci"]]
    assert len(WHEELS) >= 60
    assert len(ci) >= 20
    arches = {row["platform"].split("_", 3)[-1] for row in ci}
    assert len(arches) >= 5
    assert any("musllinux" in row["platform"] for row in ci)
