"""The gate on file names: a table over hand-made facts."""

from __future__ import annotations

from typing import List

import pytest

from manyshim.audit.findings import ERROR
from manyshim.audit.gate.facts import NameFacts
from manyshim.audit.gate.indextags import index_takes
from manyshim.audit.gate.names import NameProblem, local_version, wheel_name
from manyshim.audit.messages import sentence
from manyshim.audit.tags import parse_wheel_name

P = NameProblem


@pytest.mark.parametrize(
    ("filename", "project", "version", "expected"),
    [
        ("lim_x-1.0-py3-none-any.whl", "lim-x", "1.0", []),
        ("lim_x-1.0-1a-py3-none-any.whl", "lim-x", "1.0", []),
        ("lim_x-1.0-PY3-NONE-ANY.whl", "lim-x", "1.0", []),
        ("lim_x-1.0.0-py3-none-any.whl", "lim-x", "1.0.0", []),
        ("Lim_X-1.0-py3-none-any.whl", "lim-x", "1.0", [P.SPELLING]),
        ("lim.x-1.0-py3-none-any.whl", "lim-x", "1.0", [P.SPELLING]),
        ("lim__x-1.0-py3-none-any.whl", "lim-x", "1.0", [P.SPELLING]),
        ("_lim-1.0-py3-none-any.whl", "", "1.0", [P.SPELLING]),
        ("lim_x-1.0_1-py3-none-any.whl", "lim-x", "", [P.NO_VERSION]),
        ("lim_x-1.0+x-py3-none-any.whl", "lim-x", "1.0+x", [P.LOCAL_VERSION]),
        ("lim_x-1.0-py3-none-any-v3.whl", "lim-x", "1.0", [P.VARIANT]),
        ("lim_x-1.0-py3-none-any.WHL", "lim-x", "1.0", [P.EXTENSION]),
    ],
)
def test_wheel_names(
    filename: str, project: str, version: str, expected: List[NameProblem]
) -> None:
    name = parse_wheel_name(filename)
    assert name is not None
    found = list(wheel_name(name, NameFacts(project, version), filename))
    assert [one.problem for one in found] == expected
    assert {(one.kind, one.severity) for one in found} <= {("FILE_NAME", ERROR)}
    assert all(sentence(one).fix for one in found)


def test_local_versions_of_sdists() -> None:
    assert list(local_version("1.0")) == []
    assert [one.problem for one in local_version("1.0+x")] == [P.LOCAL_VERSION]


@pytest.mark.parametrize("platform", ["any", "ANY", "Manylinux_2_28_X86_64", "WIN_AMD64"])
def test_the_index_ignores_case(platform: str) -> None:
    assert index_takes(platform)
