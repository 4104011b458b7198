"""The gate on the values of METADATA: tables over hand-made facts."""

from __future__ import annotations

from typing import Any, List, Tuple

import pytest

from manyshim.audit.findings import INFO
from manyshim.audit.gate.facts import InvalidField, MetadataFacts, Rendering
from manyshim.audit.gate.fields import FieldProblem as P
from manyshim.audit.gate.fields import fields, is_url, license_files

Row = Tuple[P, Tuple[str, ...]]
GOOD = MetadataFacts("demo", "1.0", ("demo", "1.0"))


def field(name: str, *values: str) -> MetadataFacts:
    return GOOD._replace(fields={name: values})


def changed(**values: Any) -> MetadataFacts:
    return GOOD._replace(**values)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (GOOD, []),
        (field("summary", "x" * 512), []),
        (field("summary", "x" * 513), [(P.LONG_SUMMARY, ("513", "512"))]),
        (field("home-page", "https://a.org"), []),
        (field("home-page", "UNKNOWN"), []),
        (field("home-page", "www.a.org"), [(P.INVALID_URL, ("Home-Page", "www.a.org"))]),
        (field("download-url", "ftp://a/"), [(P.INVALID_URL, ("Download-URL", "ftp://a/"))]),
        (field("project-url", "Home, https://a.org", "B,http://b"), []),
        (
            field("project-url", "x" * 33 + ", https://a.org"),
            [(P.URL_LABEL, ("32", "x" * 33))],
        ),
        (field("project-url", ", https://a.org"), [(P.URL_LABEL, ("32", ""))]),
        (field("project-url", "Home"), [(P.URL_PAIR, ("Home",))]),
        (field("project-url", "a, https://b", "A, https://b", "a b, https://b"), []),
        (
            field("project-url", "a, https://b", " a , https://c", "a"),
            [(P.SAME_LABEL, ("a",))] * 2,
        ),
        (
            changed(direct=(("requires-dist", "a @ https://b"),)),
            [(P.DIRECT_DEPENDENCY, ("Requires-Dist", "a @ https://b"))],
        ),
        (
            changed(fields={"license": ("MIT",), "license-expression": ("MIT",)}),
            [(P.TWO_LICENSES, ())],
        ),
        (changed(fields={"license": ("",), "license-expression": ("MIT",)}), []),
        (changed(unknown_classifiers=("X",)), [(P.UNKNOWN_CLASSIFIER, ("X",))]),
        (changed(old_classifiers=(("X", ""),)), [(P.OLD_CLASSIFIER, ("X", "none"))]),
    ],
)
def test_values(read: MetadataFacts, expected: List[Row]) -> None:
    found = list(fields(read))
    assert [(one.problem, one.details) for one in found] == expected
    assert {one.kind for one in found} <= {"METADATA"}


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (changed(rendering=Rendering.RENDERED), []),
        (
            changed(rendering=Rendering.FAILED, renderer_message="line 3: (ERROR/3) x"),
            [(P.NOT_RENDERED, ("line 3: (ERROR/3) x",))],
        ),
        (
            changed(rendering=Rendering.NO_RENDERER),
            [(P.RENDERING_NOT_JUDGED, ("readme_renderer is not installed",))],
        ),
        (
            changed(rendering=Rendering.TOO_LARGE),
            [(P.RENDERING_NOT_JUDGED, ("it is too large",))],
        ),
        (
            changed(invalid=(InvalidField("description-content-type", "x"),)),
            [(P.CONTENT_TYPE, ("x",))],
        ),
        (field("description-content-type", "text/plain"), []),
        (field("description-content-type", ""), [(P.NO_CONTENT_TYPE, ("",))]),
        (field("description-content-type", "UNKNOWN"), [(P.NO_CONTENT_TYPE, ("UNKNOWN",))]),
    ],
)
def test_description(read: MetadataFacts, expected: List[Row]) -> None:
    found = list(fields(read))
    assert [(one.problem, one.details) for one in found] == expected
    assert {one.kind for one in found} <= {"DESCRIPTION"}


@pytest.mark.parametrize(
    ("version", "listed", "paths", "absent"),
    [
        ("2.4", ("LICENSE",), ("p/LICENSE",), []),
        ("2.4", ("LICENSE",), ("LICENSE",), ["LICENSE"]),
        ("2.4", ("a/b", "a/c", "a/b"), ("p/a/c",), ["a/b"]),
        ("2.1", ("LICENSE",), (), []),
        ("9.9", ("LICENSE",), (), ["LICENSE"]),
    ],
)
def test_license_files(
    version: str, listed: Tuple[str, ...], paths: Tuple[str, ...], absent: List[str]
) -> None:
    read = changed(fields={"metadata-version": (version,), "license-file": listed})
    found = list(license_files(read, paths, "p"))
    assert [one.details for one in found] == [(name, f"p/{name}") for name in absent]
    assert {(one.kind, one.problem) for one in found} <= {("LICENSE_FILE", P.NO_LICENSE_FILE)}


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        *(("https://a.org", True), ("HTTP://a", True), ("https:a", True), ("https://a b/", True)),
        *(("https://a:65535/", True), ("https://a:65536/", False), ("", False), ("a.org", False)),
        *(("git+https://a", False), ("//a", False), ("mailto:a@b.org", False)),
    ],
)
def test_urls_as_the_index_takes_them(text: str, *, taken: bool) -> None:
    assert is_url(text) == taken


@pytest.mark.parametrize("problem", list(P))
def test_each_problem_has_a_fix(problem: P) -> None:
    assert problem.value.fix or problem.value.severity == INFO


def test_findings_are_bounded() -> None:
    many = field("project-url", *(f"Home{number}, x" for number in range(5000)))
    assert len(list(fields(many))) == 1000
    listed = tuple(str(number) for number in range(5000))
    read = changed(fields={"metadata-version": ("2.4",), "license-file": listed})
    assert len(list(license_files(read, (), "p"))) == 1000
