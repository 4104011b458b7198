"""The matrix of Pythons and platforms that the wheels of a project fill, and its single holes."""

from __future__ import annotations

from collections import Counter
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from manyshim.audit.targets import Coverage, PythonVersion, Target, python_of
from manyshim.values import NamedTuple

# Platforms that projects give up, one after another. Where only the newest Python lacks one, that
# is nearly always on purpose.
_DECLINING = (
    *("win32", "_i686", "_i386", "_armv7l", "_ppc", "_ppc64", "_ppc64le", "_s390x", "_riscv64"),
    *("_loongarch64", "macosx_*_x86_64"),
)
# The wheels of these systems have a Python each, so their Pythons are not compared.
_ONE_PYTHON = ("android_", "ios_", "pyemscripten_", "pyodide_", "emscripten_", "wasi_")
# No project has more pairs of a Python and a platform.
_MAX_CELLS = 100_000


class Hole(NamedTuple):
    """A wheel that is not there.

    Its Python has wheels for `platforms` other platforms, and `pythons` other Pythons have one for
    its platform.
    """

    target: Target
    platforms: int
    pythons: int


# The tags of one Python in a matrix: cp311 and cp311.
_Tags = Tuple[str, str]


def holes(own: Iterable[Target]) -> Iterator[Hole]:
    """Yield each single hole in the matrix.

    Projects leave out old Pythons on new platforms, and declining platforms on new Pythons. So a
    hole counts only if an older Python has the platform, and a newer one too, or if it is that of
    the newest CPython on a platform that does not decline. It must be the only such hole of its
    Python and of its platform, and three quarters of the other wheels must be there.
    """
    own = set(own)
    families: Dict[str, Dict[PythonVersion, _Tags]] = {}
    names: Dict[str, Set[str]] = {}
    for one in sorted(own):
        found = _version_specific(one)
        if found is not None and not one.platform.startswith(_ONE_PYTHON):
            family, version = found
            families.setdefault(family, {}).setdefault(version, (one.python, one.abi))
            names.setdefault(family, set()).add(one.platform)
    coverage = Coverage(own)
    for family, pythons in sorted(families.items()):
        columns = sorted(names[family])
        if len(pythons) * len(columns) <= _MAX_CELLS:
            has = {
                (version, platform)
                for version, tags in pythons.items()
                for platform in columns
                if Target(*tags, platform) in own or coverage.covers(Target(*tags, platform))
            }
            yield from _single(pythons, columns, has, newest=family == "cp")


def _version_specific(target: Target) -> Optional[Tuple[str, PythonVersion]]:
    """Return the interpreter and the version if the ABI is that of one Python; else None.

    Free-threaded builds of CPython are an interpreter of their own.
    """
    python = python_of(target.python)
    if python is None:
        return None
    interpreter, version = python
    if interpreter == "cp":
        # Pythons before 3.8 had other builds too: cp37m, cp27mu.
        builds = {"": "cp", "m": "cp", "u": "cp", "mu": "cp", "t": "cpt"}
        specific = target.abi.startswith(target.python)
        interpreter = builds.get(target.abi[len(target.python) :], "") if specific else ""
    elif target.abi == "none":
        return None
    return (interpreter, version) if interpreter else None


def _single(
    pythons: Mapping[PythonVersion, _Tags],
    columns: List[str],
    has: Set[Tuple[PythonVersion, str]],
    *,
    newest: bool,
) -> Iterator[Hole]:
    """Yield the single holes of a matrix; `newest` tells whether the newest Python may have one."""
    platforms = Counter(version for version, _ in has)
    versions = Counter(platform for _, platform in has)
    found: List[Tuple[PythonVersion, str]] = []
    for platform in columns:
        there = [version for version in pythons if (version, platform) in has]
        for version in pythons:
            if (version, platform) in has or versions[platform] < 2 or platforms[version] < 2:
                continue
            last = newest and version == max(pythons) and not platform.endswith(_DECLINING)
            if min(there) < version and (version < max(there) or last):
                found.append((version, platform))
    by_python = Counter(version for version, _ in found)
    by_platform = Counter(platform for _, platform in found)
    for version, platform in found:
        row, column = platforms[version], versions[platform]
        full = 4 * row >= 3 * (len(columns) - 1) and 4 * column >= 3 * (len(pythons) - 1)
        if full and by_python[version] == by_platform[platform] == 1:
            yield Hole(Target(*pythons[version], platform), row, column)
