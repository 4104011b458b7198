"""The schema of the report describes it exactly: what is missing, surplus or wrong is refused."""

from __future__ import annotations

import copy
from typing import Any, Dict, List, Tuple

import pytest

import needs
from manyshim.audit.findings import ERROR, INFO, KINDS, POLICY, WARNING, problem_finding
from manyshim.audit.gate.completeness import SetProblem
from manyshim.audit.tags import ARCHES
from manyshim.formatters.json import JSON_VERSION, failure, finding_dict
from manyshim.formatters.release import Summary
from manyshim.schemas.load import report_schema
from paths import DOCS
from reportschema import problems

PLACE = {"symbol": "gettid", "file": "src/a.c", "line": 3, "function": None}
FINDING = {
    "kind": "TOO_NEW",
    "severity": "policy",
    "path": "demo/a.so",
    "policy": "manylinux_2_28_x86_64",
    "subject": "GLIBC_2.30",
    "library": "libc.so.6",
    "symbols": ["gettid"],
    "places": [PLACE],
    "allowed": False,
    "message": "it needs gettid",
    "fix": None,
}
COPY = {
    "source": "/usr/lib/libz.so.1",
    "found": "ld.so.cache",
    "member": "demo.libs/libz.so.1",
    "sha256": "0" * 64,
    "needed_by": ["demo/a.so"],
    "excluded": None,
}
PATCH = {"needed": {"libz.so.1": "libz-1.so.1"}, "removed": [], "rpath": "$ORIGIN", "stack": False}
PLAN = {
    "policy": "manylinux_2_17_x86_64",
    "copies": [COPY],
    "patches": {"demo/a.so": PATCH},
    "launchers": {"demo-1.0.data/scripts/tool": "demo/bin/tool"},
    "lacking": {"libcuda.so.1": "it is not found"},
}
WHEEL = {
    "wheel": "demo-1.0-cp311-cp311-linux_x86_64.whl",
    "file": "dist/demo-1.0-cp311-cp311-linux_x86_64.whl",
    "claimed": ["linux_x86_64"],
    "arch": "x86_64",
    "libc": "glibc",
    "policy": "manylinux_2_31_x86_64",
    "tag": "manylinux_2_31_x86_64",
    "tags": ["manylinux_2_31_x86_64"],
    "right_tags": [],
    "reason": None,
    "runs_on": ["Debian 12"],
    "not_on": ["Debian 10"],
    "external": [],
    "musl_minimum": None,
    "findings": [FINDING],
    "blocked": {
        "policy": "manylinux_2_28_x86_64",
        "without": "manylinux_2_17_x86_64",
        "findings": [0],
    },
    "written": None,
    "notes": [],
    "plan": PLAN,
    "error": None,
    "internal": False,
}
FAILED: Dict[str, Any] = {
    **{key: [] if isinstance(value, list) else None for key, value in WHEEL.items()},
    "wheel": "a.whl",
    "file": "a.whl",
    "error": "it is no zip",
    "internal": True,
}
FAILED.pop("plan")
SDIST: Dict[str, Any] = {
    "sdist": "demo-1.0.tar.gz",
    "file": "demo-1.0.tar.gz",
    "findings": [],
    "error": None,
}
REPORT: Dict[str, Any] = {
    "version": 2,
    "wheels": [WHEEL, FAILED],
    "sdists": [{**SDIST, "internal": False}],
    "sets": [{"project": "demo", "versions": ["1.0"], "findings": []}],
    "summary": dict.fromkeys(Summary._fields, 0),
}


def test_a_whole_report_is_accepted() -> None:
    assert problems(REPORT) == []
    assert problems({"version": 2, "wheels": []}) == []


def test_every_key_is_required_and_no_other_is_taken() -> None:
    optional = {("wheels", 0, "plan")}
    for path in _objects(REPORT):
        report = copy.deepcopy(REPORT)
        _at(report, path)["surplus"] = None
        assert problems(report), path
        for key in _at(REPORT, path):
            report = copy.deepcopy(REPORT)
            del _at(report, path)[key]
            assert bool(problems(report)) == ((*path, key) not in optional), (path, key)


Path = Tuple[Any, ...]
# Their keys are names of files and libraries.
MAPS = ("patches", "launchers", "lacking", "needed")


def _objects(value: Any, path: Path = ()) -> List[Path]:
    """List the paths of all objects in a report whose keys are fixed."""
    found = (
        [path] if isinstance(value, dict) and path[-1:] not in {(name,) for name in MAPS} else []
    )
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        if isinstance(inner, (dict, list)):
            found += _objects(inner, (*path, key))
    return found


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


# Where a report is wrong, the key, and its wrong value.
FIRST: Path = ("wheels", 0)
WRONG: Dict[str, Tuple[Path, str, Any]] = {
    "another version": ((), "version", 1),
    "the version as a text": ((), "version", "2"),
    "a kind that is unknown": ((*FIRST, "findings", 0), "kind", "NO_KIND"),
    "a severity that is unknown": ((*FIRST, "findings", 0), "severity", "bad"),
    "a policy that is none": (FIRST, "policy", "linux_x86_64"),
    "an architecture that is unknown": (FIRST, "arch", "amd64"),
    "a list that is null": (FIRST, "notes", None),
    "a text in place of a list": (FIRST, "tags", "manylinux_2_31_x86_64"),
    "a line as a text": ((*FIRST, "findings", 0, "places", 0), "line", "3"),
    "line 0": ((*FIRST, "findings", 0, "places", 0), "line", 0),
    "a finding in place of its position": ((*FIRST, "blocked"), "findings", [FINDING]),
    "a wheel with an error and a tag": (("wheels", 1), "tag", "manylinux_2_5_i686"),
    "an internal error without an error": (FIRST, "internal", True),
    "a negative count": (("summary",), "missing", -1),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_report_is_refused(wrong: str) -> None:
    path, key, value = WRONG[wrong]
    report = copy.deepcopy(REPORT)
    assert key in _at(report, path)
    _at(report, path)[key] = value
    assert problems(report)


def test_it_is_a_schema() -> None:
    needs.module("jsonschema", since=(3, 10))
    from jsonschema import Draft7Validator

    Draft7Validator.check_schema(report_schema())


def test_the_open_schema_takes_what_a_later_release_may_add() -> None:
    needs.module("jsonschema", since=(3, 10))
    from jsonschema import Draft7Validator

    finding = finding_dict(problem_finding(SetProblem.NO_SDIST))
    later = {**finding, "kind": "NEW_KIND", "severity": "notice", "new_key": [1]}
    files = {**failure("x.whl", "", internal=False), "error": None}
    data = {"version": JSON_VERSION, "wheels": [{**files, "arch": "mips", "findings": [later]}]}
    assert list(Draft7Validator(report_schema()).iter_errors(data))
    schema = report_schema(exact=False)
    Draft7Validator.check_schema(schema)
    assert list(Draft7Validator(schema).iter_errors(data)) == []
    assert list(Draft7Validator(schema).iter_errors({**data, "version": 3}))
    wrong = {**later, "message": 3}
    bad = {**data, "wheels": [{**files, "findings": [wrong]}]}
    assert list(Draft7Validator(schema).iter_errors(bad))


def test_words_are_those_of_the_code() -> None:
    definitions = report_schema()["definitions"]
    finding = definitions["finding"]["properties"]
    assert finding["kind"]["enum"] == list(KINDS)
    assert set(finding["severity"]["enum"]) == {ERROR, POLICY, WARNING, INFO}
    assert definitions["wheel"]["properties"]["arch"]["enum"] == [*ARCHES, None]
    assert all("description" in one for one in _described(report_schema()))


def _described(schema: Dict[str, Any]) -> List[Dict[str, Any]]:
    """List the schemas of all keys that are no definitions themselves."""
    objects = [schema, *schema["definitions"].values()]
    keys = [inner for one in objects for inner in one.get("properties", {}).values()]
    return [one for one in keys if "$ref" not in one]


def test_the_page_names_every_key() -> None:
    text = (DOCS / "command-line.md").read_text(encoding="utf-8").partition("\n## JSON\n")[2]
    definitions = report_schema()["definitions"]
    for name in ("wheel", "sdist", "set", "summary", "finding", "place", "blocked", "plan"):
        missing = [key for key in definitions[name]["properties"] if f"`{key}`" not in text]
        assert missing == [], name
