"""The policies: what each manylinux and musllinux policy allows.

The data are facts in small text files (`data/`). docs/policies.md describes their format.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache

from manyshim.audit.tags import ARCHES, GLIBC, MUSL, PlatformTag, is_number
from manyshim.errors import ToolError
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Iterator, List, Mapping, Optional, Tuple, TypeAlias

MuslRelease: TypeAlias = "Tuple[int, int, int]"

# The oldest release in the data. The names that it exports have no release beside them there.
MUSL_FIRST: MuslRelease = (1, 1, 16)

# On 32-bit architectures 1.2.0 to 1.2.3 do not export these (compat/time32/__xstat.c).
_STAT_NAMES = ("__xstat", "__fxstat", "__lxstat", "__fxstatat")

_FILES = {GLIBC: "manylinux.txt", MUSL: "musllinux.txt"}


class Policies(NamedTuple):
    """The policies of one libc family on one architecture, oldest first.

    A newer policy allows all that an older one allows. So each fact is the index in `listed` of
    the first policy that allows something, or `len(listed)` if no policy does. `versions` maps a
    namespace (`GLIBC`) and the rest of a version (`2.17`) to that index, `libraries` a soname, and
    `forbidden` a soname and a symbol.
    """

    libc: str
    arch: str
    listed: Tuple[PlatformTag, ...]
    versions: Mapping[str, Mapping[str, int]]
    libraries: Mapping[str, int]
    forbidden: Mapping[str, Mapping[str, int]]

    @property
    def never(self) -> int:
        """The index that means that no policy allows something."""
        return len(self.listed)

    def first_policy_allowing_version(self, version: str) -> Optional[int]:
        """Return the index of the first policy that has a symbol version.

        The namespace of a version ends at the first underscore. None if it is unknown.
        """
        namespace, _, rest = version.partition("_")
        known = self.versions.get(namespace)
        return None if known is None else known.get(rest, self.never)

    def first_policy_allowing_library(self, soname: str) -> int:
        """Return the index of the first policy that allows a system library."""
        return self.libraries.get(soname, self.never)

    @property
    def promised(self) -> FrozenSet[str]:
        """The sonames of the system libraries that some policy allows."""
        return frozenset(
            soname for soname, allowed_from in self.libraries.items() if allowed_from < self.never
        )

    def first_policy_promising(self, version: Tuple[int, int]) -> int:
        """Return the index of the first policy that promises a libc of at least `version`."""
        return sum(policy.version < version for policy in self.listed)


@lru_cache(maxsize=None)
def policies_of(libc: str, arch: str) -> Policies:
    """Load the policies of one libc family and architecture; there may be none."""
    return parse(read_data(_FILES[libc]), libc, arch)


@lru_cache(maxsize=None)
def musl_symbols(arch: str) -> Mapping[str, MuslRelease]:
    """Return the names that musl exports on `arch`, each with the first release that has it."""
    row = ARCHES[arch]
    oldest = row.first_musl or MUSL_FIRST
    symbols: Dict[str, MuslRelease] = {}
    for line in records(read_data("musl-symbols.txt")):
        name, _, since = line.partition(" ")
        if since == "1.2.0" and row.bits == 64:
            continue  # the time64 functions, which only 32-bit architectures have
        # The loader of 1.2.4 and later resolves the LFS64 names itself.
        symbols[name] = _release(since) if since and since != "lfs64" else MUSL_FIRST
        if row.bits == 32 and name in _STAT_NAMES:
            symbols[name] = (1, 2, 4)
    # The buffer for LFS64 names in the loader has 16 bytes, and this name has 17.
    symbols.pop("posix_fallocate64", None)
    for line in records(read_data(_FILES[MUSL])):
        kind, arches, *names = line.split()
        if kind == "A" and arch in arches.split(","):
            symbols.update(dict.fromkeys(names, MUSL_FIRST))
        elif kind == "A":
            for name in names:
                symbols.pop(name, None)
    return {name: max(since, oldest) for name, since in symbols.items()}


@lru_cache(maxsize=None)
def abi3_names() -> Mapping[str, Tuple[int, int]]:
    """Return the names of CPython's stable ABI with the version that added each (PEP 384)."""
    names: Dict[str, Tuple[int, int]] = {}
    for line in records(read_data("abi3.txt")):
        since, *added = line.split()
        names.update(dict.fromkeys(added, _version(since)))
    return names


def abi3_version() -> Tuple[int, int]:
    """Return the newest version of CPython whose stable ABI the names are of."""
    return max(abi3_names().values())


@lru_cache(maxsize=None)
def index_tags() -> Tuple[Tuple[str, Tuple[str, ...]], ...]:
    """List the patterns of the platform tags that the package index accepts, and their words.

    `{n}` in a pattern stands for a number, `{arch}` for one of the words.
    """
    rows = (line.split() for line in records(read_data("index-tags.txt")))
    return tuple((pattern, tuple(words)) for pattern, *words in rows)


def index_metadata_versions() -> Tuple[str, ...]:
    """List the values of Metadata-Version that the package index accepts."""
    return tuple(records(read_data("index-metadata.txt")))


def parse(text: str, libc: str, arch: str) -> Policies:
    """Parse the text of a policy file into the policies of one architecture."""
    listed: List[PlatformTag] = []
    arches: set[str] = set()
    versions: Dict[str, Dict[str, int]] = {}
    libraries: Dict[str, int] = {}
    forbidden: Dict[str, Dict[str, int]] = {}
    lines = [line.split(" ", 2) for line in records(text)]
    for kind, subject, rest in lines:
        if kind == "P":
            _update_arches(arches, rest.split(" "))
            if arch in arches:
                listed.append(PlatformTag(libc, *_version(subject), arch))
    bare = Policies(libc, arch, tuple(listed), versions, libraries, forbidden)
    releases = [policy.version for policy in listed]
    for kind, subject, rest in lines:
        if kind == "L":
            allowed = bisect_left(releases, _version(subject))
            libraries.update(dict.fromkeys(rest.split(), allowed))
        elif kind == "V":
            # The namespace is known for every architecture, even without any version there.
            nodes = versions.setdefault(subject, {})
            of_arches, _, fields = rest.partition(" ")
            if arch in of_arches and arch in of_arches.split(","):
                nodes.update(_nodes(fields.split(), releases))
        elif kind == "B":
            last, *symbols = rest.split()
            allowed = bare.never if last == "*" else bisect_right(releases, _version(last))
            forbidden.setdefault(subject, {}).update(dict.fromkeys(symbols, allowed))
        elif kind == "X":
            places = dict(place.split("@") for place in rest.split())
            since = places.get(arch)
            allowed_from = bisect_left(releases, _version(since)) if since else bare.never
            libraries[subject] = max(libraries.get(subject, bare.never), allowed_from)
    return bare


def newest_glibc(policy: PlatformTag) -> Optional[Tuple[int, int]]:
    """Return the newest version node `GLIBC_X.Y` that a listed policy allows; None without one.

    It may be newer than the policy's name: systems of the policy have patched libraries.
    """
    known = policies_of(policy.libc, policy.arch)
    allowed = [
        glibc_version(f"GLIBC_{node}")
        for node, allowed_from in known.versions.get("GLIBC", {}).items()
        if allowed_from < known.first_policy_promising((policy.major, policy.minor + 1))
    ]
    return max(filter(None, allowed), default=None)


def glibc_version(node: str) -> Optional[Tuple[int, int]]:
    """Return the glibc release of a version such as `GLIBC_2.34`; None for other versions."""
    name, _, release = node.partition("_")
    major, _, minor = release.partition(".")
    known = name == "GLIBC" and is_number(major) and is_number(minor)
    return (int(major), int(minor)) if known else None


def read_data(name: str) -> str:
    """Return the text of a data file."""
    # pkgutil and importlib.resources do the same, but importing them costs more than the data.
    folder = __file__.rpartition("policy.py")[0]
    try:
        data: bytes = globals()["__spec__"].loader.get_data(f"{folder}data/{name}")
    except FileNotFoundError:
        what = f"this copy of manyshim is incomplete: it has no audit/data/{name}"
        raise ToolError(f"{what}; copy the whole folder") from None
    return data.decode("utf-8")


def records(text: str) -> Iterator[str]:
    """Yield the lines of a data file, without comments."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield line


def _version(text: str) -> Tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _release(text: str) -> MuslRelease:
    major, minor, patch = text.split(".")
    return int(major), int(minor), int(patch)


def _update_arches(arches: set[str], fields: List[str]) -> None:
    """Add and remove the architectures that a P record names; `=` keeps those before it."""
    for field in fields:
        if field.startswith("-"):
            arches.discard(field[1:])
        elif not field.startswith(("=", "~")):
            arches.add(field.lstrip("+"))


def _nodes(fields: List[str], releases: List[Tuple[int, int]]) -> Iterator[Tuple[str, int]]:
    """Yield each version of a V record with the index of the first policy that allows it.

    `releases` are the policies' versions of the libc, oldest first.
    """
    allowed_from = 0
    for field in fields:
        if field == "@^":
            allowed_from = 0
        elif field.startswith("@"):
            allowed_from = bisect_left(releases, _version(field[1:]))
        else:
            yield field, allowed_from
