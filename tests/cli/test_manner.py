"""How the command line prints: help, colours, -q; and that its help needs no audit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import pytest

import needs
from commandline import run
from elfwriter import Elf, Symbol, write
from manyshim.audit.policy import policies_of, read_data
from manyshim.audit.systems import distributions
from manyshim.audit.tags import ARCHES, GLIBC, MUSL, NEWEST
from manyshim.cli import arguments
from manyshim.cli.commands import COMMANDS
from manyshim.cli.manner import colors_of_help, wants_color
from manyshim.cli.parser import complete
from manyshim.cli.screen import errors_only
from manyshim.formatters.text import Line
from manyshim.toolchain import target
from wheelwriter import save, wheel, wheel_name

EXTENSION = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INIT = Symbol("PyInit__x", defined=True)
GOOD = "cp311-cp311-manylinux_2_5_x86_64"


def make(folder: Path, tag: str = GOOD, needed: Sequence[str] = ("libc.so.6",)) -> Path:
    folder.mkdir(exist_ok=True)
    files = {"demo/__init__.py": b"", EXTENSION: write(Elf(needed=tuple(needed), symbols=(INIT,)))}
    return save(folder, wheel(files, tag=tag), wheel_name(tag=tag))


# Help.


def test_without_a_command_the_help_is_on_standard_error_as_with_uv_and_ruff() -> None:
    bare, asked = run(), run("--help")
    assert (bare.returncode, bare.stdout) == (2, "")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert bare.stderr == asked.stdout
    for tool in ("uv", "ruff"):
        done = subprocess.run(
            [needs.tool(tool, tool, needs.PYPI)], capture_output=True, check=False
        )
        assert (done.returncode, done.stdout, bool(done.stderr)) == (2, b"", True)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", ["60", "100"])
def test_the_help_of_a_command(command: str, width: str) -> None:
    done = run(command, "--help", COLUMNS=width)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: manyshim {command} [OPTIONS]")
    example = f"  manyshim {command} {COMMANDS[command].example}"
    assert done.stdout.splitlines()[-1] == example
    assert max(map(len, done.stdout.splitlines())) <= max(int(width), len(example))
    assert run("help", command, COLUMNS=width).stdout == done.stdout
    assert run(command, "x", "--frob", "-h", COLUMNS=width).stdout == done.stdout


@pytest.mark.parametrize(
    ("line", "same"),
    [
        (["explain", "-qh"], ["explain", "-h"]),
        (["completion", "-hq", "bash"], ["completion", "-h"]),
        (["-qh", "policies"], ["policies", "-h"]),
        (["show", "-qvh", "a.whl"], ["show", "-h"]),
        (["-qh"], ["-h"]),
    ],
)
def test_the_help_may_be_in_one_word_with_other_options(line: List[str], same: List[str]) -> None:
    done, alone = run(*line), run(*same)
    assert (done.returncode, done.stdout, done.stderr) == (0, alone.stdout, "")


def test_a_value_in_one_word_with_its_option_does_not_ask_for_the_help(tmp_path: Path) -> None:
    assert run("repair", f"-w{tmp_path}/h", "a.whl").returncode == 3


def test_the_help_of_check_has_its_exit_codes() -> None:
    text = " ".join(run("check", "--help").stdout.split())
    assert "exit codes: 0 all can be uploaded; 1 a file is not compliant, or the release" in text


def test_the_help_of_all_commands_is_a_parser_for_other_tools() -> None:
    parsed = complete().parse_args(["repair", "x.whl", "-w", "out", "-q"])
    assert (parsed.command, parsed.wheels, parsed.quiet) == ("repair", ["x.whl"], True)


@pytest.mark.parametrize(
    "line", [["--version"], ["--help"], [], *([name, "--help"] for name in COMMANDS)]
)
def test_help_and_version_load_no_audit(line: List[str]) -> None:
    code = (
        "import sys; from manyshim.cli.main import main\n"
        "main(sys.argv[1:])\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *line]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = done.stderr.splitlines()[-1].split()
    assert ("manyshim.cli.parser" in loaded) == (line != ["--version"])
    heavy = ("manyshim.audit", "manyshim.formats", "manyshim.adopt", "manyshim.cli.screen")
    assert not [name for name in loaded if name.startswith((*heavy, "rich", "tomlkit"))]


def test_the_architectures_of_the_help_are_those_of_the_audit() -> None:
    assert tuple(sorted(ARCHES)) == arguments.ARCHES


def test_options_may_be_between_the_wheels(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a"), make(tmp_path / "b")
    done = run("show", first, "--json", second)
    assert [one["tag"] for one in json.loads(done.stdout)["wheels"]] == ["manylinux_2_5_x86_64"] * 2


def test_a_name_with_a_hyphen_follows_two() -> None:
    done = run("show", "--", "--json")
    assert done.stderr.startswith("manyshim: error: --json: no such file")


# The newest libc.


def test_no_libc_in_the_data_is_newer_than_the_newest() -> None:
    names = read_data("glibc-names.txt").replace("=", " ").replace(";", " ").split()
    nodes = [name[len("GLIBC_") :] for name in names if name.startswith("GLIBC_2.")]
    known = [tuple(map(int, node.split("."))) for node in nodes]
    listed = [one.version for arch in ARCHES for one in policies_of(GLIBC, arch).listed]
    assert max((*known, *listed, *(one.glibc for one in distributions()))) <= NEWEST[GLIBC]
    assert NEWEST[GLIBC] >= target._NEWEST_GLIBC  # noqa: SLF001
    assert policies_of(MUSL, "x86_64").listed[-1].version == NEWEST[MUSL]


@pytest.mark.parametrize("platform", ["manylinux_2_43", "manylinux_2_44_x86_64", "musllinux_1_2"])
def test_policies_between_and_after_the_listed_ones_are_taken(
    platform: str, tmp_path: Path
) -> None:
    assert run("show", make(tmp_path), "--platform", platform).returncode == 0


def test_a_platform_of_an_image_that_does_not_exist_is_ignored(tmp_path: Path) -> None:
    path = make(tmp_path / "in")
    done = run("retag", path, "-w", tmp_path / "out", AUDITWHEEL_PLAT="manylinux_2_99_x86_64")
    line = "manyshim: AUDITWHEEL_PLAT=manylinux_2_99_x86_64 is not a policy; it is ignored\n"
    assert (done.returncode, done.stderr) == (0, line)


# Colours.

COLORS: List[Tuple[str, Dict[str, str], bool, bool]] = [
    ("auto", {}, True, True),
    ("auto", {}, False, False),
    ("auto", {"NO_COLOR": "1"}, True, False),
    ("auto", {"NO_COLOR": ""}, True, True),
    ("auto", {"FORCE_COLOR": "1"}, False, True),
    ("auto", {"FORCE_COLOR": ""}, False, False),
    ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ("always", {"NO_COLOR": "1"}, False, True),
    ("never", {"FORCE_COLOR": "1"}, True, False),
]


@pytest.mark.parametrize(("choice", "environ", "terminal", "expected"), COLORS)
def test_what_decides_about_colours(
    choice: str,
    environ: Dict[str, str],
    terminal: bool,  # noqa: FBT001
    expected: bool,  # noqa: FBT001
) -> None:
    assert wants_color(choice, environ, terminal=terminal) is expected


@pytest.mark.parametrize("position", [0, 1, 2])
def test_color_may_be_before_and_after_the_command(position: int, tmp_path: Path) -> None:
    needs.module("rich")
    path = make(tmp_path)
    line: List[object] = ["show", path]
    always = [*line[:position], "--color", "always", *line[position:]]
    never = [*line[:position], "--color=never", *line[position:]]
    assert "\x1b[" in run(*always, NO_COLOR="1", TERM="dumb").stdout
    assert "\x1b[" not in run(*never, FORCE_COLOR="1", TERM="xterm").stdout
    assert "\x1b[" not in run(*always, "--json").stdout


def test_the_last_color_counts(tmp_path: Path) -> None:
    done = run("--color", "always", "show", make(tmp_path), "--color", "never")
    assert "\x1b[" not in done.stdout


WITHOUT_RICH = (
    "import sys; sys.modules['rich'] = None; from manyshim.cli.main import main\n"
    "sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize(("color", "lines"), [("always", 1), ("auto", 0), ("never", 0)])
def test_without_rich_always_says_what_it_needs(color: str, lines: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_RICH, "show", str(make(tmp_path)), "--color", color]
    environment = {**os.environ, "FORCE_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    line = "manyshim: --color always needs rich: pip install 'manyshim[cli]'\n"
    assert done.stderr == line * lines
    assert "\x1b[" not in done.stdout


@pytest.mark.parametrize(("choice", "seen"), [("always", "1"), ("never", "0"), ("auto", "before")])
def test_argparse_of_newer_pythons_follows(
    choice: str, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_COLORS", "before")
    with colors_of_help(choice):
        assert os.environ["PYTHON_COLORS"] == seen
    assert os.environ["PYTHON_COLORS"] == "before"


@pytest.mark.skipif(sys.version_info < (3, 14), reason="argparse has no colours")
def test_the_help_has_the_colours_that_are_asked_for() -> None:
    assert "\x1b[" in run("show", "--help", "--color", "always", NO_COLOR="1").stdout
    assert "\x1b[" not in run("--color", "never", "show", "--help", FORCE_COLOR="1").stdout


# Only errors.

ROLES: Dict[str, Tuple[Tuple[str, ...], Tuple[str, ...], List[int]]] = {
    "a wheel without errors": (("title", "tag", "", "warning", "dim", "policy", ""), (), []),
    "with its tag": (("title", "tag", "", "warning", "dim", "policy"), ("title", "tag"), [0, 1]),
    "an error names its wheel": (("title", "dim", "error", "dim", "warning"), (), [0, 2, 3]),
    "a file of a release": (("error", "error", "dim", "", "warning", "dim"), (), [0, 1, 2, 3]),
    "an ok line and a summary": (("tag", "warning", "dim", "tag"), (), []),
    "an error after a warning": (("title", "warning", "dim", "error", "dim"), (), [0, 3, 4]),
    "a failure": (("failure",), (), [0]),
}


@pytest.mark.parametrize("case", ROLES)
def test_the_lines_that_quiet_keeps(case: str) -> None:
    roles, kept, expected = ROLES[case]
    lines = [Line(str(number), role) for number, role in enumerate(roles)]
    assert [int(line.text) for line in errors_only(lines, kept)] == expected


def test_quiet_prints_nothing_where_all_is_fine(tmp_path: Path) -> None:
    path = make(tmp_path / "dist")
    assert "ok" in run("check", path).stdout
    for line in (["-q", "check", path], ["check", "--quiet", path], ["policies", "-q"]):
        done = run(*line)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run("retag", path, "-w", tmp_path / "out", "-q", AUDITWHEEL_PLAT="x")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_quiet_show_prints_names_and_tags(tmp_path: Path) -> None:
    path = make(tmp_path)
    done = run("show", "-q", path, "--exclude", "libc.so")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        path.name,
        "  manylinux1_x86_64 manylinux_2_5_x86_64",
    ]


def test_quiet_prints_errors_with_their_files(tmp_path: Path) -> None:
    path = make(tmp_path, "cp311-cp311-linux_x86_64", ("libfoo.so.1", "libc.so.6"))
    checked = run("check", "-q", path)
    assert checked.returncode == 1
    assert checked.stdout.splitlines()[0] == f"{path.name}: not compliant"
    assert "warning" not in checked.stdout
    retagged = run("retag", "-q", path, "-w", tmp_path / "out")
    assert retagged.returncode == 1
    assert retagged.stdout.splitlines()[0] == path.name
    assert "no tag" in retagged.stdout
    absent = run("show", "-q", tmp_path / "x" / "absent.whl")
    assert (absent.returncode, absent.stderr.count("manyshim: error: ")) == (3, 1)


def test_quiet_keeps_json(tmp_path: Path) -> None:
    path = make(tmp_path)
    assert run("show", "--json", "-q", path).stdout == run("show", "--json", path).stdout
