"""SARIF: valid by its schema, as GitHub's code scanning requires it, and read by other tools."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Set
from urllib.parse import unquote

import pytest

import needs
from elfwriter import Elf, Symbol, write
from manyshim.audit import findings as f
from manyshim.audit.findings import KINDS
from manyshim.formatters import sarif
from manyshim.formatters.sarif import to_sarif
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

# Version of the npm package, which has a program of its own for Linux.
_MULTITOOL = "@microsoft/sarif-multitool@5.7.0"


def locate(file: str) -> Optional[str]:
    """Find the files of a repository with one source file."""
    return "src/a b/_x.c" if file.endswith("src/_x.c") else None


def of(data: Dict[str, Any], code: int = 1) -> Dict[str, Any]:
    (run,) = to_sarif(data, "check", code, locate, "1.0")["runs"]
    assert isinstance(run, dict)
    return run


def results(*findings: Dict[str, Any]) -> List[Dict[str, Any]]:
    listed: List[Dict[str, Any]] = of(of_show(wheel(*findings)))["results"]
    return listed


def fingerprint(found: f.Finding, name: str = WHEEL) -> str:
    (result,) = of(of_show(wheel(row(found), name=name)))["results"]
    text = result["partialFingerprints"]["manyshimFinding/v1"]
    assert isinstance(text, str)
    return text


def objects() -> List[Dict[str, Any]]:
    return [everything(), of_show(), of_check(), of_check(wheel()), of_check(sets=[a_set()])]


@pytest.mark.parametrize("data", objects())
@pytest.mark.parametrize("code", [0, 1, 6])
def test_valid_by_the_schema(data: Dict[str, Any], code: int) -> None:
    needs.module("sarif_kit", "sarif-kit", (3, 11))
    from sarif_kit import validate

    log = json.loads(json.dumps(to_sarif(data, "check", code, locate, "1.0")))
    assert validate.validation_errors(log) == []
    log["runs"][0]["results"].append({"message": {}})
    assert validate.validation_errors(log)


def test_each_kind_is_a_rule_with_its_level() -> None:
    run = of(everything())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(KINDS)
    levels = {f.ERROR: "error", f.WARNING: "warning", f.POLICY: "note", f.INFO: "note"}
    for rule in rules:
        assert rule["defaultConfiguration"]["level"] == levels[KINDS[rule["id"]]]
        for key in ("shortDescription", "fullDescription", "help"):
            assert rule[key]["text"]
            assert "\\n" not in rule[key]["text"]
        assert "\n\nHow to fix it:\n\n" in rule["help"]["text"]
        for text in rule["help"].values():
            assert "\n\n" in text
            assert "\\n" not in text
            assert "When to allow it" in text
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert of(of_show(wheel(row(made("ISA")))))["tool"]["driver"]["rules"][0]["id"] == "ISA"


@pytest.mark.parametrize("data", objects())
def test_github_takes_it(data: Dict[str, Any]) -> None:
    """Each result has a relative path and a line, and no two in a file are taken for one."""
    run = of(data)
    identities = []
    for result in run["results"]:
        assert result["message"]["text"].isprintable()
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            physical = location["physicalLocation"]
            uri = physical["artifactLocation"]["uri"]
            assert uri.isascii()
            assert uri.isprintable()
            assert not set(' \\"<>^`{|}?#') & set(uri)
            assert not uri.startswith("/")
            assert ":" not in uri.partition("/")[0]
            assert ".." not in unquote(uri).split("/")
            assert physical["region"]["startLine"] >= 1
        key = json.dumps(result["locations"][0]["physicalLocation"])
        identities.append((key, *sorted(result["partialFingerprints"].items())))
    assert len(set(identities)) == len(identities)


def test_the_source_line_is_the_location() -> None:
    (result,) = results(row(made("TOO_NEW"), place("/build/src/_x.c", 42), place("/usr/other.c")))
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "src/a%20b/_x.c", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 42},
            },
            "logicalLocations": [
                {
                    "fullyQualifiedName": "pkg/_x.cpython-311-x86_64-linux-gnu.so",
                    "kind": "resource",
                },
                {"name": "helper", "kind": "function"},
            ],
            "message": {"text": "uses one"},
        }
    ]
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"] == {"uri": f"dist/{WHEEL}"}


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("dist/a b.whl", {"uri": "dist/a%20b.whl"}),
        ("./dist//a.whl", {"uri": "dist/a.whl"}),
        ("/x/a.whl", {"uri": "a.whl"}),
        ("../a.whl", {"uri": "a.whl"}),
        ("a:b.whl", {"uri": "a%3Ab.whl"}),
        ("\udcff\n%.whl", {"uri": "%5Cudcff%0A%25.whl"}),
        ("/x/src/_x.c", {"uri": "src/a%20b/_x.c", "uriBaseId": "%SRCROOT%"}),
    ],
)
def test_without_a_source_line_the_file_is_the_location(file: str, uri: Dict[str, str]) -> None:
    (result,) = of(of_show(wheel(row(made("ISA")), file=file)))["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"] == uri


def test_sets_and_sdists_have_the_location_of_a_file() -> None:
    problem = row(made("INCOMPLETE_SET", path=""))
    files = [wheel(name="De_Mo-1.0-py3-none-any.whl"), wheel()]
    data = of_check(
        *files, sdists=[sdist(row(made("SDIST")))], sets=[a_set(problem, project="de-mo")]
    )
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in of(data)["results"]
    ]
    assert uris == ["dist/demo-1.0.tar.gz", "dist/De_Mo-1.0-py3-none-any.whl"]


def test_the_message_has_the_fix_and_no_placeholder_and_no_link() -> None:
    (result,) = results(row(made("NEEDED_PATH", HOSTILE)))
    text = result["message"]["text"]
    assert "give the library a soname" in text
    assert text.startswith(f"{WHEEL}: ")
    assert "{{0}}" in text
    assert "{" not in text.replace("{{", "").replace("}}", "")
    assert "](" not in text


def test_allowed_findings_are_suppressed() -> None:
    accepted = made("ISA", allowed=True, severity=f.WARNING)
    first, second = results(row(made("ISA", path="b")), row(accepted))
    assert (first["level"], first["suppressions"]) == ("error", [])
    assert (second["level"], second["suppressions"][0]["kind"]) == ("warning", "external")


def test_unreadable_files_are_notifications() -> None:
    data = of_check(unreadable("no zip archive\nmore"), unreadable("it failed", internal=True))
    (invocation,) = of(data, 6)["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 6)
    notices = invocation["toolExecutionNotifications"]
    assert [(one["descriptor"]["id"], one["message"]["text"]) for one in notices] == [
        ("UNREADABLE", "no zip archive"),
        ("INTERNAL_ERROR", "it failed"),
    ]
    assert not of(of_check(wheel()), 4)["invocations"][0]["executionSuccessful"]
    (invocation,) = of(of_check(wheel(row(made("ISA")))), 1)["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
    assert invocation["toolExecutionNotifications"] == []


def test_errors_come_first_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "_MAX_RESULTS", 3)
    run = of(of_show(wheel(*(row(made(kind)) for kind in ("TOO_NEW", "RECORD", "ISA", "ABI3")))))
    assert [result["ruleId"] for result in run["results"]] == ["ISA", "ABI3", "RECORD"]
    (notice,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notice["message"]["text"] == "1 results are left out; check fewer files at once"


def test_the_fingerprint_is_that_of_the_next_release() -> None:
    one = made("METADATA", path="demo-1.0.dist-info/METADATA")
    two = made("METADATA", path="demo-2.0.dist-info/METADATA")
    assert fingerprint(one) == fingerprint(two, "demo-2.0-cp311-cp311-manylinux_2_28_x86_64.whl")
    for name in ("demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "other-1.0-py3-none-any.whl"):
        assert fingerprint(one) != fingerprint(one, name)
    library = made("TOO_NEW", path="demo.libs/libz-1234abcd.so.1")
    assert fingerprint(library) == fingerprint(
        library._replace(path="demo.libs/libz-99998888.so.1", symbols=("other",))
    )
    assert fingerprint(library) != fingerprint(library._replace(subject="GLIBC_2.38"))
    large = made("TOO_LARGE", path="")
    assert fingerprint(large) == fingerprint(large._replace(subject="101 MiB"))


def test_findings_that_are_alike_have_their_number() -> None:
    first, second = results(row(made("ISA")), row(made("ISA", symbols=("other",))))
    for key in ("manyshimFinding/v1", "primaryLocationLineHash"):
        one, two = (result["partialFingerprints"][key] for result in (first, second))
        assert one.endswith(":1")
        assert two == f"{one[:-1]}2"


def test_a_run_gives_equal_text() -> None:
    assert json.dumps(of(everything())) == json.dumps(of(everything()))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write the log of a real run over two wheels, of which one is no archive, and of all kinds."""
    elf = write(
        Elf(needed=("libc.so.6",), symbols=(Symbol("pidfd_open", "libc.so.6", "GLIBC_2.36"),))
    )
    tag = "cp311-cp311-manylinux_2_17_x86_64"
    good = save(tmp_path, written({"demo/_x.cpython-311-x86_64-linux-gnu.so": elf}, tag=tag), WHEEL)
    bad = save(tmp_path, b"", "bad-1.0-py3-none-any.whl")
    data = ran("check", good, bad)
    assert {"FALSE_TAG", "TOO_NEW", "NO_INIT"} <= {
        found["kind"] for found in data["wheels"][0]["findings"]
    }
    assert data["wheels"][1]["error"]
    rows = everything()
    data["wheels"] += rows["wheels"]
    data["sdists"] += rows["sdists"]
    path = tmp_path / "manyshim.sarif"
    path.write_text(json.dumps(to_sarif(data, "check", 3, locate, "1.0")), encoding="utf-8")
    return path


def test_sarif_tools_read_it(log: Path) -> None:
    """An independent reader finds each result, with its level, file and line."""
    needs.module("sarif", "sarif-tools", (3, 10))
    table = log.with_suffix(".csv")
    command = [sys.executable, "-m", "sarif", "csv", "-o", str(table), str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    with table.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    (run,) = json.loads(log.read_text(encoding="utf-8"))["runs"]
    assert sorted((one["Severity"], one["Code"]) for one in read) == sorted(
        (result["level"], result["ruleId"]) for result in run["results"]
    )
    assert {one["Tool"] for one in read} == {"manyshim"}
    assert ("src/a%20b/_x.c", "7") in {(one["Location"], one["Line"]) for one in read}


@pytest.mark.full
@pytest.mark.network
def test_the_multitool_finds_no_problem(log: Path) -> None:
    """Microsoft's validator has rules for SARIF, and for what GitHub needs."""
    npm = needs.tool("npm", "npm")
    folder = log.parent / "npm"
    folder.mkdir()
    install = [npm, "install", "--silent", "--prefix", str(folder), _MULTITOOL]
    subprocess.run(install, check=True, timeout=540, cwd=folder)
    (program,) = folder.glob("node_modules/@microsoft/sarif-multitool-*/Sarif.Multitool")

    def broken_rules(path: Path) -> Set[str]:
        output = folder / "validated.sarif"
        command = [str(program), "validate", "--rule-kind", "Sarif;Ghas"]
        command += ["--level", "Error;Warning", "--log", "ForceOverwrite", "-o", str(output)]
        subprocess.run([*command, str(path)], check=False, timeout=540, capture_output=True)
        (run,) = json.loads(output.read_text(encoding="utf-8"))["runs"]
        return {one["ruleId"] for one in run["results"]}

    # manyshim has no page whose address is known.
    assert broken_rules(log) == {"SARIF2005"}
    data = json.loads(log.read_text(encoding="utf-8"))
    del data["runs"][0]["results"][0]["locations"]
    log.write_text(json.dumps(data), encoding="utf-8")
    assert "GH1015" in broken_rules(log)
