"""Rows of the tests of the strict index: a file, and the expected problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from strict_index import problems

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet


def case(name: str, data: bytes, gist: str = "") -> ParameterSet:
    """Return a row: a file and the expected problem, if any."""
    return pytest.param(data, gist, id=name)


def check(filename: str, data: bytes, gist: str) -> None:
    """Require that the file is refused with this text, or accepted if there is none."""
    found = problems(filename, data)
    assert found == [] if not gist else any(gist in problem for problem in found), found
