"""Sixty published wheels, each read completely. This takes minutes, so it has the marker `full`.

Run it with `-m full -n 0`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Dict, List

import pytest

from elfvariants import differences
from manyshim import operations
from manyshim.audit.request import Request
from manyshim.audit.tags import MACHINES
from manyshim.formats.wheel.wheel import Wheel
from publishedwheels import WHEELS, fetch

pytestmark = [pytest.mark.full, pytest.mark.network]


# Wheels that `check` correctly refuses, and the reasons.
REFUSED = {
    "lightgbm-4.7.0-py3-none-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl": {"FALSE_TAG"},
    "numba-0.68.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl": {"FALSE_TAG"},
}

# pyelftools takes minutes for each of these.
TOO_LARGE_FOR_THE_JUDGE = 12 << 20


@pytest.mark.parametrize(
    "row",
    [row for row in WHEELS if row["size"] < TOO_LARGE_FOR_THE_JUDGE],
    ids=lambda row: row["filename"],
)
def test_the_reader_agrees_with_pyelftools(
    row: Dict[str, Any], pytestconfig: pytest.Config
) -> None:
    wrong: Dict[str, List[str]] = {}
    judged = 0
    with Wheel(str(fetch(row, pytestconfig.cache.mkdir("wheels")))) as wheel:
        for facts in wheel.facts().elfs:
            if facts.ident.loadable and facts.ident.machine in MACHINES and not facts.damage:
                content = wheel.content(facts.path)
                assert content is not None
                wrong[facts.path] = differences(content.read())
                judged += 1
    assert {path: found for path, found in wrong.items() if found} == {}
    assert judged or row["project"] in ("numpy", "pyarrow")


@pytest.mark.parametrize("project", ["numpy", "cryptography"])
def test_relr_in_published_musl_wheels_is_reported(
    project: str, pytestconfig: pytest.Config
) -> None:
    """Their grafted libraries crash on musl before 1.2.4; with strict they are refused."""
    (row,) = (
        row
        for row in WHEELS
        if row["project"] == project and row["platform"] == "musllinux_1_2_x86_64"
    )
    with Wheel(str(fetch(row, pytestconfig.cache.mkdir("wheels")))) as wheel:
        report = operations.inspect(wheel, Request())
        strict = operations.inspect(wheel, Request(strict=True))
    found = [one for one in report.findings if one.kind == "MUSL_PATCH_LEVEL"]
    assert any("DT_RELR" in one.symbols for one in found)
    assert {one.severity for one in found} == {"warning"}
    assert report.musl_minimum == (1, 2, 4)
    assert "MUSL_PATCH_LEVEL" in {one.kind for one in strict.errors}


def test_check_accepts_published_wheels(pytestconfig: pytest.Config) -> None:
    folder = pytestconfig.cache.mkdir("wheels")
    paths = [str(fetch(row, folder)) for row in WHEELS]
    done = subprocess.run(
        [sys.executable, "-m", "manyshim", "check", "--json", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    refused = {
        report["wheel"]: {one["kind"] for one in report["findings"] if one["severity"] == "error"}
        for report in json.loads(done.stdout)["wheels"]
    }
    assert {wheel: kinds for wheel, kinds in refused.items() if kinds} == REFUSED
    assert done.returncode == 1
