"""The gate on a whole release: which files belong together, and which one is missing."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from manyshim.audit.findings import ERROR, WARNING, Finding, Problem, Row, problem_finding
from manyshim.audit.tags import WheelName, is_linux, parse_platform, platform_arch
from manyshim.values import NamedTuple

_KIND = "INCOMPLETE_SET"
_LATE = "build it now: the index closes a release after 14 days, so it cannot be added later"
# A hole is reported only in a row and a column that have at most one hole in so many cells.
_FEWEST = 3
_MAX_SHOWN = 4


class SetProblem(Problem):
    """What is wrong with the files of one project."""

    VERSIONS = Row(
        _KIND,
        ERROR,
        "the files of {0} have {1} versions ({2})",
        "upload one version at a time; remove the files of the others",
    )
    NO_SDIST = Row(_KIND, WARNING, "the project {0} has no sdist here", _LATE)
    HOLE = Row(
        _KIND,
        WARNING,
        "there is no wheel of {0} for {1}; all other Pythons have one, and so have "
        "all other platforms",
        _LATE,
    )
    MISSING = Row(
        _KIND, ERROR, "the project {0} has no {1}, which the other set has", _LATE
    )  # fmt: skip


class SetFile(NamedTuple):
    """A file of a release: its project (PEP 503), its version, and its tags if it is a wheel."""

    project: str
    version: str
    wheel: Optional[WheelName] = None


# A Python tag with an ABI, and a platform without the version of its system.
_Cell = Tuple[str, str]


def judge_set(
    project: str, files: Sequence[SetFile], like: Optional[Sequence[SetFile]]
) -> Iterator[Finding]:
    """Yield findings for the files of one project; `like` are those of another set."""
    versions = sorted({one.version for one in files})
    if len(versions) > 1:
        listed = ", ".join(versions[:_MAX_SHOWN])
        yield problem_finding(SetProblem.VERSIONS, "", project, str(len(versions)), listed)
    if like is not None:
        yield from _unlike(project, files, like)
        return
    if all(one.wheel for one in files):
        yield problem_finding(SetProblem.NO_SDIST, "", project)
    for version in versions:
        for python, platform in _holes(cells([one for one in files if one.version == version])):
            what = f"{python} on {platform}"
            yield problem_finding(SetProblem.HOLE, "", project, what)


def _unlike(project: str, files: Sequence[SetFile], like: Sequence[SetFile]) -> Iterator[Finding]:
    had_sdist = any(one.wheel is None for one in like)
    if had_sdist and all(one.wheel for one in files):
        yield problem_finding(SetProblem.MISSING, "", project, "sdist")
    there = cells(files)
    for python, platform in sorted(cells(like) - there):
        if not _covered(python, platform, there):
            what = f"wheel for {python} on {platform}"
            yield problem_finding(SetProblem.MISSING, "", project, what)


def _covered(python: str, platform: str, there: FrozenSet[_Cell]) -> bool:
    """Whether other wheels install where a missing one did: a pure one, or one for all Pythons."""
    platforms = {cell_platform for _, cell_platform in there}
    pure = "any" in platforms
    return pure or any(
        cell_platform == platform and _takes(cell_python, python)
        for cell_python, cell_platform in there
    )


def _takes(available: str, wanted: str) -> bool:
    """Whether wheels with one Python tag also serve the interpreter of another one."""
    available_python, _, abi = available.partition("-")
    if abi == "none" and available_python.startswith("py"):
        return True
    wanted_python, _, wanted_abi = wanted.partition("-")
    first, other = _cpython(available_python), _cpython(wanted_python)
    if abi != "abi3" or wanted_abi.endswith("t") or first is None or other is None:
        return False
    return first <= other


def _cpython(tag: str) -> Optional[int]:
    digits = tag[len("cp3") :]
    return int(digits) if tag.startswith("cp3") and digits.isdigit() else None


def cells(files: Sequence[SetFile]) -> FrozenSet[_Cell]:
    """Return which Pythons and platforms the wheels of a set are for."""
    found: Set[_Cell] = set()
    for one in files:
        if one.wheel is not None:
            pythons = [f"{python}-{abi}" for python in one.wheel.pythons for abi in one.wheel.abis]
            platforms = {part for name in one.wheel.platforms for part in platform_groups(name)}
            found.update((python, platform) for python in pythons for platform in platforms)
    return frozenset(found)


def platform_groups(platform: str) -> Tuple[str, ...]:
    """Return the systems of a platform tag without their version, as `macOS arm64`.

    A universal wheel for macOS covers two architectures.
    """
    text = platform.lower()
    if is_linux(text):
        tag = parse_platform(text)
        family = "musllinux" if tag and tag.libc == "musl" else "manylinux" if tag else "linux"
        return (f"{family} {platform_arch(text) or ''}".strip(),)
    system, _, rest = text.partition("_")
    if system == "macosx":
        arch = rest.split("_", 2)[-1]
        arches = ("x86_64", "arm64") if arch == "universal2" else (arch,)
        return tuple(f"macOS {one}" for one in arches)
    if system in ("ios", "android", "pyemscripten", "pyodide"):
        return (f"{system} {'_'.join(part for part in rest.split('_') if not part.isdigit())}",)
    return (text,)


def _holes(found: FrozenSet[_Cell]) -> List[_Cell]:
    """Return the isolated holes: all other cells of the row and of the column are there.

    Many projects leave out a Python or a platform on purpose, and then more than one cell is empty.
    """
    # Only wheels for one CPython: its tag is also the ABI, with a t for free threading.
    specific = {
        (python, platform)
        for python, platform in found
        if python.startswith("cp") and python.partition("-")[2].rstrip("t") in python.split("-")[:1]
    }
    rows: Dict[str, Set[str]] = {}
    columns: Dict[str, Set[str]] = {}
    for python, platform in specific:
        rows.setdefault(python, set()).add(platform)
        columns.setdefault(platform, set()).add(python)
    return sorted(
        (python, platform)
        for python in rows
        for platform in columns
        if (python, platform) not in specific and _isolated(python, platform, rows, columns)
    )


def _isolated(
    python: str, platform: str, rows: Mapping[str, Set[str]], columns: Mapping[str, Set[str]]
) -> bool:
    row, column = rows[python], columns[platform]
    full = len(row) == len(columns) - 1 and len(column) == len(rows) - 1
    return full and len(row) >= _FEWEST and len(column) >= _FEWEST
