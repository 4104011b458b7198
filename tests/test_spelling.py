"""Options that are meant for manyshim under a wrong name: a line tells the right one."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Optional, Tuple

import pytest

from manyshim import config
from manyshim.errors import ConfigError

SETTINGS: Dict[str, Optional[str]] = {
    "manyshim-platform": "manyshim.platform",
    "manyshim_platform": "manyshim.platform",
    "manyshim:platform": "manyshim.platform",
    "manyshim/platform": "manyshim.platform",
    "manyshimplatform": "manyshim.platform",
    "Manyshim.platform": "manyshim.platform",
    "MANYSHIM_PLATFORM": "manyshim.platform",
    "ManyShim.Platform": "manyshim.platform",
    "many-shim.platform": "manyshim.platform",
    "many_shim.library_path": "manyshim.library-path",
    "manyshim-platfrom": "manyshim.platform",
    "--manyshim.platform": "manyshim.platform",
    "tool.manyshim.platform": "manyshim.platform",
    " manyshim.platform": "manyshim.platform",
    "manyshim": "manyshim.KEY",
    "manyshim-qqq": "manyshim.KEY",
    "tool.manyshim.library-path": "manyshim.library-path",
    "tool.platform": None,
    "manyshimx": None,
    "shim.platform": None,
    "setup-args": None,
    "cmake.build-type": None,
    "--global-option": None,
    "--plat-name": None,
    "editable_mode": None,
    "builddir": None,
    "install-args": None,
}


def notices(
    folder: Path, settings: Dict[str, str], environ: Optional[Dict[str, str]] = None, text: str = ""
) -> Tuple[str, ...]:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return config.load(settings, environ or {}, str(folder)).notices


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_with_a_misspelled_prefix(tmp_path: Path, name: str) -> None:
    right = SETTINGS[name]
    text = '[tool.manyshim]\nbackend = "mesonpy"\n'
    line = f"-C {name} is not read; write -C {right}=VALUE"
    for table in ("", text):
        assert notices(tmp_path, {name: "x"}, {}, table) == ((line,) if right else ())
    # A backend that refuses unknown settings gets its own only.
    assert config.without_own({name: "x"}) == ({} if right else {name: "x"})


@pytest.mark.parametrize("key", ["backend", "backend-path"])
def test_options_of_the_table_are_not_advised_elsewhere(tmp_path: Path, key: str) -> None:
    """With `-C manyshim.backend`, the build would end with an error."""
    settings = {key: "x", f"manyshim-{key}": "x"}
    found = notices(tmp_path, settings, {f"Manyshim_{key}": "x"})
    assert len(found) == len(settings) + 1
    assert all(line.endswith(f"; write {key} in [tool.manyshim]") for line in found)


@pytest.mark.parametrize("key", ["platform", "strict", "library-path", "library_path"])
@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("", True),
        ('backend = "setuptools.build_meta"', True),
        ('backend = "setuptools.build_meta:__legacy__"', True),
        ('backend = "mesonpy"', False),
        ('backend = "scikit_build_core.setuptools.build_meta"', False),
    ],
)
def test_bare_keys_are_told_where_setuptools_ignores_them(
    tmp_path: Path, key: str, backend: str, *, said: bool
) -> None:
    found = notices(tmp_path, {key: "x"}, {}, f"[tool.manyshim]\n{backend}\n")
    right = key.replace("_", "-")
    line = f"-C {key} is not read, and setuptools ignores it; write -C manyshim.{right}=VALUE"
    assert found == ((line,) if said else ())
    assert config.without_own({key: "x"}) == {key: "x"}


@pytest.mark.parametrize(
    "head",
    [
        *("tool.Manyshim", "tool.many-shim", "tool.many_shim", "tool.ManyShim", "manyshim"),
        *("Many-Shim", "tools.manyshim", "build-system.manyshim", "project.Manyshim"),
    ],
)
def test_tables_with_a_misspelled_name(tmp_path: Path, head: str) -> None:
    (line,) = notices(tmp_path, {}, {}, f"[{head}]\nplatform = 'x'\n")
    assert line == f"[{head}] in pyproject.toml is not read; write [tool.manyshim]"


@pytest.mark.parametrize(
    ("head", "table"),
    [
        ('tool."manyshim.backend"', "tool.manyshim.backend"),
        ("tool.manyshim-backend", "tool.manyshim-backend"),
        ("build-system.manyshim", "build-system.manyshim"),
        ("tool.uv.manyshim", "tool.uv.manyshim"),
    ],
)
def test_tables_in_a_wrong_place(tmp_path: Path, head: str, table: str) -> None:
    (line,) = notices(tmp_path, {}, {}, f"[{head}]\nplatform = 'x'\n")
    assert line == f"[{table}] in pyproject.toml is not read; write [tool.manyshim]"


def test_tables_of_others_are_not_ours(tmp_path: Path) -> None:
    text = "[tool.manyshimx]\n[tool.shim]\n[tool.manyshim]\n[project]\nname = 'manyshim'\n"
    text += "[dependency-groups]\nmanyshim = ['manyshim']\n"
    text += "[tool.uv.sources]\nmanyshim = { path = '..' }\n"
    text += "[tool.uv.config-settings]\n'manyshim.mode' = 'off'\n"
    text += "[tool.other]\nmanyshim = 1\n"
    assert notices(tmp_path, {}, {}, text) == ()


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("MANYSHIM-PLATFORM", "MANYSHIM_PLATFORM"),
        ("Manyshim_platform", "MANYSHIM_PLATFORM"),
        ("manyshim_library_path", "MANYSHIM_LIBRARY_PATH"),
        ("MANY_SHIM_STRICT", "MANYSHIM_STRICT"),
        ("manyshim.mode", "MANYSHIM_MODE"),
        ("MANYSHIMMODE", "MANYSHIM_MODE"),
    ],
)
def test_variables_with_a_misspelled_name(tmp_path: Path, name: str, right: str) -> None:
    line = f"the environment variable {name} is not read; write {right}"
    assert notices(tmp_path, {}, {name: "x"}) == (line,)


@pytest.mark.parametrize(
    "name", ["MANYSHIM", "manyshim", "MANY_SHIM", "MANYSHIMS", "MANYSHIMS_MODE", "MANYSHIM_DEBUG"]
)
def test_variables_of_others_are_not_ours(tmp_path: Path, name: str) -> None:
    assert notices(tmp_path, {}, {name: "1"}) == ()


@pytest.mark.parametrize("name", ["manyshim.PLATFORM", "manyshim.Platform"])
def test_keys_in_capitals_name_the_right_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="did you mean 'platform'"):
        notices(tmp_path, {name: "x"})
