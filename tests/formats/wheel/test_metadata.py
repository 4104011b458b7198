"""METADATA as packaging reads it, and RECORD as the library wheel reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Mapping

import pytest

from commandline import run
from manyshim.audit.gate.facts import MetadataFacts, NameFacts
from manyshim.formats.wheel import metadata
from manyshim.formats.wheel.wheel import Wheel
from paths import BACKEND
from wheelwriter import save, wheel, wheel_name

FOLDER = "demo-1.0.dist-info"
TAG = "py3-none-any"


def written(folder: Path, replaced: Mapping[str, bytes]) -> Path:
    """Write a pure wheel with other contents for some of its dist-info files."""
    members = {f"{FOLDER}/{name}": data for name, data in replaced.items()}
    return save(folder, wheel({"demo.py": b"", **members}, tag=TAG), wheel_name(tag=TAG))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Metadata-Version: 2.1\nName: Demo\nVersion: 1.0.0\n", ("demo", "1.0.0")),
        (b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n\nlong\n", ("demo", "1.0")),
        (b"Metadata-Version: 9.9\nName: -\nVersion: one\n", ("", "")),
        (b"\xff\xfe", ("", "")),
        (b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\n--x--\n", ("", "")),
        (b"Name: demo\nVersion: " + b"1" * 9000 + b"\n", ("demo", "")),
        (b"Name: demo\nVersion: 1.0_1\n", ("demo", "")),
        (b"", ("", "")),
    ],
)
def test_name_and_version_are_read(text: bytes, expected: object, tmp_path: Path) -> None:
    with Wheel(str(written(tmp_path, {"METADATA": text}))) as opened:
        found = metadata.read(opened)
    assert isinstance(found, MetadataFacts)
    assert (found.name, found.version) == expected
    assert metadata.name_facts(opened.name.name, opened.name.version) == NameFacts("demo", "1.0")


def test_a_wheel_without_metadata_is_said_to_have_none(tmp_path: Path) -> None:
    path, bare = written(tmp_path, {}), tmp_path / "bare" / wheel_name(tag=TAG)
    bare.parent.mkdir()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(bare, "w") as target:
        for name in whole.namelist():
            if not name.endswith("/METADATA"):
                target.writestr(name, whole.read(name))
    with Wheel(str(bare)) as opened:
        assert metadata.read(opened) is None
        assert metadata.record_problem(opened) == ""


def test_the_second_reader_refuses_a_weak_hash(tmp_path: Path) -> None:
    path = written(tmp_path, {"RECORD": b"demo.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,0\n"})
    with Wheel(str(path)) as opened:
        assert "md5" in metadata.record_problem(opened)
    done = run("check", path)
    assert done.returncode == 1
    assert "cannot be read by the library wheel" in done.stdout


def test_check_says_what_to_install_where_a_reader_is_missing(tmp_path: Path) -> None:
    """An in-tree copy of manyshim comes without its dependencies."""
    path = written(tmp_path, {})
    package = tmp_path / "package"
    shutil.copytree(str(BACKEND / "manyshim"), str(package / "manyshim"))
    done = subprocess.run(
        [sys.executable, "-S", "-m", "manyshim", "check", str(path)],
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stdout + done.stderr
    assert 'pip install "packaging' in done.stderr
