"""Writes the explanation of a kind of finding: as lines for a terminal, and as data for JSON."""

from __future__ import annotations

import re
import textwrap
from typing import Any, Dict, Iterator, List, Tuple

from manyshim.audit.explanations.explanation import SEVERITIES, Explanation
from manyshim.audit.explanations.problems import problems
from manyshim.audit.explanations.table import EXPLANATIONS, explanation
from manyshim.audit.findings import KINDS, POLICY, Problem, problem_finding
from manyshim.audit.messages import sentence
from manyshim.audit.reasons import Sentence
from manyshim.formatters.json import finding_dict
from manyshim.formatters.text import Line, by_severity, finding_lines

_MIN_WIDTH = 40
_INDENT = "  "
# Stands for a space at which no line ends.
_KEPT = "\0"
# What a template of a problem is filled with.
_OMITTED = "..."


def explanation_lines(kind: str, width: int) -> List[Line]:
    """Return the lines that explain a kind, wrapped to a width in characters."""
    text = explanation(kind)
    severity = KINDS[kind]
    lines = [Line(kind, "title"), Line(f"{severity}: {SEVERITIES[severity]}", severity)]
    for heading, content in sections(text):
        lines += [Line(""), Line(heading, "title")]
        lines += [Line(one) for part in content.split("\n") for one in _prose(part, width)]
        if heading == _MEANING:
            lines += [Line(""), Line("Example", "title")]
            lines += [
                Line(one, line.role)
                for line in example_lines(text)
                for one in _output(line.text, width)
            ]
    return [*lines, *_problem_lines(kind, width)]


_MEANING = "What it means"


def sections(text: Explanation) -> Tuple[Tuple[str, str], ...]:
    """Return the heading and the text of each part of an explanation."""
    return (
        (_MEANING, text.meaning),
        ("Why it matters", text.why),
        ("How to fix it", text.fix),
        ("When to allow it", text.allow),
    )


def example_lines(text: Explanation) -> List[Line]:
    """Return the lines that `show` or `check` prints for the example of an explanation."""
    if text.example.severity == POLICY:
        # `show` prints these below the policy.
        return [Line(line[len(_INDENT) :], POLICY) for line in finding_lines([text.example])]
    return by_severity([text.example], verbose=True)


def problem_sentence(problem: Problem) -> Sentence:
    """Return the sentence of a problem, with dots for the names and numbers of a wheel."""
    made = problem_finding(problem, "", *4 * (_OMITTED,), subject=_OMITTED)
    return sentence(made)


def list_lines(width: int) -> List[Line]:
    """Return a line for each kind, by severity, wrapped to a width in characters."""
    column = max(map(len, KINDS)) + 2 * len(_INDENT)
    lines: List[Line] = []
    for severity, effect in SEVERITIES.items():
        lines += [Line("")] if lines else []
        lines.append(Line(f"{severity}: {effect}", "title"))
        for kind in (kind for kind, usual in KINDS.items() if usual == severity):
            begin = f"{_INDENT}{kind}".ljust(column)
            lines += [
                Line(one) for one in fill(EXPLANATIONS[kind].summary, width, begin, " " * column)
            ]
    return [*lines, Line(""), Line("`manyshim explain KIND` says more about a kind", "dim")]


def explanation_dict(kind: str) -> Dict[str, Any]:
    """Return the explanation of a kind as a dictionary for JSON."""
    text = explanation(kind)
    rows = [(one, problem_sentence(one)) for one in problems(kind)]
    return {
        "kind": kind,
        "severity": KINDS[kind],
        "summary": text.summary,
        "meaning": text.meaning,
        "example": finding_dict(text.example),
        "why": text.why,
        "fix": text.fix,
        "allow": text.allow,
        "problems": [
            {
                "name": one.name,
                "severity": one.value.severity,
                "message": said.message,
                "fix": said.fix or None,
            }
            for one, said in rows
        ],
    }


def _problem_lines(kind: str, width: int) -> Iterator[Line]:
    """Yield the lines of the problems of a kind. A fix that several share is printed once."""
    rows = [(one.value.severity, problem_sentence(one)) for one in problems(kind)]
    if rows:
        yield Line("")
        yield Line("Problems", "title")
    for position, (severity, said) in enumerate(rows):
        for one in _output(f"{severity}: {said.message}", width):
            yield Line(one, severity)
        repeated = position + 1 < len(rows) and rows[position + 1][1].fix == said.fix
        if said.fix and not repeated:
            for one in _output(f"{_INDENT}{said.fix}", width):
                yield Line(one, "dim")


def _prose(text: str, width: int) -> List[str]:
    """Return the lines of a paragraph, or of a step, whose further lines hang."""
    more = 2 * _INDENT if text.startswith("- ") else _INDENT
    return fill(text, width, _INDENT, more)


def _output(text: str, width: int) -> List[str]:
    """Return the lines of a line that other commands print, which is one line there."""
    begin = _INDENT + text[: len(text) - len(text.lstrip())]
    return fill(text.lstrip(), width, begin, begin + 2 * _INDENT)


def fill(text: str, width: int, begin: str = "", more: str = "") -> List[str]:
    """Wrap a text; the first line starts with `begin`, the others with `more`.

    What is in backquotes is kept together, so that it can be copied.
    """
    kept = re.sub(r"`[^`]+`", lambda span: span[0].replace(" ", _KEPT), text)
    lines = textwrap.wrap(
        kept,
        max(width, _MIN_WIDTH),
        initial_indent=begin,
        subsequent_indent=more,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_KEPT, " ") for line in lines]
