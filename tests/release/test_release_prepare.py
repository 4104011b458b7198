"""The folder of a release: what may be in it, what an earlier run has left, and the sdist."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Dict, Optional

import pytest

from manyshim import pyproject
from manyshim.errors import ConfigError, InvalidWheelError, ToolError
from manyshim.release import prepare, sdist
from manyshim.release.frontend import reason
from manyshim.release.ledger import NAME, Entry, Ledger, Made
from manyshim.release.matrix import Cell
from manyshim.release.table import Settings
from manyshim.workspace import private_folder

X86 = "manylinux_2_17_x86_64"
CELL = Cell("3.11", X86)
WHEEL = f"x-1.0-cp311-cp311-{X86}.whl"


FAILED = "error: Failed to build `x-1.0.tar.gz`\n  cause: The build backend returned an error"


def archive(path: Path, files: Optional[Dict[str, str]] = None, *, time: int = 1) -> Path:
    """Write an sdist."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in (files or {"x-1.0/a.c": "a"}).items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(text), time
            tar.addfile(info, io.BytesIO(text.encode()))
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=time))
    return path


def test_times_are_no_content(tmp_path: Path) -> None:
    one = sdist.read(str(archive(tmp_path / "one.tar.gz", time=1_600_000_000)))
    two = sdist.read(str(archive(tmp_path / "two.tar.gz", time=1_700_000_000)))
    other = sdist.read(str(archive(tmp_path / "other.tar.gz", {"x-1.0/a.c": "b"})))
    moved = sdist.read(str(archive(tmp_path / "moved.tar.gz", {"x-1.0/b.c": "a"})))
    assert one.content == two.content
    assert one.digest != two.digest
    assert len({one.content, other.content, moved.content}) == 3
    assert (one.epoch, two.epoch) == (1_600_000_000, 1_700_000_000)
    # zip has no time before 1980.
    assert other.epoch == 315_532_800


def test_the_user_may_set_the_time(tmp_path: Path) -> None:
    found = sdist.read(str(archive(tmp_path / "one.tar.gz", time=1_600_000_000)))
    assert prepare.environment({"A": "b"}, found) == {"A": "b", "SOURCE_DATE_EPOCH": "1600000000"}
    assert prepare.environment({"SOURCE_DATE_EPOCH": "5"}, found) == {"SOURCE_DATE_EPOCH": "5"}


@pytest.mark.parametrize("data", [b"", b"no archive", gzip.compress(b"no tar" * 200)])
def test_a_damaged_sdist(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x-1.0.tar.gz").write_bytes(data)
    with pytest.raises(InvalidWheelError, match=r"x-1\.0\.tar\.gz: cannot be read as an sdist"):
        sdist.read(str(tmp_path / "x-1.0.tar.gz"))
    with pytest.raises(ToolError, match="no such file"):
        sdist.read(str(tmp_path / "y-1.0.tar.gz"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("y-1.0.tar.gz", "is not of x; "),
        ("x-1.1.tar.gz", "is of version 1.1, and the sdist of 1.0; "),
        (f"x-0.9-cp311-cp311-{X86}.whl", "is of version 0.9, and the sdist of 1.0; "),
        (WHEEL, "no release has built it; "),
        ("x-1.0-py3-none-any.whl", "no release has built it; "),
        ("x-1.0.0-cp310-cp310-macosx_11_0_arm64.whl", None),
        (f"x-1.0-cp310-cp310-{X86}.whl", None),
        ("notes.txt", None),
        (f".{WHEEL}", None),
    ],
)
def test_what_may_be_in_the_folder(tmp_path: Path, name: str, sentence: Optional[str]) -> None:
    (tmp_path / name).touch()
    ledger = Ledger(str(tmp_path))
    place = str(tmp_path), "x-1.0.tar.gz", ledger, [CELL]
    if sentence is None:
        prepare.verify_folder(*place)
        return
    with pytest.raises(ConfigError) as error:
        prepare.verify_folder(*place)
    (line,) = error.value.lines
    assert f"{name}: {sentence}" in line
    assert line.endswith("or name another folder with -o")


def test_what_a_release_has_built_may_be_there(tmp_path: Path) -> None:
    (tmp_path / WHEEL).touch()
    ledger = Ledger(str(tmp_path))
    ledger.add(CELL.name, Made(WHEEL, "r"), Entry("d", "c"))
    prepare.verify_folder(str(tmp_path), "x-1.0.tar.gz", Ledger(str(tmp_path)), [CELL])


def test_what_is_kept(tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"data")
    digest = sdist.digest(str(tmp_path / WHEEL))
    Ledger(str(tmp_path)).add(CELL.name, Made(WHEEL, "r"), Entry(digest, "c"))
    ledger = Ledger(str(tmp_path))
    assert ledger.kept(CELL.name, "c", "r") == WHEEL
    assert ledger.kept(CELL.name, "other sources", "r") is None
    assert ledger.kept(CELL.name, "c", "other settings") is None
    assert ledger.kept("cp312-any", "c", "r") is None
    assert ledger.outdated("other sources") == [WHEEL]
    (tmp_path / WHEEL).write_bytes(b"changed")
    assert ledger.kept(CELL.name, "c", "r") is None
    # What the user has put there is not ours to remove.
    assert ledger.outdated("other sources") == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            "[]",
            '{"version": 2}',
            '{"version": 1, "files": {"a": 1}}',
            "\udcff",
            "[" * 9999,
        ),
        json.dumps({"version": 1, "files": {"../a": ["d", "c"]}, "cells": {"x": ["../a", "r"]}}),
        json.dumps({"version": 1, "files": {}, "cells": {"x": ["a", "r"]}}),
    ],
)
def test_a_damaged_ledger_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, encoding="utf-8", errors="surrogateescape")
    ledger = Ledger(str(tmp_path))
    assert (ledger.files, ledger.cells) == ({}, {})


def adopted(path: Path, out: Path) -> sdist.Sdist:
    """Put an sdist into the folder of a release."""
    with private_folder(str(out)) as private:
        return prepare.adopt_sdist(sdist.read(str(path)), str(out), private, Ledger(str(out)))


def test_an_equal_sdist_stays_and_a_new_one_removes_old_wheels(tmp_path: Path) -> None:
    out, new = tmp_path / "dist", tmp_path / "new"
    new.mkdir()
    name = "x-1.0.tar.gz"
    first = adopted(archive(new / name), out)
    assert first.path == str(out / name)
    (out / WHEEL).write_bytes(b"data")
    entry = Entry(sdist.digest(str(out / WHEEL)), first.content)
    Ledger(str(out)).add(CELL.name, Made(WHEEL, "r"), entry)
    assert adopted(archive(new / name, time=1_700_000_000), out).digest == first.digest
    assert (out / WHEEL).exists()
    changed = archive(new / name, {"x-1.0/a.c": "b"})
    assert adopted(changed, out).digest == sdist.digest(str(changed))
    assert sorted(os.listdir(out)) == [NAME, name]


def test_another_sdist_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    archive(out / "x-1.0.tar.gz", {"x-1.0/a.c": "of someone else"})
    with pytest.raises(ConfigError, match="is not the sdist of this project as it is now"):
        adopted(archive(tmp_path / "x-1.0.tar.gz"), out)


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("manyshim.backend", None),
        ("setuptools.build_meta", "the project builds with setuptools.build_meta, which makes no"),
        ("", "the project builds with setuptools, which makes no"),
    ],
)
def test_the_backend(backend: str, sentence: Optional[str]) -> None:
    document = pyproject.parse(f'[build-system]\nbuild-backend = "{backend}"\n' if backend else "")
    if sentence is None:
        prepare.verify_backend(document)
        return
    with pytest.raises(ConfigError, match="manyshim init --write") as error:
        prepare.verify_backend(document)
    assert error.value.lines[0].startswith(sentence)


def test_an_sdist_of_another_project() -> None:
    document = pyproject.parse('[project]\nname = "A.B-c"')
    prepare.verify_project(document, "a_b_c-1.0.tar.gz")
    with pytest.raises(ConfigError, match=r"x-1.0.tar.gz: is of x, and this project is a-b-c"):
        prepare.verify_project(document, "x-1.0.tar.gz")


def test_settings_of_a_cell() -> None:
    own: Settings = {"manyshim.sysroot": "/roots/{platform}", "setup-args": ("-Dp={python}", "-Dq")}
    assert prepare.settings(CELL, "x", own) == {
        "manyshim.compiler": "zig",
        "manyshim.platform": X86,
        "manyshim.strict": "true",
        "manyshim.project": "x",
        "manyshim.sysroot": f"/roots/{X86}",
        "setup-args": ("-Dp=3.11", "-Dq"),
    }
    given = prepare.settings(CELL, "x", own)
    recipes = {
        prepare.recipe(given, "1", {"SOURCE_DATE_EPOCH": "5"}),
        prepare.recipe(prepare.settings(CELL, "x", {}), "1", {"SOURCE_DATE_EPOCH": "5"}),
        prepare.recipe(given, "2", {"SOURCE_DATE_EPOCH": "5"}),
        prepare.recipe(given, "1", {}),
        prepare.recipe(given, "1", {"MANYSHIM_MODE": "repair"}),
        prepare.recipe(given, "1", {"CFLAGS": "-g"}),
    }
    assert len(recipes) == 6
    other = {"PATH": "/bin", "MANYSHIM_DEBUG": "1"}
    assert prepare.recipe(given, "1", other) in recipes


@pytest.mark.parametrize(
    ("log", "lines"),
    [
        ("gcc ...\nmanyshim: error: why\nerror: Failed to build `x`\nmanyshim: error: why\n",
         ["manyshim: error: why"]),
        ("one\n\n two\n", ["one", " two"]),
        ("cc ...\na.c:1: error: x\nmanyshim: error: setuptools failed; see its output above\n",
         ["cc ...", "a.c:1: error: x",
          "manyshim: error: setuptools failed; see its output above"]),
        ("a\nmanyshim: error: refused\nx.so needs y\n  add y\n\nERROR Backend failed\n",
         ["manyshim: error: refused", "x.so needs y", "  add y"]),
        (f"a\nmanyshim: error: refused\nerror: x.whl is pure [NO_ELF]\n  build it\n{FAILED}\n",
         ["manyshim: error: refused", "error: x.whl is pure [NO_ELF]", "  build it"]),
        ("manyshim: a warning\nerror: no Python\n", ["manyshim: a warning", "error: no Python"]),
        ("", []),
        ("\n".join(map(str, range(99))), [str(number) for number in range(79, 99)]),
    ],
)  # fmt: skip
def test_the_reason_of_a_failed_build(log: str, lines: list[str]) -> None:
    assert reason(log) == lines


def test_one_release_at_a_time(tmp_path: Path) -> None:
    folder = str(tmp_path)
    said = "another `manyshim release` is running in this folder"
    with prepare.only_one(folder), pytest.raises(ToolError, match=said), prepare.only_one(folder):
        pass
    with prepare.only_one(folder):
        pass


def test_a_new_folder_is_ignored_by_git(tmp_path: Path) -> None:
    """Some backends put all that git does not ignore into the sdist."""
    with prepare.only_one(str(tmp_path / "a" / "dist")):
        pass
    assert (tmp_path / "a" / "dist" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    with prepare.only_one(str(tmp_path / "a")):
        pass
    assert os.listdir(tmp_path / "a") == ["dist"]


@pytest.mark.parametrize(
    ("folder", "name", "refused"),
    [
        ("dist", "x-1.0/dist/x-1.0.tar.gz", True),
        ("dist", "x-1.0/dist/.manyshim-abcdefgh.tmp/sdist.log", True),
        ("dist", "x-1.0/dist/notes.txt", False),
        ("dist", "x-1.0/src/dist/x-1.0-py3-none-any.whl", False),
        ("a/b", "x-1.0/a/b/x-1.0-py3-none-any.whl", True),
        (".", "x-1.0/.manyshim-release.json", True),
        (".", "x-1.0/tests/x-1.0-py3-none-any.whl", False),
        ("../out", "x-1.0/dist/x-1.0.tar.gz", False),
    ],
)
def test_an_sdist_with_files_of_the_release(
    tmp_path: Path, folder: str, name: str, *, refused: bool
) -> None:
    path = archive(tmp_path / "x-1.0.tar.gz", {"x-1.0/a.c": "a", name: "b"})
    assert bool(sdist.outputs(sdist.read(str(path)), folder)) == refused
