"""JUnit XML: valid by the schema that Jenkins uses, and read by another library."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List
from xml.etree import ElementTree as ET

import pytest

import needs
import sdists
from manyshim.audit import findings as f
from manyshim.formatters.junit import to_junit
from runobjects import (
    HOSTILE,
    WHEEL,
    a_set,
    everything,
    made,
    of_check,
    of_show,
    place,
    ran,
    row,
    sdist,
    unreadable,
    wheel,
)
from wheelwriter import save
from wheelwriter import wheel as written

OBJECTS = [everything(), of_show(), of_check(), of_check(wheel()), of_check(sets=[a_set()])]


def parsed(data: Dict[str, Any]) -> ET.Element:
    return ET.fromstring(to_junit(data, "check"))  # noqa: S314 (it is our own)


def case(*findings: Dict[str, Any], **changes: Any) -> ET.Element:
    """Return the only test case of a wheel."""
    (found,) = parsed(of_show(wheel(*findings, **changes))).findall("testsuite/testcase")
    return found


@pytest.mark.network
@pytest.mark.parametrize("data", OBJECTS)
def test_valid_by_the_schema(data: Dict[str, Any], tmp_path: Path) -> None:
    """The schema is that of Jenkins' plugin xUnit, with which pytest tests its own files."""
    needs.module("xmlschema", since=(3, 10))
    import xmlschema

    folder = sdists.fetch("pytest", "9.2.0", tmp_path / "pytest")
    schema = xmlschema.XMLSchema(folder / "testing" / "example_scripts" / "junit-10.xsd")
    path = tmp_path / "junit.xml"
    path.write_text(to_junit(data, "check"), encoding="ascii")
    assert list(map(str, schema.iter_errors(path))) == []
    path.write_text(to_junit(data, "check").replace(" tests=", " test="), encoding="ascii")
    assert list(schema.iter_errors(path))


@pytest.mark.parametrize("data", OBJECTS)
def test_the_totals_are_right(data: Dict[str, Any]) -> None:
    root = parsed(data)
    assert root.get("name") == "manyshim check"
    elements = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for one in (root, *root.findall("testsuite")):
        cases = list(one.iter("testcase"))
        assert one.get("tests") == str(len(cases))
        for key, tag in elements.items():
            assert one.get(key, str(len(list(one.iter(tag))))) == str(len(list(one.iter(tag))))
        for found in cases:
            assert len(found.findall("failure")) + len(found.findall("error")) <= 1
    assert len(root) == sum(len(data.get(key, ())) for key in ("wheels", "sdists", "sets"))


def test_a_kind_with_an_error_has_failed() -> None:
    errors = (made("ABI3", path="b.so", severity=f.WARNING), made("ABI3", path="a.so"))
    found = case(*map(row, errors))
    assert (found.get("classname"), found.get("name")) == (WHEEL, "ABI3")
    (failure,) = found
    assert failure.tag == "failure"
    assert failure.get("type") == "ABI3"
    assert str(failure.get("message")).startswith("error: a.so ")
    lines = str(failure.text).split("\n")
    assert [line.split()[:2] for line in lines if not line.startswith(" ")] == [
        ["error:", "a.so"],
        ["warning:", "b.so"],
    ]


def test_the_fix_and_the_source_lines_are_in_the_text() -> None:
    places = (place("/x/src/_x.c"), place("y.c", 1, "two", None), place("", 0), place("z.c", 0))
    (failure,) = case(row(made("NEEDED_PATH"), *places))
    assert str(failure.text).split("\n")[1:] == [
        "  /x/src/_x.c:7 in helper(): one",
        "  y.c:1: two",
        "  give the library a soname (-Wl,-soname) and link it with -l",
    ]


@pytest.mark.parametrize(
    ("findings", "tag"),
    [
        ([made("ISA")], "failure"),
        ([made("ISA", allowed=True, severity=f.WARNING)], "skipped"),
        ([made("ISA", allowed=True, severity=f.WARNING), made("ISA")], "failure"),
        ([made("RECORD")], "system-out"),
        ([made("TOO_NEW")], "system-out"),
        ([made("STATIC_TLS")], "system-out"),
    ],
)
def test_outcome(findings: List[f.Finding], tag: str) -> None:
    assert [one.tag for one in case(*map(row, findings))] == [tag]


def test_a_file_without_findings_has_a_case_that_passed() -> None:
    found = case()
    assert (found.get("name"), len(found)) == ("check", 0)


def test_a_file_without_a_verdict_is_an_error() -> None:
    root = parsed(of_check(unreadable("one\ntwo"), unreadable("three", internal=True)))
    errors = list(root.iter("error"))
    assert [(one.get("type"), one.get("message"), one.text) for one in errors] == [
        ("UNREADABLE", "one", "one\ntwo"),
        ("INTERNAL_ERROR", "three", "three"),
    ]


def test_sets_and_sdists_are_suites() -> None:
    problem = row(made("INCOMPLETE_SET", path="demo-1.0-py3-none-any.whl"))
    root = parsed(of_check(sdists=[sdist(row(made("SDIST")))], sets=[a_set(problem)]))
    names = [(one.get("name"), one.get("failures")) for one in root]
    assert names == [("demo-1.0.tar.gz", "1"), ("the files of demo", "1")]


def test_hostile_names_are_text() -> None:
    text = to_junit(of_check(wheel(row(made("ISA", HOSTILE)), name=HOSTILE)), "check")
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    suite = ET.fromstring(text)[0]  # noqa: S314 (it is our own)
    assert "]]><b>&amp;|`" in str(suite.get("name"))
    assert "]]><b>&amp;|`" in str(suite[0][0].text)
    assert r"\x1b[31m\n::error::x" in str(suite[0][0].get("message"))


def test_another_library_reads_a_real_run(tmp_path: Path) -> None:
    needs.module("junitparser", since=(3, 10))
    from junitparser import Error, Failure, JUnitXml

    good = save(
        tmp_path,
        written({"demo/__init__.py": b""}, tag="py3-none-any"),
        "demo-1.0-py3-none-any.whl",
    )
    wrong = save(tmp_path, written({"demo/x.txt": b""}), "demo-1.0-cp311-cp311-linux_x86_64.whl")
    bad = save(tmp_path, b"", "bad-1.0-py3-none-any.whl")
    path = tmp_path / "junit.xml"
    path.write_text(to_junit(ran("check", good, wrong, bad), "check"), encoding="ascii")
    read = JUnitXml.fromfile(str(path))
    outcomes = {suite.name: [type(one) for case in suite for one in case.result] for suite in read}
    assert outcomes[good.name] == []
    assert Failure in outcomes[wrong.name]
    assert outcomes[bad.name] == [Error]
    assert (read.errors, read.failures > 0) == (1, True)
