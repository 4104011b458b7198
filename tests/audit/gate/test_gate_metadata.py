"""The gate on METADATA as a whole: tables over hand-made facts."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import pytest

from manyshim.audit.findings import ERROR, INFO, WARNING
from manyshim.audit.gate.facts import InvalidField, MetadataFacts, NameFacts
from manyshim.audit.gate.metadata import MetadataProblem as P
from manyshim.audit.gate.metadata import metadata
from manyshim.audit.messages import sentence
from manyshim.audit.policy import index_metadata_versions

NAME = NameFacts("demo", "1.0")
Row = Tuple[P, Tuple[str, ...]]
GOOD = MetadataFacts(*("demo", "1.0", ("Demo", "1.0")), fields={"metadata-version": ("2.1",)})


def changed(**values: Any) -> MetadataFacts:
    return GOOD._replace(**values)


def stating(version: str) -> MetadataFacts:
    return GOOD._replace(fields={"metadata-version": (version,)})


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (GOOD, []),
        (None, [(P.NO_METADATA, ())]),
        (
            changed(name="other", stated=("Other", "1.0")),
            [(P.OTHER_NAME, ("Name", "Other", "demo"))],
        ),
        (changed(version="9", stated=("demo", "9")), [(P.OTHER_NAME, ("Version", "9", "1.0"))]),
        (
            changed(name="", version="", stated=("-x-", "one")),
            [(P.INVALID_NAME, ("Name", "-x-")), (P.INVALID_NAME, ("Version", "one"))],
        ),
        (changed(version="1.0.0", stated=("demo", "1.0.0")), []),
        (changed(fields={}), [(P.NO_METADATA_VERSION, ())]),
        (stating("2.5"), []),
        (stating("2.0"), [(P.METADATA_VERSION, ("2.0", ", ".join(index_metadata_versions())))]),
        (stating("2.6"), [(P.METADATA_VERSION, ("2.6", ", ".join(index_metadata_versions())))]),
        (changed(judged=False), [(P.VERSION_NOT_JUDGED, ("2.1",))]),
        (
            stating("9.9")._replace(judged=False),
            [(P.METADATA_VERSION, ("9.9", ", ".join(index_metadata_versions())))],
        ),
        (changed(utf8=False), [(P.NOT_UTF8, ())]),
        (changed(incomplete=True), [(P.NOT_ALL_READ, ())]),
        (
            changed(invalid=(InvalidField("requires-dist", "x"), InvalidField("dynamic", "y"))),
            [(P.INVALID_FIELD, ("Requires-Dist", "x")), (P.INVALID_FIELD, ("Dynamic", "y"))],
        ),
        (changed(invalid=(InvalidField("description-content-type", "x"),)), []),
        (changed(repeated=("summary",)), [(P.REPEATED_FIELD, ("Summary",))]),
        (changed(unknown=("X-Other",)), [(P.UNKNOWN_FIELD, ("X-Other",))]),
    ],
)
def test_metadata(read: Optional[MetadataFacts], expected: List[Row]) -> None:
    found = list(metadata(read, NAME))
    assert [(one.problem, one.details) for one in found] == expected
    assert {one.kind for one in found} <= {"METADATA"}


@pytest.mark.parametrize("problem", list(P))
def test_each_problem_has_a_sentence_and_a_fix(problem: P) -> None:
    row = problem.value
    assert row.severity in (ERROR, WARNING, INFO)
    assert row.fix or row.severity == INFO


def test_the_sentence_names_the_field() -> None:
    (found,) = metadata(changed(version="9", stated=("demo", "9")), NAME)
    assert sentence(found).message == "states the Version '9', and the file name has '1.0'"


def test_findings_are_bounded() -> None:
    many = tuple(InvalidField("dynamic", str(number)) for number in range(5000))
    assert len(list(metadata(changed(invalid=many), NAME))) == 1000
