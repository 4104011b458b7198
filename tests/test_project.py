"""The backend of a source tree: which one it wraps, where it lies, and which one was forgotten."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Sequence

import pytest

from manyshim import known_backends, project
from manyshim.errors import ConfigError

SETUPTOOLS = 'backend = "setuptools.build_meta"'


def tree(folder: Path, text: str, files: Sequence[str] = ()) -> str:
    """Write pyproject.toml and empty files into a folder, and return the folder."""
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return str(folder)


def requires(*names: str) -> str:
    listed = ", ".join(f"'{name}'" for name in ("manyshim", *names))
    return f'[build-system]\nrequires = [{listed}]\nbuild-backend = "manyshim.backend"\n'


@pytest.mark.parametrize(
    ("required", "hooks"),
    [
        ("meson-python>=0.15", "mesonpy"),
        ("Meson_Python", "mesonpy"),
        ("scikit-build-core [pyproject] ~= 0.9", "scikit_build_core.build"),
        ("hatchling", "hatchling.build"),
        ('poetry-core>=1; python_version >= "3.8"', "poetry.core.masonry.api"),
        ("maturin<2", "maturin"),
        ("flit_core >=3.2,<4", "flit_core.buildapi"),
        ("pdm-backend", "pdm.backend"),
        ("py-build-cmake", "py_build_cmake.build"),
        ("sip", "sipbuild.api"),
        ("uv_build", "uv_build"),
        ("enscons", "enscons.api"),
        ("whey", "whey"),
    ],
)
@pytest.mark.parametrize("files", [[], ["setup.py"]])
def test_a_requirement_shows_the_backend(
    tmp_path: Path, required: str, hooks: str, files: Sequence[str]
) -> None:
    text = requires(required, "cython", "numpy")
    with pytest.raises(ConfigError) as caught:
        project.wrapped_backend(tree(tmp_path, text, files))
    lines = [line.strip() for line in caught.value.lines]
    assert f'backend = "{hooks}"' in lines
    assert SETUPTOOLS in lines[-1]
    assert not any("requires =" in line for line in lines), "it has the requirement"
    for stated in (hooks, "setuptools.build_meta"):
        stating = f'{text}[tool.manyshim]\nbackend = "{stated}"\n'
        assert project.wrapped_backend(tree(tmp_path, stating)).name == stated


@pytest.mark.parametrize(
    ("table", "files", "hooks", "requirement"),
    [
        ("[tool.poetry]\nname = 'x'", [], "poetry.core.masonry.api", "poetry-core"),
        ("[tool.hatch.build.targets.wheel]\npackages = ['x']", [], "hatchling.build", "hatchling"),
        ("[tool.pdm.build]", [], "pdm.backend", "pdm-backend"),
        ("[tool.scikit-build]", [], "scikit_build_core.build", "scikit-build-core"),
        ("[tool.meson-python.args]", [], "mesonpy", "meson-python"),
        ("[tool.maturin]", [], "maturin", "maturin"),
        ("[tool.flit.module]\nname = 'x'", [], "flit_core.buildapi", "flit_core"),
        ("[tool.uv.build-backend]", [], "uv_build", "uv_build"),
        ("", ["meson.build"], "mesonpy", "meson-python"),
        ("", ["CMakeLists.txt"], "scikit_build_core.build", "scikit-build-core"),
    ],
)
def test_a_table_or_a_file_shows_the_backend(
    tmp_path: Path, table: str, files: Sequence[str], hooks: str, requirement: str
) -> None:
    folder = tree(tmp_path, f"{requires('cython')}{table}\n", files)
    with pytest.raises(ConfigError) as caught:
        project.wrapped_backend(folder)
    lines = [line.strip() for line in caught.value.lines]
    assert f'backend = "{hooks}"' in lines
    assert f'requires = [..., "{requirement}"]' in lines
    for name in ("setup.py", "setup.cfg"):
        (tmp_path / name).touch()
        assert project.wrapped_backend(folder).name == "setuptools.build_meta"
        (tmp_path / name).unlink()
    tree(tmp_path, f"{requires('cython')}{table}\n[tool.setuptools]\n")
    assert project.wrapped_backend(folder).name == "setuptools.build_meta"


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("", []),
        (requires(), []),
        (requires("setuptools>=61", "wheel"), []),
        (requires("setuptools>=61"), ["CMakeLists.txt"]),
        (requires("setuptools", "meson-python"), ["meson.build", "setup.py"]),
        (requires("setuptools", "hatchling"), []),
        (requires("setuptools", "scikit-build-core") + "[tool.scikit-build]\n", []),
        (requires("scikit-build", "cmake", "ninja"), ["setup.py", "CMakeLists.txt"]),
        (requires("setuptools-rust"), ["setup.py"]),
        (requires("cython", "numpy", "mypy", "pybind11", "cffi", "setuptools_scm"), []),
        (requires() + "[tool.hatch.envs.default]\n[tool.uv]\n[tool.pdm.dev-dependencies]\n", []),
        (requires() + "[tool.poetry]\n[tool.poetry.dependencies]\n", []),
    ],
)
def test_a_project_of_setuptools_is_no_alarm(
    tmp_path: Path, text: str, files: Sequence[str]
) -> None:
    found = project.wrapped_backend(tree(tmp_path, text, files))
    assert found == ("setuptools.build_meta", ())


def test_a_backend_that_only_uses_setuptools_is_seen_by_its_table(tmp_path: Path) -> None:
    """Poetry and pdm build extensions with setuptools, in a script of the project."""
    for line in ("name = 'x'", "packages = [{ include = 'x' }]", "build.script = 'build.py'"):
        text = requires("setuptools", "poetry-core") + f"[tool.poetry]\n{line}\n"
        with pytest.raises(ConfigError, match=r"poetry-core seems to build this project"):
            project.wrapped_backend(tree(tmp_path, text))
    assert project.wrapped_backend(tree(tmp_path, text, ["setup.py"]))


def test_a_plugin_of_hatchling_is_not_the_backend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hatchling seems"):
        project.wrapped_backend(tree(tmp_path, requires("scikit-build-core", "hatchling")))


def test_a_wrong_key_is_told_before_the_backend_is_missed(tmp_path: Path) -> None:
    text = requires("meson-python") + '[tool.manyshim]\nbakend = "mesonpy"\n'
    with pytest.raises(ConfigError, match="did you mean 'backend'"):
        project.wrapped_backend(tree(tmp_path, text))


FRONTEND = '[build-system]\nrequires = []\nbuild-backend = "{}"\nbackend-path = {}\n'


@pytest.mark.parametrize(
    ("build_backend", "path", "wrapped", "words"),
    [
        ("manyshim.backend", "['tools']", "own", '[tool.manyshim]\n    backend-path = ["tools"]'),
        ("manyshim.backend", "['tools', '.']", "own", 'backend-path = ["tools", "."]'),
        ("manyshim:backend", "[]", "mesonpy", 'write build-backend = "manyshim.backend"'),
        ("manyshim.backend:backend", "[]", "mesonpy", 'write build-backend = "manyshim.backend"'),
        ("own", "['tools']", "own", "it would wrap itself"),
    ],
)
def test_a_wrong_build_system_is_an_error(
    tmp_path: Path, build_backend: str, path: str, wrapped: str, words: str
) -> None:
    text = FRONTEND.format(build_backend, path) + f'[tool.manyshim]\nbackend = "{wrapped}"\n'
    with pytest.raises(ConfigError, match=re.escape(words)):
        project.wrapped_backend(tree(tmp_path, text, ["tools/own.py"]))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("['..']", "must be a relative path inside"),
        ("['tools/../../x']", "must be a relative path inside"),
        ("['../{tree}/tools']", "must be a relative path inside"),
        ("['/tmp']", "must be a relative path inside"),
        ("['away']", "must be a relative path inside"),
        ("['gone']", "there is no folder 'gone'"),
        ("['tools/own.py']", "'tools/own.py' is a file; name the folder"),
        ("[1]", "write a list of strings"),
        ("5", "write a list of strings"),
    ],
)
def test_a_backend_path_is_a_folder_in_the_source_tree(
    tmp_path: Path, path: str, words: str
) -> None:
    (tmp_path / "away").symlink_to(tmp_path.parent)
    path = path.replace("{tree}", tmp_path.name)
    text = f"[tool.manyshim]\nbackend = 'own'\nbackend-path = {path}\n"
    with pytest.raises(ConfigError, match=re.escape(words)):
        project.wrapped_backend(tree(tmp_path, text, ["tools/own.py"]))


def test_a_backend_path_needs_a_backend(tmp_path: Path) -> None:
    text = "[tool.manyshim]\nbackend-path = ['tools']\n"
    with pytest.raises(ConfigError, match="add backend"):
        project.wrapped_backend(tree(tmp_path, text, ["tools/own.py"]))


def test_both_paths_together(tmp_path: Path) -> None:
    text = FRONTEND.format("manyshim.backend", "['backend']")
    text += '[tool.manyshim]\nbackend = "own"\nbackend-path = ["tools", "."]\n'
    folder = tree(tmp_path, text, ["tools/own.py", "backend/manyshim/backend.py"])
    found = project.wrapped_backend(folder)
    assert found == ("own", (str(tmp_path / "tools"), folder))


@pytest.mark.parametrize(
    ("wrong", "hooks"),
    [
        ("hatchling", "hatchling.build"),
        ("hatchling.build:build", "hatchling.build"),
        ("meson-python", "mesonpy"),
        ("mesonpy.build", "mesonpy"),
        ("mesonpyy", "mesonpy"),
        ("poetry", "poetry.core.masonry.api"),
        ("poetry.core", "poetry.core.masonry.api"),
        ("flit_core", "flit_core.buildapi"),
        ("flit-core", "flit_core.buildapi"),
        ("flit", "flit_core.buildapi"),
        ("pdm", "pdm.backend"),
        ("scikit_build_core", "scikit_build_core.build"),
        ("scikit-build-core", "scikit_build_core.build"),
        ("setuptools", "setuptools.build_meta"),
        ("setuptools.build", "setuptools.build_meta"),
        ("setuptools.buildmeta", "setuptools.build_meta"),
        ("uv-build", "uv_build"),
        ("maturin.build", "maturin"),
        ("py-build-cmake", "py_build_cmake.build"),
        ("sip", "sipbuild.api"),
    ],
)
def test_a_near_miss_leads_to_the_hooks(wrong: str, hooks: str) -> None:
    found = known_backends.nearest(wrong)
    assert found is not None
    assert found.hooks == hooks


@pytest.mark.parametrize("other", ["os", "json", "my_project_hooks", "backend", "build"])
def test_other_names_lead_nowhere(other: str) -> None:
    assert known_backends.nearest(other) is None


@pytest.mark.parametrize(
    ("stated", "means"),
    [
        ("manyshim.backend", True),
        ("manyshim", True),
        ("manyshim:backend", True),
        ("many_shim.backend", True),
        ("Manyshim-backend", True),
        ("manyshims.backend", False),
        ("my_manyshim.backend", False),
        ("setuptools.build_meta", False),
    ],
)
def test_wrong_names_of_manyshim_are_known(stated: str, *, means: bool) -> None:
    assert known_backends.means_manyshim(stated) is means
