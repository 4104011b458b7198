"""Merge the names that releases of musl export into musl-symbols.txt.

update_musl.py 1.2.6=musl-1.2.6 1.2.6=i386/libc.so

A PATH is the unpacked source of a release, which this script builds with $CC, or a libc.so that was
built from it. Give two builds of a new release, one of a 32-bit and one of a 64-bit architecture.
A name that only one of them has is printed and not added. It needs an A record in
update_policies.py.

The source is musl-VERSION.tar.gz of musl's own site, or the same file of Debian:
"apt-get source --tar-only musl" (1.2.2 in bullseye, 1.2.3 in bookworm, 1.2.5 in trixie). Do not
take the libc.so of a distribution's package, because distributions change musl: Debian adds
fts_open and its family, has no crypt in 1.2.3, and has renameat2 of 1.2.6 in 1.2.5. Do not build
with zig either: its own runtime replaces a part of musl's names.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, NamedTuple, Sequence, Set, Tuple

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from _data import Head, parser, read_head, records, write

FILE = "musl-symbols.txt"
NOTE = (
    "# A bare name is in the first of these releases; NAME VERSION came with that release."
    " Since 1.2.4 the lfs64 names are not exported, but the loader still finds them."
)
# Until 1.1.20 musl exported names for its own use. So releases older than this one only tell in
# which version a known name was added.
BASE = (1, 1, 24)
# 1.2.0 added the 64-bit time functions, which only 32-bit ports have.
TIME64 = "1.2.0"
LFS64 = "lfs64"

Version = Tuple[int, ...]


class Build(NamedTuple):
    """The names that one build of a release exports."""

    version: Version
    path: str
    bits: int
    names: FrozenSet[str]


def version_of(text: str) -> Version:
    """Return the numbers of a version such as 1.2.5."""
    return tuple(int(part) for part in text.split("."))


def text_of(version: Version) -> str:
    """Return the text of a version such as 1.2.5."""
    return ".".join(str(part) for part in version)


def read_library(version: str, path: Path, name: str) -> Build:
    """Return the names that a libc.so exports; exit if it is not of that version."""
    if version.encode() not in path.read_bytes():
        raise SystemExit(f"{name} is not musl {version}")
    with path.open("rb") as file:
        elf = ELFFile(file)
        (table,) = (part for part in elf.iter_segments() if isinstance(part, DynamicSegment))
        names = frozenset(
            symbol.name
            for symbol in table.iter_symbols()
            if symbol["st_shndx"] != "SHN_UNDEF"
            and symbol["st_info"]["bind"] in {"STB_GLOBAL", "STB_WEAK"}
            and symbol["st_other"]["visibility"] in {"STV_DEFAULT", "STV_PROTECTED"}
        )
        return Build(version_of(version), name, elf.elfclass, names)


def read_source(version: str, path: Path) -> Build:
    """Build the libc.so of a source tree in a temporary folder, and return its names."""
    with tempfile.TemporaryDirectory() as folder:
        for command in ([str(path.resolve() / "configure")], ["make", "-j2", "lib/libc.so"]):
            done = subprocess.run(
                command,
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"{done.stdout[-2000:]}\n{command[0]} of {path} failed")
        return read_library(version, Path(folder) / "lib" / "libc.so", str(path))


def read_build(argument: str) -> Build:
    """Return the build that VERSION=PATH names."""
    version, _, path = argument.partition("=")
    if not re.fullmatch(r"\d+\.\d+\.\d+", version) or not path:
        raise SystemExit(f"{argument} is not VERSION=PATH")
    if Path(path).is_dir():
        return read_source(version, Path(path))
    return read_library(version, Path(path), path)


def read_table(path: Path) -> Dict[str, str]:
    """Return the known names, each with the rest of its line."""
    rows = (line.partition(" ") for line in records(path))
    return {name: since for name, _, since in rows}


def names_of_ports(path: Path) -> Set[str]:
    """Return the names of the A records, which list names of some architectures only."""
    rows = (line.split() for line in records(path))
    return {name for row in rows if row[0] == "A" for name in row[2:]}


def merge(known: Dict[str, str], first: Version, release: Sequence[Build]) -> Iterator[str]:
    """Merge the builds of one release into the table; yield lines about the changes."""
    version = text_of(release[0].version)
    everywhere = frozenset.intersection(*(build.names for build in release))
    for name in sorted(frozenset().union(*(build.names for build in release))):
        since = known.get(name)
        if since is None and release[0].version < BASE:
            continue
        if since is None and name not in everywhere:
            yield f"{version}: not added, because one build lacks it: {name}"
        elif since is None:
            yield f"{version}: new: {name}"
            known[name] = version
        elif since not in {"", LFS64} and version_of(version) < version_of(since):
            yield f"{version}: earlier than {since}: {name}"
            known[name] = "" if version_of(version) == first else version
    for build in release:
        lost = _expected(known, build) - build.names
        if lost:
            yield f"{version}: {build.path} lacks {' '.join(sorted(lost))}"


def _expected(known: Dict[str, str], build: Build) -> Set[str]:
    """Return the names that a build should have, because an older release has them."""
    return {
        name
        for name, since in known.items()
        if since != LFS64
        and version_of(since or "0") <= build.version
        and not (since == TIME64 and build.bits == 64)
    }


def update(path: Path, head: Head, builds: Sequence[Build]) -> None:
    """Write the table with the builds merged into it; print what they change."""
    releases = {version_of(text) for text in re.findall(r"\d+\.\d+\.\d+", head.source)}
    first, oldest = min(releases), min(build.version for build in builds)
    if oldest < first:
        raise SystemExit(f"the table begins with musl {text_of(first)}, after {text_of(oldest)}")
    table = read_table(path)
    ports = names_of_ports(path.with_name("musllinux.txt"))
    known = {name: since for name, since in table.items() if name not in ports}
    for version in sorted({build.version for build in builds}):
        release = [build for build in builds if build.version == version]
        release = [build._replace(names=build.names - ports) for build in release]
        for line in merge(known, first, release):
            print(line)
    merged = sorted({**table, **known}.items())
    source = " ".join(text_of(one) for one in sorted({*releases, *(b.version for b in builds)}))
    lines = [f"{name} {since}".rstrip() for name, since in merged]
    write(path, head._replace(source=f"musl {source} (MIT)"), [NOTE, *lines])


def main() -> None:
    """Read the builds that the command line names, and update the table."""
    made = parser(__doc__)
    made.add_argument("builds", nargs="+", metavar="VERSION=PATH", help="a release and its build")
    arguments = made.parse_args()
    head = read_head(arguments.data / FILE)
    if head is None:
        raise SystemExit(f"{FILE} has no head, which lists the releases that it is from")
    builds = [read_build(argument) for argument in arguments.builds]
    update(arguments.data / FILE, head._replace(date=arguments.date), builds)


if __name__ == "__main__":
    main()
