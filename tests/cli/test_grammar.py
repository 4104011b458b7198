"""Command lines that are right, read by `reading` and by argparse: both give the same values."""

from __future__ import annotations

import os
import sys
from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manyshim.cli import parser as parsers
from manyshim.cli import reading
from manyshim.cli.commands import COMMANDS, grammar_of
from manyshim.cli.grammar import Argument

# Newer Pythons refuse to convert so many, as the last releases of older ones do.
MANY_DIGITS = pytest.mark.skipif(
    not hasattr(sys, "get_int_max_str_digits"), reason="any number of digits is a number"
)

TEXTS = ("a", "pkg/*.so", "x=y", "-5", "two words", "=", "")


def values(one: Argument) -> st.SearchStrategy[str]:
    """Return values that an argument accepts."""
    if one.dest == "jobs":
        return st.sampled_from(("1", "02", "16"))
    if one.dest == "shard":
        return st.sampled_from(("1/1", "2/13"))
    # The name of a folder is not empty.
    return st.sampled_from(one.choices or TEXTS[: -1 if one.metavar in ("DIR", "OTHER") else None])


@st.composite
def lines(draw: st.DrawFn) -> Tuple[str, List[str], List[str]]:
    """Return a command, a line of it, and the same line as each argparse reads it."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    grammar = grammar_of(name)
    options = [one for one in grammar.actions if one.option_strings and one.action != "help"]
    given: List[List[str]] = []
    plain: List[str] = []
    chosen = draw(st.lists(st.sampled_from(options), max_size=5))
    chosen += [one for one in options if one.required and one not in chosen]
    if {"quiet", "verbose"} <= {one.dest for one in chosen}:
        chosen = [one for one in chosen if one.dest != "quiet"]
    for one in chosen:
        option = draw(st.sampled_from(one.option_strings))
        if one.nargs == 0:
            given.append([option])
            plain.append(option)
            continue
        value = draw(values(one))
        joined = f"{option}={value}" if option.startswith("--") else option + value
        given.append(draw(st.sampled_from(([option, value], [joined]))) if value else [option, ""])
        plain.append(f"{one.option_strings[-1]}={value}")
    others: List[str] = []
    for one in grammar.takes:
        least = int(one.nargs in (None, "+") or bool(others and one.nargs == "?"))
        most = 1 if one.nargs in (None, "?") else 3
        words = st.sampled_from(one.choices or ("a.whl", "dist/*.whl", "-1", "x y"))
        others += draw(st.lists(words, min_size=least, max_size=most))
    line = [word for words in (*given, others) for word in words]
    return name, line, [*plain, *(["--", *others] if others else [])]


@settings(max_examples=400, deadline=None)
@given(lines())
def test_both_read_the_same(case: Tuple[str, List[str], List[str]]) -> None:
    name, line, plain = case
    read = reading.read([name, *line])
    assert read.command == name
    assert vars(read.options) == vars(parsers.of_command(name).parse_args(plain))


def test_an_option_before_the_command_counts_too() -> None:
    read = reading.read(["--color", "always", "-q", "show", "--color=never", "a.whl"])
    assert (read.options.color, read.options.quiet, read.options.wheels) == (
        "never",
        True,
        ["a.whl"],
    )


def test_a_list_of_one_line_is_not_that_of_the_next() -> None:
    for _ in range(2):
        read = reading.read(["show", "--allow", "RECORD:*", "--allow=ABI3:*", "a.whl"])
        assert read.options.allow == ["RECORD:*", "ABI3:*"]
        assert reading.read(["show", "a.whl"]).options.allow == []


@pytest.mark.parametrize(
    ("columns", "width"),
    [
        *(("100", 100), (" 100\n", 100), ("0", 80), ("-3", 80), ("many", 80), ("", 80)),
        pytest.param("9" * 5000, 80, id="5,000 digits", marks=MANY_DIGITS),
    ],
)
def test_the_help_is_as_wide_as_columns_says(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_descriptor: int) -> os.terminal_size:
        raise OSError

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(os, "get_terminal_size", fails)
    lines = parsers.complete().format_help().splitlines()
    assert width - 20 < max(map(len, lines)) <= width - 2


@pytest.mark.skipif(sys.version_info < (3, 9), reason="argparse imports shutil itself")
def test_the_help_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda _descriptor: os.terminal_size((60, 20)))
    assert max(map(len, parsers.of_command("check").format_help().splitlines())) <= 58
