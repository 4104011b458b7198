"""The gate on entry_points.txt: scripts that the index or an installer refuses."""

from __future__ import annotations

import re
from typing import Iterator

from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import EntryPoints

_KIND = "ENTRY_POINTS"
_FILE = "entry_points.txt"
_MAX_SHOWN = 1000
# The rule of the index for names of scripts.
_NAME = re.compile(r"[\w.-]+\Z")
# What uv refuses, each under the Python of that version.
_INTERPRETER = re.compile(r"python(?:w|3(?:\.\d{1,4})?)?\Z")
# MODULE:OBJECT, perhaps with extras behind it.
_REFERENCE = re.compile(r"[\w.]{1,400} {0,9}: {0,9}[\w.]{1,400} {0,9}(?:\[[^\]]{0,400}\])?\Z")


class EntryPointProblem(Problem):
    """What is wrong with entry_points.txt."""

    UNREADABLE = Row(
        _KIND,
        ERROR,
        "cannot be read: {0}; the package index and installers refuse it",
        "correct the entry points of the project",
    )
    BAD_NAME = Row(
        _KIND,
        ERROR,
        "has a script named '{0}'; the package index refuses this name",
        "use letters, digits, dots, dashes and underscores",
    )
    INTERPRETER = Row(
        _KIND,
        ERROR,
        "has a script named '{0}', like an interpreter; uv refuses it",
        "rename the script",
    )
    BAD_REFERENCE = Row(
        _KIND,
        ERROR,
        "has the script {0} = '{1}', which names no function; installers refuse it",
        "write it as module:function",
    )
    SEMICOLON = Row(
        _KIND, ERROR, "has a comment that begins with a semicolon; pip fails to install it",
        "remove the comment",
    )  # fmt: skip


def entry_points(facts: EntryPoints) -> Iterator[Finding]:
    """Yield findings for entry_points.txt; at most 1,000."""
    if facts.error:
        yield problem_finding(EntryPointProblem.UNREADABLE, _FILE, facts.error)
    if facts.semicolon:
        yield problem_finding(EntryPointProblem.SEMICOLON, _FILE)
    for _, name, value in facts.scripts[:_MAX_SHOWN]:
        if not _NAME.match(name):
            yield problem_finding(EntryPointProblem.BAD_NAME, _FILE, name)
        elif _INTERPRETER.match(name):
            yield problem_finding(EntryPointProblem.INTERPRETER, _FILE, name)
        if not _REFERENCE.match(value.strip()):
            yield problem_finding(EntryPointProblem.BAD_REFERENCE, _FILE, name, value)
