"""Each mistake of a project that adopts manyshim has one clear answer."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import pytest
from pyproject_hooks import BackendUnavailable

import mistakes
import needs
from frontends import Runner
from hookcalls import SOURCES, Project
from manyshim.host import host_arch
from mistakes import Mistake

WHEEL = "demo-1.0-py3-none-any.whl"


class Adopter(Project):
    """A project with a mistake, that is built as frontends do."""

    def __init__(self, root: Path, environment: Mapping[str, str], mistake: Mistake) -> None:
        super().__init__(root, {**environment, **mistake.environ})
        self.mistake = mistake
        self.frontend = (mistake.frontend, mistake.path)
        self.write("pyproject.toml", mistake.text)
        for name, text in mistake.files.items():
            self.write(name, text)
        self.target = root / "target"
        self.target.mkdir()

    def wheel(self) -> Any:
        """Build a wheel: ask for its requirements first."""
        self.hooks.get_requires_for_build_wheel(self.mistake.settings)
        return self.hooks.build_wheel(str(self.target), self.mistake.settings)

    def sdist(self) -> Any:
        self.hooks.get_requires_for_build_sdist()
        return self.hooks.build_sdist(str(self.target))

    def lines(self) -> List[str]:
        return [line for line in self.stderr.splitlines() if line.startswith("manyshim: ")]


def rows(table: Mapping[str, Mistake]) -> List[Any]:
    return [pytest.param(mistake, id=name) for name, mistake in table.items()]


@pytest.fixture
def adopter(
    tmp_path: Path, clean_environment: Dict[str, str], request: pytest.FixtureRequest
) -> Adopter:
    return Adopter(tmp_path, clean_environment, request.param)


def test_there_are_thirty_mistakes_or_more() -> None:
    tables = (mistakes.ERRORS, mistakes.LINES, mistakes.OF_THE_BACKEND, mistakes.UNREAD)
    assert sum(map(len, tables)) > 30


@pytest.mark.parametrize("adopter", rows(mistakes.ERRORS), indirect=True)
def test_a_mistake_is_one_error(adopter: Adopter) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        adopter.wheel()
    _is_the_one_error(adopter, caught.value.returncode)


# A frontend passes settings and variables to these hooks, too, but they have an effect on wheels
# only. The last row is about a wheel.
@pytest.mark.parametrize(
    "adopter",
    rows(
        {
            name: mistake
            for name, mistake in mistakes.ERRORS.items()
            if not mistake.settings
            and not mistake.environ
            and "build_wheel(*args): " not in str(mistake)
        }
    ),
    indirect=True,
)
def test_it_is_the_same_for_an_sdist(adopter: Adopter) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        adopter.sdist()
    _is_the_one_error(adopter, caught.value.returncode)


def _is_the_one_error(adopter: Adopter, code: int) -> None:
    assert code in (2, 5)
    (line,) = adopter.lines()
    assert line.startswith("manyshim: error: ")
    # Nothing precedes it, such as a traceback.
    assert adopter.stderr.startswith(line)
    for words in adopter.mistake.words:
        assert words in adopter.stderr
    assert list(adopter.target.iterdir()) == []


@pytest.mark.parametrize("adopter", rows(mistakes.LINES), indirect=True)
def test_a_mistake_is_one_line(adopter: Adopter) -> None:
    needs.module("setuptools")
    assert adopter.wheel() == WHEEL
    (line,) = adopter.lines()
    assert "error" not in line
    for words in adopter.mistake.words:
        assert words in line


@pytest.mark.parametrize("adopter", rows(mistakes.OF_THE_BACKEND), indirect=True)
def test_an_error_of_the_wrapped_backend_passes(adopter: Adopter) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        adopter.wheel()
    assert caught.value.returncode == 1
    assert adopter.lines() == []
    (words,) = adopter.mistake.words
    assert adopter.stderr.endswith(words)
    assert list(adopter.target.iterdir()) == []


def test_an_import_that_fails_is_printed_without_our_calls(
    tmp_path: Path, clean_environment: Dict[str, str]
) -> None:
    codes = {
        "def build_wheel(:\n": "cannot be imported: invalid syntax",
        "import no_such\n": "cannot be imported; add its requirements to build-system.requires: No",
    }
    for number, (code, words) in enumerate(codes.items()):
        root = tmp_path / str(number)
        adopter = Adopter(root, clean_environment, mistakes.own(code))
        with pytest.raises(subprocess.CalledProcessError):
            adopter.wheel()
        (line,) = adopter.lines()
        assert words in line
        assert 'own.py", line 1' in adopter.stderr
        assert str(SOURCES) not in adopter.stderr


def test_a_setup_py_that_imports_its_neighbour_gets_a_hint(
    tmp_path: Path, clean_environment: Dict[str, str]
) -> None:
    needs.module("setuptools")
    mistake = Mistake(mistakes.system(), (), {"setup.py": "import helper\n", "helper.py": ""})
    adopter = Adopter(tmp_path, clean_environment, mistake)
    with pytest.raises(subprocess.CalledProcessError):
        adopter.wheel()
    (line,) = adopter.lines()
    assert 'Write [tool.manyshim] backend = "setuptools.build_meta:__legacy__"' in line


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("caf\xe9".encode("latin-1"), "line 2 is not UTF-8; save the file as UTF-8"),
        (None, "pyproject.toml cannot be read: Is a directory"),
    ],
)
def test_a_file_that_is_no_toml_is_one_error(
    tmp_path: Path, clean_environment: Dict[str, str], data: Optional[bytes], words: str
) -> None:
    adopter = Adopter(tmp_path, clean_environment, Mistake("", (words,)))
    path = tmp_path / "pyproject.toml"
    path.unlink()
    if data is None:
        path.mkdir()
    else:
        path.write_bytes(b"[project]\n# " + data)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        adopter.wheel()
    _is_the_one_error(adopter, caught.value.returncode)


@pytest.mark.skipif(not needs.LINUX, reason="the policies are Linux's")
@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("formats", "this copy of manyshim is incomplete: No module named 'manyshim.formats'"),
        ("audit/data", "this copy of manyshim is incomplete: it has no audit/data/manylinux.txt"),
    ],
)
def test_a_copy_without_all_files_is_one_error(
    tmp_path: Path, clean_environment: Dict[str, str], lost: str, words: str
) -> None:
    text = mistakes.system(more='backend-path = ["lib"]\n')
    text += f'[tool.manyshim]\nplatform = "manylinux_2_28_{host_arch()}"\n'
    text += 'backend = "own"\nbackend-path = ["tools"]\n'
    files = {"tools/own.py": mistakes.OWN_BACKEND}
    adopter = Adopter(tmp_path, clean_environment, Mistake(text, (), files, path=["lib"]))
    del adopter.environment["PYTHONPATH"]
    copy = tmp_path / "lib" / "manyshim"
    shutil.copytree(str(SOURCES / "manyshim"), str(copy))
    shutil.rmtree(str(copy / lost))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        adopter.wheel()
    assert caught.value.returncode in (4, 5)
    (line,) = adopter.lines()
    assert line == f"manyshim: error: {words}; copy the whole folder"
    assert "Traceback" not in adopter.stderr
    assert list(adopter.target.iterdir()) == []


def command(adopter: Adopter, name: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "manyshim", name, str(adopter.root)]
    return subprocess.run(
        arguments, env=adopter.environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("adopter", rows(mistakes.UNREAD), indirect=True)
def test_a_name_that_no_frontend_finds_is_told_by_the_command_line(adopter: Adopter) -> None:
    needs.module("tomlkit")
    with pytest.raises((BackendUnavailable, subprocess.CalledProcessError)):
        adopter.wheel()
    assert adopter.lines() == []
    reported = command(adopter, "config").stderr
    assert reported.count("manyshim: ") == 1
    for words in adopter.mistake.words:
        assert words in reported
    (adopter.root / "demo.pyx").touch()
    proposed = command(adopter, "init")
    assert proposed.returncode == 0, proposed.stderr
    added = [line for line in proposed.stdout.splitlines() if line.startswith("+")]
    assert added == ["+++ b/pyproject.toml", '+build-backend = "manyshim.backend"']


MISSING = mistakes.system(requires="") + mistakes.PROJECT
PLACES = {
    "nowhere": "",
    "dependencies": 'dependencies = ["manyshim"]\n',
    "groups": '[dependency-groups]\ndev = ["manyshim"]\n',
}
FRONTENDS: Dict[str, Tuple[str, ...]] = {
    "uv": ("uv", "build", "--wheel", "--python", sys.executable),
    "build": (sys.executable, "-m", "build", "--wheel"),
    "pip": (sys.executable, "-m", "pip", "wheel", "--no-deps"),
}


def build(
    run: Runner, adopter: Adopter, frontend: str, isolation: str = ""
) -> subprocess.CompletedProcess[str]:
    needs.module("build")
    needs.module("pip")
    uv = needs.tool("uv", "uv", needs.PYPI)
    first, *more = FRONTENDS[frontend]
    environment = {**adopter.environment}
    if isolation:
        more.append(isolation)
        # pip allows constraints only for builds that it isolates.
        environment.pop("PIP_BUILD_CONSTRAINT", None)
    else:
        # The build has nothing but what it requires.
        del environment["PYTHONPATH"]
    command = [uv if first == "uv" else first, *more, str(adopter.root)]
    done = run(command, env=environment, cwd=adopter.root, ok=False)
    assert done.returncode != 0
    assert list(adopter.root.glob("**/*.whl")) == []
    return done


@pytest.mark.parametrize("frontend", FRONTENDS)
@pytest.mark.parametrize("adopter", [Mistake(MISSING, ())], indirect=True)
def test_a_frontend_tells_that_manyshim_is_not_required(
    adopter: Adopter, run: Runner, frontend: str
) -> None:
    done = build(run, adopter, frontend)
    # The last pip for Python 3.8 ends with this exception.
    assert re.search("No module named 'manyshim'|BackendUnavailable", done.stdout + done.stderr)


@pytest.mark.parametrize("frontend", FRONTENDS)
@pytest.mark.parametrize("adopter", [mistakes.ERRORS["two lines build-backend"]], indirect=True)
def test_a_frontend_tells_of_broken_toml(adopter: Adopter, run: Runner, frontend: str) -> None:
    done = build(run, adopter, frontend)
    assert re.search(r"at line 4, column \d", done.stdout + done.stderr)


ISOLATION = {"uv": "--no-build-isolation", "build": "--no-isolation", "pip": "--no-build-isolation"}


@pytest.mark.parametrize("frontend", FRONTENDS)
@pytest.mark.parametrize(
    "adopter",
    [
        mistakes.ERRORS["strict in the table"],
        mistakes.ERRORS["the package as build-backend"],
        # `uv build --no-build-isolation` uses what is installed, whatever `requires` says.
        mistakes.ERRORS["a requirement that is missing"],
    ],
    ids=["strict", "package", "requirement"],
    indirect=True,
)
def test_frontends_show_the_one_error(adopter: Adopter, run: Runner, frontend: str) -> None:
    done = build(run, adopter, frontend, ISOLATION[frontend])
    output = done.stdout + done.stderr
    assert output.count("manyshim: error: ") == 1
    for words in adopter.mistake.words:
        assert words in output
    assert str(SOURCES) not in output, "it shows a traceback"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("adopter", [Mistake(MISSING, ())], indirect=True)
def test_the_command_line_tells_that_manyshim_is_not_required(adopter: Adopter, place: str) -> None:
    needs.module("tomlkit")
    adopter.write("pyproject.toml", MISSING + PLACES[place])
    reported = command(adopter, "config").stderr
    assert reported == (
        'manyshim: build-system.requires lacks "manyshim", and builds install nothing else\n'
    )
    (adopter.root / "demo.pyx").touch()
    assert '+requires = ["manyshim"]' in command(adopter, "init").stdout


@pytest.mark.parametrize(
    ("requires", "lacks"), [('"manyshim"', ["meson-python"]), ('"manyshim", "meson-python"', [])]
)
def test_the_command_line_tells_of_a_backend_that_is_not_required(
    tmp_path: Path, clean_environment: Dict[str, str], requires: str, lacks: List[str]
) -> None:
    text = mistakes.system(requires=requires) + '[tool.manyshim]\nbackend = "mesonpy"\n'
    reported = command(Adopter(tmp_path, clean_environment, Mistake(text, ())), "config").stderr
    assert [f'build-system.requires lacks "{name}"' in reported for name in lacks] == [True] * len(
        lacks
    )
    assert reported.count("manyshim: ") == len(lacks)


@pytest.mark.parametrize(
    "adopter",
    [Mistake(mistakes.system("mesonpy") + '[tool.manyshim]\nplatform = "auto"\n', ())],
    indirect=True,
)
def test_the_command_line_tells_of_a_table_that_nobody_reads(adopter: Adopter) -> None:
    reported = command(adopter, "config").stderr
    assert (
        'build-backend is "mesonpy", so no build reads these options; `manyshim init` ' in reported
    )
