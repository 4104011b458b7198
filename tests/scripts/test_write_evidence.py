"""The scripts that write pages of evidence, and their pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

import needs
from datascripts import SCRIPTS
from elfbuilding import LINUX
from paths import DOCS
from write_acceptance import text

PAGES = sorted((DOCS / "evidence").glob("*.md"))
WRITTEN = re.compile(
    r"^(?:Written by `python scripts/((?:write_\w+|survey\w*)\.py)`|Printed by `python -m bench`)"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_a_page_names_its_script(page: Path) -> None:
    found = WRITTEN.match(page.read_text(encoding="utf-8").split("\n", 2)[2])
    assert found
    if found[1]:
        assert f'"{page.name}"' in (SCRIPTS / found[1]).read_text(encoding="utf-8")


@pytest.mark.skipif(not LINUX, reason="the attacks ask /proc for their memory")
def test_a_page_is_not_written_if_rows_are_missing(tmp_path: Path) -> None:
    page = DOCS / "evidence" / "attacks.md"
    before = page.read_bytes()
    kept = tmp_path / "rows"
    kept.write_text(json.dumps({"table": "attacks", "name": "zip bombs, four"}) + "\n")
    done = subprocess.run(
        [
            *(sys.executable, str(SCRIPTS / "write_robustness.py"), "--rows", str(kept)),
            *("--", "-k", "empty"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stdout.splitlines()
    missing = said[said.index(next(line for line in said if "is not written" in line)) + 1 :]
    assert "  zip bomb" in missing
    assert "  WHEEL of empty lines" not in missing, "it has run"
    assert "  zip bombs, four" not in missing, "an earlier run has its row"
    assert page.read_bytes() == before


def outcome(test: str, result: str, reason: str = "") -> Dict[str, str]:
    return {"test": test, "outcome": result, "reason": reason}


@pytest.mark.skipif(not LINUX, reason="the page names the distribution")
@needs.mark(needs.module, "ziglang")
def test_large_files_are_summarised_on_the_page_of_outcomes() -> None:
    rows = [
        outcome("tests/a.py::test_one[x::y]", "PASSED"),
        outcome("tests/a.py::test_two", "SKIPPED", "no zig"),
        *(outcome(f"tests/b.py::test_many[{number}]", "PASSED") for number in range(150)),
        outcome("tests/b.py::test_bad", "FAILED"),
    ]
    page = text({(row["test"],): row for row in rows})
    lines: List[str] = page.split("```\n")[1].splitlines()
    assert lines == [
        "tests/a.py",
        "    PASSED test_one[x::y]",
        "    SKIPPED test_two: no zig",
        "tests/b.py: 1 failed, 150 passed",
        "    FAILED test_bad",
        "1 failed, 151 passed, 1 skipped",
    ]
