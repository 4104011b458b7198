"""Release keys with real frontends: where they have an effect, and what is said where not.

`python scripts/write_release_keys.py` runs all and writes the table.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

import pytest

import needs
from elfmodel import TARGETS
from frontends import Runner
from manyshim.host import host_arch
from recording import Record
from scopeprojects import (
    COMMANDS,
    DEPENDENCY,
    HELPER,
    MAIN,
    MEMBER,
    WAYS,
    Built,
    Command,
    builds,
    command_line,
    environment_keys,
    keys,
    links,
    variables,
    workspace,
)

pytestmark = pytest.mark.skipif(
    not needs.LINUX or host_arch() not in TARGETS, reason="only wheels for Linux are retagged"
)


VERSIONS = """
from importlib.metadata import version
print(f"pip {version('pip')}, build {version('build')}", end="")
"""


class Case(NamedTuple):
    """A command, the way in which it gets the keys, and whether `project` is one of them."""

    command: Command
    way: str
    named: bool


class Place(NamedTuple):
    """Where the frontends run: the packages, an environment with pip, and a clean environment."""

    links: Path
    wheels: str
    python: str
    clean: Dict[str, str]
    versions: str


@pytest.fixture(scope="module", name="place")
def prepared(
    tmp_path_factory: pytest.TempPathFactory,
    clean_environment: Dict[str, str],
    manyshim_wheels: Path,
    uv: Runner,
    run: Runner,
) -> Place:
    folder = tmp_path_factory.mktemp("scope")
    venv = folder / "venv"
    uv("venv", "--seed", "--python", sys.executable, str(venv))
    python = str(venv / "bin" / "python")
    uv("pip", "install", "--python", python, "build")
    return Place(
        links(folder / "links"),
        str(manyshim_wheels),
        python,
        clean_environment,
        f"{run([python, '-c', VERSIONS]).stdout} and uv {uv('--version').stdout.split()[1]}",
    )


def run_command(place: Place, folder: Path, case: Case, run: Runner) -> Dict[str, Built]:
    """Run a command with release keys; return what it built."""
    passed = keys(named=case.named)
    settings = {f"manyshim.{key}": value for key, value in passed.items()}
    main = workspace(folder, settings if case.way == "[tool.uv]" else {})
    more = environment_keys(named=case.named) if case.way == "environment" else {}
    given = [f"{key}={value}" for key, value in settings.items()] if case.way == "-C" else []
    start(place, main, case.command, run, given, more)
    return builds(folder / "log")


def start(  # noqa: PLR0917 (all that a run consists of)
    place: Place,
    main: Path,
    command: Command,
    run: Runner,
    settings: Sequence[str] = (),
    more: Optional[Dict[str, str]] = None,
    *,
    ok: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a command in the project `main`."""
    folder = main.parent
    environment = variables(place.links, place.wheels, folder, place.clean)
    program = needs.tool("uv", "uv", needs.PYPI) if command.uv else place.python
    line = command_line(command, program, folder / "out", settings)
    env = {**environment, "UV_PYTHON": place.python, **(more or {})}
    return run(line, cwd=main, env=env, ok=ok)


# What becomes of the keys, by project, where none is named.
ASKED, VOID, NONE, EDITABLE = "in effect", "no effect", "not passed", "editable"


def expected(case: Case) -> Dict[str, str]:
    """Return what becomes of the keys in each build."""
    command, way, named = case
    asked = {
        "uv build --package member": [MEMBER],
        "uv build --all-packages": [MAIN, MEMBER],
    }.get(command.name, [MAIN])
    found = dict.fromkeys(asked, ASKED)
    if MAIN in asked:
        found[HELPER] = VOID
    if "build" not in command.name:
        found[DEPENDENCY] = VOID
    if command.name in ("uv sync", "uv run"):
        del found[HELPER]
        found[MAIN] = EDITABLE
        found[HELPER] = VOID
    elif command.name in ("uv sync --no-editable", "uv pip install .") and not named:
        found[MAIN] = VOID
    if not command.uv:
        for name in set(found) - {MAIN}:
            found[name] = NONE if way == "-C" else VOID if named else ASKED
    if named and MEMBER in found:
        found[MEMBER] = VOID
    return found


CASES = [
    Case(command, way, named)
    for command in COMMANDS
    for way in WAYS
    for named in (False, True)
    if command.uv or way != "[tool.uv]"
]
CORE = {
    ("uv build", "-C", False),
    ("uv sync", "[tool.uv]", False),
    ("uv build", "environment", True),
}


def cases() -> List[object]:
    return [
        pytest.param(
            Case(command, way, named),
            id=f"{command.name}-{way}-{'project' if named else 'no project'}",
            marks=() if (command.name, way, named) in CORE else pytest.mark.full,
        )
        for command, way, named in CASES
    ]  # fmt: skip


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if one.name in ("uv build", "uv sync", "pip wheel .")],
    ids=lambda command: str(command.name),
)  # fmt: skip
def test_in_the_table_they_are_an_error(
    place: Place, tmp_path: Path, command: Command, run: Runner
) -> None:
    """Also in an editable installation, so that the first command tells it."""
    done = start(place, workspace(tmp_path, {}, "strict = true"), command, run, ok=False)
    assert done.returncode
    assert "strict = true in [tool.manyshim] would affect everyone" in done.stdout + done.stderr
    assert MAIN not in builds(tmp_path / "log")


FOREIGN = "manylinux_2_28_s390x" if host_arch() != "s390x" else "manylinux_2_28_x86_64"


@pytest.mark.parametrize("command", COMMANDS[:4:3], ids=lambda command: str(command.name))
def test_release_keys_for_another_machine_break_no_installation(
    place: Place, tmp_path: Path, command: Command, run: Runner
) -> None:
    """The build requirement, or the dependency, is installed on this machine."""
    settings = {"manyshim.platform": FOREIGN, "manyshim.compiler": "zig"}
    main = workspace(tmp_path, settings if command.name == "uv sync" else {})
    given = [f"manyshim.platform={FOREIGN}"] if command.name == "uv build" else []
    start(place, main, command, run, given)
    found = builds(tmp_path / "log")
    assert found[HELPER].result == VOID
    assert "platform had no effect on this wheel" in found[HELPER].lines[-1]
    asked = found[MAIN]
    assert asked.kind == "editable" or FOREIGN in asked.lines[0]


@pytest.mark.parametrize("case", cases())
def test_release_keys_stay_with_the_build_that_was_asked_for(
    place: Place, tmp_path: Path, case: Case, run: Runner, record: Record
) -> None:
    found = run_command(place, tmp_path, case, run)
    results = {name: built.result for name, built in found.items()}
    command, way, named = case
    row = {"command": command.name, "way": way, "named": str(named), "results": results}
    said = {name: [*built.lines[:1], *built.lines[-1:]] for name, built in found.items()}
    record("release-keys", **row, said=said, versions=place.versions)
    assert results == expected(case)
    for built in found.values():
        repeated = [line for line in built.lines if "had no effect on this wheel: " in line]
        assert repeated == list(built.lines[-1:] if built.result == VOID else [])
