"""Writes a run as JUnit XML, in the form that Jenkins, GitLab and pytest share.

Each file is a suite. Each kind of finding is a test case of it: with an error it has failed, and
with accepted errors only it was skipped. A kind with warnings has passed, and its output has them.
"""

from __future__ import annotations

from html import escape as quoted
from typing import Any, Dict, Iterator, List, Sequence

from manyshim.errors import escape, shorten
from manyshim.formatters.entries import ERROR, WARNING, Entry, entries, level, message
from manyshim.values import NamedTuple

_FAILURE = "failure"
_ERROR = "error"
_SKIPPED = "skipped"


class _Case(NamedTuple):
    """A test case; `outcome` is the name of its element, empty if it has passed."""

    name: str
    outcome: str = ""
    lines: Sequence[str] = ()


class _Suite(NamedTuple):
    name: str
    cases: List[_Case]

    def count(self, outcome: str) -> int:
        return sum(case.outcome == outcome for case in self.cases)


def to_junit(data: Dict[str, Any], command: str) -> str:
    """Return a run of a command as an XML document of ASCII characters, without any times."""
    suites = [_suite(entry, command) for entry in entries(data)]
    numbers = {
        "tests": sum(len(suite.cases) for suite in suites),
        "failures": sum(suite.count(_FAILURE) for suite in suites),
        "errors": sum(suite.count(_ERROR) for suite in suites),
    }
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f"<testsuites{_attributes(name=f'manyshim {command}', **numbers)}>",
        *(line for suite in suites for line in _suite_lines(suite)),
        "</testsuites>",
    ]
    text = "".join(f"{line}\n" for line in lines)
    return text.encode("ascii", "xmlcharrefreplace").decode()


def _suite(entry: Entry, command: str) -> _Suite:
    name = f"the files of {entry.name}" if entry.what == "set" else entry.name
    if entry.error:
        return _Suite(name, [_Case(entry.failure, _ERROR, entry.error.split("\n"))])
    kinds = dict.fromkeys(found["kind"] for found in entry.findings)
    cases = [_case(kind, [one for one in entry.findings if one["kind"] == kind]) for kind in kinds]
    # Readers leave out a suite without test cases, as if the file had not been judged.
    return _Suite(name, cases or [_Case(command)])


def _case(kind: str, findings: List[Dict[str, Any]]) -> _Case:
    """Return the test case of a kind, with its findings as lines, errors first."""
    errors = [found for found in findings if level(found) == ERROR]
    warnings = [found for found in findings if level(found) == WARNING]
    others = [found for found in findings if found not in errors and found not in warnings]
    lines = [line for found in (*errors, *warnings, *others) for line in _lines(found)]
    accepted = all(found.get("allowed") for found in findings)
    return _Case(kind, _FAILURE if errors else _SKIPPED if accepted else "", lines)


def _lines(found: Dict[str, Any]) -> Iterator[str]:
    yield f"{level(found)}: {message(found)}"
    # A file that was compiled without debug information has uses without a line.
    for one in (place for place in found.get("places") or () if place["file"] and place["line"]):
        function = f" in {one['function']}()" if one.get("function") else ""
        yield f"  {shorten(one['file'])}:{one['line']}{function}: {shorten(one['symbol'])}"
    if found["fix"]:
        yield f"  {found['fix']}"


def _suite_lines(suite: _Suite) -> Iterator[str]:
    numbers = {
        "tests": len(suite.cases),
        "failures": suite.count(_FAILURE),
        "errors": suite.count(_ERROR),
        "skipped": suite.count(_SKIPPED),
    }
    yield f"  <testsuite{_attributes(name=suite.name, **numbers)}>"
    for case in suite.cases:
        attributes = _attributes(classname=suite.name, name=case.name)
        if not case.lines:
            yield f"    <testcase{attributes}/>"
            continue
        text = quoted("\n".join(map(escape, case.lines)))
        yield f"    <testcase{attributes}>"
        if case.outcome:
            said = _attributes(message=case.lines[0], type=case.name)
            yield f"      <{case.outcome}{said}>{text}</{case.outcome}>"
        else:
            yield f"      <system-out>{text}</system-out>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _attributes(**values: object) -> str:
    """Return the attributes of an element, each after a space."""
    return "".join(f' {name}="{quoted(escape(str(value)))}"' for name, value in values.items())
