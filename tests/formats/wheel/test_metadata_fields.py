"""The fields of METADATA as they are read: all problems, hostile input, and other judges."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import List, Tuple

import pytest

from manyshim.audit.gate.addresses import addresses
from manyshim.audit.gate.facts import MetadataFacts, NameFacts, Rendering
from manyshim.audit.gate.fields import fields
from manyshim.audit.gate.metadata import metadata as judge
from manyshim.formats.wheel import corefields, metadata
from wheelwriter import save, wheel, wheel_name

HEAD = b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
TAG = "py3-none-any"
NAME = NameFacts("demo", "1.0")


def parse(data: bytes) -> MetadataFacts:
    return metadata.parse(data)


def found(data: bytes) -> List[Tuple[str, str]]:
    """Return the names of all problems of a METADATA, each with its first detail."""
    facts = parse(data)
    both = (*judge(facts, NAME), *fields(facts), *addresses(facts))
    return [(one.problem.name, "".join(one.details[:1])) for one in both if one.problem]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", []),
        (b"Summary: a\nHome-page: UNKNOWN\nRequires-Python:\nAuthor: UNKNOWN\n", []),
        (b"Requires-Dist: a b\nRequires-Dist: c>\n", [("INVALID_FIELD", "Requires-Dist")] * 2),
        (b"Requires-Dist: a @ https://b\n", [("DIRECT_DEPENDENCY", "Requires-Dist")]),
        (b"Provides-Dist: a @ https://b\n", [("DIRECT_DEPENDENCY", "Provides-Dist")]),
        (b"Requires-Python: x\n", [("INVALID_FIELD", "Requires-Python")]),
        (
            b"Provides-Extra: -\nProvides-Extra: a\nProvides-Extra: b-\n",
            [("INVALID_FIELD", "Provides-Extra")] * 2,
        ),
        (b"Dynamic: Name\nDynamic: x\n", [("INVALID_FIELD", "Dynamic")] * 2),
        (b"Summary: a\n b\n", [("INVALID_FIELD", "Summary")]),
        (b"Author-email: A <a@b>\n", [("INVALID_EMAIL", "Author-Email")]),
        (b"Author-email: A <a@b.org>, c@d\n", []),
        (b"Maintainer-email: a@b.local\n", [("INVALID_EMAIL", "Maintainer-Email")]),
        (b"Requires-Dist: a ===1.0+b\nRequires-Dist: b ===1\n", []),
        (b"Requires-Dist: a ===b\n", [("INVALID_FIELD", "Requires-Dist")]),
        (b"Requires-Dist: a ===1.*\n", [("INVALID_FIELD", "Requires-Dist")]),
        (b"Provides-Dist: a ===b\n", []),
        (b"Requires-Python: ===b\n", [("INVALID_FIELD", "Requires-Python")]),
        (b"Project-URL: a, https://b\n" * 2, [("SAME_LABEL", "a")]),
        (b"Summary: a\nSummary: b\n", [("REPEATED_FIELD", "Summary")]),
        (b"Description: a\n\nb\n", [("REPEATED_FIELD", "Description")]),
        (b"X-Other: a\n", [("UNKNOWN_FIELD", "X-Other")]),
        (b"Author: \xe9\n", [("NOT_UTF8", "")]),
        (b"Author: \xc3\xa9\n", []),
        (b"Author: a\0b\n", []),
        (b"\n\xe9\n", [("NOT_UTF8", "")]),
        (b"Description-Content-Type: text/markdown; variant=GFM; charset=UTF-8\n", []),
        *(
            (b"Description-Content-Type: " + text + b"\n", [("CONTENT_TYPE", "text")])
            for text in (b"text/html", b"text/markdown; variant=x", b"text/plain; charset=latin1")
        ),
    ],
)
def test_all_problems_are_found(text: bytes, expected: List[Tuple[str, str]]) -> None:
    seen = found(HEAD + text)
    if expected and expected[0][0] == "CONTENT_TYPE":
        assert [name for name, _ in seen] == ["CONTENT_TYPE"]
    else:
        assert seen == expected
    # On Windows, backends write CR and LF.
    assert found((HEAD + text).replace(b"\n", b"\r\n")) == seen


@pytest.mark.parametrize(
    ("version", "judged"),
    [
        ("2.1", True),
        ("2.4", True),
        ("9.9", False),
        ("", False),
        ("2.1\nMetadata-Version: 2.1", False),
    ],
)
def test_versions_that_packaging_does_not_know_are_not_judged(version: str, judged: bool) -> None:  # noqa: FBT001 (a row of the table)
    text = f"Metadata-Version: {version}\nName: demo\nVersion: 1.0\nRequires-Python: x\n"
    facts = parse(text.encode())
    assert facts.judged == judged
    assert bool(facts.invalid) == judged
    assert (facts.name, facts.version) == ("demo", "1.0")


def test_license_expressions_need_a_packaging_that_knows_them() -> None:
    pytest.importorskip("packaging.licenses")
    assert found(HEAD + b"License-Expression: MIT OR Apache-2.0\n") == []
    assert found(HEAD + b"License-Expression: GPL\n") == [("INVALID_FIELD", "License-Expression")]
    nested = b"License-Expression: " + b"(" * 9000 + b"MIT" + b")" * 900 + b"\n"
    assert [name for name, _ in found(HEAD + nested)] == ["INVALID_FIELD"]
    both = b"License-Expression: MIT\nLicense: MIT\n"
    assert found(HEAD + both) == [("TWO_LICENSES", "")]


def test_classifiers_are_judged_where_their_list_is_installed() -> None:
    pytest.importorskip("trove_classifiers")
    text = b"Classifier: Private :: x\nClassifier: Programming Language :: Python\n"
    assert found(HEAD + text) == [("UNKNOWN_CLASSIFIER", "Private :: x")]
    old = b"Classifier: Natural Language :: Ukranian\n"
    assert found(HEAD + old) == [("OLD_CLASSIFIER", "Natural Language :: Ukranian")]


@pytest.mark.parametrize(
    ("kind", "body", "rendering"),
    [
        (b"", b"", Rendering.NOT_NEEDED),
        (b"", b"UNKNOWN\n", Rendering.NOT_NEEDED),
        (b"text/markdown", b"``a", Rendering.NOT_NEEDED),
        (b"text/plain", b"``a", Rendering.NOT_NEEDED),
        (b"", b"text ``a``\n", Rendering.RENDERED),
        (b"text/x-rst; charset=UTF-8", b"text ``a``\n", Rendering.RENDERED),
        (b"text/x-rst", b"text\n\n.. nothing::\n", Rendering.FAILED),
        (b"", b"x" * (1 << 19), Rendering.TOO_LARGE),
        (b"", b".. include:: /etc/passwd\n", Rendering.FAILED),
    ],
)
def test_descriptions_are_rendered(kind: bytes, body: bytes, rendering: Rendering) -> None:
    pytest.importorskip("readme_renderer.rst")
    text = HEAD + (b"Description-Content-Type: " + kind + b"\n" if kind else b"") + b"\n" + body
    facts = parse(text)
    assert facts.rendering == rendering
    assert bool(facts.renderer_message) == (rendering == Rendering.FAILED)


@pytest.mark.parametrize(
    "text",
    [
        b"Requires-Dist: a\n" * 100_000,
        b"".join(b"X-%d: a\n" % number for number in range(100_000)),
        b"".join(b"Requires-Dist: -%d\n" % number for number in range(50_000)),
        b"Dynamic: x\n" * 100_000,
        b"Summary: " + b" a\n" * 300_000,
        b"Author-email: " + b"a@b.org, " * 100_000 + b"\n",
        b"Author-email: " + b"(" * 9000 + b"\n",
        b"Requires-Dist: a; " + b"(" * 9000 + b"\n",
        b"Requires-Python: " + b">=1," * 2400 + b"\n",
        b"Project-URL: a, b\n" * 60_000,
        b"Keywords: " + b"a, " * 300_000 + b"\n",
        b"\r" * 1_000_000,
        b" \n" * 500_000,
        b"\0" * 1_000_000,
        b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n" * 100_000,
        b"License-Expression: " + b"MIT OR " * 1400 + b"\n",
    ],
)
def test_hostile_text_takes_linear_time(text: bytes) -> None:
    begin = time.process_time()
    seen = found(HEAD + text)
    assert time.process_time() - begin < 10
    assert len(seen) <= 1100


def test_more_values_than_are_read_are_said() -> None:
    assert ("NOT_ALL_READ", "") in found(HEAD + b"Classifier: a\n" * 3000)
    assert corefields.parse(HEAD + b"License: " + b"x" * 90_000 + b"\n").incomplete is False
    assert corefields.parse(HEAD + b"Summary: " + b"x" * 90_000 + b"\n").incomplete


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        HEAD + b"Requires-Dist: a b\n",
        HEAD + b"Summary: a\nSummary: b\n",
        HEAD + b"X-Other: a\n",
        HEAD + b"Author: \xe9\n",
        HEAD + b"Requires-Python: x\n",
        HEAD + b"Summary: a\n b\n",
        HEAD + b"Description-Content-Type: text/x-rst\n\n``a\n",
        HEAD.replace(b"2.4", b"9.9"),
        b"Name: demo\nVersion: 1.0\n",
        HEAD.replace(b"2.4", b"2.1") + b"License-File: x\n",
        HEAD.replace(b"2.4", b"2.1") + b"License-Expression: MIT\n",
        HEAD.replace(b"2.4", b"1.1") + b"Requires-Dist: a\n",
        HEAD.replace(b"2.4", b"1.2") + b"Requires-Dist: a\n",
        HEAD + b"Project-URL: a, https://b\nProject-URL: a, https://c\n",
        HEAD + b"Project-URL: a, https://b\nProject-URL: A, https://c\n",
        HEAD + b"Description-Content-Type:\n\ntext\n",
        HEAD + b"Description-Content-Type: UNKNOWN\n",
    ],
)
def test_twine_refuses_what_is_found(text: bytes, tmp_path: Path) -> None:
    pytest.importorskip("twine")
    members = {"demo.py": b"", "demo-1.0.dist-info/METADATA": text}
    path = save(tmp_path, wheel(members, tag=TAG), wheel_name(tag=TAG))
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", str(path)], capture_output=True, check=False
    )
    assert bool(found(text)) == (done.returncode != 0), done.stdout
