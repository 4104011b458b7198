"""Rows of the tables for the strict index: a file, and what has to be said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from strict_index import problems

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet


def case(name: str, data: bytes, gist: str = "") -> ParameterSet:
    """Return a row of a table: a file and what has to be said about it, if anything."""
    return pytest.param(data, gist, id=name)


def check(filename: str, data: bytes, gist: str) -> None:
    """Require that the file is refused with the gist, or taken when there is none."""
    found = problems(filename, data)
    assert found == [] if not gist else any(gist in problem for problem in found), found
