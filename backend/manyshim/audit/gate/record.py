"""The gate on RECORD: rows that installers or the index refuse, and the second reader."""

from __future__ import annotations

from typing import Iterator

from manyshim.audit.findings import (
    ERROR,
    WARNING,
    Evidence,
    Finding,
    Problem,
    Row,
    finding,
    problem_finding,
)
from manyshim.audit.gate.facts import RowFacts

_KIND = "RECORD"
_FIX = "write RECORD anew with `manyshim retag -w DIR`"


class RecordProblem(Problem):
    """What is wrong with rows of RECORD, beside those of the audit."""

    NO_HASH = Row(_KIND, ERROR, "has a row without a hash; installers that verify refuse it", _FIX)
    NO_SIZE = Row(_KIND, ERROR, "has a row without a size; installers that verify refuse it", _FIX)
    TWICE = Row(_KIND, ERROR, "has several rows in RECORD", _FIX)
    COLUMNS = Row(_KIND, ERROR, "has a row with {0} fields, not 3; uv refuses it", _FIX)
    SIGNATURE = Row(
        _KIND,
        ERROR,
        "has a row, but RECORD must not list its signatures; installer refuses it",
        _FIX,
    )
    LINE_BREAK = Row(
        _KIND,
        ERROR,
        "has a row with the character {0}, at which installer breaks the line; it refuses RECORD",
        "rename the file",
    )
    ODD_SIZE = Row(
        _KIND, WARNING, "has the size '{0}' in RECORD, which is not how tools write it", _FIX
    )
    BOM = Row(
        _KIND, ERROR, "begins with a byte order mark, which readers take for a part of a path", _FIX
    )


def record(facts: RowFacts, problem: str) -> Iterator[Finding]:
    """Yield findings for rows, and for what the library wheel, the second reader, cannot read."""
    for what, paths in (
        (RecordProblem.NO_HASH, facts.no_hash),
        (RecordProblem.NO_SIZE, facts.no_size),
        (RecordProblem.TWICE, facts.twice),
        (RecordProblem.SIGNATURE, facts.signatures),
        (RecordProblem.BOM, ("RECORD",) if facts.bom else ()),
    ):
        for path in paths:
            yield problem_finding(what, path)
    for what, pairs in (
        (RecordProblem.COLUMNS, facts.columns),
        (RecordProblem.LINE_BREAK, facts.breaks),
        (RecordProblem.ODD_SIZE, facts.odd_size),
    ):
        for path, detail in pairs:
            yield problem_finding(what, path, detail)
    if problem:
        evidence = Evidence.SECOND_READER
        made = finding("RECORD", "RECORD", evidence.value, severity=ERROR, evidence=evidence)
        yield made._replace(details=(problem,))
