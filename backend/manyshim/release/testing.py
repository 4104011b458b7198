"""Tests the wheels of a release, each in a fresh environment, as far as this machine can."""

from __future__ import annotations

from typing import Tuple

from manyshim.values import NamedTuple

PASSED, FAILED, NOT_TESTED = "passed", "failed", "not tested"


class Tested(NamedTuple):
    """What became of the tests of a wheel on a Python, with lines about a failure."""

    status: str
    reason: Tuple[str, ...] = ()
    seconds: float = 0.0
