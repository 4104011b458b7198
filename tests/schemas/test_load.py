"""The schemas are in the wheel and in copies of manyshim, and are found there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from manyshim.adopt.vendor import own_files
from manyshim.errors import ToolError
from manyshim.schemas import load
from paths import BACKEND

NAMES = {"schemas/report.schema.json", "schemas/tool.schema.json"}


def test_the_wheel_has_them_and_the_entry_point(manyshim_wheels: Path) -> None:
    (path,) = manyshim_wheels.glob("manyshim-*.whl")
    with zipfile.ZipFile(path) as wheel:
        assert {f"manyshim/{name}" for name in NAMES} <= set(wheel.namelist())
        (points,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
        text = wheel.read(points).decode()
    assert "[validate_pyproject.tool_schema]\nmanyshim = manyshim.schemas.load:tool_schema" in text


def test_a_copy_in_a_project_s_tree_has_them() -> None:
    assert {name for name in own_files() if name.endswith(".json")} == NAMES


def test_each_has_an_identifier_and_a_draft() -> None:
    for schema in (load.tool_schema("manyshim"), load.report_schema()):
        assert schema["$id"].startswith("urn:manyshim:schema:")
        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_they_are_found_in_a_zip(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "copy"), "zip", BACKEND, "manyshim")
    code = "import json; from manyshim.schemas import load; print(json.dumps(load.tool_schema()))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {archive!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == load.tool_schema()


def test_a_copy_that_is_incomplete() -> None:
    with pytest.raises(ToolError, match=r"incomplete: it has no schemas/other\.schema\.json"):
        load._load("other")  # noqa: SLF001 (no file of ours may be removed for it)
