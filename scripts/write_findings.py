"""Write docs/findings.md, the explanation of each kind of finding, from audit/explanations/.

`--check` writes nothing, and exits with 1 if the page is not current. The table of docs/audit.md
comes from the same data: scripts/write_readme.py writes it.
"""

from __future__ import annotations

import sys
from typing import Iterator

import _written
from _data import REPOSITORY
from manyshim.audit.explanations.explanation import SEVERITIES
from manyshim.audit.explanations.problems import problems
from manyshim.audit.explanations.table import EXPLANATIONS, explanation
from manyshim.audit.findings import KINDS
from manyshim.formatters.explain import example_lines, fill, problem_sentence, sections

PAGE = REPOSITORY / "docs" / "findings.md"
_WIDTH = 100

_INTRODUCTION = """\
# Findings

What each kind of finding means, why it matters, how to fix it, and when to accept it with `allow`.
`manyshim explain KIND` prints the same on a terminal, and `manyshim explain` lists all kinds.
[audit.md](audit.md) tells what is proved, and [command-line.md](command-line.md) how to run it.

Written by `python scripts/write_findings.py`.

"""


def page() -> str:
    """Return the text of the page."""
    lines = [*_contents(), *(line for kind in KINDS for line in _section(kind))]
    return _INTRODUCTION + "\n".join(lines)


def summary_table() -> str:
    """Return the Markdown table of all kinds, with links to the page."""
    rows = ["| kind | severity | meaning |", "|---|---|---|"]
    rows += [
        f"| [`{kind}`](findings.md#{kind.lower()}) | {severity} | {EXPLANATIONS[kind].summary} |"
        for kind, severity in KINDS.items()
    ]
    return "\n".join(rows) + "\n"


def _contents() -> Iterator[str]:
    """Yield the links to all kinds, by severity."""
    for severity, effect in SEVERITIES.items():
        yield f"**{severity}**: {effect}."
        links = [f"[{kind}](#{kind.lower()})" for kind, usual in KINDS.items() if usual == severity]
        yield from fill(", ".join(links), _WIDTH)
        yield ""


def _section(kind: str) -> Iterator[str]:
    """Yield the lines of one kind."""
    text, severity = explanation(kind), KINDS[kind]
    meaning, *others = sections(text)
    yield from (f"## {kind}", "", f"Severity: `{severity}`.", "")
    yield from _paragraphs(meaning[1])
    yield "```text"
    for line in example_lines(text):
        indent = line.text[: len(line.text) - len(line.text.lstrip())] + "    "
        yield from fill(line.text, _WIDTH, more=indent)
    yield from ("```", "")
    for heading, content in others:
        begin = f"**{heading}:**" if content.startswith("- ") else f"**{heading}.**"
        separator = "\n" if content.startswith("- ") else " "
        yield from _paragraphs(begin + separator + content)
    yield from _problems(kind)


def _paragraphs(content: str) -> Iterator[str]:
    """Yield the paragraphs and lists of a text, and an empty line after each."""
    parts = content.split("\n")
    for part, following in zip(parts, [*parts[1:], ""]):
        step = part.startswith("- ")
        yield from fill(part, _WIDTH, more="  " if step else "")
        if not step or not following.startswith("- "):
            yield ""


def _problems(kind: str) -> Iterator[str]:
    """Yield the table of the problems of a kind."""
    rows = [(one.value.severity, problem_sentence(one)) for one in problems(kind)]
    if not rows:
        return
    yield from ("| severity | problem | fix |", "|---|---|---|")
    for severity, said in rows:
        yield f"| {severity} | {_cell(said.message)} | {_cell(said.fix)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def main() -> int:
    """Write the page, or compare it; return the exit code."""
    return _written.run(__doc__, lambda: {PAGE: page()})


if __name__ == "__main__":
    sys.exit(main())
