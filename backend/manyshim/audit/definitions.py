"""The versions with which glibc and GCC's runtimes define names, for references without a version.

The data are facts in `data/*-names.txt`. docs/policies.md describes their format.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from manyshim.audit.policy import read_data, records
from manyshim.values import NamedTuple

# The characters of a hash: 36 of its bits, of which two names of one wheel hardly share all.
_HASH_LENGTH = 6


class Definition(NamedTuple):
    """A library that defines a name, and the first version that a reference can be bound to.

    The version is empty if every policy has it.
    """

    library: str
    version: str


Definitions = Mapping[str, Tuple[Definition, ...]]


@lru_cache(maxsize=None)
def glibc_definitions(arch: str) -> Definitions:
    """Return the names that glibc defines on an architecture, each with its libraries.

    Names are left out if newer releases have them only for files that ask for their version.
    """
    found: Dict[str, Tuple[Definition, ...]] = {}
    for kind, definition, names in _rows("glibc-names.txt", arch):
        if kind == "N":
            for name in names:
                found[name] = (*found.get(name, ()), definition)
    return found


def runtime_definitions(arch: str, wanted: Iterable[str]) -> Definitions:
    """Return those of the names that libstdc++ or libgcc_s defines on an architecture."""
    hashes = {_hash(name): name for name in wanted if name.startswith("_Z")}
    plain = frozenset(name for name in wanted if not name.startswith("_Z"))
    found: Dict[str, Tuple[Definition, ...]] = {}
    for kind, definition, names in _rows("libstdcxx-names.txt", arch):
        if kind == "N":
            same = plain.intersection(names)
        else:
            text = "".join(names)
            starts = range(0, len(text), _HASH_LENGTH)
            known = {text[start : start + _HASH_LENGTH] for start in starts}
            same = frozenset(hashes[one] for one in known & hashes.keys())
        for name in same:
            found[name] = (*found.get(name, ()), definition)
    return found


def _rows(file: str, arch: str) -> Iterator[Tuple[str, Definition, List[str]]]:
    """Yield the records of an architecture: their kind, the definition, and the names."""
    for line in records(read_data(file)):
        kind, library, places, *names = line.split(" ")
        version = _version_on(arch, places)
        if version is not None:
            yield kind, Definition(library, version), names


def _version_on(arch: str, places: str) -> Optional[str]:
    """Return the version on an architecture from `VERSION=arch,arch;VERSION=*`; None if none."""
    for place in places.split(";"):
        version, _, arches = place.partition("=")
        if arches == "*" or arch in arches.split(","):
            return "" if version == "^" else version
    return None


def _hash(name: str) -> str:
    # Few wheels need these modules.
    from binascii import b2a_base64  # noqa: PLC0415
    from hashlib import blake2b  # noqa: PLC0415

    digest = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=6).digest()
    return b2a_base64(digest).decode("ascii")[:_HASH_LENGTH]
