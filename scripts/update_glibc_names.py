"""Write the lists of the names that glibc and the C++ runtime define, by version.

update_glibc_names.py [ARCH=ROOT ...]

glibc's names and their first versions are those of the installed ziglang. A ROOT is a folder into
which the packages libc6, libstdc++6 and libgcc-s1 of one architecture of Debian are unpacked, with
"apt-get download libc6:arm64" and "dpkg -x". They tell which of the names a reference without a
version cannot be bound to, and what libstdc++ and libgcc_s define. Give the newest suite (sid), and
all architectures (loongarch64 is loong64 there); without them the names that were left out stay so,
and libstdcxx-names.txt stays as it is. The format is in docs/policies.md.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Tuple

from _data import Head, parser, records, write
from _exports import SYSTEMS, Definition, Root, Zig, read_library, read_zig
from manyshim.audit.policy import policies_of
from manyshim.audit.tags import ARCHES, GLIBC

GLIBC_FILE, RUNTIME_FILE = "glibc-names.txt", "libstdcxx-names.txt"
SCRIPT = "scripts/update_glibc_names.py"
# zig and Debian do not have the architecture. glibc's lists of symbols for both differ in the names
# of the 128-bit floating point types only, and in two names that the newer one does not have.
COPIED = {"ppc64": "ppc64le"}
# glibc on ppc64 is older than on ppc64le, as on s390x. There, more names have newer versions than
# the oldest, so fewer of them are found without a version.
REFUSED_AS_ON = {"ppc64": "s390x"}
# GCC's fixed-point types exist on two architectures, and no known wheel uses their 1500 functions.
FIXED_POINT = "GCC_4.3.0"

# By name and architecture, the first version.
Versions = Dict[str, Dict[str, str]]


def is_oldest(version: str, arch: str) -> bool:
    """Whether all policies of an architecture have a version."""
    return policies_of(GLIBC, arch).first_policy_allowing_version(version) == 0


def lines(kind: str, soname: str, names: Versions) -> Iterator[str]:
    """Yield one record for all names with the same versions; its architectures are in order."""
    groups: Dict[str, List[str]] = {}
    for name, versions in names.items():
        places: Dict[str, List[str]] = {}
        for arch in ARCHES:
            version = versions.get(arch)
            if version:
                places.setdefault("^" if is_oldest(version, arch) else version, []).append(arch)
        groups.setdefault(spec_of(places), []).append(name)
    for spec in sorted(groups):
        if kind == "N":
            yield f"N {soname} {spec} {' '.join(sorted(groups[spec]))}"
        else:
            yield f"H {soname} {spec} {''.join(sorted(map(hash_of, groups[spec])))}"


def spec_of(places: Dict[str, List[str]]) -> str:
    """Return the versions with their architectures; `*` stands for all others."""
    rows = sorted(places.items(), key=lambda row: (len(row[1]), row[0]))
    texts = [f"{version}={','.join(arches)}" for version, arches in rows]
    if sum(map(len, places.values())) == len(ARCHES):
        texts[-1] = f"{rows[-1][0]}=*"
    return ";".join(texts)


def hash_of(name: str) -> str:
    """Return the six characters that stand for a mangled name."""
    return b64encode(hashlib.blake2b(name.encode(), digest_size=6).digest())[:6].decode("ascii")


def copied(names: Versions) -> Versions:
    """Add the architectures that have no source of their own."""
    return {
        name: {
            **versions,
            **{arch: versions[like] for arch, like in COPIED.items() if like in versions},
        }
        for name, versions in names.items()
    }


def glibc_names(zig: Zig, refused: Dict[str, FrozenSet[str]]) -> Dict[str, Versions]:
    """Return the names by soname. One that libc has at least as early is left out elsewhere."""
    found: Dict[str, Versions] = {}
    for arch in ARCHES:
        for name, by_soname in zig.symbols[COPIED.get(arch, arch)].items():
            in_libc = by_soname.get("libc.so.6", (9,))
            for soname, first in by_soname.items():
                if name in refused[arch] or (soname != "libc.so.6" and first >= in_libc):
                    continue
                major, minor, patch = first
                version = f"GLIBC_{major}.{minor}" + (f".{patch}" if patch else "")
                found.setdefault(soname, {}).setdefault(name, {})[arch] = version
    return found


def refused_names(zig: Zig, roots: List[Root]) -> Dict[str, FrozenSet[str]]:
    """Return, by architecture, the names that Debian's glibc does not give without a version."""
    refused = {}
    for root in roots:
        release = release_of(root.package)
        accepted = root.accepted()
        refused[root.arch] = frozenset(
            name
            for name, by_soname in zig.symbols[root.arch].items()
            if name not in accepted and min(by_soname.values()) <= release
        )
    return {**refused, **{arch: refused[like] for arch, like in REFUSED_AS_ON.items()}}


def known_refused(zig: Zig, path: Path, package: str) -> Dict[str, FrozenSet[str]]:
    """Return, by architecture, the names that are left out of the file."""
    listed: Dict[str, set[str]] = {arch: set() for arch in ARCHES}
    for line in records(path):
        _, _, spec, *names = line.split()
        arches = re.split("[=,;]", spec)
        for arch in ARCHES:
            if arch in arches or "*" in arches:
                listed[arch].update(names)
    return {
        arch: frozenset(
            name
            for name, by_soname in zig.symbols[COPIED.get(arch, arch)].items()
            if name not in listed[arch] and min(by_soname.values()) <= release_of(package)
        )
        for arch in ARCHES
    }


def release_of(package: str) -> Tuple[int, ...]:
    """Return the release of glibc in the version of a package, such as 2.43-7."""
    return (*map(int, re.findall(r"\d+", package)[:2]), 0)


def first_version(definitions: Iterable[Definition], arch: str) -> str:
    """Return the oldest version: the one that the oldest policy allows, then by its numbers."""
    policies = policies_of(GLIBC, arch)

    def key(version: str) -> Tuple[int, List[int]]:
        allowed_from = policies.first_policy_allowing_version(version)
        numbers = list(map(int, re.findall(r"\d+", version)))
        return (policies.never if allowed_from is None else allowed_from, numbers)

    return min((one.version for one in definitions), key=key)


def runtime_names(roots: List[Root], soname: str) -> Versions:
    """Return the names that a library of GCC gives without a version, with the first version."""
    found: Versions = {}
    for root in roots:
        for name, definitions in read_library(root.library(soname)).items():
            if any(one.unversioned for one in definitions):
                found.setdefault(name, {})[root.arch] = first_version(definitions, root.arch)
    return {
        name: versions
        for name, versions in found.items()
        if not (versions.keys() <= {"armv7l", "loongarch64"} and FIXED_POINT in versions.values())
    }


def write_runtimes(folder: Path, date: str, roots: List[Root]) -> None:
    """Write the list of libstdc++ and libgcc_s."""
    cxx = copied(runtime_names(roots, "libstdc++.so.6"))
    gcc = copied(runtime_names(roots, "libgcc_s.so.1"))
    mangled = {name: cxx[name] for name in cxx if name.startswith("_Z")}
    others = {name: cxx[name] for name in cxx if name not in mangled}
    release = {root.library("libstdc++.so.6").name for root in roots}
    if len(release) != 1:
        raise SystemExit(f"the packages are of several releases: {' '.join(sorted(release))}")
    source = f"{release.pop()} of Debian (GPL-3.0-or-later with exception)"
    head = Head("The names that GCC's runtimes define, by version", source, date, SCRIPT)
    write(
        folder / RUNTIME_FILE,
        head,
        (
            *lines("N", "libgcc_s.so.1", gcc),
            *lines("N", "libstdc++.so.6", others),
            *lines("H", "libstdc++.so.6", mangled),
        ),
    )


def write_glibc(folder: Path, date: str, roots: List[Root]) -> None:
    """Write the list of glibc."""
    zig = read_zig()
    path = folder / GLIBC_FILE
    package: Optional[str]
    if roots:
        (package,) = {root.package for root in roots}
        refused = refused_names(zig, roots)
    else:
        head = path.read_text(encoding="utf-8").partition("\n")[0]
        (package,) = re.findall(r" libc6 (\S+) of Debian", head)
        refused = known_refused(zig, path, package)
    source = f"ziglang {zig.release} (MIT) and libc6 {package} of Debian (LGPL-2.1-or-later)"
    found = glibc_names(zig, refused)
    text = [line for soname in sorted(found) for line in lines("N", soname, found[soname])]
    write(path, Head("The names that glibc defines, by version", source, date, SCRIPT), text)


def main() -> None:
    """Write the files from ziglang and the unpacked packages."""
    made = parser(__doc__)
    made.add_argument("roots", nargs="*", metavar="ARCH=ROOT", help="unpacked packages of Debian")
    arguments = made.parse_args()
    roots = [
        Root(arch, Path(path)) for arch, _, path in (r.partition("=") for r in arguments.roots)
    ]
    if roots and {root.arch for root in roots} != SYSTEMS.keys():
        raise SystemExit(f"give all of {' '.join(SYSTEMS)}, or none")
    write_glibc(arguments.data, arguments.date, roots)
    if roots:
        write_runtimes(arguments.data, arguments.date, roots)


if __name__ == "__main__":
    main()
