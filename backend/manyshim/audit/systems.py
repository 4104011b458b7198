"""The systems that a tag is for: releases of distributions, with their glibc or musl."""

from __future__ import annotations

from functools import lru_cache

from manyshim.audit.policy import MUSL_FIRST, MuslRelease, read_data, records
from manyshim.audit.tags import GLIBC, PlatformTag
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import FrozenSet, List, Optional, Tuple

# The distributions that a line about a tag may name, the best known first.
_WELL_KNOWN = ("RHEL", "Ubuntu", "Debian", "Rocky Linux", "openSUSE Leap")
_MAX_NAMED = 3
# The first musl that musllinux_1_2 promises (PEP 656).
_MUSL_1_2: MuslRelease = (1, 2, 0)


class Distribution(NamedTuple):
    """A release of a Linux distribution, its glibc, and its architectures."""

    name: str
    glibc: Tuple[int, int]
    arches: FrozenSet[str]

    @property
    def sort_key(self) -> Tuple[str, Tuple[int, ...]]:
        """The distribution and the numbers of the release, for sorting."""
        family, _, release = self.name.rpartition(" ")
        return family, tuple(int(part) for part in release.split(".") if part.isdigit())


class AlpineReleases(NamedTuple):
    """The releases of Alpine Linux that have the same musl: all, the first, and the last."""

    name: str
    first: str
    last: str
    musl: MuslRelease


class Systems(NamedTuple):
    """The names of the releases that a tag is for, and of those that it leaves out."""

    runs_on: Tuple[str, ...] = ()
    not_on: Tuple[str, ...] = ()


@lru_cache(maxsize=None)
def distributions() -> Tuple[Distribution, ...]:
    """Return the distribution releases with glibc."""
    rows = (line.split("\t") for line in records(read_data("distros.txt")))
    return tuple(
        Distribution(row[0], _glibc(row[1]), frozenset(row[3].split()))
        for row in rows
        if len(row) == 4
    )


@lru_cache(maxsize=None)
def alpine_releases() -> Tuple[AlpineReleases, ...]:
    """Return the releases of Alpine Linux, grouped by their musl, oldest first."""
    rows = (line.split("\t") for line in records(read_data("distros.txt")))
    return tuple(_alpine(row[0], row[1]) for row in rows if len(row) == 2)


def systems(tag: Optional[PlatformTag], musl_minimum: Optional[MuslRelease]) -> Systems:
    """Return the releases with the architecture of a tag, by whether its wheels run there.

    `musl_minimum` is the oldest musl that has all that the wheel imports.
    """
    if tag is None:
        return Systems()
    rows: List[Tuple[str, bool]]
    if tag.libc == GLIBC:
        releases = sorted(distributions(), key=lambda one: one.sort_key)
        rows = [(one.name, one.glibc >= tag.version) for one in releases if tag.arch in one.arches]
    else:
        promised = promised_musl(tag, musl_minimum)
        rows = [(one.name, one.musl >= promised) for one in alpine_releases()]
    return Systems(
        tuple(name for name, supported in rows if supported),
        tuple(name for name, supported in rows if not supported),
    )


def best_known(tag: PlatformTag) -> Systems:
    """Return the oldest release of each well-known distribution that a tag of glibc is for.

    Beside them are the newest ones that it leaves out, of the same distributions.
    """
    found = systems(tag, None)
    new_enough = {_family(name): name for name in reversed(found.runs_on)}
    too_old = {_family(name): name for name in found.not_on}
    named = [family for family in _WELL_KNOWN if family in new_enough][:_MAX_NAMED]
    return Systems(
        tuple(new_enough[family] for family in named),
        tuple(too_old[family] for family in named if family in too_old),
    )


def _family(name: str) -> str:
    """Return the name of a distribution, without the release."""
    return name.rpartition(" ")[0]


def alpine(tag: PlatformTag, minimum: Optional[MuslRelease]) -> Systems:
    """Return the oldest Alpine Linux that a musllinux tag is for, and the newest too old one.

    The arguments are as for `systems`.
    """
    promised = promised_musl(tag, minimum)
    releases = alpine_releases()
    supported = [one.first for one in releases if one.musl >= promised]
    unsupported = [one.last for one in releases if one.musl < promised]
    return Systems(tuple(supported[:1]), tuple(unsupported[-1:]))


def promised_musl(tag: PlatformTag, minimum: Optional[MuslRelease]) -> MuslRelease:
    """Return the oldest musl that a wheel with a musllinux tag runs on."""
    oldest = minimum or MUSL_FIRST
    return max(oldest, _MUSL_1_2) if tag.minor == 2 else oldest


def _alpine(name: str, musl: str) -> AlpineReleases:
    """Parse a row such as `Alpine 3.13-3.15` or `Alpine 3.20 and later`."""
    family, first, *_ = name.split()
    first, _, last = first.partition("-")
    major, minor, patch = map(int, musl.split()[1].split("."))
    return AlpineReleases(
        name, f"{family} {first}", f"{family} {last or first}", (major, minor, patch)
    )


def _glibc(text: str) -> Tuple[int, int]:
    major, minor = map(int, text.split("."))
    return major, minor
