"""`manyshim init` on real folders: what is written, what is not, and each error."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pytest

import needs
from backendprojects import create
from commandline import run
from manyshim.adopt import run as adoption
from manyshim.errors import ToolError
from unprivileged import unprivileged

pytestmark = needs.mark(needs.module, "tomlkit")

MESON = """# The build.
[build-system]
requires = [
  "meson-python>=0.15",  # the backend
]
build-backend = "mesonpy"

[project]
name = "a"
"""


def project(folder: Path, text: Optional[str] = MESON) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "meson.build").touch()
    if text is not None:
        (folder / "pyproject.toml").write_bytes(text.encode())
    return folder


def content(folder: Path) -> Dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def init(*arguments: object, code: int = 0, **environment: str) -> str:
    done = run("init", *arguments, **environment)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_the_change_is_printed_and_nothing_is_written(tmp_path: Path) -> None:
    folder = project(tmp_path)
    before = content(folder)
    output = init(folder)
    assert content(folder) == before
    lines = output.splitlines()
    for line in (
        '+  "manyshim",',
        '-build-backend = "mesonpy"',
        '+build-backend = "manyshim.backend"',
        '+backend = "mesonpy"',
    ):
        assert line in lines
    assert lines[0] == "[build-system] requires: frontends install manyshim for the build"
    assert lines[-1] == "nothing is written yet: add --write"


def test_the_diff_is_one_that_patch_takes(tmp_path: Path) -> None:
    patch = needs.tool("patch", "patch")
    folder = project(tmp_path / "a")
    output = init(folder)
    init(folder, "--write")
    written = content(folder)
    (folder / "pyproject.toml").write_text(MESON, encoding="utf-8")
    subprocess.run([patch, "-p1", "-s"], input=output, text=True, cwd=folder, check=True)
    assert content(folder) == written


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_write_and_undo(tmp_path: Path, newline: str) -> None:
    folder = project(tmp_path, MESON.replace("\n", newline))
    path = folder / "pyproject.toml"
    path.chmod(0o640)
    before = content(folder)
    assert init(folder, "--write").endswith("wrote pyproject.toml\n")
    assert b"manyshim.backend" in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o640
    written = content(folder)
    assert "nothing to do" in init(folder, "--write")
    assert content(folder) == written
    assert "add --undo --write" in init(folder, "--undo")
    assert content(folder) == written
    init(folder, "--undo", "--write")
    assert content(folder) == before
    assert "nothing to take back" in init(folder, "--undo", "--write")


def test_the_current_folder_is_the_default(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "manyshim", "init", "--write"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"manyshim.backend" in (folder / "pyproject.toml").read_bytes()


@pytest.mark.parametrize("name", ["flit", "uv_build"])
def test_a_pure_project_needs_nothing(tmp_path: Path, name: str) -> None:
    folder = create(name, tmp_path)
    before = content(folder)
    assert f"nothing to do: {name} builds pure wheels only" in init(folder, "--write")
    assert content(folder) == before
    init(folder, "--write", "--force")
    assert content(folder) != before


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    target = tmp_path / "shared.toml"
    (folder / "pyproject.toml").rename(target)
    (folder / "pyproject.toml").symlink_to(target)
    init(folder, "--write")
    assert (folder / "pyproject.toml").is_symlink()
    assert "manyshim.backend" in target.read_text(encoding="utf-8")


def test_json(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    data = json.loads(init(folder, "--json"))
    assert (data["status"], data["backend"], data["written"]) == ("change", "mesonpy", False)
    assert [change["key"] for change in data["changes"]] == [
        "[build-system] requires",
        "[build-system] build-backend",
    ]
    assert data["files"][0]["path"] == "pyproject.toml"
    assert '+backend = "mesonpy"' in data["files"][0]["diff"].splitlines()
    assert json.loads(init(folder, "--json", "--write"))["written"] is True
    assert json.loads(init(folder, "--json"))["status"] == "done"


BROKEN: Dict[str, Tuple[str, List[str]]] = {
    "no TOML": ('[build-system]\nrequires = ["a" "b"]\n', ["line 2", "column"]),
    "a key twice": ("[build-system]\nrequires = []\nrequires = []\n", ["line 3"]),
    "no UTF-8": ("[project]\nname = '\udcff'\n", ["utf-8"]),
    "build-system is no table": ("build-system = 1\n", ["build-system", "must be a table"]),
    "tool is no table": ("tool = 1\n" + MESON, ["tool in pyproject.toml must be a table"]),
    "requires is no list": ('[build-system]\nrequires = "a"\n', ["build-system.requires"]),
    "requires has a number": ("[build-system]\nrequires = [1]\n", ["build-system.requires"]),
    "backend is no text": ("[build-system]\nbuild-backend = []\n", ["build-backend"]),
    "no project": ("[tool.black]\n", ["neither [build-system] nor [project]"]),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_one_error(tmp_path: Path, text: str, words: List[str]) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    before = content(tmp_path)
    output = init(tmp_path, "--write", code=2)
    assert output.startswith("manyshim: error: ")
    assert all(word in output for word in words), output
    assert content(tmp_path) == before


def test_folders_without_a_project(tmp_path: Path) -> None:
    assert "pyproject.toml and setup.py are missing" in init(tmp_path, code=2)
    assert "no such folder" in init(tmp_path / "gone", code=2)
    file = tmp_path / "file"
    file.touch()
    assert "not a folder" in init(file, code=2)


def test_pyproject_toml_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    assert "cannot be read" in init(tmp_path, code=4)


def test_a_read_only_file(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "pyproject.toml").chmod(0o444)
    before = content(folder)
    assert "read-only: nothing was changed" in init(folder, "--write", code=4)
    assert content(folder) == before
    # Looking is allowed.
    init(folder)


def test_a_read_only_file_keeps_the_copy_out(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "pyproject.toml").chmod(0o444)
    init(folder, "--write", "--in-tree", code=4)
    assert not (folder / "backend").exists()


def test_without_tomlkit(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "tomlkit.py").write_text("raise ImportError\n", encoding="utf-8")
    output = init(folder, code=4, PYTHONPATH=str(tmp_path / "hidden"))
    assert "pip install 'manyshim[cli]'" in output


def test_undo_refuses_other_options(tmp_path: Path) -> None:
    assert "--undo takes neither" in init(project(tmp_path), "--undo", "--in-tree", code=2)


IN_TREE = [
    *("setuptools", "setuptools, only setup.py", "setuptools, own backend", "meson-python"),
    *("hatchling", "poetry-core", "pdm-backend", "py-build-cmake", "maturin", "cython"),
]


@pytest.mark.parametrize("name", IN_TREE)
def test_a_copy_in_the_project(tmp_path: Path, name: str) -> None:
    folder = create(name, tmp_path)
    before = content(folder)
    init(folder, "--in-tree", "--write")
    written = content(folder)
    assert "backend/manyshim/backend.py" in written
    assert not [path for path in written if "__pycache__" in path]
    assert "nothing to do" in init(folder, "--in-tree", "--write")
    assert content(folder) == written
    init(folder, "--undo", "--write")
    assert content(folder) == before
    assert not (folder / "backend").exists()


def test_the_copy_gets_another_folder(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "backend").mkdir()
    (folder / "backend" / "server.py").touch()
    before = content(folder)
    init(folder, "--in-tree", "--write")
    assert (folder / "_manyshim" / "manyshim" / "backend.py").is_file()
    assert b'backend-path = ["_manyshim"]' in (folder / "pyproject.toml").read_bytes()
    init(folder, "--undo", "--write")
    assert content(folder) == before
    (folder / "_manyshim").mkdir()
    assert "no folder is free" in init(folder, "--in-tree", code=2)


def test_a_changed_copy_stays(tmp_path: Path) -> None:
    folder = project(tmp_path)
    init(folder, "--in-tree", "--write")
    changed = folder / "backend" / "manyshim" / "values.py"
    changed.write_text("x = 1\n", encoding="utf-8")
    assert "differs from this manyshim, so it stays" in init(folder, "--undo", "--write")
    assert changed.exists()
    assert (folder / "pyproject.toml").read_bytes() == MESON.encode()


def test_automatic_discovery_does_not_see_the_copy(tmp_path: Path) -> None:
    text = '[project]\nname = "a"\nversion = "1"\n[tool.setuptools]\next-modules = []\n'
    folder = project(tmp_path, text)
    (folder / "a").mkdir()
    assert "_manyshim/manyshim: a copy" in init(folder, "--in-tree")
    more = '[tool.setuptools.packages.find]\nwhere = ["."]\n'
    output = init(project(tmp_path, text + more), "--in-tree")
    assert '+exclude = ["backend*"]' in output.splitlines()


def test_the_lines_of_the_manifest(tmp_path: Path) -> None:
    folder = create("setuptools", tmp_path)
    (folder / "MANIFEST.in").write_bytes(b"include a\r\nprune b")
    init(folder, "--in-tree", "--write")
    assert (folder / "MANIFEST.in").read_bytes().split(b"\r\n")[3:] == [
        b"graft backend",
        b"global-exclude *.py[cod]",
    ]
    init(folder, "--undo", "--write")
    assert (folder / "MANIFEST.in").read_bytes() == b"include a\r\nprune b"


def test_a_read_only_folder_keeps_its_content() -> None:
    with unprivileged() as folder:
        project(folder)
        before = content(folder)
        prepared = adoption.adopt(str(folder), in_tree=True)
        folder.chmod(0o555)
        with pytest.raises(ToolError, match="cannot be written"):
            prepared.write(str(folder))
        folder.chmod(0o755)
        assert content(folder) == before


def test_what_is_written_already_is_taken_back(tmp_path: Path) -> None:
    """The last of three writes fails: another program has changed pyproject.toml."""
    folder = create("setuptools", tmp_path)
    (folder / "MANIFEST.in").write_text("prune b", encoding="utf-8")
    prepared = adoption.adopt(str(folder), in_tree=True)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# more\n")
    before = content(folder)
    with pytest.raises(ToolError, match="was changed by another program"):
        prepared.write(str(folder))
    assert content(folder) == before
    assert not (folder / "backend").exists()


@needs.mark(needs.extension)
def test_build_shows_the_report(tmp_path: Path, build_environment: Dict[str, str]) -> None:
    if not shutil.which("uv"):
        needs.module("build")
    folder = create("setuptools", tmp_path / "tiny")
    before = content(folder)
    done = subprocess.run(
        [sys.executable, "-m", "manyshim", "init", str(folder), "--build"],
        capture_output=True, text=True, check=False, env=build_environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  manylinux" in done.stdout
    assert "runs on glibc" in done.stdout
    assert content(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
