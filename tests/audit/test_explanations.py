"""Each kind of finding has an explanation, and what it names exists."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules
from typing import Dict, Iterator, List, Set, Tuple

import pytest
import tomlkit

from manyshim.audit import gate, macos, native, windows
from manyshim.audit.explanations.explanation import NOT_NEEDED, SEVERITIES, Explanation
from manyshim.audit.explanations.problems import problems
from manyshim.audit.explanations.table import EXPLANATIONS, explanation
from manyshim.audit.findings import ERROR, INFO, KINDS, POLICY, WARNING, Problem, sort_key
from manyshim.cli.commands import COMMANDS, grammar_of
from manyshim.errors import ConfigError
from manyshim.formatters.explain import (
    example_lines,
    explanation_dict,
    explanation_lines,
    list_lines,
    problem_sentence,
)
from manyshim.options import BY_KEY

TEXTS = ("summary", "meaning", "why", "fix", "allow")
# The fewest and most characters of each text.
LIMITS = {
    "summary": (12, 160),
    "meaning": (80, 500),
    "why": (20, 400),
    "fix": (40, 700),
    "allow": (40, 420),
}
MAX_WORDS = 25
# Kinds that no rule makes an error: NOT_NEEDED is true for these alone.
NEVER_ERRORS = {
    *("NO_INIT", "VENDORED_SONAME_CLASH", "PAGE_ALIGN", "ELF_DAMAGED", "VC_RUNTIME"),
    *(kind for kind, severity in KINDS.items() if severity == INFO and kind != "STATIC_TLS"),
}
# Words in capitals that are no kinds: names of the field, of other tools, and placeholders.
OTHER_CAPITALS = {
    *("GLIBC_PRIVATE", "DT_RELR", "PT_GNU_STACK", "LD_PRELOAD", "RTLD_GLOBAL", "DEMO_2"),
    *("PYMODINIT_FUNC", "CMAKE_INSTALL_RPATH", "CMAKE_POSITION_INDEPENDENT_CODE"),
    *("MACOSX_DEPLOYMENT_TARGET", "NAMELINK_SKIP", "NO_SONAME", "GLIBC_2", "CMAKE_BUILD_TYPE"),
}


def texts(kind: str) -> str:
    return "\n".join(getattr(explanation(kind), name) for name in TEXTS)


def spans(kind: str) -> List[str]:
    """Return what is in backquotes in the texts of a kind."""
    return re.findall(r"`([^`\n]+)`", texts(kind))


def command_options() -> Dict[str, Set[str]]:
    """Return the long options of each command."""
    return {name: set(grammar_of(name).options) for name in COMMANDS}


OPTIONS = command_options()


def test_every_kind_has_an_explanation() -> None:
    assert EXPLANATIONS.keys() == KINDS.keys()
    with pytest.raises(KeyError):
        explanation("NO_SUCH_KIND")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_whole_and_short(kind: str, name: str) -> None:
    text = getattr(explanation(kind), name)
    least, most = LIMITS[name]
    assert least <= len(text) <= most
    assert text == text.strip()
    assert text.replace("\n", "").isprintable()
    assert text.count("`") % 2 == 0
    # Outside of backquotes, these are Markdown.
    assert not set("*<>|[]") & set(re.sub(r"`[^`]+`", "", text))
    if name == "summary":
        assert "\n" not in text
        assert not text.endswith(".")
    else:
        assert all(line.endswith((".", ":")) for line in text.split("\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_are_short(kind: str) -> None:
    prose = re.sub(r"`[^`]+`", "code", texts(kind))
    sentences = re.split(r"(?<=[.:;]) +|\n", prose)
    assert [one for one in sentences if len(one.split()) > MAX_WORDS] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_is_of_the_kind(kind: str) -> None:
    text = explanation(kind)
    assert text.example.kind == kind
    severities = {KINDS[kind], text.example.severity}
    # The first problem of the gate, and what `check` makes of a warning, may differ.
    assert len(severities) == 1 or severities <= {ERROR, WARNING}
    lines = [line.text for line in example_lines(text)]
    assert lines[0].endswith(f" [{kind}]")
    assert all(line.isprintable() for line in lines)
    if text.example.problem:
        assert text.example.problem in problems(kind)
    # As other findings, it can be sorted and has no field of another type.
    assert sorted([text.example], key=sort_key) == [text.example]


@pytest.mark.parametrize("kind", KINDS)
def test_a_finding_of_severity_policy_cannot_be_allowed(kind: str) -> None:
    allow, option = explanation(kind).allow, BY_KEY["allow"]
    if KINDS[kind] == POLICY and kind != "BY_NAME_ONLY":
        assert allow.startswith("No. ")
        assert f"{kind}:" not in texts(kind)
        with pytest.raises(ConfigError):
            option.parse(option, f"{kind}:*")
    else:
        assert allow.startswith(("Yes, ", "Rarely: ", "No good reason: ", "Not needed: "))
        assert option.parse(option, f"{kind}:*")


def test_what_is_never_an_error_needs_no_allow() -> None:
    assert {kind for kind in KINDS if explanation(kind).allow == NOT_NEEDED} == NEVER_ERRORS


def values(span: str) -> Iterator[Tuple[str, object]]:
    """Yield the options of manyshim in a span, each with the value that is to be parsed."""
    for key, value in re.findall(r"-C manyshim\.([\w-]+)=(\S+)", span):
        yield key, value
    for key, value in re.findall(r"--(allow|exclude|fix|platform|strip) [\"']?([^\"' ]+)", span):
        yield key, value
    if re.match(r"[\w-]+ = ", span) and span.partition(" = ")[0] in BY_KEY:
        ((key, value),) = tomlkit.parse(span).unwrap().items()
        yield key, value


@pytest.mark.parametrize("kind", KINDS)
def test_the_options_that_it_names_exist(kind: str) -> None:
    every = set().union(*OPTIONS.values())
    for span in spans(kind):
        for key, value in values(span):
            option = BY_KEY[key]
            option.parse(option, value)
        words = span.split()
        command = words[1] if words[0] == "manyshim" and words[1:] else ""
        if command:
            assert command in OPTIONS
        if command or span.startswith("-"):
            known = OPTIONS[command] if command else every
            named = [re.sub("=.*", "", word) for word in words if word.startswith("--")]
            assert [word for word in named if word not in known] == []
        if command and command != "explain":
            assert "KIND" not in words


@pytest.mark.parametrize("kind", KINDS)
def test_the_kinds_that_it_names_exist(kind: str) -> None:
    words = set(re.findall(r"(?<![\w./-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])", texts(kind)))
    assert words - OTHER_CAPITALS <= KINDS.keys()
    allowed = re.findall(r"([A-Z0-9_]+):[\w*]", " ".join(spans(kind)))
    assert {one for one in allowed if one in KINDS} <= {kind}
    explained = re.findall(r"`manyshim explain (\w+)`", texts(kind))
    assert set(explained) <= KINDS.keys()


def gate_problems() -> List[Problem]:
    names = [
        f"{package.__name__}.{one.name}"
        for package in (gate, macos, windows)
        for one in iter_modules(package.__path__)
    ]
    modules = [*map(import_module, names), native]
    everything = [value for module in modules for value in vars(module).values()]
    found = {one for one in everything if isinstance(one, type) and issubclass(one, Problem)}
    return [problem for one in found for problem in one]


def test_each_problem_of_the_gate_is_listed_with_its_kind() -> None:
    assert {one for kind in KINDS for one in problems(kind)} == {*gate_problems()}
    assert all(one.value.kind == kind for kind in KINDS for one in problems(kind))


def test_a_problem_has_dots_for_what_a_wheel_has() -> None:
    for problem in gate_problems():
        said = problem_sentence(problem)
        assert not set("{}") & set(said.message + said.fix)


@pytest.mark.parametrize("width", [0, 60, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_lines_are_wrapped(kind: str, width: int) -> None:
    lines = explanation_lines(kind, width)
    assert lines[0] == (kind, "title")
    assert all(line.text.isprintable() for line in lines)
    # A name or what is in backquotes is not cut.
    too_long = [line.text for line in lines[2:] if len(line.text) > max(width, 40)]
    words = (re.sub(r"`[^`]+`", "code", text).split() for text in too_long)
    assert [one for one in words if len(one) > 1 and width == 100] == []
    flat = re.sub(r"\s+", "", "".join(line.text for line in lines))
    for name in ("meaning", "why", "fix", "allow"):
        assert re.sub(r"\s+", "", getattr(explanation(kind), name)) in flat


def test_the_list_has_each_kind_under_its_severity() -> None:
    found: Dict[str, str] = {}
    severity = ""
    for line in list_lines(100):
        assert len(line.text) <= 100
        heading = re.match(r"(\w+): ", line.text)
        severity = heading[1] if heading else severity
        kind = re.match(r"  ([A-Z0-9_]+)  +\S", line.text)
        if kind:
            found[kind[1]] = severity
    assert found == KINDS
    assert [*SEVERITIES] == [*dict.fromkeys(KINDS.values())]


@pytest.mark.parametrize("kind", KINDS)
def test_data_for_json(kind: str) -> None:
    data = explanation_dict(kind)
    text: Explanation = explanation(kind)
    assert {key: data[key] for key in TEXTS} == {key: getattr(text, key) for key in TEXTS}
    assert (data["kind"], data["severity"]) == (kind, KINDS[kind])
    assert data["example"]["kind"] == kind
    assert [row["name"] for row in data["problems"]] == [one.name for one in problems(kind)]
    for row in data["problems"]:
        assert row["message"]
        assert row["severity"] in (ERROR, WARNING, INFO)
