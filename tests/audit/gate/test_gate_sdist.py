"""The gate on sdists: a table over hand-made facts."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from manyshim.audit.findings import ERROR
from manyshim.audit.gate.facts import MetadataFacts, NameFacts, SdistFacts
from manyshim.audit.gate.sdist import SdistProblem, extension, sdist
from manyshim.audit.messages import sentence

P = SdistProblem
PATHS = frozenset(("top/PKG-INFO", "top/setup.py"))
METADATA = MetadataFacts("foo-bar", "1.0", ("Foo.Bar", "1.0"))
GOOD = SdistFacts("foo_bar-1.0.tar.gz", NameFacts("foo-bar", "1.0"), ("top",), PATHS, METADATA)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"paths": frozenset(("top/PKG-INFO", "top/pyproject.toml"))}, []),
        ({"paths": frozenset(("top/PKG-INFO", "top/src/setup.py"))}, [P.NOT_BUILDABLE]),
        ({"also_zip": True}, [P.ALSO_ZIP]),
        ({"tops": ("more", "top")}, [P.TOP]),
        ({"tops": ()}, [P.TOP]),
        ({"tops": (".",), "paths": frozenset(("./top/PKG-INFO",))}, [P.DOT]),
        ({"tops": (".", "top")}, [P.TOP]),
        ({"metadata": None}, [P.NO_PKG_INFO]),
        ({"filename": "foo.bar-1.0.tar.gz"}, [P.NAME]),
        ({"filename": "foo-bar-1.0.tar.gz"}, [P.NAME]),
        ({"filename": "Foo_Bar-1.0.tar.gz"}, [P.NAME]),
        ({"filename": "foo_bar-1.0.0.tar.gz"}, [P.NAME]),
        ({"filename": "foo_bar-1.0.tar.gz"}, []),
        # The finding about the version of PKG-INFO is enough.
        ({"metadata": METADATA._replace(version="")}, []),
        ({"odd": (("climbs", "top/../a"),)}, [P.CLIMBS]),
        ({"odd": (("sparse", "top/a"), ("special", "top/b"))}, [P.SPARSE, P.SPECIAL]),
        ({"odd": (("link", "a"), ("no target", "b"))}, [P.LINK, P.NO_TARGET]),
        ({"odd": (("target", "a"), ("name", "b"))}, [P.TARGET, P.MEMBER_NAME]),
        ({"odd": (("long", "a"), ("folder", "b"))}, [P.TOO_LONG, P.FILE_AND_FOLDER]),
        ({"odd": (("payload", "a"), ("unended", ""))}, [P.PAYLOAD, P.UNENDED]),
        ({"odd": (("parts", ""),)}, [P.PARTS]),
        ({"odd": (("magic", "a"), ("format", "b"))}, [P.MAGIC, P.FORMAT]),
        ({"odd": (("number", "a"), ("pax", "b"))}, [P.NUMBER, P.PAX]),
        ({"odd": (("long name", "a"), ("time", "b"))}, [P.LONG_NAME, P.TIME]),
        ({"odd": (("link name", "a"), ("surplus", ""))}, [P.LINK_NAME, P.SURPLUS]),
    ],
)
def test_sdists(changes: Dict[str, Any], expected: List[SdistProblem]) -> None:
    found = list(sdist(GOOD._replace(**changes)))
    assert [one.problem for one in found] == expected
    assert {(one.kind, one.severity) for one in found} <= {("SDIST", ERROR)}
    assert all(sentence(one).fix for one in found)


def test_the_finding_of_another_format() -> None:
    assert extension().problem == P.EXTENSION
