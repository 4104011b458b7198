"""The pages that show one run of the bench, and the data of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

from datascripts import SCRIPTS
from paths import DOCS

if sys.version_info < (3, 10):
    pytest.skip("the bench needs Python 3.10", allow_module_level=True)

from bench import pages, report, table
from bench.report import Measured
from bench.run import Outcome, Run

from write_readme import with_block

_VERSIONS = {"python": "CPython 3.11.7", "manyshim": "0.1.0"}


def measured(runs: Dict[str, float], failure: str = "") -> Measured:
    """Return a run of the group `audit` on numpy: seconds of each contender, which has 20 MiB."""
    places = {
        ("audit", "numpy", name): Outcome([Run(amount, 20)] if amount else [], failure)
        for name, amount in runs.items()
    }
    return Measured(_VERSIONS, {"numpy": 16.92}, {"ruff": "no network"}, places)


def test_a_run_is_read_back_from_its_data() -> None:
    one = measured({"manyshim show": 0.25, "auditwheel show": 6, "inflate": 0})
    assert report.from_dict(json.loads(json.dumps(report.to_dict(one)))) == one


def test_the_table_of_a_run() -> None:
    runs = {"manyshim show": 0.25, "auditwheel show": 6, "inflate": 0.2, "manyshim[fast] show": 0.2}
    lines = list(report.text(measured(runs)))
    rest = " must be 1.20"
    assert "| audit: faster than `auditwheel show` | numpy | 1 " in lines[2]
    assert lines[2].endswith("| 24.00x | 24.00x | 24.00x | 20.00x | 24.00x | aim |")
    assert f"* audit against inflating the ELF members, numpy: 1.25,{rest}" in lines
    assert "* absent: ruff: no network" in lines
    costs = lines.index(
        "| audit: seconds (MiB) | manyshim show | auditwheel show | inflate | manyshim[fast] show |"
    )
    assert lines[costs + 2] == "| numpy (16.92 MB) | 0.25 (20) | 6 (20) | 0.2 (20) | 0.2 (20) |"
    assert lines[-1] == "Versions: python CPython 3.11.7; manyshim 0.1.0"


def test_rows_that_fail_say_why() -> None:
    failed = measured({"manyshim show": 0.25, "manyshim[fast] show": 0}, "ERROR: no index")
    row = next(
        line for line in report.text(failed) if line.startswith("| audit with [fast] against")
    )
    assert row.endswith("| numpy | 0 | - | - | - | 0.95 | 0.75 | ERROR: no index |")


def test_missing_rows_are_named() -> None:
    found = pages.missing(measured({"manyshim show": 0.25, "auditwheel show": 6}))
    assert len(found) == sum(len(row.subjects) for row in table.ROWS) - 2
    assert "audit: faster than `auditwheel show`, numpy: " not in "".join(found)
    assert "audit: faster than `auditwheel show`, ruff: no network" in found
    assert "audit: faster than `auditwheel show`, scipy: it was not run" in found
    assert "audit against inflating the ELF members, numpy: no runs" in found


def test_the_summary_has_the_range_of_the_medians() -> None:
    one = measured({"manyshim show": 0.25, "auditwheel show": 6})
    for name, amount in (("manyshim show", 1), ("auditwheel show", 18)):
        one.runs["audit", "torch", name] = Outcome([Run(amount, 31)])
    lines = pages.summary(one).splitlines()
    assert lines[2] == (
        "| audit: faster than `auditwheel show` | numpy, torch | 18.00x to 24.00x | 20.00x "
        "| 24.00x | 1 of 2 |"
    )
    assert "| peak memory of an audit | numpy, torch | 20.0 MiB to 31.0 MiB |" in lines[3]


def test_the_counts_are_also_those_beyond_bare_python() -> None:
    runs = {
        (table.INSTRUCTIONS, case, table.COUNTED): Outcome([Run(number, 0)])
        for case, number in (("bare", 28e6), ("version", 120e6))
    }
    lines = pages.counts(Measured(_VERSIONS, {}, {}, runs)).splitlines()
    assert lines[2:] == ["| bare | 28.0 | 0.0 |", "| version | 120.0 | 92.0 |"]


def test_the_pages_fit_the_documents() -> None:
    one = measured({"manyshim show": 0.25, "auditwheel show": 6})
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    for name, block in (("results", pages.summary(one)), ("instructions", pages.counts(one))):
        assert block in with_block(page, name, block)
    assert pages.evidence(one).endswith(" |\n")


def test_nothing_is_written_if_rows_are_missing(tmp_path: Path) -> None:
    kept = tmp_path / "run.json"
    kept.write_text(json.dumps(report.to_dict(measured({"manyshim show": 0.25}))))
    names = ("performance.md", "performance.svg", "evidence/performance.md")
    before = [(DOCS / name).read_bytes() for name in names]
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "write_performance.py"), "--replay", str(kept)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "  audit: faster than `auditwheel show`, ruff: no network\n" in done.stdout
    assert [(DOCS / name).read_bytes() for name in names] == before
