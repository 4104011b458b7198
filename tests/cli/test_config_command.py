"""`manyshim config`: the options of a project's builds, and where each is set."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from commandline import run
from manyshim.options import OPTIONS

PYPROJECT = """
[build-system]
requires = ["manyshim", "meson-python"]
build-backend = "manyshim.backend"
[project]
name = "demo"
[tool.manyshim]
backend = "mesonpy"
exclude = ["libcuda.so.*", "b.so"]
allow = ["NO_ELF:*"]
[tool.uv.config-settings]
"manyshim.strict" = "true"
"manyshim.naming" = "exact"
"other.key" = "x"
"""


@pytest.fixture(name="project")
def project_folder(tmp_path: Path) -> str:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    return str(tmp_path)


def rows(text: str) -> Dict[str, Tuple[str, str]]:
    """Return value and origin of each option that was printed."""
    head, *lines = text.splitlines()
    assert head.split("  ")[0] == "option"
    parts = [re.split(r" {2,}", line) for line in lines]
    assert all(len(part) == 3 for part in parts)
    return {key: (value, origin) for key, value, origin in parts}


def test_every_option_has_a_value_and_a_place(project: str) -> None:
    variables = {"MANYSHIM_EXPLAIN": "never", "CIBUILDWHEEL": "1", "MANYSHIM_NAMING": "listed"}
    given = ["manyshim.platform=2014", "manyshim.fix=rpath", "manyshim.fix=execstack"]
    done = run("config", project, *(f"-C{one}" for one in given), **variables)
    found = rows(done.stdout)
    assert list(found) == [option.key for option in OPTIONS]
    assert found["backend"] == ("mesonpy", "[tool.manyshim]")
    assert found["exclude"] == ("libcuda.so.*, b.so", "[tool.manyshim]")
    assert found["allow"] == ("NO_ELF:*", "[tool.manyshim]")
    assert found["strict"] == ("true", "[tool.uv] config-settings")
    assert found["naming"] == ("exact", "[tool.uv] config-settings")
    assert found["explain"] == ("never", "MANYSHIM_EXPLAIN")
    assert found["mode"] == ("audit", "CIBUILDWHEEL")
    assert found["platform"] == ("manylinux_2_17", "-C")
    assert found["fix"] == ("rpath, execstack", "-C")
    assert found["sysroot"] == ("none", "default")
    assert "cibuildwheel repairs the wheel afterwards" in done.stderr
    assert done.returncode == 0


def test_json(project: str) -> None:
    done = run("config", project, "--json", "-C", "manyshim.compression-level=9")
    found = json.loads(done.stdout)
    assert found["version"] == 2
    options = {row["key"]: (row["value"], row["set_by"]) for row in found["options"]}
    assert options["platform"] == ("auto", "default")
    assert options["compression-level"] == (9, "-C")
    assert options["strict"] == (True, "[tool.uv] config-settings")
    assert options["allow"] == (["NO_ELF:*"], "[tool.manyshim]")
    assert (found["notices"], found["errors"]) == ([], [])


def test_a_project_that_the_release_keys_are_not_for(project: str) -> None:
    done = run("config", project, "-C", "manyshim.project=other")
    assert rows(done.stdout)["strict"] == ("false", "default")
    assert "release keys have no effect in this build: strict ([tool.uv] config-settings)" in (
        done.stderr
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_all_errors_are_listed(project: str, *, as_json: bool) -> None:
    wrong = ["-C", "manyshim.mdoe=off", "-C", "manyshim.platform=201", "-C", "manyshim-mode=off"]
    variables = {"MANYSHIM_EXPLAIN": "nevr", "MANYSHIM_MOED": "off"}
    done = run("config", project, *wrong, *(["--json"] if as_json else []), **variables)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("manyshim: error: ")]
    assert len(errors) == 3
    for words in (
        "MANYSHIM_EXPLAIN: explain = 'nevr' is not valid",
        "-C manyshim.mdoe is not an option",
        "-C manyshim.platform: platform = '201' is not valid",
        "MANYSHIM_MOED is not an option",
        "-C manyshim-mode is not read; write -C manyshim.mode=VALUE",
    ):
        assert words in done.stderr
    if as_json:
        assert len(json.loads(done.stdout)["errors"]) == 3


def test_a_release_key_in_the_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.manyshim]\nstrict = true\n", encoding="utf-8")
    done = run("config", str(tmp_path))
    assert done.returncode == 2
    assert "strict = true in [tool.manyshim] would affect everyone" in done.stderr
    assert rows(done.stdout)["strict"] == ("false", "default")


def test_uv_toml_takes_the_place_of_uv_s_table(project: str) -> None:
    text = '[config-settings]\n"manyshim.strip" = "all"\n'
    Path(project, "uv.toml").write_text(text, encoding="utf-8")
    found = rows(run("config", project).stdout)
    assert found["strip"] == ("all", "uv.toml config-settings")
    assert found["strict"] == ("false", "default")


WRONG: List[Tuple[Dict[str, str], List[str], str]] = [
    ({}, [], "has no pyproject.toml"),
    ({"pyproject.toml": "[tool"}, [], "pyproject.toml cannot be read"),
    ({"pyproject.toml": "[tool.uv]\nconfig-settings = 3"}, [], "must be a table"),
    ({"pyproject.toml": "", "uv.toml": "["}, [], "uv.toml cannot be read"),
    ({"pyproject.toml": ""}, ["-C", "manyshim.strict"], "write -C KEY=VALUE"),
    ({"pyproject.toml": ""}, ["elsewhere"], "elsewhere: no such folder"),
]


@pytest.mark.parametrize(("files", "arguments", "words"), WRONG)
def test_wrong_use(tmp_path: Path, files: Dict[str, str], arguments: List[str], words: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = run("config", str(tmp_path), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_missing_folder(tmp_path: Path) -> None:
    done = run("config", str(tmp_path / "absent"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "absent: no such folder; name the folder of the project" in done.stderr


def test_a_file_that_is_no_pyproject(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").touch()
    done = run("config", str(tmp_path / "setup.cfg"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "setup.cfg: not a folder: name the folder of the project" in done.stderr


def test_values_are_escaped(tmp_path: Path) -> None:
    text = '[tool.manyshim]\nsysroot = "a\\u001b]0;title\\u0007"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    done = run("config", str(tmp_path))
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    assert r"a\x1b]0;title\x07" in done.stdout


@pytest.mark.parametrize(
    ("build_system", "words"),
    [
        ("", "there is no build-backend, so no build reads these options"),
        ('build-backend = "mesonpy"', 'build-backend is "mesonpy", so no build reads'),
        ('build-backend = "own"\nbackend-path = ["."]', ""),
    ],
)
def test_a_project_that_manyshim_does_not_build(
    tmp_path: Path, build_system: str, words: str
) -> None:
    text = f"[build-system]\nrequires = []\n{build_system}\n[tool.manyshim]\nbackend = 'x'\n"
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    done = run("config", str(tmp_path))
    assert (words in done.stderr, bool(words)) == (True, bool(done.stderr))


def test_a_forgotten_backend_is_an_error(tmp_path: Path) -> None:
    """The error of the build, with the table that may be meant."""
    text = """
[build-system]
requires = ["manyshim", "meson-python"]
build-backend = "manyshim.backend"
[tool.Manyshim]
backend = "mesonpy"
"""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    done = run("config", str(tmp_path))
    assert done.returncode == 2
    assert "manyshim: error: meson-python seems to build this project" in done.stderr
    assert "[tool.Manyshim] in pyproject.toml is not read; write [tool.manyshim]" in done.stderr


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("meson-python", 'is not the module with the hooks; write backend = "mesonpy"'),
        ("poetry", 'write backend = "poetry.core.masonry.api"'),
        ("manyshim.backend", "must not be manyshim itself"),
        ("flit_scm", ""),
        ("setuptools.build_meta:__legacy__", ""),
    ],
)
def test_a_name_that_no_backend_has(tmp_path: Path, backend: str, words: str) -> None:
    text = f"""
[build-system]
requires = ["manyshim"]
build-backend = "manyshim.backend"
[tool.manyshim]
backend = "{backend}"
"""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    done = run("config", str(tmp_path))
    assert (words in done.stderr, bool(words)) == (True, bool(done.stderr))
