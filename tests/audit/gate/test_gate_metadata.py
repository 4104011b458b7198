"""The gate on METADATA: a table over hand-made facts."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import pytest

from manyshim.audit.findings import ERROR
from manyshim.audit.gate.facts import MetadataFacts, NameFacts
from manyshim.audit.gate.metadata import MetadataProblem, license_files, metadata

NAME = NameFacts("demo", "1.0")


def facts(**changes: Any) -> MetadataFacts:
    return MetadataFacts("demo", "1.0", ("Demo", "1.0"))._replace(**changes)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (facts(), []),
        (None, [("MISSING", ())]),
        (facts(name="other", stated=("Other", "1.0")), [("OTHER", ("Name", "Other", "demo"))]),
        (facts(version="9", stated=("demo", "9")), [("OTHER", ("Version", "9", "1.0"))]),
        (
            facts(name="", version="", stated=("-x-", "one")),
            [("INVALID", ("Name", "-x-")), ("INVALID", ("Version", "one"))],
        ),
        (facts(metadata_version=""), [("NO_VERSION", ())]),
        (
            facts(metadata_version="2.6"),
            [("UNKNOWN_VERSION", ("2.6", "1.0, 1.1, 1.2, 2.1, 2.2, 2.3, 2.4, 2.5"))],
        ),
        (facts(metadata_version="2.5"), []),
        (facts(summary=512), []),
        (facts(summary=513), [("SUMMARY", ("513", "512"))]),
        (facts(invalid=(("Requires-Dist", "a b"),)), [("INVALID", ("Requires-Dist", "a b"))]),
        (facts(urls=("a @ https://example.org",)), [("URL", ("a @ https://example.org",))]),
        (facts(repeated=("Name",)), [("REPEATED", ("Name",))]),
        (facts(both_licenses=True), [("BOTH_LICENSES", ())]),
        (facts(decoded=False), [("UNDECODABLE", ())]),
    ],
)
def test_metadata(
    read: Optional[MetadataFacts], expected: List[Tuple[str, Tuple[str, ...]]]
) -> None:
    found = list(metadata(read, NAME, "METADATA"))
    wanted = [(MetadataProblem[name], details) for name, details in expected]
    assert [(one.problem, one.details) for one in found] == wanted
    assert {(one.kind, one.severity, one.path) for one in found} <= {
        ("METADATA", ERROR, "METADATA")
    }


@pytest.mark.parametrize(
    ("version", "licenses", "missing"),
    [
        ("2.4", ("LICENSE", "sub/NOTICE"), []),
        ("2.4", ("COPYING",), ["COPYING"]),
        ("2.10", ("COPYING", "COPYING"), ["COPYING"]),
        # Clients do not send the field.
        ("2.3", ("COPYING",), []),
        ("", ("COPYING",), []),
    ],
)
def test_license_files(version: str, licenses: Tuple[str, ...], missing: List[str]) -> None:
    members = {"demo-1.0.dist-info/licenses/LICENSE", "demo-1.0.dist-info/licenses/sub/NOTICE"}
    stated = facts(metadata_version=version, licenses=licenses)
    found = license_files(stated, "METADATA", "demo-1.0.dist-info/licenses", members)
    assert [one.details[0] for one in found] == missing
