"""Shells complete command lines with our scripts, and `manyshim completion` prints these."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List
from zipfile import ZipFile

import pytest

import needs
from commandline import run
from manyshim.cli.arguments import SHELLS
from manyshim.cli.commands import COMMANDS
from manyshim.cli.completion import FILES
from paths import BACKEND
from shells import COMPLETIONS

SCRIPTS = BACKEND / "manyshim" / "cli" / "completions"
# In a wheel, and where a shell finds its script after the installation.
INSTALLED = {
    "bash": "share/bash-completion/completions/manyshim",
    "zsh": "share/zsh/site-functions/_manyshim",
    "fish": "share/fish/vendor_completions.d/manyshim.fish",
}
FORMATS = ["github", "json", "junit", "sarif", "text"]
# What completes a command line in a folder with a wheel, an sdist, a text and a folder.
LINES: Dict[str, List[str]] = {
    "manyshim ": sorted(COMMANDS),
    "manyshim ex": ["explain"],
    "manyshim --ver": ["--version"],
    "manyshim -q re": ["release", "repair", "retag"],
    "manyshim show --fo": ["--format"],
    "manyshim show --format ": FORMATS,
    "manyshim show --format j": ["json", "junit"],
    "manyshim show ": ["a.whl", "sub"],
    "manyshim show a.whl ": ["a.whl", "sub"],
    "manyshim show --strict ": ["a.whl", "sub"],
    "manyshim show --format json ": ["a.whl", "sub"],
    "manyshim show --platform musl": ["musllinux_1_1", "musllinux_1_2"],
    "manyshim check ": ["a.whl", "b.tar.gz", "sub"],
    "manyshim check --allow TOO_": ["TOO_LARGE:", "TOO_NEW:"],
    "manyshim check --like ": ["a.whl", "b.tar.gz", "notes.txt", "sub"],
    "manyshim retag -w ": ["sub"],
    "manyshim retag --wheel-dir s": ["sub"],
    "manyshim repair --fix ": ["execstack", "musl-soname", "rpath"],
    "manyshim repair --sysroot ": ["sub"],
    "manyshim init ": ["sub"],
    "manyshim ci g": ["github", "gitlab"],
    "manyshim ci github ": ["sub"],
    "manyshim explain RPA": ["RPATH_LEAK"],
    "manyshim explain TOO_NEW RPA": ["RPATH_LEAK"],
    "manyshim config -C manyshim.stri": ["manyshim.strict=", "manyshim.strip="],
    "manyshim policies --arch s": ["s390x"],
    "manyshim completion ": sorted(SHELLS),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("completion")
    for name in ("a.whl", "b.tar.gz", "notes.txt"):
        (made / name).touch()
    (made / "sub").mkdir()
    (made / "sub" / "c.whl").touch()
    return made


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(shell: str, line: str, folder: Path) -> None:
    found = COMPLETIONS[shell](SCRIPTS / FILES[shell], line, folder)
    assert sorted({one.rstrip("/") for one in found}) == LINES[line]


@pytest.mark.parametrize(
    ("shell", "line"),
    # bash has three words. The replies of fish have the option, too.
    [("bash", "manyshim show --format = j"), ("zsh", "manyshim show --format=j")],
)
def test_a_value_may_be_in_the_word_of_its_option(shell: str, line: str, folder: Path) -> None:
    found = COMPLETIONS[shell](SCRIPTS / FILES[shell], line, folder)
    assert sorted(found) == ["json", "junit"]


def test_fish_completes_a_value_in_the_word_of_its_option(folder: Path) -> None:
    found = COMPLETIONS["fish"](SCRIPTS / "manyshim.fish", "manyshim show --format=j", folder)
    assert sorted(found) == ["--format=json", "--format=junit"]


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_but_options_follows_the_last_argument(shell: str, folder: Path) -> None:
    found = COMPLETIONS[shell](SCRIPTS / FILES[shell], "manyshim completion bash ", folder)
    assert [one for one in found if not one.startswith("-")] == []


def test_a_name_with_a_space_is_one_completion(tmp_path: Path) -> None:
    (tmp_path / "a b.whl").touch()
    found = COMPLETIONS["bash"](SCRIPTS / "manyshim", "manyshim show a", tmp_path)
    assert found == ["a b.whl"]


@pytest.mark.parametrize(
    ("shell", "arguments"), [("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])]
)
def test_a_shell_accepts_its_script(shell: str, arguments: List[str]) -> None:
    command = [needs.tool(shell, shell), *arguments, str(SCRIPTS / FILES[shell])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_bash_leaves_the_functions_of_other_programs_alone() -> None:
    command = [needs.tool("bash", "bash"), "--norc", "-c", 'source "$1"; declare -F', "bash"]
    done = subprocess.run(
        [*command, str(SCRIPTS / "manyshim")], capture_output=True, text=True, check=True, env={}
    )
    names = [line.split()[-1] for line in done.stdout.splitlines()]
    assert names
    assert not [one for one in names if not one.startswith(("_manyshim", "_shtab_manyshim"))]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_the_command_prints_the_script(shell: str, quiet: List[str]) -> None:
    done = run("completion", shell, *quiet)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (SCRIPTS / FILES[shell]).read_text(encoding="utf-8")


def test_the_command_prints_json() -> None:
    data = json.loads(run("completion", "fish", "--json").stdout)
    script = (SCRIPTS / "manyshim.fish").read_text(encoding="utf-8")
    assert data == {"version": 2, "shell": "fish", "script": script}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_lines_of_the_help_enable_it(shell: str, tmp_path: Path) -> None:
    """Each shell runs its line, with a `manyshim` on PATH that is this one."""
    lines = run("completion", "--help").stdout.splitlines()
    (line,) = (one for one in lines if f"manyshim completion {shell}" in one and one[-1] in '"e')
    program = tmp_path / "manyshim"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m manyshim "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    check = {
        "bash": "complete -p manyshim",
        "zsh": "print $_comps[manyshim]",
        "fish": "complete -C 'manyshim expl'",
    }[shell]
    before = "autoload -Uz compinit; compinit -u -D; " if shell == "zsh" else ""
    quiet = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}[shell]
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(BACKEND),
        "TERM": "dumb",
    }
    done = subprocess.run(
        [needs.tool(shell, shell), quiet, "-c", f"{before}{line}\n{check}"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stderr == ""
    assert done.stdout.strip().startswith(
        {"bash": "complete -o bashdefault", "zsh": "_shtab_manyshim", "fish": "explain"}[shell]
    )


def test_a_copy_without_scripts_says_what_it_lacks(tmp_path: Path) -> None:
    """Commands other than `completion` need no scripts."""
    ignored = shutil.ignore_patterns("__pycache__", "completions")
    shutil.copytree(str(BACKEND / "manyshim"), str(tmp_path / "manyshim"), ignore=ignored)
    done = run("completion", "zsh", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "manyshim: error: this copy of manyshim is incomplete: it has no "
        "cli/completions/_manyshim; copy the whole folder\n"
    )
    assert run("explain", "TOO_NEW", PYTHONPATH=str(tmp_path)).returncode == 0


def test_the_wheel_has_what_shells_and_man_look_for(manyshim_wheels: Path) -> None:
    (wheel,) = manyshim_wheels.glob("manyshim-*.whl")
    with ZipFile(str(wheel)) as archive:
        names = archive.namelist()
        (data,) = {name.partition("/")[0] for name in names if name.endswith("/man1/manyshim.1")}
        for shell, path in INSTALLED.items():
            script = (SCRIPTS / FILES[shell]).read_bytes()
            assert archive.read(f"{data}/data/{path}") == script
            assert archive.read(f"manyshim/cli/completions/{FILES[shell]}") == script
        page = archive.read(f"{data}/data/share/man/man1/manyshim.1")
    assert page == (BACKEND / "manyshim.1").read_bytes()
    assert "manyshim.1" not in names
    assert run("check", wheel).returncode == 0
