"""What the index, uv, pip, installer or zipfile refuses, `check` says; what all take, it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, List

import pytest

from gatetable import STRICTER, UNCONFIRMED, WARNED, Verdict, alarms, crafted, missed, verdicts
from recording import append

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="table", scope="module")
def asked(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> List[Verdict]:
    """Ask all judges about all crafted files once."""
    folder: Path = tmp_path_factory.mktemp("gate")
    found = verdicts(folder)
    for one in found:
        append(
            request.config,
            "gate",
            **one._asdict(),
            reason={**STRICTER, **UNCONFIRMED}.get(one.name, ""),
        )
    return found


def test_what_a_judge_refuses_is_said_and_what_all_take_is_taken(table: List[Verdict]) -> None:
    assert {one.name: one.refused for one in missed(table)} == {}
    assert {one.name: (one.errors, one.warnings) for one in alarms(table)} == {}


def test_the_table_is_large_enough() -> None:
    names = [crafted_file.filename for crafted_file in crafted().values()]
    assert sum(name.endswith(".whl") for name in names) >= 150
    assert sum(not name.endswith(".whl") for name in names) >= 30


def test_what_the_index_refuses_is_an_error(table: List[Verdict]) -> None:
    refused = [one for one in table if "index" in dict(one.refused)]
    assert {one.name for one in refused if not one.errors} == {*UNCONFIRMED, *WARNED}
