"""The schema of [tool.manyshim.release] and the command that reads it say the same."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

import needs
from manyshim.audit.tags import ARCHES
from manyshim.errors import ConfigError
from manyshim.release.table import read
from manyshim.schemas.load import tool_schema

Table = Dict[str, Any]
GOOD: Table = {"platforms": ["manylinux_2_17_x86_64"], "pythons": ["3.11"]}
PLATFORMS = (
    *("manylinux_2_17_x86_64", "manylinux_2_28_riscv64", "musllinux_1_2_armv7l", "win_arm64"),
    *("manylinux1_i686", "manylinux2010_x86_64", "manylinux2014_aarch64", "macosx_11_0_arm64"),
    *("macosx_10_13_universal2", "win32", "win_amd64", "linux_x86_64", "any", "manylinux_2_17"),
    *("manylinux_2_17_amd64", "musllinux_1_2_ppc64", "manylinux1_aarch64", "MANYLINUX_2_17_X86_64"),
    *("manylinux_02_17_x86_64", "macosx_11_arm64", "macosx_11_0_ppc", "win64", "", " "),
    *(f"manylinux2014_{arch}" for arch in ARCHES),
    *(f"musllinux_1_1_{arch}" for arch in ARCHES),
)
PYTHONS = ("3.8", "3.9", "3.10", "3.13t", "3.99t", "3.7", "3.12t", "3.013", "3", "pp311", "3.13T")
TABLES: List[Table] = [
    GOOD,
    {},
    {"platforms": ["win32"]},
    {**GOOD, "platforms": []},
    {**GOOD, "pythons": []},
    {**GOOD, "pythons": "3.11"},
    {**GOOD, "pythons": [3.11]},
    {**GOOD, "jobs": 2},
    {**GOOD, "config-settings": {"a": "b"}},
    {**GOOD, "config-settings": {"a": True}},
    {**GOOD, "config-settings": ["a=b"]},
    {**GOOD, "test-command": "pytest", "test-requires": ["pytest"], "test-timeout": 86400},
    {**GOOD, "test-command": ["pytest"]},
    *({**GOOD, "test-command": "x", "test-timeout": one} for one in (0, -1, 86401, 1.5, True, "5")),
    *({**GOOD, "platforms": [one]} for one in PLATFORMS),
    *({**GOOD, "pythons": [one]} for one in PYTHONS),
]


def taken(table: Table) -> bool:
    """Return what the command says."""
    try:
        read({"tool": {"manyshim": {"release": table}}})
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_both_agree_about_a_release(table: Table) -> None:
    needs.module("jsonschema", since=(3, 10))
    from jsonschema import Draft7Validator

    assert taken(table) == Draft7Validator(tool_schema()).is_valid({"release": table})
