"""Which backend is wrapped, with the hook caller of pip and build, and what wrong names answer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest
from pyproject_hooks import UnsupportedOperation

import needs
from frontends import Runner
from hookcalls import HOOKS, SOURCES, Project

PURE = "demo-1.0-py3-none-any.whl"

# A wrapped backend, whose hooks import the module `beside` late, and tell where it lies.
OWN = """
import os, sys

def _there(*args, **kwargs):
    import beside
    return os.path.relpath(beside.__file__)

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    import zipfile
    _there()
    with zipfile.ZipFile(os.path.join(wheel_directory, "demo-1.0-py3-none-any.whl"), "w") as file:
        file.writestr("demo/a.py", "")
    return "demo-1.0-py3-none-any.whl"

def get_requires_for_build_wheel(config_settings=None):
    return [_there()]

build_editable = build_sdist = _there
prepare_metadata_for_build_wheel = prepare_metadata_for_build_editable = _there
get_requires_for_build_editable = get_requires_for_build_sdist = get_requires_for_build_wheel
"""

# A hook that packs the whole source tree, under member names that begin with "./".
SDIST = """
def build_sdist(sdist_directory, config_settings=None):
    import subprocess
    command = ["tar", "-czf", "demo-1.0.tar.gz", "--transform", "s,^[.],./demo-1.0,"]
    command += ["./tools", "./pyproject.toml"]
    subprocess.run(command, cwd=sdist_directory, check=True)
    return "demo-1.0.tar.gz"
"""


@pytest.fixture
def project(tmp_path: Path, clean_environment: Dict[str, str]) -> Project:
    return Project(tmp_path, clean_environment)


@pytest.fixture
def in_tree(project: Project) -> Project:
    """Return a project with a backend in the folder packaging, as a package `own.hooks`."""
    for name, text in (("own/__init__.py", ""), ("own/hooks.py", OWN), ("beside.py", "")):
        project.write(f"packaging/{name}", text)
    project.table('mode = "off"\nbackend = "own.hooks"\nbackend-path = ["packaging"]')
    return project


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_finds_a_backend_in_the_source_tree(in_tree: Project, hook: str) -> None:
    found = in_tree.call(hook)
    beside = os.path.join("packaging", "beside.py")
    expected = PURE if hook == "build_wheel" else beside
    assert found[0] == expected if isinstance(found, list) else found == expected
    assert "error" not in in_tree.stderr


def test_several_hooks_of_one_process_change_no_path(in_tree: Project) -> None:
    done = in_tree.python(
        """
        import sys, manyshim.backend as backend
        before = list(sys.path)
        for _ in range(3):
            print(backend.build_editable("x"))
            print(backend.build_wheel("dist", {"manyshim.mode": "off"}))
        assert sys.path == before
        print(sum(type(one).__name__ == "InTreeFinder" for one in sys.meta_path))
        """,
    )
    beside = os.path.join("packaging", "beside.py")
    assert done.stdout.split() == [beside, PURE] * 3 + ["1"], done.stderr


def test_manyshim_and_the_wrapped_backend_may_both_be_in_the_tree(in_tree: Project) -> None:
    copy = in_tree.root / "backend" / "manyshim"
    shutil.copytree(str(SOURCES / "manyshim"), str(copy))
    own = 'mode = "off"\nbackend = "own.hooks"\nbackend-path = ["packaging"]'
    in_tree.table(own, path=["backend"])
    del in_tree.environment["PYTHONPATH"]
    assert in_tree.call("build_wheel") == PURE
    assert in_tree.call("build_editable") == os.path.join("packaging", "beside.py")


def test_a_module_in_the_tree_wins_over_an_installed_one(project: Project) -> None:
    """The folder of a package that is no module of the backend hides nothing."""
    project.write("tools/pytest.py", OWN)
    project.write("tools/beside.py")
    project.write("tools/pluggy/data.txt")
    project.table('backend = "pytest"\nbackend-path = ["tools"]')
    assert project.call("build_editable") == os.path.join("tools", "beside.py")
    done = project.python(
        "import manyshim.backend as b; b.build_editable; import pluggy; print(pluggy.__file__)",
    )
    assert done.stdout.endswith("__init__.py\n"), done.stderr


def test_a_backend_from_another_place_is_refused(project: Project) -> None:
    project.write("tools/own.py", OWN)
    project.write("other/own.py", OWN)
    project.table('backend = "own"\nbackend-path = ["tools"]')
    done = project.python(
        "import sys; sys.path.insert(0, 'other'); import own, manyshim.backend as b; b.build_sdist",
    )
    assert done.returncode == 5
    assert "own comes from" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("hook", HOOKS)
def test_a_missing_module_of_the_tree_is_one_error(project: Project, hook: str) -> None:
    project.write("tools/other.py", OWN)
    project.table('backend = "own.hooks"\nbackend-path = ["tools"]')
    assert project.error(hook, 5).startswith("there is no module own.hooks in [tool.manyshim]")


def test_modules_beside_the_backend_hide_none_that_manyshim_needs(project: Project) -> None:
    sdist = "import os\nimport tarfile as _tree\nbuild_wheel = print\n" + SDIST
    project.write("tools/own.py", sdist)
    project.write("tools/tarfile.py")
    project.table('backend = "own"\nbackend-path = ["tools"]')
    assert project.call("build_sdist") == "demo-1.0.tar.gz"


def test_distributions_in_the_tree_are_found(project: Project) -> None:
    project.write("tools/own.py", OWN)
    project.write("tools/own-3.dist-info/METADATA", "Name: own\nVersion: 3\n")
    project.table('backend = "own"\nbackend-path = ["tools"]')
    done = project.python(
        "import manyshim.backend as b; b.build_sdist\n"
        "from importlib import metadata; print(metadata.version('own'))",
    )
    assert done.stdout == "3\n", done.stderr


@pytest.mark.parametrize("hook", HOOKS)
def test_a_forgotten_backend_is_one_error_in_every_hook(project: Project, hook: str) -> None:
    project.table("mode = 'off'", requires=["manyshim", "meson-python"])
    assert project.error(hook, 2).startswith("meson-python seems to build this project")


@pytest.mark.parametrize("hook", HOOKS)
def test_a_path_without_manyshim_is_one_error_in_every_hook(project: Project, hook: str) -> None:
    """Frontends differ: uv finds manyshim although backend-path does not hold it."""
    project.write("tools/own.py", OWN)
    project.table('backend = "own"', path=["tools"])
    project.frontend = ("manyshim.backend", None)
    assert project.error(hook, 2).startswith("build-system.backend-path = [")


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("hatchling", 'backend = "hatchling.build"'),
        ("os", "os has no hook build_wheel; name a PEP 517 backend"),
        ("os:path", "os:path has no hook build_wheel"),
        ("pdm.backend", 'add "pdm-backend" to build-system.requires'),
        ("meson-python", 'backend = "mesonpy"'),
        ("setuptools.build_meta:other.x", "setuptools.build_meta has no object other.x"),
        (".own", '[tool.manyshim] backend = ".own" is no module'),
        (":own", '[tool.manyshim] backend = ":own" is no module'),
        ("manyshim", "must not be manyshim itself"),
        ("manyshim:backend", "must not be manyshim itself"),
        ("manyshim.backend:build", "must not be manyshim itself"),
        ("setuptools", 'backend = "setuptools.build_meta"'),
    ],
)
def test_a_wrong_backend_is_one_error(
    project: Project, hook: str, backend: str, words: str
) -> None:
    if backend == "hatchling":
        project.write("hatchling.py")
        project.environment["PYTHONPATH"] += os.pathsep + str(project.root)
    project.table(f'backend = "{backend}"')
    error = project.error(hook, 5)
    assert words in error
    assert "Traceback" not in project.stderr


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    ("backend", "code"), [("manyshim", 5), ("manyshim:backend", 2), ("manyshim.backend:backend", 2)]
)
def test_a_wrong_build_backend_is_one_error(
    project: Project, hook: str, backend: str, code: int
) -> None:
    project.table("mode = 'off'", backend)
    assert 'write build-backend = "manyshim.backend"' in project.error(hook, code)
    assert "Traceback" not in project.stderr


def test_the_package_has_the_names_of_the_api_and_no_other(project: Project) -> None:
    done = project.python(
        "import sys, manyshim; print(sorted(n for n in sys.modules if n.startswith('manyshim')), "
        "hasattr(manyshim, 'other'), hasattr(manyshim, '__all__'))\n"
        "from manyshim import backend; print(backend.__name__)",
    )
    assert done.stdout == "['manyshim'] False True\nmanyshim.backend\n", done.stderr


STAR = "from manyshim.backend import *\n"


@pytest.mark.parametrize("code", [STAR, "from manyshim import backend as _b\n{all}"])
def test_a_backend_of_the_project_takes_all_hooks(in_tree: Project, code: str) -> None:
    names = "\n".join(f"{name} = _b.{name}" for name in HOOKS)
    in_tree.write("front/front.py", code.replace("{all}", names))
    own = 'backend = "own.hooks"\nbackend-path = ["packaging"]'
    in_tree.table(own, backend="front", path=["front"])
    for hook in HOOKS:
        assert in_tree.call(hook)


def test_a_star_import_takes_what_the_wrapped_backend_has(project: Project) -> None:
    project.write("tools/own.py", "def build_wheel(): pass\ndef build_sdist(): pass\n")
    project.table('backend = "own"\nbackend-path = ["tools"]')
    done = project.python(f"{STAR}print(*sorted(n for n in dir() if n[0] != '_'))")
    names = ["build_sdist", "build_wheel", "get_requires_for_build_wheel"]
    assert done.stdout.split() == names


TAKING = """
import manyshim.backend as b
build_wheel = b.build_wheel
class inner: build_wheel = b.build_wheel
"""
CALLING = """
def build_wheel(*args):
    from manyshim import backend
    return backend.build_wheel(*args)
class inner: build_wheel = staticmethod(build_wheel)
"""


@pytest.mark.parametrize(
    ("code", "backend"),
    [
        (STAR, "front"),
        (STAR, "front:inner"),
        (TAKING, "front:inner"),
        (CALLING, "front:inner"),
    ],
)
def test_a_backend_that_wraps_itself_is_one_error(
    project: Project, code: str, backend: str
) -> None:
    project.write("front/front.py", code)
    project.table(f'backend = "{backend}"', backend="front", path=["front"])
    with pytest.raises(subprocess.CalledProcessError):
        project.call("build_wheel")
    assert "Traceback" not in project.stderr
    assert project.stderr.count("manyshim: error: ") == 1
    assert re.search("wraps? itself", project.stderr)


RECURSING = """
from manyshim import backend as _b

def _calling(name):
    return lambda *args: getattr(_b, name)(*args)

class inner:
    pass

for _name in {}:
    globals()[_name] = _calling(_name)
    setattr(inner, _name, staticmethod(globals()[_name]))
"""


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_calls_itself_is_one_error(project: Project, hook: str) -> None:
    project.write("front/front.py", RECURSING.format(HOOKS))
    project.table('backend = "front:inner"', backend="front", path=["front"])
    assert project.error(hook, 5).startswith(f"front:inner calls manyshim.backend.{hook}, so it")


REFUSING = """
class UnsupportedOperation(Exception): pass
def refuse(*args, **kwargs): raise UnsupportedOperation("no sdist")
build_sdist = build_wheel = build_editable = refuse
get_requires_for_build_sdist = refuse
"""


@pytest.mark.parametrize("front", ["manyshim.backend", "front"])
def test_an_unsupported_operation_is_what_the_frontend_asks_for(
    project: Project, front: str
) -> None:
    project.write("tools/own.py", REFUSING)
    project.write("front/front.py", STAR)
    path = ["front"] if front == "front" else None
    project.table('backend = "own"\nbackend-path = ["tools"]', front, path)
    with pytest.raises(UnsupportedOperation) as caught:
        project.call("build_sdist")
    assert "no sdist" in str(caught.value.traceback)
    # pyproject_hooks handles it for sdists only; the others end as they do without manyshim.
    for hook in ("build_wheel", "build_editable", "get_requires_for_build_sdist"):
        with pytest.raises(subprocess.CalledProcessError):
            project.call(hook)
        assert project.stderr.endswith("own.UnsupportedOperation: no sdist\n")
        assert "manyshim: error" not in project.stderr


def test_a_backend_without_unsupported_operation_fails_as_alone(project: Project) -> None:
    code = "def build_sdist(*args): raise ValueError('why')\nbuild_wheel = build_sdist\n"
    project.write("tools/own.py", code)
    project.table('backend = "own"\nbackend-path = ["tools"]')
    with pytest.raises(subprocess.CalledProcessError):
        project.call("build_sdist")
    assert project.stderr.endswith("\nValueError: why\n")


FRONTENDS = {
    "uv": ["uv", "build", "--wheel", "--no-build-isolation", "--python", sys.executable],
    "build": [sys.executable, "-m", "build", "--wheel", "--no-isolation"],
    "pip": [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps"],
}


@pytest.mark.parametrize("frontend", FRONTENDS)
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["manyshim"], 'write build-backend = "manyshim.backend"'),
        (["manyshim:backend"], 'write build-backend = "manyshim.backend"'),
        (["manyshim.backend", 'backend = "os"'], "os has no hook build_wheel"),
        (["manyshim.backend"], "meson-python seems to build this project"),
    ],
)
def test_frontends_show_the_error_once(
    project: Project, run: Runner, frontend: str, names: List[str], words: str
) -> None:
    needs.module("build")
    needs.module("pip")
    uv = needs.tool("uv", "uv", needs.PYPI)
    project.write("meson.build")
    backend, *own = names
    project.table("".join(own), backend)
    # pip allows constraints only for builds that it isolates.
    project.environment.pop("PIP_BUILD_CONSTRAINT", None)
    first, *rest = FRONTENDS[frontend]
    command = [uv if first == "uv" else first, *rest, str(project.root)]
    done = run(command, env=project.environment, cwd=project.root, ok=False)
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert output.count(words) == 1, output
    assert "AttributeError" not in output
