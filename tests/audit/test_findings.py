"""Findings are values with an order."""

from __future__ import annotations

from typing import Any

from manyshim.audit.findings import Evidence, Finding, finding, sort_key
from manyshim.audit.tags import PlatformTag

NEWER = PlatformTag("manylinux", 2, 28, "x86_64")
OLDER = PlatformTag("manylinux", 2, 17, "x86_64")


def made(path: str, **more: Any) -> Finding:
    return finding("TOO_NEW", path, "GLIBC_2.34")._replace(**more)


def test_findings_are_sorted_where_they_differ_in_an_optional_field_only() -> None:
    one, other, none = made("a", policy=NEWER), made("a", policy=OLDER), made("a")
    assert sorted([one, other, none], key=sort_key) == [none, other, one]


def test_the_first_field_that_differs_decides() -> None:
    first, second = (
        made("a", policy=NEWER, evidence=Evidence.RELR),
        made("b", evidence=Evidence.ABSENT),
    )
    third = made("b", evidence=Evidence.ABSENT, allowed=True)
    assert sorted([third, second, first], key=sort_key) == [first, second, third]
