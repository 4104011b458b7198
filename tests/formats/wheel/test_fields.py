"""WHEEL is read as Python's email parser reads it, which pip and installer use."""

from __future__ import annotations

from email import message_from_string
from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyshim.formats.wheel.fields import parse

SEPARATOR = "\u2028"
TEXTS = {
    "plain": "Wheel-Version: 1.0\nTag: py3-none-any\n",
    "folded": "Tag:\n py3-none-any\nTag: a-b-c\n",
    "folded in the middle": "Generator: one\n\ttwo\n  three\nTag: a-b-c\n",
    "carriage returns": "Tag: a-b-c\r\nRoot-Is-Purelib: true\rTag: d-e-f\n",
    "line separator": f"Generator: x{SEPARATOR}Tag: a-b-c\nTag: d-e-f\n",
    "body": "Tag: a-b-c\n\nTag: d-e-f\n",
    "not a field": "Tag: a-b-c\nnothing\nTag: d-e-f\n",
    "space before the colon": "Tag: a-b-c\nTag : d-e-f\n",
    "no name": ": x\n y\nTag: a-b-c\n",
    "continues nothing": " x\nTag: a-b-c\n",
    "blank continuation": "Tag: a-b-c\n  \nRoot-Is-Purelib: true\n",
    "mail": "From x\n y\nTag: a-b-c\n",
    "no line break": "Tag: a-b-c",
    "empty": "",
}


def judged(text: str) -> List[Tuple[str, str]]:
    """Return the fields as the email parser reads them, unfolded."""
    items = message_from_string(text).items()
    return [(name, " ".join(str(value).split())) for name, value in items]


def read(text: str) -> List[Tuple[str, str]]:
    return [(one.name, " ".join(one.value.split())) for one in parse(text)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_fields_are_those_of_the_email_parser(text: str) -> None:
    assert read(text) == judged(text)


PIECES = st.sampled_from(("Tag", "A", ":", " ", "\t", "\n", "\r", "\r\n", "b", SEPARATOR, "é"))


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_has_the_fields_of_the_email_parser(text: str) -> None:
    assert read(text) == judged(text)


def test_the_lines_of_the_fields_have_the_same_fields() -> None:
    for text in TEXTS.values():
        lines = [line for one in parse(text) for line in one.lines]
        assert read("\n".join(lines)) == read(text)
