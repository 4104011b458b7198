"""The pages show what the program prints; scripts/write_readme.py writes their blocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List

import pytest

from manyshim import __version__
from manyshim.audit.findings import KINDS
from manyshim.options import STRICT
from paths import DOCS, REPOSITORY
from write_readme import BLOCKS, with_block

README = REPOSITORY / "README.md"
SAMPLE = REPOSITORY / "sample_project" / "README.md"
MAX_LINES, MAX_WIDTH = 165, 100
# The lines that nobody can wrap: rows of a table, and URLs.
UNWRAPPED = re.compile(r"\||.*https?://")
# Two pages are not wrapped yet.
PAGES = [
    *(README, SAMPLE, REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "CHANGELOG.md"),
    *(page for page in sorted(DOCS.glob("*.md")) if page.name not in ("compiling.md", "repair.md")),
]


def long_lines(page: Path) -> List[str]:
    """List the lines of a page that are too long."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if len(line) > MAX_WIDTH and not UNWRAPPED.match(line)]


def test_the_two_versions_agree() -> None:
    pyproject = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{__version__}"\n' in pyproject


@pytest.mark.parametrize("name", BLOCKS)
def test_pages_show_what_is_printed(name: str) -> None:
    page, write = BLOCKS[name]
    text = page.read_text(encoding="utf-8")
    stale = f"{page.name} is stale: run `python scripts/write_readme.py`"
    assert text == with_block(text, name, write()), stale


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_the_report_of_a_build_is_on_the_first_screen() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert lines.index("<!-- build: end -->") < 25


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_markdown_lines_are_short(page: Path) -> None:
    assert long_lines(page) == []


def test_a_long_line_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    lines = ["a" * 101, "b" * 100, "| " + "c" * 100, f"https://example.org/{'d' * 100}"]
    page.write_text("\n".join(lines), encoding="utf-8")
    assert long_lines(page) == lines[:1]


def test_the_page_of_the_audit_lists_every_finding() -> None:
    text = (DOCS / "audit.md").read_text(encoding="utf-8")
    row = r"^\| \[`([A-Z0-9_]+)`\]\(findings\.md#([a-z0-9_]+)\) \| (\w+) \|"
    rows = re.findall(row, text, re.MULTILINE)
    assert rows == [(kind, kind.lower(), severity) for kind, severity in KINDS.items()]


def test_strict_has_one_meaning() -> None:
    assert f"`strict` {STRICT}." in README.read_text(encoding="utf-8")
    assert STRICT in (DOCS / "options.md").read_text(encoding="utf-8")
