"""The gate on the archive: each oddity is a finding with a sentence and a fix."""

from __future__ import annotations

import pytest

from manyshim.audit.findings import ERROR, INFO, WARNING
from manyshim.audit.gate.facts import Framing, Oddity
from manyshim.audit.gate.framing import FramingProblem, framing
from manyshim.audit.messages import sentence


def test_each_problem_has_its_oddity() -> None:
    assert [one.name for one in FramingProblem] == [one.name for one in Framing]


@pytest.mark.parametrize("what", Framing)
def test_sentences(what: Framing) -> None:
    (found,) = framing([Oddity(what, "a/b.py", ("7", "9"))])
    milder = {Framing.NEEDLESS_LOCAL_ZIP64: INFO, Framing.LOCATOR_DISKS: WARNING}
    assert (found.kind, found.severity) == ("ZIP_FRAMING", milder.get(what, ERROR))
    text = sentence(found)
    assert text.fix
    assert "{" not in text.message + text.fix


def test_no_oddity_is_no_finding() -> None:
    assert list(framing([])) == []
