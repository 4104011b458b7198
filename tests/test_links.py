"""Links in the project's pages point to existing files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List

import pytest

from paths import DOCS, REPOSITORY

PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(DOCS.rglob("*.md")),
]
# The target of a link or an image, without its anchor; not a URL.
LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)[^)]*\)")
# A page that is mentioned without a link.
NAMED = re.compile(r"\bdocs/[\w./-]+\.(?:md|svg)\b")


# A path below a folder of a machine or of a user. Homebrew has one place on every Mac.
MACHINE = re.compile(r"(?<![\w.])/(?!opt/homebrew/)(?:root|home|Users|work|opt|tmp|var)/[\w.]")


def broken(page: Path) -> List[str]:
    """List the targets of a page that do not exist."""
    text = page.read_text(encoding="utf-8")
    targets = {one: page.parent / one for one in LINK.findall(text)}
    targets.update((one, REPOSITORY / one) for one in NAMED.findall(text) if one not in targets)
    return sorted(one for one, path in targets.items() if not path.exists())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_point_to_files(page: Path) -> None:
    assert broken(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_page_has_a_path_of_a_machine(page: Path) -> None:
    assert MACHINE.findall(page.read_text(encoding="utf-8")) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "[a](page.md#part), [b](gone.md), ![c](gone.svg 'title'), [d](https://example.org/x.md),\n"
        "`docs/architecture.md` and docs/none.md\n",
        encoding="utf-8",
    )
    assert broken(page) == ["docs/none.md", "gone.md", "gone.svg"]
