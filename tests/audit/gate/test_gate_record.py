"""The gate on RECORD: a table over hand-made facts."""

from __future__ import annotations

from typing import List, Tuple

import pytest

from manyshim.audit.findings import ERROR, WARNING, Evidence
from manyshim.audit.gate.facts import RowFacts
from manyshim.audit.gate.record import RecordProblem, record


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (RowFacts(), []),
        (RowFacts(no_hash=("a",)), [(RecordProblem.NO_HASH, "a")]),
        (RowFacts(no_size=("a",)), [(RecordProblem.NO_SIZE, "a")]),
        (RowFacts(twice=("a", "b")), [(RecordProblem.TWICE, "a"), (RecordProblem.TWICE, "b")]),
        (RowFacts(columns=(("a", "4"),)), [(RecordProblem.COLUMNS, "a")]),
        (RowFacts(signatures=("d/RECORD.jws",)), [(RecordProblem.SIGNATURE, "d/RECORD.jws")]),
        (RowFacts(bom=True), [(RecordProblem.BOM, "RECORD")]),
        (RowFacts(breaks=(("a", "U+2028"),)), [(RecordProblem.LINE_BREAK, "a")]),
    ],
)
def test_rows(facts: RowFacts, expected: List[Tuple[RecordProblem, str]]) -> None:
    found = list(record(facts, ""))
    assert [(one.problem, one.path) for one in found] == expected
    assert {(one.kind, one.severity) for one in found} <= {("RECORD", ERROR)}


def test_a_size_that_all_readers_take_is_a_warning() -> None:
    (found,) = record(RowFacts(odd_size=(("a", "04"),)), "")
    assert (found.problem, found.severity) == (RecordProblem.ODD_SIZE, WARNING)
    assert (found.path, found.details) == ("a", ("04",))


def test_the_second_reader() -> None:
    (found,) = record(RowFacts(), "WheelError: too few")
    assert (found.evidence, found.details) == (Evidence.SECOND_READER, ("WheelError: too few",))
