"""The gate on METADATA and RECORD: a table over hand-made facts."""

from __future__ import annotations

from typing import List, Optional, Tuple

import pytest

from manyshim.audit.facts import MetadataFacts
from manyshim.audit.findings import ERROR, Evidence
from manyshim.audit.gate.metadata import metadata, record

Row = Tuple[Evidence, Tuple[str, ...]]


def facts(name: str, version: str, stated: Tuple[str, str]) -> MetadataFacts:
    return MetadataFacts(name, version, "demo", "1.0", stated)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (facts("demo", "1.0", ("Demo", "1.0")), []),
        (None, [(Evidence.NO_METADATA, ())]),
        (
            facts("other", "1.0", ("Other", "1.0")),
            [(Evidence.OTHER_FIELD, ("Name", "Other", "demo"))],
        ),
        (
            facts("demo", "9", ("demo", "9")),
            [(Evidence.OTHER_FIELD, ("Version", "9", "1.0"))],
        ),
        (
            facts("", "", ("-x-", "one")),
            [
                (Evidence.INVALID_FIELD, ("Name", "-x-")),
                (Evidence.INVALID_FIELD, ("Version", "one")),
            ],
        ),
    ],
)
def test_metadata(read: Optional[MetadataFacts], expected: List[Row]) -> None:
    found = list(metadata(read))
    assert [(one.evidence, one.details) for one in found] == expected
    assert {(one.kind, one.severity) for one in found} <= {("METADATA", ERROR)}


def test_record_is_refused_if_the_second_reader_cannot_read_it() -> None:
    assert list(record("")) == []
    (found,) = record("WheelError: too few")
    assert (found.kind, found.evidence) == ("RECORD", Evidence.SECOND_READER)
    assert found.details == ("WheelError: too few",)
