"""Whether METADATA and RECORD are what the index and installers expect."""

from __future__ import annotations

from typing import Iterator, Optional

from manyshim.audit.facts import MetadataFacts
from manyshim.audit.findings import ERROR, Evidence, Finding, finding


def metadata(facts: Optional[MetadataFacts]) -> Iterator[Finding]:
    """Yield findings for a name and a version that METADATA does not state as the file name does.

    The index compares both after normalization (PEP 503, PEP 440).
    """
    if facts is None:
        yield finding("METADATA", "METADATA", "METADATA", evidence=Evidence.NO_METADATA)
        return
    for field, stated, wanted, text in (
        ("Name", facts.name, facts.file_name, facts.stated[0]),
        ("Version", facts.version, facts.file_version, facts.stated[1]),
    ):
        if not stated:
            made = finding("METADATA", "METADATA", field, evidence=Evidence.INVALID_FIELD)
            yield made._replace(details=(field, text))
        elif stated != wanted:
            made = finding("METADATA", "METADATA", field, evidence=Evidence.OTHER_FIELD)
            yield made._replace(details=(field, text, wanted))


def record(problem: str) -> Iterator[Finding]:
    """Yield a finding if the library wheel, the second reader, cannot read RECORD."""
    if problem:
        evidence = Evidence.SECOND_READER
        made = finding("RECORD", "RECORD", evidence.value, severity=ERROR, evidence=evidence)
        yield made._replace(details=(problem,))
