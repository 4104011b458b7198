"""`manyshim explain`: what a kind of finding means, and the hint that names the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

import pytest

import needs
from commandline import run
from elfbuilding import LINUX
from elfwriter import Elf, Symbol, write
from manyshim.audit.findings import KINDS
from manyshim.cli.hint import kinds_of
from manyshim.formatters.text import Line
from wheelwriter import save, wheel, wheel_name


class Case(NamedTuple):
    """What is given, the exit code, the kinds that are explained, and words of the error."""

    given: Tuple[str, ...]
    code: int
    kinds: Tuple[str, ...] = ()
    error: str = ""


CASES: Dict[str, Case] = {
    "a kind": Case(("TOO_NEW",), 0, ("TOO_NEW",)),
    "in lower case": Case(("too_new",), 0, ("TOO_NEW",)),
    "with a dash": Case(("Too-New",), 0, ("TOO_NEW",)),
    "several": Case(("isa", "ABI3"), 0, ("ISA", "ABI3")),
    "one twice": Case(("isa", "ISA"), 0, ("ISA",)),
    "an old name": Case(("claim",), 0, ("FALSE_TAG",)),
    "a misspelled kind": Case(("TO_NEW",), 2, (), "did you mean 'TOO_NEW'?"),
    "misspelled with a dash": Case(("rpath-leek",), 2, (), "did you mean 'RPATH_LEAK'?"),
    "no kind at all": Case(("xyz",), 2, (), "`manyshim explain` lists all kinds"),
    "one of two is wrong": Case(("ISA", "xyz"), 2, (), "xyz is not a kind of finding"),
    "an empty word": Case(("",), 2, (), "'' is not a kind of finding"),
    "a long word": Case(("x" * 9999,), 2, (), "is not a kind of finding"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=[*CASES])
def test_explain(case: Case) -> None:
    done = run("explain", *case.given)
    assert done.returncode == case.code
    headings = [line for line in done.stdout.splitlines() if line in KINDS]
    assert tuple(headings) == case.kinds
    assert done.stdout.count("\nHow to fix it\n") == len(case.kinds)
    assert case.error in done.stderr
    assert bool(done.stderr) is bool(case.error)
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


def test_all_kinds_are_listed() -> None:
    done = run("explain")
    words = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert [one for one in words if one in KINDS] == sorted(KINDS, key=[*KINDS].index)
    assert (done.returncode, done.stderr) == (0, "")


def test_json() -> None:
    found = json.loads(run("explain", "--json", "claim", "elf-corrupt").stdout)
    assert found["version"] == 2
    assert [row["kind"] for row in found["kinds"]] == ["FALSE_TAG", "ELF_CORRUPT"]
    every = json.loads(run("explain", "--json").stdout)
    assert {row["kind"]: row["severity"] for row in every["kinds"]} == KINDS


def test_the_problems_of_a_kind_are_listed_with_their_severities() -> None:
    lines = run("explain", "INCOMPLETE_SET").stdout.splitlines()
    listed = lines[lines.index("Problems") :]
    assert "  error: is missing; the set of --like has '...'" in listed
    assert "  warning: there is no sdist; it cannot be added after 14 days" in listed
    assert "Problems" not in run("explain", "TOO_NEW").stdout.splitlines()


def on_terminal(*given: str, columns: int = 80) -> str:
    """Run a command whose standard output is a terminal; return what it prints there."""
    master, terminal = os.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    command = [sys.executable, "-m", "manyshim", *given]
    with subprocess.Popen(
        command, stdout=terminal, stderr=subprocess.DEVNULL, env=environment
    ) as started:
        os.close(terminal)
        parts: List[bytes] = []
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # Linux reports the end of a terminal so.
                break
            if not part:
                break
            parts.append(part)
        started.wait()
    os.close(master)
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.mark.skipif(not LINUX, reason="a terminal of another system ends in another way")
@needs.mark(needs.module, "rich")
@pytest.mark.parametrize("columns", [60, 200])
def test_on_a_terminal_headings_are_bold_and_lines_fit(columns: int) -> None:
    lines = on_terminal("explain", "isa", columns=columns).splitlines()
    assert lines[0] == "\x1b[1mISA\x1b[0m"
    assert "\x1b[1mWhy it matters\x1b[0m" in lines
    widths = [len(line) for line in lines if "\x1b" not in line]
    assert min(columns, 100) - 15 <= max(widths) <= min(columns, 100)


def demo(folder: Path) -> str:
    """Make a wheel with findings of two kinds."""
    extension = Elf(
        needed=("libc.so.6",),
        runpath="/opt/lib",
        symbols=(
            Symbol("PyInit__x", defined=True),
            Symbol("pthread_create", library="libc.so.6", version="GLIBC_2.34"),
        ),
    )
    files = {"demo/_x.cpython-311-x86_64-linux-gnu.so": write(extension)}
    return str(save(folder, wheel(files), wheel_name()))


HINT = "to learn more: manyshim explain "


@pytest.mark.skipif(not LINUX, reason="a terminal of another system ends in another way")
def test_a_terminal_is_told_once_how_to_learn_more(tmp_path: Path) -> None:
    path = demo(tmp_path)
    reported = on_terminal("show", path, path)
    assert reported.count(HINT) == 1
    assert f"{HINT}RPATH_LEAK TOO_NEW" in reported.splitlines()[-1]
    verified = on_terminal("check", path)
    assert f"{HINT}INDEX_TAG RPATH_LEAK" in verified.splitlines()[-1]
    assert HINT not in on_terminal("check", path, "--json")
    assert HINT not in on_terminal("policies")


@pytest.mark.parametrize("command", ["show", "check"])
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_another_program_gets_no_hint(command: str, more: List[str], tmp_path: Path) -> None:
    done = run(command, demo(tmp_path), *more, FORCE_COLOR="1")
    assert "RPATH_LEAK" in done.stdout
    assert HINT not in done.stdout + done.stderr


def test_only_a_kind_at_the_end_of_a_line_counts() -> None:
    lines = ["a [ISA]", "b [ISA] c", "d [NOT_A_KIND]", "e[ABI3]", "f [RECORD]", "g [ISA]"]
    assert kinds_of(map(Line, lines)) == ["ISA", "RECORD"]
