"""The ladder of policies: what each manylinux and musllinux rung allows.

The data are facts in small text files (`data/`); their format is in docs/policies.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, FrozenSet, Iterator, List, Mapping, Optional, Tuple

from manyshim.audit.tags import ARCHES, GLIBC, MUSL, PlatformTag
from manyshim.values import NamedTuple

MuslRelease = Tuple[int, int, int]

# The oldest release whose exports were sampled; names that it has carry no release in the data.
MUSL_FIRST: MuslRelease = (1, 1, 16)

_FILES = {GLIBC: "manylinux.txt", MUSL: "musllinux.txt"}


class Policies(NamedTuple):
    """The policies of one libc family on one architecture, oldest first.

    Along the ladder nothing that was allowed is taken away again, so each thing is described by
    the index of the first rung that allows it; `len(rungs)` where none does.
    """

    libc: str
    arch: str
    listed: Tuple[PlatformTag, ...]
    versions: Mapping[str, Mapping[str, int]]
    libraries: Mapping[str, int]
    forbidden: Mapping[str, Mapping[str, int]]

    @property
    def never(self) -> int:
        """The index that stands for "no rung allows it"."""
        return len(self.listed)

    def first_policy_allowing_version(self, version: str) -> Optional[int]:
        """Index the first rung that has a version node; None for an unknown namespace.

        A node is its namespace up to the first underscore, and the rest.
        """
        namespace, _, rest = version.partition("_")
        known = self.versions.get(namespace)
        return None if known is None else known.get(rest, self.never)

    def first_policy_allowing_library(self, soname: str) -> int:
        """Index the first rung that allows a system library."""
        return self.libraries.get(soname, self.never)

    def first_policy_promising(self, version: Tuple[int, int]) -> int:
        """Index the first rung that promises a libc of at least `version`."""
        return sum(policy.version < version for policy in self.listed)


@lru_cache(maxsize=None)
def policies_of(libc: str, arch: str) -> Policies:
    """Load the ladder of one family and architecture; without rungs where there are none."""
    return parse(_read(_FILES[libc]), libc, arch)


@lru_cache(maxsize=None)
def musl_symbols(arch: str) -> Mapping[str, MuslRelease]:
    """Map each name that some musl exports on `arch` to the first release that does."""
    row = ARCHES[arch]
    floor = row.musl_floor or MUSL_FIRST
    symbols: Dict[str, MuslRelease] = {}
    for line in _records(_read("musl-symbols.txt")):
        name, _, since = line.partition(" ")
        if since == "1.2.0" and row.bits == 64:
            continue  # the time64 family, which only 32-bit ports needed
        # The loader of 1.2.4 and later resolves the LFS64 names itself.
        symbols[name] = _release(since) if since and since != "lfs64" else MUSL_FIRST
    # The buffer of that look-up holds 16 bytes, and this name has 17.
    symbols.pop("posix_fallocate64", None)
    for line in _records(_read(_FILES[MUSL])):
        kind, arches, *names = line.split()
        if kind == "A" and arch in arches.split(","):
            symbols.update(dict.fromkeys(names, MUSL_FIRST))
        elif kind == "A":
            for name in names:
                symbols.pop(name, None)
    return {name: max(since, floor) for name, since in symbols.items()}


@lru_cache(maxsize=None)
def abi3_names() -> Mapping[str, Tuple[int, int]]:
    """Map each name of CPython's stable ABI to the version that added it (PEP 384)."""
    names: Dict[str, Tuple[int, int]] = {}
    for line in _records(_read("abi3.txt")):
        since, *added = line.split()
        names.update(dict.fromkeys(added, _version(since)))
    return names


@lru_cache(maxsize=None)
def index_tags() -> Tuple[Tuple[str, Tuple[str, ...]], ...]:
    """List the patterns of the platform tags that the package index takes, and their words.

    `{n}` in a pattern stands for a number, `{arch}` for one of the words.
    """
    rows = (line.split() for line in _records(_read("index-tags.txt")))
    return tuple((pattern, tuple(words)) for pattern, *words in rows)


class Distribution(NamedTuple):
    """One release of a Linux distribution, its glibc, and the architectures that it exists for."""

    name: str
    glibc: Tuple[int, int]
    arches: FrozenSet[str]

    @property
    def family(self) -> str:
        """The distribution's name, without the release."""
        return self.name.rpartition(" ")[0]

    @property
    def sort_key(self) -> Tuple[int, ...]:
        """The release as numbers."""
        return tuple(
            int(part) for part in self.name.rpartition(" ")[2].split(".") if part.isdigit()
        )


@lru_cache(maxsize=None)
def distributions() -> Tuple[Distribution, ...]:
    """List the distribution releases with glibc."""
    rows = (line.split("\t") for line in _records(_read("distros.txt")))
    return tuple(
        Distribution(row[0], _version(row[1]), frozenset(row[3].split()))
        for row in rows
        if len(row) == 4
    )


class AlpineReleases(NamedTuple):
    """The first and the last release of Alpine Linux that have one musl."""

    first: str
    last: str
    musl: MuslRelease


@lru_cache(maxsize=None)
def alpine_releases() -> Tuple[AlpineReleases, ...]:
    """List the releases of Alpine Linux by their musl, oldest first."""
    rows = (line.split("\t") for line in _records(_read("distros.txt")))
    return tuple(_alpine(row[0], row[1]) for row in rows if len(row) == 2)


def _alpine(name: str, musl: str) -> AlpineReleases:
    """Read rows as `Alpine 3.13-3.15` and `Alpine 3.20 and later`."""
    family, first, *_ = name.split()
    first, _, last = first.partition("-")
    return AlpineReleases(
        f"{family} {first}", f"{family} {last or first}", _release(musl.split()[1])
    )


def parse(text: str, libc: str, arch: str) -> Policies:
    """Expand the policy data for one architecture."""
    listed: List[PlatformTag] = []
    arches: set[str] = set()
    versions: Dict[str, Dict[str, int]] = {}
    libraries: Dict[str, int] = {}
    forbidden: Dict[str, Dict[str, int]] = {}
    for line in _records(text):
        kind, *fields = line.split()
        if kind == "P":
            _board(arches, fields[1:])
            if arch in arches:
                listed.append(PlatformTag(libc, *_version(fields[0]), arch))
    bare = Policies(libc, arch, tuple(listed), versions, libraries, forbidden)
    for line in _records(text):
        kind, subject, *fields = line.split()
        if kind == "L":
            libraries.update(dict.fromkeys(fields, bare.first_policy_promising(_version(subject))))
        elif kind == "V":
            # Every architecture knows the namespace, also one that has no node of it yet.
            nodes = versions.setdefault(subject, {})
            if arch in fields[0].split(","):
                nodes.update(_nodes(fields[1:], bare))
        elif kind == "B":
            allowed = bare.never if fields[0] == "*" else _after(bare, _version(fields[0]))
            forbidden.setdefault(subject, {}).update(dict.fromkeys(fields[1:], allowed))
        elif kind == "X":
            places = dict(place.split("@") for place in fields)
            allowed_from = (
                bare.first_policy_promising(_version(places[arch]))
                if arch in places
                else bare.never
            )
            libraries[subject] = max(libraries.get(subject, bare.never), allowed_from)
    return bare


def glibc_version(node: str) -> Optional[Tuple[int, int]]:
    """Read the release of glibc from a version node such as `GLIBC_2.34`; None for other nodes."""
    name, _, release = node.partition("_")
    major, _, minor = release.partition(".")
    numbers = major.isdecimal() and minor.isdecimal()
    return (int(major), int(minor)) if name == "GLIBC" and numbers else None


def _read(name: str) -> str:
    # What pkgutil and importlib.resources would do, which cost more to import than all the data.
    folder = __file__.rpartition("policy.py")[0]
    data: bytes = globals()["__spec__"].loader.get_data(f"{folder}data/{name}")
    return data.decode("utf-8")


def _records(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield line


def _version(text: str) -> Tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _release(text: str) -> MuslRelease:
    major, minor, patch = text.split(".")
    return int(major), int(minor), int(patch)


def _board(arches: set[str], fields: List[str]) -> None:
    for field in fields:
        if field.startswith("-"):
            arches.discard(field[1:])
        elif not field.startswith(("=", "~")):
            arches.add(field.lstrip("+"))


def _after(bare: Policies, last: Tuple[int, int]) -> int:
    return sum(policy.version <= last for policy in bare.listed)


def _nodes(fields: List[str], bare: Policies) -> Iterator[Tuple[str, int]]:
    allowed_from = 0
    for field in fields:
        if field == "@^":
            allowed_from = 0
        elif field.startswith("@"):
            allowed_from = bare.first_policy_promising(_version(field[1:]))
        else:
            yield field, allowed_from
