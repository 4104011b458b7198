"""The scripts for shells are current, and have each command and option."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import _written
import datascripts  # noqa: F401 (adds the folder of the scripts to the path)
import needs
from manyshim.cli.arguments import SHELLS
from manyshim.cli.commands import COMMANDS, grammar_of
from manyshim.cli.completion import FILES
from manyshim.cli.grammar import before_command
from manyshim.options import BY_KEY
from manyshim.policyoption import parse_policy
from paths import BACKEND, REPOSITORY

pytestmark = needs.mark(needs.module, "shtab", "shtab", (3, 9))

FOLDER = BACKEND / "manyshim" / "cli" / "completions"


@pytest.fixture
def writer() -> Any:
    import write_completions

    return write_completions


@pytest.fixture
def completers() -> Any:
    import _completers

    return _completers


def test_the_scripts_are_current(writer: Any) -> None:
    for path, text in writer.scripts().items():
        stale = f"{path.name} is stale: run `python scripts/write_completions.py`"
        assert path.read_text(encoding="utf-8") == text, stale


def test_there_is_no_other_script() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*FILES.values()}
    assert tuple(FILES) == SHELLS


def test_a_stale_script_is_named_and_not_written(
    writer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(writer, "FOLDER", tmp_path)
    monkeypatch.setattr(_written, "REPOSITORY", tmp_path)
    monkeypatch.setattr(sys, "argv", ["write_completions.py"])
    assert writer.main() == 0
    (tmp_path / "_manyshim").write_text("other", encoding="utf-8")
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["write_completions.py", "--check"])
    assert writer.main() == 1
    stale = "_manyshim is stale: run `python scripts/write_completions.py`\n"
    assert capsys.readouterr().out == stale
    assert (tmp_path / "_manyshim").read_text(encoding="utf-8") == "other"
    monkeypatch.setattr(sys, "argv", ["write_completions.py"])
    assert writer.main() == 0
    monkeypatch.setattr(sys, "argv", ["write_completions.py", "--check"])
    assert writer.main() == 0


def options_of(shell: str, command: str) -> str:
    """Return the part of a script that has the options of a command."""
    text = (FOLDER / FILES[shell]).read_text(encoding="utf-8")
    name = f"_{command}" if command else ""
    patterns = {
        "bash": rf"^_shtab_manyshim{name}_option_strings=\((.*?)\)$",
        "zsh": rf"^_shtab_manyshim{name}_options=\(\n(.*?)^\)",
    }
    if shell in patterns:
        (found,) = re.findall(patterns[shell], text, re.MULTILINE | re.DOTALL)
        return str(found)
    condition = f"'_shtab_manyshim_using {command}'" if command else "_shtab_manyshim_using"
    return "\n".join(one for one in text.splitlines() if f" -n {condition} " in one)


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("shell", SHELLS)
def test_each_option_of_a_command_is_in_each_script(shell: str, command: str) -> None:
    grammar = grammar_of(command) if command else before_command()
    part = options_of(shell, command)
    for name in (*grammar.options, "-h", "--help"):
        kind = "l" if name.startswith("--") else "s"
        written = f"-{kind} {name.lstrip('-')}" if shell == "fish" else name
        assert re.search(rf"(?<![\w-]){re.escape(written)}(?![\w-])", part), name


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_has_each_command_and_no_path_of_a_machine(shell: str) -> None:
    text = (FOLDER / FILES[shell]).read_text(encoding="utf-8")
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", text)
    for path in (REPOSITORY, Path.home(), Path(sys.prefix)):
        assert str(path) not in text
    assert not re.findall(r"(?<![\w.:/~])/(?:home|root|tmp|work|usr|opt)\b", text)
    assert text.endswith("\n")
    assert "\t\n" not in text


def test_every_platform_that_is_completed_is_taken(completers: Any) -> None:
    names = completers.platforms()
    assert names[0] == "auto"
    assert {"manylinux2014", "manylinux_2_28", "musllinux_1_2"} < {*names}
    assert len({*names}) == len(names)
    for name in names[1:]:
        assert parse_policy(BY_KEY["platform"], name) is not None


def test_an_argument_that_nothing_completes_is_refused(completers: Any) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--new", metavar="NEW")
    with pytest.raises(ValueError, match="what completes NEW of \\['--new'\\]"):
        completers.give_completers(parser)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("print JSON", "print JSON"),
        ("strip debug information (debug), or all symbols that no loader needs (all)",
         "strip debug information"),
        ("a" * 80, "a" * 80),
        ("the format of the output: text (default), json, github, sarif or junit (for CI)",
         "the format of the output"),
    ],
)  # fmt: skip
def test_descriptions_are_short(text: str, short: str, completers: Any) -> None:
    assert completers.brief(text) == short


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_of_another_shtab_is_noticed(shell: str, writer: Any) -> None:
    with pytest.raises(ValueError, match=r"shtab .* in another way"):
        writer._EDITS[shell]("something else")  # noqa: SLF001
