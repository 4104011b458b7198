"""A path of debug information is found in the repository, or nowhere; never outside of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Dict, Optional

import pytest

import needs
from manyshim import repository
from manyshim.formats.elf.debuginfo import uses
from manyshim.repository import Repository

FILES = (
    "src/pkg/_x.c",
    "src/pkg/_y.c",
    "src/other/_y.c",
    "top.c",
    "deep/one/two/z.c",
    "two/_copy.c",
    "include/stdio.h",
    ".git/hidden.c",
    ".venv/lib/in_venv.c",
    "my_env/pyvenv.cfg",
    "my_env/lib/in_env.c",
    "build/temp/built.c",
    "node_modules/a/node.c",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of a repository; each file has its own name as content."""
    for name in FILES:
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("file", "located"),
    [
        # Paths of a private copy that is gone.
        ("/gone/demo-1.0/src/pkg/_x.c", "src/pkg/_x.c"),
        ("/gone/pkg/_x.c", "src/pkg/_x.c"),
        ("/gone/demo-1.0/top.c", "top.c"),
        ("/gone/demo-1.0/two/z.c", "deep/one/two/z.c"),
        ("/gone/one/two/_copy.c", "two/_copy.c"),
        ("/gone/src/../top.c", "top.c"),
        # Relative to another folder than the current one.
        ("../src/pkg/_x.c", "src/pkg/_x.c"),
        ("../../top.c", "top.c"),
        ("pkg/_y.c", "src/pkg/_y.c"),
        # Relative to the current folder, in all its spellings.
        ("src/pkg/_x.c", "src/pkg/_x.c"),
        ("./src//pkg/../other/_y.c", "src/other/_y.c"),
        # Two files have this name, so its folder decides, or nothing.
        ("/gone/other/_y.c", "src/other/_y.c"),
        ("/gone/elsewhere/_y.c", None),
        ("_y.c", None),
        # Nothing of the project.
        ("/gone/demo-1.0/missing.c", None),
        ("/usr/include/stdio.h", None),
        ("/usr/include/x86_64-linux-gnu/include/stdio.h", None),
        ("/rustc/0123abcd/library/std/src/top.c", None),
        ("/gone/.cargo/registry/src/top.c", None),
        ("/gone/python/include/python3.11/top.c", None),
        ("/gone/hidden.c", None),
        ("/gone/in_venv.c", None),
        ("/gone/in_env.c", None),
        ("/gone/built.c", None),
        ("/gone/node.c", None),
        ("src/pkg", None),
        ("src", None),
        ("/", None),
        (".", None),
        ("..", None),
        ("", None),
        ("a\0b", None),
        ("\udcff\n", None),
        ("x" * 5000, None),
        ("x/" * 1_000_000 + "top.c", None),
    ],
)
def test_locate(
    file: str, located: Optional[str], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    assert Repository(".").locate(file) == located


def test_an_absolute_path_inside(root: Path, tmp_path: Path) -> None:
    found = Repository(str(root))
    for name in FILES:
        assert found.locate(str(root / name)) == name
    link = tmp_path / "link"
    link.symlink_to(root)
    assert found.locate(str(link / "top.c")) == "top.c"
    assert Repository(str(link)).locate(str(root / "top.c")) == "top.c"
    assert Repository(str(root / "src")).locate(str(root / "top.c")) is None


def test_a_copy_that_exists_has_the_same_content(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "demo-1.0"
    shutil.copytree(str(root), str(copy))
    (copy / "src" / "pkg" / "_y.c").write_text("another file", encoding="utf-8")
    found = Repository(str(root))
    assert found.locate(str(copy / "src" / "pkg" / "_x.c")) == "src/pkg/_x.c"
    assert found.locate(str(copy / "top.c")) == "top.c"
    assert found.locate(str(copy / "src" / "pkg" / "_y.c")) is None


def test_links_that_leave_the_root(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.c").write_text("", encoding="utf-8")
    (root / "away").symlink_to(outside)
    (root / "src" / "secret.c").symlink_to(outside / "secret.c")
    (root / "src" / "inner.c").symlink_to(root / "top.c")
    (root / "src" / "loop.c").symlink_to(root / "src" / "loop.c")
    found = Repository(str(root))
    expected: Dict[str, Optional[str]] = {
        str(root / "away" / "secret.c"): None,
        str(root / "src" / "secret.c"): None,
        "/gone/src/secret.c": None,
        "/gone/away/secret.c": None,
        str(root / "src" / "inner.c"): "top.c",
        str(root / "src" / "loop.c"): None,
        str(outside / "secret.c"): None,
        # A neighbour whose name begins with that of the root.
        str(root) + "-2/top.c": "top.c",
    }
    assert {path: found.locate(path) for path in expected} == expected


def test_a_large_folder_is_not_searched(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "_MAX_FILES", 5)
    found = Repository(str(root))
    assert found.locate("/gone/demo/two/z.c") is None
    # These are found by their paths.
    assert found.locate("/gone/demo/src/pkg/_x.c") == "src/pkg/_x.c"


def test_the_folder_is_searched_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Repository(str(root))
    assert found.locate("/gone/pkg/_x.c") == "src/pkg/_x.c"
    (root / "new.c").write_text("", encoding="utf-8")
    assert found.locate("/gone/new.c") is None
    assert Repository(str(root)).locate("/gone/new.c") == "new.c"
    monkeypatch.chdir(root)
    assert found.locate("new.c") == "new.c"


def test_a_root_that_does_not_exist(tmp_path: Path) -> None:
    assert Repository(str(tmp_path / "none")).locate("/gone/top.c") is None


@pytest.mark.parametrize(
    ("folder", "source"), [(".", "src/use.c"), ("build", "../src/use.c"), (".", "{copy}/src/use.c")]
)
def test_debug_information_of_a_private_copy(folder: str, source: str, tmp_path: Path) -> None:
    """A frontend compiles an unpacked sdist in a folder that it removes."""
    gcc = needs.compiler()
    project, copy = tmp_path / "project", tmp_path / "tmp1234" / "demo-1.0"
    (project / "src").mkdir(parents=True)
    text = "int pidfd_open(int, unsigned);\nint use(int p) { return pidfd_open(p, 3); }\n"
    (project / "src" / "use.c").write_text(text, encoding="utf-8")
    shutil.copytree(str(project), str(copy))
    (copy / "build").mkdir()
    target = tmp_path / "objects" / "use.o"
    target.parent.mkdir()
    command = [gcc, "-g", "-c", source.format(copy=copy), "-o", str(target)]
    subprocess.run(command, cwd=str(copy / folder), check=True)
    shutil.rmtree(str(copy.parent))
    ((place,),) = uses([str(target.parent)], ["pidfd_open"], root=str(project)).values()
    assert (place.line, place.function) == (2, "use")
    assert "demo-1.0" in place.file
    assert Repository(str(project)).locate(place.file) == "src/use.c"


@pytest.mark.parametrize(
    ("folder", "own"),
    {
        ".": True,
        "packages/demo": True,
        "build": True,
        ".tmp/pip-req-build": False,
        "a/.cache/sdist": False,
        "../other": False,
    }.items(),
)
def test_a_cache_below_the_root_has_dependencies(
    folder: str,
    own: bool,  # noqa: FBT001 (a parameter of pytest)
    tmp_path: Path,
) -> None:
    root, project = tmp_path / "root", tmp_path / "root" / folder
    root.mkdir()
    project.mkdir(parents=True, exist_ok=True)
    (root / "pyproject.toml").write_text("own", encoding="utf-8")
    (project / "pyproject.toml").write_text("own" if folder == "." else "other", encoding="utf-8")
    assert Repository(str(root)).has_project(str(project)) == own
