"""Whether the files of a release belong together, and whether one is missing: by their names."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.matrix import holes
from manyshim.audit.tags import parse_wheel_name
from manyshim.audit.targets import Coverage, Target, targets
from manyshim.values import NamedTuple

_KIND = "INCOMPLETE_SET"
_MAX_FINDINGS = 1000
# What clients upload, beside wheels.
_UPLOADED = (".tar.gz", ".zip")
# Archives that the index took as sdists once. Check refuses them by their extension.
_SDIST_ENDS = (*_UPLOADED, ".tgz", ".tar.bz2", ".tar.xz", ".tar.z", ".tar", ".egg")
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


_MISSING = (SetProblem.MISSING_WHEEL, SetProblem.MISSING_SDIST, SetProblem.MISSING_PROJECT)


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
    def of_other_version(self) -> int:
        """The number of files of another version than most."""
        return sum(one.problem == SetProblem.OTHER_VERSION for one in self.errors)


class _File(NamedTuple):
    name: str
    project: str
    # The project and the version as they are spelled.
    prefix: str
    version: str
    # Empty for an sdist.
    targets: Tuple[Target, ...]


def is_sdist(name: str) -> bool:
    """Whether a name ends like that of an sdist."""
    return name.lower().endswith(_SDIST_ENDS)


def is_release_file(name: str) -> bool:
    """Whether clients upload a file of this name from the folder of a release."""
    return name.lower().endswith((".whl", *_UPLOADED))


def names_a_project(name: str) -> bool:
    """Whether a file name states a project and a version, so that it belongs to a set."""
    return _parsed(name) is not None


def judge(names: Iterable[str], like: Optional[Iterable[str]] = None) -> List[SetReport]:
    """Judge file names by project; `like` are those of another release.

    A name that cannot be parsed belongs to no project. It has a finding of its own.
    """
    own, other = _by_project(names), _by_project(like or ())
    found = []
    for project in sorted({*own, *other}):
        files, others = own.get(project, []), other.get(project, [])
        findings = list(_set(files, others) if files else _no_project(project, others))
        versions = tuple(dict.fromkeys(one.version for one in files))
        found.append(SetReport(project, versions, tuple(findings)))
    return found


def _by_project(names: Iterable[str]) -> Dict[str, List[_File]]:
    found: Dict[str, List[_File]] = {}
    for file in filter(None, map(_parsed, dict.fromkeys(names))):
        found.setdefault(file.project, []).append(file)
    return found


def _parsed(name: str) -> Optional[_File]:
    wheel = parse_wheel_name(name)
    if wheel is not None:
        project, version, tags = wheel.name, wheel.version, targets(wheel)
    else:
        end = next((end for end in _SDIST_ENDS if name.lower().endswith(end)), "")
        project, _, version = name[: -len(end)].rpartition("-") if end else ("", "", "")
        tags = ()
    # A dash in the name of a project moves the other parts. That name has a finding of its own.
    if not project or not re.match(r"v?\d", version):
        return None
    canonical = re.sub(r"[-_.]+", "-", project).lower()
    return _File(name, canonical, project, version, tags)


def _set(files: List[_File], others: List[_File]) -> Iterator[Finding]:
    """Judge the files of one project."""
    first = _main_version(files)
    yield from islice(_other_versions(files, first), _MAX_FINDINGS)
    own = {target: one for one in files for target in one.targets}
    known = {target: one for one in others for target in one.targets}
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


def _no_project(project: str, others: Sequence[_File]) -> Iterator[Finding]:
    names = [project, others[0].name]
    yield problem_finding(SetProblem.MISSING_PROJECT, "", *names, subject=project)


def _main_version(files: Sequence[_File]) -> _File:
    """Return a file of the version that most files have; wheels count more than sdists."""
    counted = Counter(_version_key(one.version) for one in files)
    wheels = Counter(_version_key(one.version) for one in files if one.targets)

    def weight(one: _File) -> Tuple[int, int]:
        key = _version_key(one.version)
        return counted[key], wheels[key]

    return max(files, key=weight)


def _other_versions(files: Sequence[_File], first: _File) -> Iterator[Finding]:
    usual = _version_key(first.version)
    for one in files:
        if _version_key(one.version) != usual:
            details = (one.version, first.name, first.version)
            what = SetProblem.OTHER_VERSION
            yield problem_finding(what, one.name, *details, subject=one.version)


# The spellings of one kind of release (PEP 440).
_SPELLINGS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc", "rev": "post"}
_SPELLINGS["r"] = "post"


def _version_key(version: str) -> Tuple[str, ...]:
    """Return equal values for spellings of one version (PEP 440): 1.0, 1.0.0, 0!1 and v1."""
    text, plus, local = version.lower().lstrip("v").partition("+")
    # A kind of release without a number has the number 0: 1.0a is 1.0a0.
    text = re.sub(r"([a-z])(?![a-z]|[-_.]?[0-9])", r"\g<1>0", text)
    words = re.findall(r"[a-z]+|[0-9]+|!", re.sub(r"^0+!", "", text))
    parts = [_SPELLINGS.get(word, word.lstrip("0") or "0") for word in words]
    end = next((at for at, word in enumerate(parts) if word.isalpha()), len(parts))
    release = parts[:end]
    while release[1:] and release[-1] == "0":
        release.pop()
    return (*release, *parts[end:], plus, *re.split(r"[-_.]", local))


def _missing(own: Dict[Target, _File], known: Dict[Target, _File], begin: str) -> Iterator[Finding]:
    """Yield a finding for each wheel of the other set that has no counterpart.

    A wheel for more Pythons or platforms is one, unless the other set has it as well.
    """
    broad = Coverage(target for target in own if target not in known)
    for target in sorted(known):
        if target not in own and not broad.covers(target):
            path = f"{begin}-{target}.whl"
            other = known[target].name
            yield problem_finding(SetProblem.MISSING_WHEEL, path, other, subject=path)


def _holes(own: Iterable[Target], known: Iterable[Target], begin: str) -> Iterator[Finding]:
    """Yield a finding for each single hole among the Pythons that the other set does not have."""
    compared = {one.python for one in known}
    for hole in holes(own):
        if hole.target.python not in compared:
            path = f"{begin}-{hole.target}.whl"
            details = (hole.target.abi, str(hole.platforms), str(hole.pythons))
            yield problem_finding(SetProblem.HOLE, path, *details, subject=path)
