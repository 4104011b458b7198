"""The manual page is current, has each command and option, and readers accept it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import List, Set

import pytest

import _roff as roff
import _written
import datascripts  # noqa: F401 (adds the folder of the scripts to the path)
import needs
import write_man
from manyshim import __version__
from manyshim.cli.commands import COMMANDS, grammar_of
from manyshim.cli.grammar import before_command
from paths import BACKEND, REPOSITORY
from write_man import ENVIRONMENT, FILES, PAGE, main, page

SECTIONS = (
    *("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT"),
    *("FILES", "EXAMPLES", "SEE ALSO"),
)


def test_the_page_is_current() -> None:
    stale = "backend/manyshim.1 is stale: run `python scripts/write_man.py`"
    assert PAGE.read_text(encoding="utf-8") == page(), stale


def test_a_stale_page_is_told_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "manyshim.1"
    copy.write_text("other", encoding="utf-8")
    monkeypatch.setattr(write_man, "PAGE", copy)
    monkeypatch.setattr(_written, "REPOSITORY", tmp_path)
    monkeypatch.setattr(sys, "argv", ["write_man.py", "--check"])
    assert main() == 1
    assert "manyshim.1 is stale" in capsys.readouterr().out
    assert copy.read_text(encoding="utf-8") == "other"
    monkeypatch.setattr(sys, "argv", ["write_man.py"])
    assert main() == 0
    assert copy.read_text(encoding="utf-8") == page()


def rendered(width: int = 80) -> str:
    """Return the page as man shows it; assert that nothing is wrong with it."""
    command = [needs.tool("man", "man-db"), "--warnings", "-E", "UTF-8", "-l", str(PAGE)]
    environment = {"PATH": os.environ["PATH"], "MANWIDTH": str(width), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    return done.stdout


def test_man_shows_the_page() -> None:
    lines = rendered().splitlines()
    assert max(map(len, lines)) <= 80
    assert tuple(line for line in lines[1:-1] if re.match(r"[A-Z]", line)) == SECTIONS
    assert lines[-1].startswith(f"manyshim {__version__}")


def test_mandoc_accepts_the_page() -> None:
    command = [needs.tool("mandoc", "mandoc"), "-T", "lint", "-W", "warning", str(PAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # The page has no date, so that it changes with its contents only.
    assert [one for one in done.stdout.splitlines() if "missing date" not in one] == []


def test_groff_accepts_the_page() -> None:
    command = [needs.tool("groff", "groff-base"), "-man", "-ww", "-Tutf8", str(PAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_page_has_each_option(command: str) -> None:
    grammar = grammar_of(command) if command else before_command()
    text = page()
    if command:
        assert f'\n.SS "{command}"\n' in text
        assert f"{roff.bold(f'manyshim {command}')} [" in text
        assert roff.bold(f"manyshim {command} {COMMANDS[command].example}") in text
    for name in (*grammar.options, "-h", "--help"):
        assert re.search(rf"^.*{re.escape(roff.bold(name))}.*$", text, re.MULTILINE), name


def test_each_option_is_explained_below_the_commands_that_have_it() -> None:
    text = page()
    for name in {name for command in COMMANDS for name in grammar_of(command).options}:
        owners = {one for one in COMMANDS if name in grammar_of(one).options}
        word = re.escape(roff.bold(name))
        # An option with another meaning in some commands is explained below these, too.
        places = [found.start() for found in re.finditer(rf"(?:\n\.TP\n|, ){word}", text)]
        named: Set[str] = set()
        for place in places:
            heading = re.findall(r'^\.SS "(.*)"$', text[:place], re.MULTILINE)[-1:]
            for one in heading:
                named |= {*COMMANDS} if one == "all commands" else {*re.split(r", | and ", one)}
        assert named == owners, name


def test_the_variables_and_files_are_those_of_the_code() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((BACKEND / "manyshim").rglob("*.py"))
    )
    derived = {"MANYSHIM_PLATFORM", "PATH"}
    assert [name for name in ENVIRONMENT if name not in derived and f'"{name}"' not in code] == []
    assert [name for name in FILES if name.strip("*.").split("*")[0] not in code] == []


def test_the_page_has_no_path_of_a_machine_and_no_date() -> None:
    for path in (REPOSITORY, Path.home(), Path(sys.prefix)):
        assert str(path) not in page()
    assert not re.search(r"\b20\d\d\b", page())


TEXTS: List[object] = [
    pytest.param("a-b", ["\\%a\\-b"], id="a minus that can be copied"),
    pytest.param("\\n", ["\\en"], id="a backslash"),
    pytest.param("'x'", ["\\(aqx\\(aq"], id="quotes"),
    pytest.param("`--fix` it", ["\\%\\fB\\-\\-fix\\fR it"], id="code is bold"),
    pytest.param(".x y", ["\\%.x y"], id="no macro"),
    pytest.param("One. Two.", ["One.", "Two."], id="a sentence on each line"),
    pytest.param("e.g. this", ["\\%e.g.\\& this"], id="no end of a sentence"),
    pytest.param("See a_b", ["See \\%a_b"], id="a name is not hyphenated"),
]


@pytest.mark.parametrize(("text", "lines"), TEXTS)
def test_texts_are_escaped(text: str, lines: List[str]) -> None:
    assert roff.paragraph(text) == lines
