"""The matrix of a release: its cells, the part of one machine, and the matrix of a CI service."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from manyshim.audit.tags import parse_platform
from manyshim.audit.targets import ANY, Coverage, Target, platforms
from manyshim.errors import ConfigError
from manyshim.optiontypes import closest
from manyshim.release.table import Table, python_key
from manyshim.values import NamedTuple


class Cell(NamedTuple):
    """A Python and a platform for which a release has a wheel."""

    python: str
    platform: str

    @property
    def python_tag(self) -> str:
        """The Python tag of wheels for it (PEP 425)."""
        return f"cp3{python_key(self.python)[0]}"

    @property
    def abi(self) -> str:
        """The ABI tag of wheels that are for this Python only."""
        return self.python_tag + ("t" if python_key(self.python)[1] else "")

    @property
    def name(self) -> str:
        """What `--only` compares: `cp313-manylinux_2_17_x86_64`, `cp313t-...`."""
        return f"{self.abi}-{self.platform}"

    @property
    def target(self) -> Target:
        """What a wheel for this cell is for."""
        return Target(self.python_tag, self.abi, platforms(self.platform)[0])

    @property
    def is_linux(self) -> bool:
        """Whether its wheels are for Linux."""
        return parse_platform(self.platform) is not None


def cells(table: Table) -> List[Cell]:
    """Return the cells of a release, platform by platform, each with the oldest Python first."""
    return [Cell(python, platform) for platform in table.platforms for python in table.pythons]


def only(given: Sequence[Cell], pattern: Optional[str]) -> List[Cell]:
    """Return the cells whose names match a glob. Raises ConfigError if there are none."""
    if pattern is None:
        return list(given)
    found = [one for one in given if fnmatchcase(one.name, pattern)]
    if not found:
        names = [one.name for one in given]
        near = closest(pattern.strip("*"), names) or names[0]
        raise ConfigError(f"--only {pattern} matches nothing of the release; {near!r} is in it")
    return found


def shard(given: Sequence[Cell], number: int, count: int) -> List[Cell]:
    """Return the part of machine `number` of `count`, from 1 on; all parts make up the whole.

    A machine gets whole platforms, as far as there are enough: it compiles their libraries once,
    and an abi3 wheel is built once. Beyond that, the Pythons of a platform are split.
    """
    names = list(dict.fromkeys(one.platform for one in given))
    if count <= len(names):
        wanted = set(names[number - 1 :: count])
        return [one for one in given if one.platform in wanted]
    size, more = divmod(len(given), count)
    start = (number - 1) * size + min(number - 1, more)
    return list(given[start : start + size + (number <= more)])


def covered(wheel: Iterable[Target], cell: Cell, built: Cell) -> bool:
    """Whether a wheel that was built for one cell is for another one, too.

    That of a platform counts for this platform only; that of any platform for all.
    """
    own = list(wheel)
    if built.platform != cell.platform and not all(one.platform == ANY for one in own):
        return False
    return cell.target in own or Coverage(own).covers(cell.target)


def is_for(wheel: Iterable[Target], cell: Cell) -> bool:
    """Whether a wheel can be installed where the wheels of a cell can."""
    return covered(wheel, cell, cell)


def jobs(given: Sequence[Cell]) -> List[Dict[str, Any]]:
    """Return one job for each platform, for the matrix of a CI service."""
    found: Dict[str, List[str]] = {}
    for one in given:
        found.setdefault(one.platform, []).append(one.python)
    return [
        {"platform": platform, **_facts(platform), "pythons": pythons, "only": f"*-{platform}"}
        for platform, pythons in found.items()
    ]


def _facts(platform: str) -> Dict[str, str]:
    tag = parse_platform(platform)
    if tag is not None:
        return {"system": "linux", "arch": tag.arch, "libc": tag.libc}
    system, arch = _other(platform)
    return {"system": system, "arch": arch}


def _other(platform: str) -> Tuple[str, str]:
    if platform.startswith("macosx"):
        return "macos", platform.split("_", 3)[3]
    return "windows", {"win32": "x86"}.get(platform, platform[len("win_") :])
