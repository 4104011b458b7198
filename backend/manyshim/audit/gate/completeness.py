"""Whether the files of a release belong together, and whether one is missing: by their names."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.matrix import holes
from manyshim.audit.releases import ReleaseFile, parse_release_file, version_key
from manyshim.audit.targets import Coverage, Target
from manyshim.values import NamedTuple

_KIND = "INCOMPLETE_SET"
_MAX_FINDINGS = 1000
_BUILD_SDIST = "build the sdist too (uv build --sdist, or python -m build --sdist)"
_BUILD_WHEEL = (
    "build it, or accept that it is missing: --allow 'INCOMPLETE_SET:*', or a pattern for its name"
)


class SetProblem(Problem):
    """What is wrong with a set of files."""

    OTHER_VERSION = Row(
        *(_KIND, ERROR, "has version {0}, but '{1}' has '{2}'"),
        "build all files from one version, and move the others out of the folder",
    )
    SECOND_SDIST = Row(
        *(_KIND, ERROR, "is a second sdist, beside '{0}'; the index takes one for a release"),
        "move one of them out of the folder",
    )
    SAME_NAME = Row(
        *(_KIND, ERROR, "is there twice, with different contents: '{0}' and '{1}'"),
        "keep one of them; the index takes a file name only once",
    )
    NO_SDIST = Row(
        _KIND,
        WARNING,
        "there is no sdist; it cannot be added after 14 days",
        _BUILD_SDIST,
    )
    HOLE = Row(
        _KIND,
        WARNING,
        "is missing: {0} has wheels for {1} other platforms, this platform for {2} other Pythons",
        "build this wheel before the upload, unless you leave it out on purpose",
    )
    MISSING_WHEEL = Row(_KIND, ERROR, "is missing; the set of --like has '{0}'", _BUILD_WHEEL)
    FEWER_WHEELS = Row(
        *(_KIND, ERROR, "matches {0} here, and {1} in the set of --like, which has '{2}'"),
        _BUILD_WHEEL,
    )
    MISSING_SDIST = Row(
        _KIND,
        ERROR,
        "is missing; the set of --like has '{0}'",
        f"{_BUILD_SDIST}, or accept this: --allow 'INCOMPLETE_SET:*.tar.gz'",
    )
    MISSING_PROJECT = Row(
        *(_KIND, ERROR, "no file of {0} is here; the set of --like has '{1}'"),
        "build this project too, or take its files out of the other set",
    )


_DUPLICATE = (SetProblem.SECOND_SDIST, SetProblem.SAME_NAME)
_MISSING = (
    *(SetProblem.MISSING_WHEEL, SetProblem.FEWER_WHEELS),
    *(SetProblem.MISSING_SDIST, SetProblem.MISSING_PROJECT),
)


class SetReport(NamedTuple):
    """What was found about the files of one project.

    `project` is the canonical name (PEP 503), `versions` are those of the files, as spelled there.
    """

    project: str
    versions: Tuple[str, ...]
    findings: Tuple[Finding, ...] = ()

    @property
    def errors(self) -> Tuple[Finding, ...]:
        """The findings for which the set must not be uploaded as it is."""
        return tuple(one for one in self.findings if one.severity == ERROR)

    @property
    def missing(self) -> int:
        """The number of files that the other set has and this one lacks."""
        return sum(one.problem in _MISSING for one in self.errors)

    @property
    def duplicates(self) -> int:
        """The number of files that take the place of another one."""
        return sum(one.problem in _DUPLICATE for one in self.errors)

    @property
    def of_other_version(self) -> int:
        """The number of files of another version than most."""
        return sum(one.problem == SetProblem.OTHER_VERSION for one in self.errors)


def judge(
    names: Iterable[str],
    like: Optional[Iterable[str]] = None,
    conflicts: Iterable[Tuple[str, str, str]] = (),
) -> List[SetReport]:
    """Judge file names by project; `like` are those of another release.

    A name that cannot be parsed belongs to no project. It has a finding of its own. `conflicts` are
    names that files with different contents have, each with two paths.
    """
    same = [(parse_release_file(name), first, second) for name, first, second in conflicts]
    own, other = _by_project(names), _by_project(like or ())
    found = []
    for project in sorted({*own, *other}):
        files, others = own.get(project, []), other.get(project, [])
        findings = list(_set(files, others) if files else _no_project(project, others))
        findings += [
            problem_finding(SetProblem.SAME_NAME, one.name, first, second, subject=one.name)
            for one, first, second in same
            if one and one.project == project
        ]
        versions = tuple(dict.fromkeys(one.version for one in files))
        found.append(SetReport(project, versions, tuple(findings)))
    return found


def _by_project(names: Iterable[str]) -> Dict[str, List[ReleaseFile]]:
    found: Dict[str, List[ReleaseFile]] = {}
    for file in filter(None, map(parse_release_file, dict.fromkeys(names))):
        found.setdefault(file.project, []).append(file)
    return found


def _set(files: List[ReleaseFile], others: List[ReleaseFile]) -> Iterator[Finding]:
    """Judge the files of one project."""
    first = _main_version(files)
    yield from islice(_other_versions(files, first), _MAX_FINDINGS)
    yield from _second_sdists(files)
    own, known = _by_target(files), _by_target(others)
    begin = f"{first.prefix}-{first.version}"
    if not any(not one.targets for one in files):
        other = next((one.name for one in others if not one.targets), "")
        if other:
            path = f"{begin}.tar.gz"
            yield problem_finding(SetProblem.MISSING_SDIST, path, other, subject=path)
        elif not others:
            yield problem_finding(SetProblem.NO_SDIST)
    yield from islice(_missing(own, known, begin), _MAX_FINDINGS)
    yield from islice(_holes(own, known, begin), _MAX_FINDINGS)


def _no_project(project: str, others: Sequence[ReleaseFile]) -> Iterator[Finding]:
    names = [project, others[0].name]
    yield problem_finding(SetProblem.MISSING_PROJECT, "", *names, subject=project)


def _main_version(files: Sequence[ReleaseFile]) -> ReleaseFile:
    """Return a file of the version that most files have; wheels count more than sdists."""
    counted = Counter(version_key(one.version) for one in files)
    wheels = Counter(version_key(one.version) for one in files if one.targets)

    def weight(one: ReleaseFile) -> Tuple[int, int]:
        key = version_key(one.version)
        return counted[key], wheels[key]

    return max(files, key=weight)


def _other_versions(files: Sequence[ReleaseFile], first: ReleaseFile) -> Iterator[Finding]:
    usual = version_key(first.version)
    for one in files:
        if version_key(one.version) != usual:
            details = (one.version, first.name, first.version)
            what = SetProblem.OTHER_VERSION
            yield problem_finding(what, one.name, *details, subject=one.version)


def _second_sdists(files: Sequence[ReleaseFile]) -> Iterator[Finding]:
    first: Dict[Tuple[str, ...], str] = {}
    for one in files:
        if not one.targets:
            other = first.setdefault(version_key(one.version), one.name)
            if other != one.name:
                yield problem_finding(SetProblem.SECOND_SDIST, one.name, other, subject=one.name)


_ByTarget = Dict[Target, List[ReleaseFile]]


def _by_target(files: Iterable[ReleaseFile]) -> _ByTarget:
    found: _ByTarget = {}
    for one in files:
        for target in one.targets:
            found.setdefault(target, []).append(one)
    return found


def _missing(own: _ByTarget, known: _ByTarget, begin: str) -> Iterator[Finding]:
    """Yield a finding for each wheel of the other set that has no counterpart.

    A wheel for more Pythons or platforms is one, unless the other set has it as well. Wheels that
    differ only in the version of the system are counted.
    """
    broad = Coverage(target for target in own if target not in known)
    for target in sorted(known):
        path, others = f"{begin}-{target}.whl", known[target]
        count = len(own.get(target, ()))
        if not count and not broad.covers(target):
            names = [others[0].name]
            yield problem_finding(SetProblem.MISSING_WHEEL, path, *names, subject=path)
        elif 0 < count < len(others):
            lost = _without_counterpart(others, own[target])
            numbers = (f"{count} wheel{'s' * (count > 1)}", str(len(others)))
            names = [*numbers, lost.name]
            yield problem_finding(SetProblem.FEWER_WHEELS, path, *names, subject=path)


def _without_counterpart(others: Sequence[ReleaseFile], own: Sequence[ReleaseFile]) -> ReleaseFile:
    """Return the first wheel of the other set whose platform tags no wheel of this one has."""
    ends = {one.name.rpartition("-")[2] for one in own}
    missing = (one for one in others if one.name.rpartition("-")[2] not in ends)
    return next(missing, others[0])


def _holes(own: Iterable[Target], known: Iterable[Target], begin: str) -> Iterator[Finding]:
    """Yield a finding for each single hole among the Pythons that the other set does not have."""
    compared = {one.python for one in known}
    for hole in holes(own):
        if hole.target.python not in compared:
            path = f"{begin}-{hole.target}.whl"
            details = (hole.target.abi, str(hole.platforms), str(hole.pythons))
            yield problem_finding(SetProblem.HOLE, path, *details, subject=path)
