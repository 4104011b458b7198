"""The rows of RECORD, field by field, in real wheels."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, Tuple

import pytest

from manyshim.audit.gate.facts import RowFacts
from manyshim.formats.wheel import rowcheck
from manyshim.formats.wheel.wheel import Wheel
from wheelwriter import save, wheel, wheel_name

A = "demo/a.py"
JWS = "demo-1.0.dist-info/RECORD.jws"


def row(change: Callable[[str], str]) -> Callable[[str], str]:
    """Return an edit of RECORD that changes the row of one member."""

    def edit(text: str) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(change(line) if line.startswith(f"{A},") else line for line in lines)

    return edit


TABLE: Dict[str, Tuple[Callable[[str], str], RowFacts]] = {
    "good": (str, RowFacts()),
    "CRLF": (lambda text: text.replace("\n", "\r\n"), RowFacts()),
    "an absent file": (lambda text: f"demo/gone,sha256=A,1\n{text}", RowFacts()),
    "an absent signature": (lambda text: f"{text}demo-1.0.dist-info/RECORD.p7s,,\n", RowFacts()),
    "no hash": (row(lambda _: f"{A},,1\n"), RowFacts(no_hash=(A,))),
    "no size": (row(lambda one: one.rpartition(",")[0] + ",\n"), RowFacts(no_size=(A,))),
    "two columns": (row(lambda one: one.rpartition(",")[0] + "\n"), RowFacts(columns=((A, "2"),))),
    "four columns": (row(lambda one: one.rstrip() + ",\n"), RowFacts(columns=((A, "4"),))),
    "twice": (row(lambda one: one * 2), RowFacts(twice=(A,))),
    "a size with zeros": (row(lambda one: one[:-2] + "001\n"), RowFacts(odd_size=((A, "001"),))),
    "a size with a sign": (row(lambda one: one[:-2] + "+1\n"), RowFacts(odd_size=((A, "+1"),))),
    "a line separator": (
        lambda text: f"demo/\u2028gone,,\n{text}",
        RowFacts(breaks=(("demo/\u2028gone", "U+2028"),)),
    ),
    "a form feed behind a size": (
        row(lambda one: one[:-1] + "\x0c\n"),
        RowFacts(breaks=((A, "U+000C"),)),
    ),
    "a byte order mark": (lambda text: f"\ufeff{text}", RowFacts(bom=True)),
}


@pytest.mark.parametrize("case", TABLE)
def test_rows(case: str, tmp_path: Path) -> None:
    edit, expected = TABLE[case]
    path = save(tmp_path, wheel({A: b"1"}, edit_record=edit), wheel_name())
    with Wheel(str(path)) as opened:
        assert rowcheck.read(opened) == expected


def test_a_signature_that_is_listed(tmp_path: Path) -> None:
    path = save(tmp_path, wheel({A: b"1", JWS: b"{}"}), wheel_name())
    with Wheel(str(path)) as opened:
        assert rowcheck.read(opened).signatures == (JWS,)
