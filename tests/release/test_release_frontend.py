"""The commands of the frontends, and sdists that `build` cannot have."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path
from typing import Sequence

import pytest

from manyshim.errors import ToolError
from manyshim.release.frontend import Frontend, find_python, reason
from manyshim.release.table import Settings

OWN = f"3.{sys.version_info[1]}"


def archive(path: Path, names: Sequence[str]) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return str(path)


def command(frontend: Frontend, tmp_path: Path, sdist: str, python: str = OWN) -> Sequence[str]:
    settings: Settings = {"several": ("-Da", "-Db"), "a": "b=c"}
    return frontend.wheel(sdist, python, settings, "out", str(tmp_path / "source"))


def test_uv_takes_no_name_on_the_path_that_starts_no_python(tmp_path: Path) -> None:
    found = command(Frontend("uv"), tmp_path, "x-1.0.tar.gz", "3.99")
    assert find_python("3.99") is None
    assert found[-3:] == ["--python", "3.99", "--managed-python"]
    found = command(Frontend("uv"), tmp_path, "x-1.0.tar.gz")
    assert found[-2:] == ["--python", find_python(OWN)]
    assert found[-8:-2] == ["-C", "several=-Da", "-C", "several=-Db", "-C", "a=b=c"]


def test_build_runs_with_our_own_python_first(tmp_path: Path) -> None:
    pytest.importorskip("build")
    found = command(Frontend(None), tmp_path, archive(tmp_path / "x-1.0.tar.gz", ["x-1.0/a"]))
    assert found[:4] == [sys.executable, "-m", "build", "--wheel"]
    assert found[4] == str(tmp_path / "source" / "x-1.0")


@pytest.mark.parametrize("names", [["a/x", "b/x"], []])
def test_an_sdist_without_a_folder_of_its_own(tmp_path: Path, names: Sequence[str]) -> None:
    pytest.importorskip("build")
    (tmp_path / "source").mkdir()
    path = archive(tmp_path / "x-1.0.tar.gz", names)
    with pytest.raises(ToolError, match=f"has {len(names)} top-level entries and not one folder"):
        command(Frontend(None), tmp_path, path)


def test_an_sdist_that_cannot_be_unpacked(tmp_path: Path) -> None:
    pytest.importorskip("build")
    (tmp_path / "x-1.0.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ToolError, match="cannot be unpacked: "):
        command(Frontend(None), tmp_path, str(tmp_path / "x-1.0.tar.gz"))


def test_a_long_line_is_cut() -> None:
    (line,) = reason("\x1b[31m" + "x" * 9_000_000)
    assert len(line) < 2100
    assert line.startswith("\\x1b[31mxx")
