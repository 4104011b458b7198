"""The gate on the file name: how the index and installers read it."""

from __future__ import annotations

from typing import Iterator

from manyshim.audit.findings import ERROR, Finding, Problem, Row, problem_finding
from manyshim.audit.gate.facts import NameFacts
from manyshim.audit.tags import WheelName

_KIND = "FILE_NAME"
_RENAME = "build again with a newer build backend, which writes this spelling by itself"


class NameProblem(Problem):
    """What is wrong with a file name. Sources: PEP 427, 440, 503, 625, 825, and the index."""

    SPELLING = Row(
        _KIND,
        ERROR,
        "the project is spelled '{0}'; the package index requires '{1}', and uv does not publish "
        "other spellings",
        _RENAME,
    )
    EXTENSION = Row(
        _KIND,
        ERROR,
        "the file name ends with '{0}'; the package index requires '.whl'",
        "rename the file",
    )
    NO_VERSION = Row(
        _KIND,
        ERROR,
        "the version '{0}' is not valid (PEP 440)",
        "use a version such as 1.0.0; a file name has an underscore for each dash of the project",
    )
    LOCAL_VERSION = Row(
        _KIND,
        ERROR,
        "the version {0} has a local part, which the package index refuses",
        "remove the part behind the +; for an index that takes it: --allow 'FILE_NAME:*'",
    )
    VARIANT = Row(
        _KIND,
        ERROR,
        "the name has the variant label {0} (PEP 825); the package index and installers without "
        "support for variants refuse it",
        "upload it to an index for variants, and accept it here: --allow 'FILE_NAME:*'",
    )


def wheel_name(name: WheelName, facts: NameFacts, filename: str) -> Iterator[Finding]:
    """Yield findings for the name of a wheel; `filename` is its spelling."""
    extension = filename[-len(".whl") :]
    if extension != ".whl":
        yield problem_finding(NameProblem.EXTENSION, "", extension)
    yield from project_name(name.name, name.version, facts)
    if name.variant:
        yield problem_finding(NameProblem.VARIANT, "", name.variant)


def project_name(project: str, version: str, facts: NameFacts) -> Iterator[Finding]:
    """Yield findings for the project and the version, as a file name spells them."""
    expected = facts.project.replace("-", "_")
    if project != expected:
        yield problem_finding(NameProblem.SPELLING, "", project, expected or "another name")
    if not facts.version:
        yield problem_finding(NameProblem.NO_VERSION, "", version)
    yield from local_version(facts.version)


def local_version(version: str) -> Iterator[Finding]:
    """Yield a finding for a normalized version with a local part (PEP 440)."""
    if "+" in version:
        yield problem_finding(NameProblem.LOCAL_VERSION, "", version)
