"""Whether the index and installers accept the scripts of entry_points.txt."""

from __future__ import annotations

import re
from typing import Collection, Iterator, Optional, Set

from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import EntryPointFacts, is_interpreter

_PATH = "entry_points.txt"


class EntryPointProblem(Problem):
    """What is wrong with entry_points.txt."""

    UNREADABLE = Row(
        "ENTRY_POINTS",
        ERROR,
        "is not a valid INI file with the delimiter '=' ({0})",
        "correct the entry points of the project, and build again",
    )
    CLIMBS = Row(
        "ENTRY_POINTS",
        ERROR,
        "has the script '{0}', which would be outside of the scripts folder",
        "give it a name without a path",
    )
    NAME = Row(
        "ENTRY_POINTS",
        ERROR,
        "has the script '{0}', and the index takes only letters, digits, '_', '.' and '-'",
        "rename the script",
    )
    INTERPRETER = Row(
        "ENTRY_POINTS",
        ERROR,
        "has the script '{0}', and uv refuses the name of an interpreter",
        "rename the script",
    )
    REFERENCE = Row(
        "ENTRY_POINTS",
        ERROR,
        "has the script '{0}' for '{1}', and installers take only 'module:attribute'",
        "name a module and a function in it",
    )
    BOTH_GROUPS = Row(
        "ENTRY_POINTS",
        ERROR,
        "has the script '{0}' in console_scripts and in gui_scripts; installer refuses the second",
        "keep one of the two, or rename it",
    )
    ALSO_A_FILE = Row(
        "ENTRY_POINTS",
        ERROR,
        "has the script '{0}', which .data has as a file, too; installer refuses the second",
        "keep one of the two, or rename it",
    )
    SEMICOLON = Row(
        "ENTRY_POINTS",
        ERROR,
        "has a comment that begins with a semicolon, and pip fails to install it",
        "remove the comment",
    )


# As the index has it.
_NAME = re.compile(r"[\w.-]+")
# As the library installer has it. pip and uv refuse less.
_REFERENCE = re.compile(r"[\w.]+\s*:\s*[\w.]+\s*(?:\[.*\])?\s*")
# The longest reference that is compared with the pattern.
_MAX_REFERENCE = 5000
_MAX_FINDINGS = 1000


def entry_points(
    facts: Optional[EntryPointFacts], files: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield findings about entry_points.txt; None is a wheel without one.

    `files` are the names of the scripts that the wheel has as files.
    """
    for _, found in zip(range(_MAX_FINDINGS), _all(facts or EntryPointFacts(), files)):
        yield found


def _all(facts: EntryPointFacts, files: Collection[str]) -> Iterator[Finding]:
    if facts.problem:
        yield problem_finding(EntryPointProblem.UNREADABLE, _PATH, facts.problem)
    if facts.semicolon:
        yield problem_finding(EntryPointProblem.SEMICOLON, _PATH)
    seen: Set[str] = set()
    for _, name, reference in facts.scripts:
        if name in seen:
            yield problem_finding(EntryPointProblem.BOTH_GROUPS, _PATH, name, subject=name)
        elif name in files:
            yield problem_finding(EntryPointProblem.ALSO_A_FILE, _PATH, name, subject=name)
        seen.add(name)
        if "/" in name or "\\" in name or name in (".", ".."):
            what = EntryPointProblem.CLIMBS
        elif not _NAME.fullmatch(name):
            what = EntryPointProblem.NAME
        elif is_interpreter(name):
            what = EntryPointProblem.INTERPRETER
        elif len(reference) > _MAX_REFERENCE or not _REFERENCE.fullmatch(reference):
            what = EntryPointProblem.REFERENCE
        else:
            continue
        yield problem_finding(what, _PATH, name, reference, subject=name)
