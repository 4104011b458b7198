"""A build without options loads no module of options, and gets the same Config as with them."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Dict, List, Mapping, Optional

import pytest

from manyshim import config, surroundings
from manyshim.errors import ConfigError
from manyshim.options import OPTIONS
from manyshim.settings import COMMAND, Layer

TABLES = (
    "",
    "[tool.manyshim]",
    *(
        f"[tool.manyshim]\n{line}"
        for line in (
            *('backend = "mesonpy"', 'backend = ""', "backend = 1", 'backend = ["x"]'),
            *('backend-path = ["a", "b"]', 'backend-path = "a, b"', "backend-path = [1]"),
            *("backend-path = []", 'backend = "x"\nbackend-path = ["a,b"]'),
            *('mode = "off"', "strict = true", 'plattform = "auto"', 'backend_path = ["a"]'),
            *('[tool.manyshim.release]\npython = "3.12"', 'platform = "auto"'),
        )
    ),
    *('[tool.Many-Shim]\nmode = "off"', '[manyshim]\nmode = "off"', "[tools.manyshim]"),
    '[tool.uv]\nconfig-settings = { manyshim.mode = "off" }',
    '[tool.uv]\nconfig-settings = { "manyshim.mode" = "off" }',
    *("tool = 1", "[tool]\nmanyshim = 1", "[tool]\nuv = 1", "[[tool.manyshim]]"),
)
ENVIRONMENTS: List[Mapping[str, str]] = [
    *({}, {"PATH": "/bin", "UV": "uv"}, {"MANYSHIM_MODE": "audit"}, {"MANYSHIM_MODE": "x"}),
    *({"MANYSHIM_DEBUG": "1"}, {"MANYSHIM": "x"}, {"Manyshim_mode": "off"}, {"MANYSHIM_X": "1"}),
    *({"CIBUILDWHEEL": "1"}, {"CONDA_BUILD": "1"}, {"NIX_BUILD_TOP": "/b", "NIX_LOG_FD": "2"}),
    *({"AUDITWHEEL_PLAT": "manylinux_2_28_x86_64"}, {"AUDITWHEEL_PLAT": "x"}),
    *({"SOURCE_DATE_EPOCH": "5"}, {"SOURCE_DATE_EPOCH": "x"}),
]
SETTINGS: List[Optional[Dict[str, object]]] = [
    None,
    {},
    {"--global-option": "-v"},
    {"manyshim.mode": "audit"},
    {"many-shim.mode": "x"},
    {"strict": "true"},
    {"manyshim.backend": "x"},
]


@pytest.mark.parametrize("table", TABLES)
def test_both_ways_give_the_same_configuration(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table + "\n", encoding="utf-8")
    for environ, settings in product(ENVIRONMENTS, SETTINGS):
        found: List[object] = []
        try:
            found.append(config.load(settings, environ, str(tmp_path)))
        except ConfigError as error:
            found.append(error.args)
        try:
            layers = [Layer(COMMAND, settings)]
            resolution = config.resolve(layers, environ, str(tmp_path))
            first = next(iter(resolution.errors), None)
            found.append(first.args if first else resolution.config)
        except ConfigError as error:
            found.append(error.args)
        assert found[0] == found[1], (environ, settings)


@pytest.mark.parametrize("settings", SETTINGS)
def test_own_settings_are_left_out_both_ways(settings: Optional[Dict[str, object]]) -> None:
    from manyshim.settings import without_own

    assert config.without_own(settings) == without_own(settings)


def test_a_table_value_without_options_is_the_default() -> None:
    for option in OPTIONS:
        assert config.table_value({}, option.key) == option.default


def test_the_signs_are_those_of_the_surroundings() -> None:
    """Each builder runs only if all its variables are set, so one of them is enough."""
    others = {"CIBUILDWHEEL", "AUDITWHEEL_PLAT", "SOURCE_DATE_EPOCH"}
    assert {one.variable for one in surroundings.BUILDERS} | others == config.SIGNS
