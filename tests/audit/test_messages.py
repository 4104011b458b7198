"""Every kind of finding has its sentence, which says what a terminal can show."""

from __future__ import annotations

import json
from typing import Any, Callable, List, Tuple

import pytest

from manyshim.audit import findings as f
from manyshim.audit.decision import Blockers, TagDecision
from manyshim.audit.explanations.problems import problems
from manyshim.audit.facts import SourceLine
from manyshim.audit.findings import (
    KINDS,
    Advice,
    Evidence,
    Finding,
    Problem,
    finding,
    problem_finding,
)
from manyshim.audit.messages import SENTENCES, sentence
from manyshim.audit.reasons import describe, join_names
from manyshim.audit.tags import GLIBC, MUSL, PlatformTag, parse_wheel_name
from manyshim.audit.verdict import Report
from manyshim.errors import escape
from manyshim.formatters.json import to_dict
from manyshim.formatters.text import Notes, build_lines, check_lines, show_lines

POLICY = PlatformTag(GLIBC, 2, 31, "x86_64")
HOSTILE = "a\x1b[31m\n\u202e\udcff\x00\u2028{path}{0}%s"
SUBJECTS = {"TOO_NEW": "GLIBC_2.34", "MUSL_PATCH_LEVEL": "musl 1.2.4"}


def usual(kind: str, **changes: Any) -> Finding:
    """Make a finding of a kind with every field filled in."""
    made = finding(
        kind,
        "pkg/_x.so",
        SUBJECTS.get(kind, "libsubject.so"),
        library="liblibrary.so",
        symbols=("one", "two"),
        policy=POLICY if KINDS[kind] == f.POLICY else None,
        required=(2, 34) if kind == "TOO_NEW" else None,
        evidence=Evidence.UNLISTED,
        details=("some", "details", "more"),
    )
    return made._replace(**changes)


def bare(kind: str) -> Finding:
    return finding(kind, "", "")


def hostile(kind: str) -> Finding:
    return usual(
        kind, path=HOSTILE, subject=HOSTILE, library=HOSTILE, symbols=(HOSTILE,), details=(HOSTILE,)
    )


EVERY_PROBLEM = [problem for kind in KINDS for problem in problems(kind)]


def test_each_kind_has_a_sentence() -> None:
    of_problems = {one.value.kind for one in EVERY_PROBLEM}
    assert SENTENCES.keys() | of_problems == KINDS.keys()


@pytest.mark.parametrize("problem", EVERY_PROBLEM, ids=lambda one: f"{one}")
def test_a_problem_has_words(problem: Problem) -> None:
    row = problem.value
    assert row.severity in (f.ERROR, f.WARNING, f.INFO)
    for details in (("some", "details", "more", "words"), (HOSTILE,), ()):
        said = sentence(problem_finding(problem, "pkg/file", *details))
        text = said.message + said.fix
        assert text.isprintable()
        assert said.message == said.message.strip()
        assert not said.message.endswith(".")
        assert said.fix or row.severity == f.INFO
        if details != (HOSTILE,):
            assert not set("{}") & set(text)


@pytest.mark.parametrize("severity", [f.ERROR, f.POLICY, f.WARNING, f.INFO])
@pytest.mark.parametrize("kind", SENTENCES)
def test_sentence_is_whole(kind: str, severity: str) -> None:
    said = sentence(usual(kind, severity=severity))
    assert said.message
    assert not set("{}") & set(said.message + said.fix)
    assert said.message == said.message.strip()
    assert not said.message.endswith(".")
    assert said.fix == said.fix.strip()


@pytest.mark.parametrize("kind", [kind for kind in SENTENCES if KINDS[kind] in (f.ERROR, f.POLICY)])
def test_error_and_policy_finding_has_a_fix(kind: str) -> None:
    assert sentence(usual(kind)).fix


@pytest.mark.parametrize("kind", [kind for kind in SENTENCES if KINDS[kind] == f.WARNING])
def test_warning_has_a_fix(kind: str) -> None:
    assert sentence(usual(kind)).fix


@pytest.mark.parametrize("make", [hostile, bare])
@pytest.mark.parametrize("severity", [f.ERROR, f.POLICY, f.WARNING, f.INFO])
@pytest.mark.parametrize("kind", SENTENCES)
def test_names_are_escaped(kind: str, severity: str, make: Callable[[str], Finding]) -> None:
    said = sentence(make(kind)._replace(severity=severity))
    text = said.message + said.fix
    assert text.isprintable()
    assert text.encode().isascii()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("lib y+-._/\u00e4.so", "lib y+-._/\u00e4.so"),
        ("a\x1b[31m", r"a\x1b[31m"),
        ("a\nb\tc\x7f", r"a\nb\tc\x7f"),
        ("a\udcffb", r"a\udcffb"),
        ("\u202eos.x", r"\u202eos.x"),
        ("", ""),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@pytest.mark.parametrize("evidence", Evidence)
@pytest.mark.parametrize("details", [("one", "two", "three"), (HOSTILE,), ()])
def test_evidence_has_words(evidence: Evidence, details: Tuple[str, ...]) -> None:
    said = describe(evidence, details)
    assert said
    assert said.isprintable()
    if details != (HOSTILE,):
        assert not set("{}") & set(said)


def test_long_lists_of_names_are_cut() -> None:
    assert join_names(tuple("abcd")) == "a, b, c, d"
    assert join_names(tuple("abcdef")) == "a, b, c, d and 2 more"
    assert join_names(()) == ""


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            # The data of this policy has a version that is newer than its name.
            usual(
                "TOO_NEW",
                subject="GLIBC_2.22",
                required=(2, 22),
                policy=PlatformTag(GLIBC, 2, 17, "aarch64"),
            ),
            ["manylinux_2_17 allows at most GLIBC_2.18"],
        ),
        (
            # It is older than every policy, and x86_64 never had it.
            usual("TOO_NEW", subject="GLIBC_2.0", required=(2, 0)),
            ["manylinux_2_31 does not have GLIBC_2.0"],
        ),
        (usual("TOO_NEW"), ["one", "GLIBC_2.34", "liblibrary.so", "allows at most GLIBC_2.31"]),
        (
            usual("TOO_NEW", subject="GLIBCXX_3.4.29", required=None),
            ["GLIBCXX_3.4.29", "manylinux_2_31 does not have GLIBCXX_3.4.29"],
        ),
        (usual("TOO_NEW", evidence=Evidence.WEAK_REFERENCES), ["only by weak references"]),
        (
            usual("TOO_NEW", subject="musl 1.2.0", policy=PlatformTag(MUSL, 1, 1, "x86_64")),
            ["one, two", "musl 1.2.0", "musllinux_1_1 promises only musl 1.1"],
        ),
        (usual("TOO_NEW", symbols=(), evidence=Evidence.RELR), ["DT_RELR"]),
        (
            usual("TOO_NEW", symbols=("one",), evidence=Evidence.UNVERSIONED),
            ["needs one (GLIBC_2.34) from liblibrary.so, asked for without a version"],
        ),
        (
            usual("TOO_NEW", subject="GLIBC_PRIVATE", symbols=("one",), required=None),
            [
                "needs one@GLIBC_PRIVATE from liblibrary.so, which belongs to one build of glibc",
                "no tag covers it",
                "do not put a library of glibc itself into the wheel",
            ],
        ),
        (usual("MUSL_UNDEFINED"), ["one, two"]),
        (usual("MUSL_PATCH_LEVEL"), ["one, two", "musl 1.2.4", "avoid these symbols"]),
        (
            usual("MUSL_PATCH_LEVEL", evidence=Evidence.RUNTIME_COPY),
            ["the compiler of the build image", "-static-libgcc -static-libstdc++"],
        ),
        (usual("EXTERNAL_LIBRARY"), ["libsubject.so", "manylinux_2_31", "exclude ="]),
        (usual("BY_NAME_ONLY"), ["no search path", 'allow = ["BY_NAME_ONLY:liblibrary.so"]']),
        (
            usual("BY_NAME_ONLY", evidence=Evidence.OTHER_FOLDER),
            ["no fixed path leads there from the folder some", "manyshim repair"],
        ),
        (
            usual("EXTERNAL_LIBRARY", advice=Advice.REPAIRED),
            ["libsubject.so", "link it statically"],
        ),
        (usual("EXECSTACK", subject="PT_GNU_STACK is RWE"), ["clear the bit"]),
        (usual("BY_NAME_ONLY", severity=f.WARNING), ["already loaded"]),
        (usual("MIXED_ARCH"), ['allow = ["MIXED_ARCH:pkg/_x.so"]']),
        (usual("VERDEF_MISSING"), ["one", "libsubject.so", "liblibrary.so"]),
        (
            usual("ABI3", required=(3, 11), details=("3.8",)),
            ["one, two", "since CPython 3.11", "promises CPython 3.8"],
        ),
        (
            usual("ABI3", evidence=Evidence.NOT_IN_STABLE_ABI, details=("3.15",)),
            ["one, two", "not in the stable ABI as of CPython 3.15"],
        ),
        (usual("NO_INIT"), ["PyInit_NAME", "the import fails", "ctypes or cffi"]),
        (
            usual("NO_INIT", evidence=Evidence.NO_MODULE_WITH_INIT, severity=f.INFO),
            ["no module of the wheel", "ctypes or cffi"],
        ),
        (
            usual("SUFFIX", evidence=Evidence.OTHER_INTERPRETER, details=("CPython 3.15t",)),
            ["libsubject.so", "include CPython 3.15t", "not loaded"],
        ),
        (
            usual("SUFFIX", evidence=Evidence.OTHER_PLATFORM, severity=f.INFO),
            ["where some is not loaded", "another file of the module"],
        ),
        (
            usual("SUFFIX", evidence=Evidence.NO_STABLE_ABI, details=("CPython 3.14t",)),
            ["libsubject.so", "no stable ABI", "makes CPython 3.14t load"],
        ),
        (usual("UNDEFINED"), ["one, two"]),
        (usual("EXECSTACK", allowed=True, severity=f.WARNING), ["(allowed)"]),
    ],
)
def test_sentence_says_what_it_is_about(found: Finding, words: List[str]) -> None:
    said = sentence(found)
    assert [word for word in words if word not in f"{said.message} {said.fix}"] == []


def report(*findings: Finding) -> Report:
    name = parse_wheel_name("demo-1.0-cp311-cp311-linux_x86_64.whl")
    assert name is not None
    policies = tuple(PlatformTag(GLIBC, 2, minor, "x86_64") for minor in (5, 31, 34))
    return Report(name, "x86_64", GLIBC, policies, policies[-1], findings)


@pytest.mark.parametrize("make", [usual, hostile])
def test_whole_report_is_text_and_data(make: Callable[[str], Finding]) -> None:
    said = report(*map(make, SENTENCES))
    decision = TagDecision(reason=Evidence.ERRORS, details=(HOSTILE,))
    blocked = Blockers(POLICY, tuple(map(make, SENTENCES)), None)
    lines = [
        *build_lines(said, decision, blocked, Notes({HOSTILE: (SourceLine(HOSTILE, 1, HOSTILE),)})),
        *show_lines(said, decision, verbose=True),
        *check_lines(said, verbose=True),
    ]
    assert all(line.text.isprintable() for line in lines)
    text = "\n".join(line.text for line in lines)
    assert {kind for kind in SENTENCES if f"[{kind}]" not in text} == set()
    data = json.dumps(to_dict(said, decision), ensure_ascii=False).encode()
    assert [row["kind"] for row in json.loads(data)["findings"]] == [*SENTENCES]
    assert [row for row in json.loads(data)["findings"] if not str(row["path"]).isprintable()] == []


def test_findings_that_differ_in_the_file_alone_are_said_once() -> None:
    said = report(*(usual("TOO_NEW", path=f"pkg/_{letter}.so") for letter in "abcde"))
    (line,) = [line for line in show_lines(said, TagDecision()) if "[TOO_NEW]" in line.text]
    assert "pkg/_a.so, pkg/_b.so, pkg/_c.so and 2 more " in line.text


def test_no_fix_of_glibc_private_is_a_newer_tag() -> None:
    assert "tag" not in sentence(usual("TOO_NEW", subject="GLIBC_PRIVATE", required=None)).fix


def test_copies_of_a_runtime_are_one_line() -> None:
    copies = (
        usual("MUSL_PATCH_LEVEL", path=f"demo.libs/{name}-0cd532bd.so", symbols=("DT_RELR",))
        for name in ("libgcc_s", "libstdc++")
    )
    found = [one._replace(evidence=Evidence.RUNTIME_COPY) for one in copies]
    lines = [line.text for line in check_lines(report(*found)) if "PATCH" in line.text]
    assert len(lines) == 1
    assert "libgcc_s-0cd532bd.so, demo.libs/libstdc++-0cd532bd.so need DT_RELR" in lines[0]


def test_information_is_said_when_asked_for() -> None:
    said = report(usual("STATIC_OBJECT"))
    quiet, verbose = (show_lines(said, TagDecision(), verbose=loud) for loud in (False, True))
    assert [line.text for line in verbose if line not in quiet] != []
    assert not [line for line in quiet if "STATIC_OBJECT" in line.text]


def false_tag(evidence: Evidence, subject: str = "manylinux_2_17_x86_64") -> str:
    made = finding("FALSE_TAG", "", subject, evidence=evidence, details=(subject, "x86_64"))
    return " | ".join(sentence(made))


def test_the_fix_of_a_false_tag_depends_on_the_reason() -> None:
    assert "manyshim retag" in false_tag(Evidence.NOT_PROVED)
    for evidence in (Evidence.NOTHING_PROVED, Evidence.FILES_OF_OTHER, Evidence.OTHER_MACHINE):
        assert "manyshim retag" not in false_tag(evidence)
    assert "older system" not in false_tag(Evidence.NOTHING_PROVED)
    assert false_tag(Evidence.NOT_PROVED, "a, b").startswith("the tags a, b are not proved")


def test_a_version_that_no_policy_has_is_not_accepted_with_a_newer_tag() -> None:
    for policy, accepted in ((PlatformTag(GLIBC, 2, 41, "x86_64"), False), (POLICY, True)):
        fix = sentence(usual("TOO_NEW", policy=policy)).fix
        assert ("accept the newer tag" in fix) is accepted


def test_no_static_libc_is_advised() -> None:
    assert "statically" not in sentence(usual("FORBIDDEN_SYMBOL", library="libc.so.6")).fix
    assert "statically" in sentence(usual("FORBIDDEN_SYMBOL", library="libz.so.1")).fix
