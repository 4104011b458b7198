"""What `init` decides: from facts to changes."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Tuple

import pytest

from manyshim import pyproject
from manyshim.adopt import plan, pure, undo
from manyshim.adopt.changes import effect
from manyshim.adopt.facts import Project
from manyshim.errors import ConfigError
from manyshim.known_backends import BACKENDS

SETUP: FrozenSet[str] = frozenset({"setup.py"})


def project(text: str, **more: Any) -> Project:
    return Project(pyproject.parse(text), **more)


def system(requires: str, backend: str = "", more: str = "") -> str:
    line = f'build-backend = "{backend}"\n' if backend else ""
    return f"[build-system]\nrequires = [{requires}]\n{line}{more}"


def made(one: Project, **options: Any) -> Tuple[Dict[str, Any], plan.Plan]:
    found = plan.adopt(one, **options)
    return effect(one.document, found.changes), found


C = {"names": SETUP, "setup_py": "ext_modules=x"}
# pyproject.toml, further facts, then requires, backend and backend-path as they are written.
ADOPTED: Dict[str, Tuple[str, Dict[str, Any], List[str], Any, Any]] = {
    "setuptools": (
        system('"setuptools"', "setuptools.build_meta"), C, ["setuptools", "manyshim"], None, None,
    ),
    "legacy": (
        system('"setuptools"'), C,
        ["setuptools", "manyshim"], "setuptools.build_meta:__legacy__", None,
    ),
    "explicit legacy": (
        system('"setuptools"', "setuptools.build_meta:__legacy__"), C,
        ["setuptools", "manyshim"], "setuptools.build_meta:__legacy__", None,
    ),
    "nothing": ("", C, ["setuptools", "manyshim"], "setuptools.build_meta:__legacy__", None),
    "requires missing": (
        "[build-system]\n", C, ["setuptools", "manyshim"], "setuptools.build_meta:__legacy__", None,
    ),
    "manyshim is required already": (
        system('"ManyShim>=1", "setuptools"', "setuptools.build_meta"), C,
        ["ManyShim>=1", "setuptools"], None, None,
    ),
    # Without this line, the requirement would speak for scikit-build-core.
    "setuptools that looks like another": (
        system('"scikit-build-core"', "setuptools.build_meta"), C,
        ["scikit-build-core", "manyshim"], "setuptools.build_meta", None,
    ),
    "setuptools with company": (
        system('"setuptools", "scikit-build", "cmake"', "setuptools.build_meta"),
        {"names": frozenset({"setup.py", "CMakeLists.txt"})},
        ["setuptools", "scikit-build", "cmake", "manyshim"], None, None,
    ),
    "in-tree": (
        system('"setuptools"', "own", 'backend-path = ["_own"]\n'), C,
        ["setuptools", "manyshim"], "own", ["_own"],
    ),
    "setuptools with backend-path": (
        system('"setuptools"', "setuptools.build_meta", 'backend-path = ["."]\n'), C,
        ["setuptools", "manyshim"], "setuptools.build_meta", ["."],
    ),
    # PEP 517: a backend with backend-path lies in the project, so it is not required.
    "a backend that builds itself": (
        system("", "hatchling.ouroboros", 'backend-path = ["src"]\n'), C,
        ["manyshim"], "hatchling.ouroboros", ["src"],
    ),
    "unknown": (system('"new"', "new.api:x"), {}, ["new", "manyshim"], "new.api:x", None),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "facts", "requires", "backend", "path"), ADOPTED.values(), ids=ADOPTED
)
def test_what_is_written(
    text: str, facts: Dict[str, Any], requires: List[str], backend: object, path: object
) -> None:
    document, found = made(project(text, **facts))
    assert found.status == "change"
    built = document["build-system"]
    assert built == {"requires": requires, "build-backend": "manyshim.backend"}
    own = document.get("tool", {}).get("manyshim", {})
    expected = {"backend": backend, "backend-path": path}
    assert own == {key: value for key, value in expected.items() if value is not None}
    assert all(change.reason for change in found.changes)


@pytest.mark.parametrize("backend", [one for one in BACKENDS if one.name != "setuptools"])
def test_every_known_backend_is_wrapped_by_its_hooks(backend: Any) -> None:
    text = system(f'"{backend.own_requirements[0]}"', backend.hooks)
    document, _ = made(project(text), force=True)
    assert document["tool"]["manyshim"] == {"backend": backend.hooks}
    assert document["build-system"]["requires"][-1] == "manyshim"


POETRY = '[tool.poetry]\nname = "a"\n'
PURE = {
    "flit": (system('"flit_core"', "flit_core.buildapi"), {}, True),
    "uv_build": (system('"uv_build"', "uv_build"), {}, True),
    "hatchling": (system('"hatchling"', "hatchling.build"), {}, True),
    "hatchling, version hook": (
        system('"hatchling"', "hatchling.build", "[tool.hatch.build.hooks.vcs]\n"), {}, True,
    ),
    "hatchling, hook": (
        system('"hatchling"', "hatchling.build", "[tool.hatch.build.hooks.custom]\n"), {}, False,
    ),
    "hatchling, hook of the wheel": (
        system('"hatchling"', "hatchling.build", "[tool.hatch.build.targets.wheel.hooks.mypyc]\n"),
        {}, False,
    ),
    "hatchling, hatch.toml": (
        system('"hatchling"', "hatchling.build"), {"names": frozenset({"hatch.toml"})}, None,
    ),
    "poetry": (system('"poetry-core"', "poetry.core.masonry.api", POETRY), {}, True),
    "poetry, script": (
        system('"poetry-core"', "poetry.core.masonry.api", POETRY + 'build = "b.py"\n'), {}, False,
    ),
    "pdm": (system('"pdm-backend"', "pdm.backend"), {}, True),
    "pdm, hook": (
        system('"pdm-backend"', "pdm.backend"), {"names": frozenset({"pdm_build.py"})}, None,
    ),
    "setuptools": (system('"setuptools"', "setuptools.build_meta"), {}, True),
    "setuptools, setup.py": (system('"setuptools"'), {"names": SETUP, "setup_py": "setup()"}, True),
    "setuptools, ext-modules": (
        system('"setuptools"', "setuptools.build_meta", "[tool.setuptools]\next-modules = []\n"),
        {}, False,
    ),
    "setuptools, cython": (system('"setuptools", "Cython"', "setuptools.build_meta"), {}, False),
    "setuptools, sources": (
        system('"setuptools"', "setuptools.build_meta"), {"compiled": ("a.c",)}, None,
    ),
    "setuptools, cmdclass": (
        system('"setuptools"'), {"names": SETUP, "setup_py": "setup(cmdclass={})"}, None,
    ),
    "setuptools, keywords": (
        system('"setuptools"'), {"names": SETUP, "setup_py": "setup(**found)"}, None,
    ),
    "pdm, contents": (
        system('"pdm-backend"', "pdm.backend", '[tool.pdm.build]\nsource-includes = ["a"]\n'),
        {}, True,
    ),
    "pdm, script": (
        system('"pdm-pep517"', "pdm.pep517.api", '[tool.pdm.build]\nsetup-script = "b.py"\n'),
        {}, None,
    ),
    "hatchling, library": (
        system('"hatchling"', "hatchling.build", '[tool.hatch.build]\nartifacts = ["*.so"]\n'),
        {}, None,
    ),
    "meson": (system('"meson-python"', "mesonpy"), {}, False),
    "in-tree": (system('"x"', "flit_core.buildapi", 'backend-path = ["."]\n'), {}, None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "facts", "expected"), PURE.values(), ids=PURE)
def test_pure_projects(text: str, facts: Dict[str, Any], expected: object) -> None:
    one = project(text, **facts)
    backend = one.build_backend or "setuptools.build_meta:__legacy__"
    assert pure.judge(one, backend).pure is expected
    found = plan.adopt(one)
    assert found.status == ("pure" if expected else "change")
    assert bool(found.changes) is not expected
    assert plan.adopt(one, force=True).status == "change"
    unclear = [note for note in found.notes if "cannot be told" in note]
    assert bool(unclear) is (expected is None)


# Facts of a project with setuptools, beside `setup(` in setup.py, and what is said of it.
SETUPTOOLS_SIGNS: Dict[str, Tuple[str, Dict[str, Any], object]] = {
    "a platform in setup.cfg": ("", {"setup_cfg": "[bdist_wheel]\nplat-name = x\n"}, False),
    "the limited API": ("", {"setup_cfg": "[bdist_wheel]\npy_limited_api = cp38\n"}, False),
    "a universal wheel": ("", {"setup_cfg": "[bdist_wheel]\nuniversal = 1\n"}, True),
    "an extension of pbr": ("", {"setup_cfg": "[extension=a.b]\nsources = b.x\n"}, False),
    "setup_requires": ("", {"setup_cfg": "[options]\nsetup_requires = wheel\n  cffi>1\n"}, False),
    "install_requires": ("", {"setup_cfg": "[options]\ninstall_requires =\n  cffi\n"}, True),
    "cmdclass": ("[tool.setuptools.cmdclass]\nbuild_py = 'a.B'\n", {}, None),
    "a platform": ("[tool.distutils.bdist_wheel]\nplat-name = 'any'\n", {}, False),
    "universal": ("[tool.distutils.bdist_wheel]\nuniversal = true\n", {}, True),
    "a library": ("[tool.setuptools.package-data]\n'*' = ['*.so']\n", {}, None),
    "a library in MANIFEST.in": ("", {"manifest": "include a/*.so\n"}, None),
    "no library": ("", {"manifest": "global-exclude *.so\nprune a.so\n# b.so\n"}, True),
    "another's setup": ("", {"setup_py": "from helper import main\nmain()\n"}, None),
    "an old fallback": ("", {"setup_py": "from distutils.core import setup\nsetup()\n"}, True),
    "a comment": ("", {"setup_py": "# distutils, Extension(\nsetup()\n"}, True),
    "the word": ("", {"setup_py": 'setup(description="A Sphinx Extension")\n'}, True),
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "facts", "expected"), SETUPTOOLS_SIGNS.values(), ids=SETUPTOOLS_SIGNS
)
def test_signs_of_extensions(more: str, facts: Dict[str, Any], expected: object) -> None:
    one = project(system('"setuptools"', "setuptools.build_meta", more), **facts)
    assert pure.judge(one, "setuptools.build_meta").pure is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("setuptools-scm>=8", True), ("cmake-build-extension", None)]
)
def test_an_unknown_requirement_may_compile(name: str, expected: object) -> None:
    one = project(system(f'"setuptools", "{name}"', "setuptools.build_meta"))
    assert pure.judge(one, "setuptools.build_meta").pure is expected


SHIM = "manyshim.backend"
# A project that uses manyshim already, and what is missing.
COMPLETED: Dict[str, Tuple[str, Dict[str, Any], List[str]]] = {
    "right": (system('"setuptools", "manyshim"', SHIM), {"names": SETUP}, []),
    "right, meson": (
        system('"meson-python", "manyshim"', SHIM, '[tool.manyshim]\nbackend = "mesonpy"\n'),
        {"names": frozenset({"meson.build"})}, [],
    ),
    "forgotten backend": (
        system('"meson-python", "manyshim"', SHIM), {}, ["tool.manyshim.backend = 'mesonpy'"],
    ),
    "forgotten backend, by a file": (
        system('"manyshim"', SHIM), {"names": frozenset({"CMakeLists.txt"})},
        ["tool.manyshim.backend = 'scikit_build_core.build'",
         "build-system.requires: add 'scikit-build-core'"],
    ),
    "a distribution instead of a module": (
        system('"hatchling", "manyshim"', SHIM, '[tool.manyshim]\nbackend = "hatchling"\n'), {},
        ["tool.manyshim.backend = 'hatchling.build'"],
    ),
    "manyshim wraps manyshim": (
        system('"manyshim"', SHIM, f'[tool.manyshim]\nbackend = "{SHIM}"\n'), {"names": SETUP},
        ["tool.manyshim.backend = 'setuptools.build_meta'"],
    ),
    "manyshim not required": (
        system('"setuptools"', SHIM), {}, ["build-system.requires: add 'manyshim'"],
    ),
    "backend not required": (
        system('"manyshim"', SHIM, '[tool.manyshim]\nbackend = "mesonpy"\n'), {},
        ["build-system.requires: add 'meson-python'"],
    ),
    "build-backend = manyshim": (
        system('"setuptools", "manyshim"', "manyshim"), {},
        ["build-system.build-backend = 'manyshim.backend'"],
    ),
    "an object in the package": (
        system('"setuptools", "manyshim"', "manyshim:backend"), {},
        ["build-system.build-backend = 'manyshim.backend'"],
    ),
    "a wrong name of manyshim": (
        system('"setuptools", "manyshim"', "many-shim.backend"), {},
        ["build-system.build-backend = 'manyshim.backend'"],
    ),
    "backend-path of another": (
        system('"setuptools", "manyshim"', SHIM, 'backend-path = ["_own"]\n')
        + '[tool.manyshim]\nbackend = "own"\n', {},
        ["build-system.backend-path: move its value to tool.manyshim.backend-path"],
    ),
    "a backend that builds itself": (
        system('"manyshim"', SHIM)
        + '[tool.manyshim]\nbackend = "mesonpy"\nbackend-path = ["."]\n', {}, [],
    ),
    "in-tree": (
        system('"setuptools"', SHIM, 'backend-path = ["backend"]\n'),
        {"copies": (("backend", "same"),)}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "facts", "expected"), COMPLETED.values(), ids=COMPLETED)
def test_a_project_that_uses_manyshim(
    text: str, facts: Dict[str, Any], expected: List[str]
) -> None:
    from manyshim.adopt.edit import by_hand

    found = plan.adopt(project(text, **facts))
    assert list(by_hand(found.changes)) == expected
    assert found.status == ("change" if expected else "done")


def test_a_backend_of_the_project_that_imports_manyshim_stays() -> None:
    text = system('"setuptools", "manyshim"', "own", 'backend-path = ["."]\n')
    for named in (text, text.replace('"own"', '"manyshim_own"')):
        found = plan.adopt(project(named, own_backend="from manyshim.backend import *\n"))
        assert (found.status, found.changes) == ("done", ())


ERRORS = {
    "poetry without a backend": (
        POETRY + '[project]\nname = "a"\n', {}, 'requires = ["poetry-core"]',
    ),
    "meson without a backend": (
        '[project]\nname = "a"\n', {"names": frozenset({"meson.build"})},
        'build-backend = "mesonpy"',
    ),
    "backend-path without manyshim and without a backend": (
        system('"manyshim"', SHIM, 'backend-path = ["lib/manyshim"]\n'), {},
        'build-system.backend-path = ["lib/manyshim"] does not hold manyshim',
    ),
    "build-system is no table": ("build-system = 1\n", C, "build-system in pyproject.toml must be"),
    "requires is no list": ('[build-system]\nrequires = "a"\n', C, "build-system.requires in"),
    "backend is no text": ("[build-system]\nbuild-backend = 1\n", C, "build-backend in pyproject"),
    "pinned setuptools": (system('"setuptools==40.0"', ""), C, "manyshim needs setuptools>=40.8"),
    "old series": (system('"setuptools~=40.6.2"', ""), C, "manyshim needs setuptools>=40.8"),
    "old release": (system('"setuptools==39.*"', ""), C, "manyshim needs setuptools>=40.8"),
    "bound below": (system('"setuptools<40.8"', ""), C, "manyshim needs setuptools>=40.8"),
    "old wheel": (system('"setuptools", "wheel<0.32; python_version>\'3\'"', ""), C, "wheel>=0.32"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "facts", "line"), ERRORS.values(), ids=ERRORS)
def test_errors(text: str, facts: Dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as error:
        plan.adopt(project(text, **facts))
    assert line in str(error.value)


@pytest.mark.parametrize(
    "pin",
    [
        "setuptools==40.8",
        "setuptools<41",
        "setuptools<=40.8.0",
        "wheel<1",
        "setuptools~=40.0",
        "setuptools==40.*",
    ],
)
def test_old_versions_that_are_new_enough(pin: str) -> None:
    assert plan.adopt(project(system(f'"{pin}"'), **C)).status == "change"


def test_a_copy_in_the_project_has_no_bounds() -> None:
    document, _ = made(project(system('"setuptools==39"'), **C), folder="backend")
    assert document["build-system"]["backend-path"] == ["backend"]
    assert document["build-system"]["requires"][-1] == "tomli; python_version < '3.11'"


def test_undo_keeps_other_options() -> None:
    text = system('"a", "manyshim"', SHIM, '[tool.manyshim]\nbackend = "b"\nmode = "off"\n')
    found = undo.undo(project(text))
    assert effect(pyproject.parse(text), found.changes) == {
        "build-system": {"requires": ["a"], "build-backend": "b"},
        "tool": {"manyshim": {"mode": "off"}},
    }
    assert found.notes == ("[tool.manyshim] keeps mode, which `init` did not write",)


def undone(text: str, hint: str = "") -> Dict[str, Any]:
    return effect(pyproject.parse(text), undo.undo(project(text, hint=hint)).changes)


def test_undo_leaves_no_build_without_a_backend() -> None:
    # manyshim brought setuptools.
    assert undone(system('"manyshim"', SHIM)) == {
        "build-system": {"requires": ["setuptools"], "build-backend": "setuptools.build_meta"}
    }


LEGACY_TABLE = '[tool.manyshim]\nbackend = "setuptools.build_meta:__legacy__"\n'


@pytest.mark.parametrize("hint", [plan.NO_SYSTEM, plan.NO_FILE])
def test_undo_keeps_what_the_user_has_added_to_a_new_table(hint: str) -> None:
    text = system('"setuptools", "manyshim", "numpy"', SHIM) + LEGACY_TABLE
    assert undone(text, hint) == {"build-system": {"requires": ["setuptools", "numpy"]}}
    assert undone(system('"setuptools", "manyshim"', SHIM) + LEGACY_TABLE, hint) == {}


def test_undo_keeps_a_backend_that_the_user_has_named_since() -> None:
    text = system('"flit", "manyshim"', SHIM) + '[tool.manyshim]\nbackend = "flit.buildapi"\n'
    assert undone(text, plan.NO_FILE) == {
        "build-system": {"requires": ["flit"], "build-backend": "flit.buildapi"}
    }


def test_a_list_that_is_none_is_an_error() -> None:
    from manyshim.adopt import sdist

    one = project(system('"maturin"', "maturin", '[tool.maturin]\ninclude = "a"\n'))
    with pytest.raises(ConfigError, match=r"tool\.maturin\.include .* must be a list"):
        sdist.included(one, "maturin", "backend")


def test_undo_without_manyshim_changes_nothing() -> None:
    assert undo.undo(project(system('"a"', "mesonpy"))).status == "done"


def test_maturin_is_told_what_is_added() -> None:
    found = plan.adopt(project(system('"maturin"', "maturin")))
    assert any("audits in `maturin build` only" in note for note in found.notes)
