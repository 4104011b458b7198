"""What README shows is what the program says; scripts/write_readme.py writes it."""

from __future__ import annotations

import pytest

from manyshim import __version__
from write_readme import BLOCKS, README, with_block


def test_the_version_is_said_once_and_again() -> None:
    pyproject = (README.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{__version__}"\n' in pyproject


@pytest.mark.parametrize("name", BLOCKS)
def test_readme_shows_what_is_said(name: str) -> None:
    text = README.read_text(encoding="utf-8")
    fresh = with_block(text, name, BLOCKS[name]())
    assert text == fresh, "README is stale: run `python scripts/write_readme.py`"
