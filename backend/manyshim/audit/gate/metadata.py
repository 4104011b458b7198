"""Whether METADATA is what the index and installers expect.

Sources: warehouse's forklift/metadata.py and forklift/legacy.py; the core metadata specifications.
"""

from __future__ import annotations

import re
from typing import Iterator, Optional

from manyshim.audit.findings import (
    ERROR,
    INFO,
    WARNING,
    Finding,
    Problem,
    Row,
    problem_finding,
)
from manyshim.audit.gate.facts import MetadataFacts, NameFacts, spelled
from manyshim.audit.policy import index_metadata_versions

_PROJECT = "correct the metadata of the project, and build again"


class MetadataProblem(Problem):
    """What is wrong with METADATA as a whole."""

    NO_METADATA = Row("METADATA", ERROR, "is missing", "build the wheel again")
    INVALID_NAME = Row("METADATA", ERROR, "states the {0} '{1}', which is not valid", _PROJECT)
    OTHER_NAME = Row(
        "METADATA",
        ERROR,
        "states the {0} '{1}', and the file name has '{2}'",
        "build again, and do not rename the file",
    )
    NO_METADATA_VERSION = Row(
        "METADATA", ERROR, "has no Metadata-Version", "build again with a current backend"
    )
    METADATA_VERSION = Row(
        "METADATA",
        ERROR,
        "has the Metadata-Version {0}, and the index takes other ones ({1})",
        "build with another version of the backend",
    )
    VERSION_NOT_JUDGED = Row(
        "METADATA",
        INFO,
        "has the Metadata-Version {0}, which the installed packaging does not know; "
        "most of its fields were not judged",
        "update packaging",
    )
    NOT_ALL_READ = Row(
        "METADATA", INFO, "has more fields, or longer ones, than are read; they were not judged"
    )
    NOT_UTF8 = Row(
        "METADATA",
        ERROR,
        "is not UTF-8, and pip refuses it",
        "save the sources of the metadata as UTF-8, and build again",
    )
    INVALID_FIELD = Row("METADATA", ERROR, "has a {0} that is not valid ({1})", _PROJECT)
    REPEATED_FIELD = Row(
        "METADATA",
        WARNING,
        "has {0} more than once, and twine refuses that",
        _PROJECT,
    )
    UNKNOWN_FIELD = Row(
        "METADATA", WARNING, "has the unknown field {0}, and twine refuses that", _PROJECT
    )


_MAX_FINDINGS = 1000


def metadata(facts: Optional[MetadataFacts], name: NameFacts) -> Iterator[Finding]:
    """Yield findings about METADATA as a whole; those about its values are in fields.py.

    The index compares name and version with the file name after normalization (PEP 503, PEP 440).
    """
    if facts is None:
        yield problem_finding(MetadataProblem.NO_METADATA, "METADATA", subject="METADATA")
        return
    yield from _versions(facts)
    for field, stated, wanted, text in (
        ("Name", facts.name, name.project, facts.stated[0]),
        ("Version", facts.version, name.version, facts.stated[1]),
    ):
        if not stated:
            yield _about(MetadataProblem.INVALID_NAME, field, text)
        elif wanted and _release(stated) != _release(wanted):
            yield _about(MetadataProblem.OTHER_NAME, field, text, wanted)
    yield from _reading(facts)


def _release(text: str) -> str:
    """Return a normalized name or version without zeros at the end of its release (PEP 440)."""
    return re.sub(r"(\.0)+(?![.\d])", "", text)


def _reading(facts: MetadataFacts) -> Iterator[Finding]:
    """Yield findings about what a reader refuses, and what was not read."""
    if not facts.utf8:
        yield _about(MetadataProblem.NOT_UTF8)
    if facts.incomplete:
        yield _about(MetadataProblem.NOT_ALL_READ)
    for one in facts.invalid[:_MAX_FINDINGS]:
        if one.field != "description-content-type":
            yield _about(MetadataProblem.INVALID_FIELD, spelled(one.field), one.reason)
    for field in facts.repeated:
        yield _about(MetadataProblem.REPEATED_FIELD, spelled(field))
    for field in facts.unknown:
        yield _about(MetadataProblem.UNKNOWN_FIELD, field)


def _about(what: MetadataProblem, *details: str) -> Finding:
    return problem_finding(what, "METADATA", *details, subject=details[0] if details else "")


def _versions(facts: MetadataFacts) -> Iterator[Finding]:
    stated = "".join(facts.fields.get("metadata-version", ())[:1])
    taken = index_metadata_versions()
    if not stated:
        yield _about(MetadataProblem.NO_METADATA_VERSION)
    elif stated not in taken:
        yield _about(MetadataProblem.METADATA_VERSION, stated, ", ".join(taken))
    elif not facts.judged:
        yield _about(MetadataProblem.VERSION_NOT_JUDGED, stated)
