"""C++ names in reports: readable, and all instances of a template as one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import needs
from casewheels import EXT, module
from commandline import run
from elfwriter import Symbol, write
from manyshim.demangle import demangled, short
from wheelwriter import save, wheel, wheel_name

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "_ZNSt6vectorIiSaIiEE17_M_realloc_insertIJRKiEEEvN9__gnu_cxx17__normal_iteratorIPiS1_EEDpOT_":
    "std::vector<...>::_M_realloc_insert<...>",
    "_ZNSt6vectorIdSaIdEE17_M_realloc_insertIJRKdEEEvN9__gnu_cxx17__normal_iteratorIPdS1_EEDpOT_":
    "std::vector<...>::_M_realloc_insert<...>",
    "_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_PKc": "std::operator<< <...>",
    "_ZNKSt3mapIiiSt4lessIiESaISt4pairIKiiEEE5beginEv": "std::map<...>::begin",
    "_Z3addii": "add",
}  # fmt: skip


def test_names_are_short() -> None:
    needs.tool("c++filt", "binutils")
    assert demangled([*NAMES, "printf", "_Znonsense", "_Z a"], os.environ) == NAMES


def test_without_a_tool_names_stay(tmp_path: Path) -> None:
    assert demangled(NAMES, {"PATH": str(tmp_path)}) == {}


def test_a_tool_that_cannot_be_run_changes_nothing(tmp_path: Path) -> None:
    """The system refuses such a file (Exec format error)."""
    tool = tmp_path / "c++filt"
    tool.write_bytes(b"\x7fELF of no machine")
    tool.chmod(0o755)
    assert demangled(NAMES, {"PATH": str(tmp_path)}) == {}


@pytest.mark.parametrize("text", ["exit 1", "echo one line too few", "kill -9 $$"])
def test_a_tool_that_fails_changes_nothing(tmp_path: Path, text: str) -> None:
    tool = tmp_path / "c++filt"
    tool.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    tool.chmod(0o755)
    assert demangled(NAMES, {"PATH": f"{tmp_path}:{os.environ['PATH']}"}) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a::operator<", "a::operator<"),
        ("a::operator< <int>", "a::operator< <...>"),
        ("a::operator->", "a::operator->"),
        ("a::operator<=><int>", "a::operator<=><int>"),
        ("my_operator<int>", "my_operator<...>"),
        ("a<b<c> >::d<e>", "a<...>::d<...>"),
        ("a<b", "a<b"),
        ("a>b", "a>b"),
        ("", ""),
    ],
)
def test_template_arguments_are_left_out(name: str, expected: str) -> None:
    assert short(name) == expected


def test_instances_of_a_template_are_one_name_in_a_report(tmp_path: Path) -> None:
    needs.tool("c++filt", "binutils")
    symbols = [
        Symbol(name, "libstdc++.so.6", "GLIBCXX_3.4.32") for name in NAMES if "realloc" in name
    ]
    data = wheel({EXT: write(module(*symbols, needed=("libstdc++.so.6",)))})
    done = run("show", save(tmp_path, data, wheel_name()))
    assert "needs std::vector<...>::_M_realloc_insert<...> (2 instances)@GLIBCXX_3.4.32 " in (
        done.stdout
    )
    assert "_ZNSt6vector" not in done.stdout


def test_mangled_names_stay_in_json(tmp_path: Path) -> None:
    symbol = Symbol("_Z3addii", "libstdc++.so.6", "GLIBCXX_3.4.32")
    data = wheel({EXT: write(module(symbol, needed=("libstdc++.so.6",)))})
    done = run("show", "--json", save(tmp_path, data, wheel_name()))
    assert '"_Z3addii"' in done.stdout
