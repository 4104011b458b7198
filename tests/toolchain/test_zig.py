"""The search for zig, and the folder of its cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Dict, List

import pytest

import needs
from manyshim.errors import ToolError
from manyshim.toolchain import zig


@pytest.fixture(name="environ")
def without_ziglang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dict[str, str]:
    """Return an environment with a folder of its own on PATH, and no ziglang to import."""
    monkeypatch.setattr(zig, "find_spec", lambda _: None)
    return {"PATH": str(tmp_path)}


def fake(folder: Path, script: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / "zig"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_supported_zig_on_path_is_used(tmp_path: Path, environ: Dict[str, str]) -> None:
    path = fake(tmp_path, "echo 0.17.3")
    assert zig.find(environ) == zig.Zig(path, "0.17.3")
    assert zig.missing_requirements(environ) == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 0.9.1", ["zig 0.9.1", "0.17.x", "pip install 'ziglang>="]),
        ("echo 0.170.0", ["zig 0.170.0"]),
        ("echo broken >&2; exit 3", ["exit code 3", "broken"]),
    ],
)
def test_another_zig_is_not_used(
    tmp_path: Path, environ: Dict[str, str], script: str, words: List[str]
) -> None:
    fake(tmp_path, script)
    with pytest.raises(ToolError) as caught:
        zig.find(environ)
    assert all(word in str(caught.value) for word in words)
    assert zig.missing_requirements(environ) == [zig.REQUIREMENT]


def test_the_error_about_a_missing_zig_says_how_to_install_it(environ: Dict[str, str]) -> None:
    with pytest.raises(ToolError, match=r"neither as the package ziglang nor on PATH.*pip install"):
        zig.find(environ)


def test_the_zig_of_the_environment_comes_first(
    tmp_path: Path, environ: Dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, "echo 0.17.1")
    package = tmp_path / "site" / "ziglang"
    package.parent.mkdir()
    path = fake(package, "echo 0.17.0")
    (package / "__init__.py").touch()
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, "ziglang", raising=False)
    monkeypatch.syspath_prepend(str(package.parent))
    assert zig.find(environ) == zig.Zig(path, "0.17.0")


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HOME": "{}/home"}, "home/.cache/zig"),
        ({"HOME": "{}/home", "XDG_CACHE_HOME": "{}/xdg"}, "xdg/zig"),
        ({"ZIG_GLOBAL_CACHE_DIR": "{}/own", "XDG_CACHE_HOME": "{}/xdg"}, "own"),
        ({"ZIG_GLOBAL_CACHE_DIR": "", "HOME": "{}/home"}, "home/.cache/zig"),
    ],
)
def test_the_cache_folder_is_that_of_zig_itself(
    tmp_path: Path, environ: Dict[str, str], folder: str
) -> None:
    resolved = {name: value.format(tmp_path) for name, value in environ.items()}
    assert zig.cache_folder(resolved) == str(tmp_path / folder)
    assert os.listdir(tmp_path / folder) == []


def test_the_error_about_a_missing_cache_names_the_variables() -> None:
    with pytest.raises(ToolError, match="ZIG_GLOBAL_CACHE_DIR, XDG_CACHE_HOME and HOME"):
        zig.cache_folder({})


def test_glibc_names_are_those_of_every_release() -> None:
    needs.zig()
    names = zig.glibc_names(zig.find(os.environ), os.environ)
    assert {"memcpy", "__libc_start_main", "arc4random", "__explicit_bzero_chk", "sin"} <= names
    assert not names & {"deflate", "XOpenDisplay", "PyList_New", ""}


def test_a_zig_without_its_library_folder_is_an_error(
    tmp_path: Path, environ: Dict[str, str]
) -> None:
    path = fake(tmp_path, "echo '.{ .lib_dir = \"/nowhere/lib\" }'")
    with pytest.raises(ToolError, match=r"/nowhere/lib/libc/glibc/abilists: .*cannot be read"):
        zig.glibc_names(zig.Zig(path, "0.17.1"), environ)


@pytest.mark.parametrize("home", ["/proc/1", "/dev/null"])
def test_a_cache_that_cannot_be_written_is_an_error(home: str) -> None:
    with pytest.raises(ToolError, match=r"from HOME.*cannot be written.*ZIG_GLOBAL_CACHE_DIR"):
        zig.cache_folder({"HOME": home})
