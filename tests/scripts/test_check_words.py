"""check_words.py finds the words of its lists, and no ordinary uses of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

import needs
from check_words import (
    EXEMPTIONS,
    IDENTIFIERS,
    TEXT,
    check,
    tracked_files,
)
from datascripts import SCRIPTS
from paths import REPOSITORY

FORMS = [form for word in (*IDENTIFIERS, *TEXT) for form in word.forms]

# Each planted word with the line of the finding, the word as it is printed, and the replacement.
PLANTED = {
    "identifier": ("x = 1\nclaim = x\n", 2, "claim", "TagDecision, decision"),
    "attribute": ("a.leaves(b)\n", 1, "leaves", "escapes_wheel"),
    "pattern": ("_LINES_AT_MOST = 3\n", 1, "_LINES_AT_MOST", "MAX_..."),
    "part of an identifier": ("def test_first_rung_of_libc(): ...\n", 1, "rung", "policy"),
    "part of a class": ("class HouseMaker: ...\n", 1, "house", "package, module"),
    "phrase in an identifier": ("WAY_OUT = 1\n", 1, "way out", "hint, fix"),
    "docstring": ('"""Load.\n\nThe ladder of policies.\n"""\n', 3, "ladder", "policies"),
    "string": ("print('Whoever asks')\n", 1, "whoever", "anyone who, the caller"),
    "comment": ("x = 1  # Mended files.\n", 1, "mended", "fix, repair"),
    "f-string": ("print(f'{x} is an obstacle')\n", 1, "obstacle", "blocker"),
    "nested f-string": ("f'{x:{y}} rung {f(\"z\")}'\n", 1, "rung", "policy"),
    "after an escaped line end": ("print('a\\nrung')\n", 1, "rung", "policy"),
    "phrase over two comments": ("# the way\n# out\n", 1, "way out", "hint, fix"),
    "phrase over two literals": ("print('be '\n      f'it for')\n", 1, "be it", "even, also"),
    "code in a comment": ("# Returns a `Claim`.\n", 1, "Claim", "TagDecision, decision"),
    "code in a string": (
        'RUN = """\nimport sys\nfrom options import Setting\n"""\n',
        *(3, "Setting", "TargetOptions"),
    ),
    "name in a string": ("getattr(a, '_FILES_AT_MOST')\n", 1, "_FILES_AT_MOST", "MAX_..."),
    "upper case": ("# The kind CLAIM.\n", 1, "CLAIM", "FALSE_TAG"),
}

ORDINARY = """\
'''Claims and bills of material are told: a claim leaves the room by the door in the wall.

The floor of 2.5 is 2. Setting a task shows how it is proof of ours, theirs and mine.
A room such as this is at a way. Out of memory, tables keep names. "Target" of `claimed`, `task`.
'''
import math
import of_what_is_told
names = say = memory = tables = keep = how = task = 1
at_most = way = out = farmer = math.floor_of(names)
text = 'warehouse, wrung, unsettled, farmland, indoors, learned, recommend'
print('way', 'out', 'be', 'it for')
y = 'the way'; out = 'out'
"""


def found(file: str, source: str) -> List[str]:
    return [str(one) for one in check(file, source)]


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_word_is_found(case: str) -> None:
    source, line, word, use = PLANTED[case]
    assert found("a/b.py", source) == [f"a/b.py:{line}: '{word}': use '{use}'"]


def test_ordinary_uses_are_not_found() -> None:
    assert found("a/b.py", ORDINARY) == []


def test_pages_are_text() -> None:
    page = "# Claims\n\nThe tag that the wheel has\nearned. A `Claim`, and\nthe claimed ones.\n"
    assert found("docs/page.md", page) == [
        "docs/page.md:4: 'Claim': use 'TagDecision, decision'",
        "docs/page.md:4: 'earned': use 'qualify for, prove'",
    ]
    assert found("pyproject.toml", 'description = "a ladder" # or a rung\n') == [
        "pyproject.toml:1: 'ladder': use 'policies'",
        "pyproject.toml:1: 'rung': use 'policy'",
    ]


def test_a_word_may_be_limited_to_a_folder() -> None:
    source = "class Target: ...\n"
    assert found("backend/manyshim/toolchain/target.py", source) == []
    assert found("backend/manyshim/repair/ldso.py", source) == [
        "backend/manyshim/repair/ldso.py:1: 'Target': use 'LoaderRules'"
    ]


def test_an_exemption_is_for_one_word_of_one_file() -> None:
    source = '"""A rung. CLAIM."""\n'
    assert len(found("backend/manyshim/config.py", source)) == 2
    assert found("backend/manyshim/optiontypes.py", source) == [
        "backend/manyshim/optiontypes.py:1: 'rung': use 'policy'"
    ]
    assert found("scripts/check_words.py", source) == []


def test_no_word_is_listed_twice() -> None:
    assert sorted(FORMS) == sorted(set(FORMS))
    assert len(EXEMPTIONS) == len({(one.file, one.word) for one in EXEMPTIONS})


def test_every_form_is_found() -> None:
    for word in IDENTIFIERS:
        for form in word.forms:
            name = form.replace("*", "X")
            assert name in {one.word for one in check(f"{word.below}x.py", f"{name} = 1\n")}
    for word in TEXT:
        for form in word.forms:
            assert form in {one.word for one in check("x.md", f"An example: {form}.\n")}


def test_exemptions_are_for_existing_files_and_have_a_reason() -> None:
    assert [one.file for one in EXEMPTIONS if not (REPOSITORY / one.file).is_file()] == []
    assert [one.file for one in EXEMPTIONS if not one.reason] == []


def test_the_files_of_the_repository_are_checked() -> None:
    needs.tool("git", "git")
    files = tracked_files()
    wanted = {
        *("README.md", "CHANGELOG.md", "pyproject.toml", ".ci/run", "noxfile.py"),
        *("backend/manyshim/build.py", "docs/repair.md", "tests/conftest.py", "bench/run.py"),
        "scripts/check_words.py",
    }
    assert wanted - set(files) == set()
    assert [file for file in files if file.startswith("docs/evidence/")] == []


@pytest.mark.parametrize(("text", "code"), [("A ladder.\n", 1), ("A policy.\n", 0)])
def test_the_exit_code(text: str, code: int, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "check_words.py"), str(page)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == (f"{page}:1: 'ladder': use 'policies'\n" if code else "")
