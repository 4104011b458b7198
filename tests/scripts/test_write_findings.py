"""docs/findings.md is current, and the script tells if it is not."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import _written
import datascripts  # noqa: F401 (adds the folder of the scripts to the path)
import write_findings
from manyshim.audit.findings import KINDS
from write_findings import PAGE, main, page


def test_the_page_is_current() -> None:
    stale = "docs/findings.md is stale: run `python scripts/write_findings.py`"
    assert PAGE.read_text(encoding="utf-8") == page(), stale


def test_each_kind_has_a_heading_and_a_link() -> None:
    text = page()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [*KINDS]
    links = re.findall(r"\[([A-Z0-9_]+)\]\(#([a-z0-9_]+)\)", text)
    assert sorted(links) == sorted((kind, kind.lower()) for kind in KINDS)
    assert text.count("\n```text\n") == len(KINDS)


def test_a_stale_page_is_told_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "findings.md"
    copy.write_text(page() + "more\n", encoding="utf-8")
    monkeypatch.setattr(write_findings, "PAGE", copy)
    monkeypatch.setattr(_written, "REPOSITORY", tmp_path)
    monkeypatch.setattr(sys, "argv", ["write_findings.py", "--check"])
    assert main() == 1
    assert "findings.md is stale" in capsys.readouterr().out
    assert copy.read_text(encoding="utf-8").endswith("more\n")
    monkeypatch.setattr(sys, "argv", ["write_findings.py"])
    assert main() == 0
    assert copy.read_text(encoding="utf-8") == page()
    monkeypatch.setattr(sys, "argv", ["write_findings.py", "--check"])
    assert main() == 0
