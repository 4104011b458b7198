"""Read which symbols glibc and the runtimes of GCC define, for update_glibc_names.py."""

from __future__ import annotations

import gzip
import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Set, Tuple

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection

# Each architecture as zig and as Debian name it.
SYSTEMS = {
    "x86_64": ("x86_64-linux-gnu", "amd64"),
    "i686": ("x86-linux-gnu", "i386"),
    "aarch64": ("aarch64-linux-gnu", "arm64"),
    "armv7l": ("arm-linux-gnueabihf", "armhf"),
    "ppc64le": ("powerpc64le-linux-gnu", "ppc64el"),
    "s390x": ("s390x-linux-gnu", "s390x"),
    "riscv64": ("riscv64-linux-gnu", "riscv64"),
    "loongarch64": ("loongarch64-linux-gnu", "loong64"),
}
# Libraries with records of their own: libm, and those that a process of Python may not have loaded
# (Debian's Python 3.9 does not load librt). It has always loaded the others, taken for libc here.
_SONAMES = {"m": "libm.so.6", "rt": "librt.so.1", "resolv": "libresolv.so.2"}
_GLIBC = re.compile(r"lib(c|m|pthread|dl|rt|util|resolv)\.so\.\d|ld.*\.so\.\d")

Release = Tuple[int, ...]


class Definition(NamedTuple):
    """One version under which a library defines a symbol.

    `unversioned` is true if a reference without a version can be bound to it.
    """

    version: str
    unversioned: bool


class Zig(NamedTuple):
    """The release of ziglang, and the first glibc by architecture, name and soname."""

    release: str
    symbols: Dict[str, Dict[str, Dict[str, Release]]]


class _Bytes:
    """The bytes of zig's abilists, read from front to end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def number(self, size: int = 1) -> int:
        self.place += size
        return int.from_bytes(self.data[self.place - size : self.place], "little")

    def leb128(self) -> int:
        value = shift = 0
        more = True
        while more:
            byte = self.number()
            value |= (byte & 0x7F) << shift
            shift += 7
            more = byte >= 0x80
        return value

    def text(self) -> str:
        end = self.data.index(b"\0", self.place)
        text = self.data[self.place : end].decode("ascii")
        self.place = end + 1
        return text

    def texts(self) -> List[str]:
        return [self.text() for _ in range(self.number())]

    def last(self) -> Iterator[int]:
        """Yield bytes up to one whose highest bit is set, without that bit."""
        more = True
        while more:
            byte = self.number()
            more = byte < 0x80
            yield byte & 0x7F


def read_zig() -> Zig:
    """Read the list of glibc's symbols in the installed ziglang.

    It begins with libraries, releases of glibc, and targets. Then come two lists, of functions and
    of objects: names, each with the sets of targets, the library and the releases that define it.
    """
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise SystemExit("ziglang is not installed")
    path = Path(spec.origin).parent / "lib" / "libc" / "glibc" / "abilists"
    data = _Bytes(path.read_bytes())
    libraries = data.texts()
    releases = [tuple(data.number() for _ in range(3)) for _ in range(data.number())]
    targets = data.texts()
    places = {arch: targets.index(names[0]) for arch, names in SYSTEMS.items()}
    symbols: Dict[str, Dict[str, Dict[str, Release]]] = {arch: {} for arch in SYSTEMS}
    for objects in (False, True):
        name = ""
        for _ in range(data.number(2)):
            name = name or data.text()
            target_bits = data.leb128()
            if objects:
                data.leb128()  # the size
            library = data.number()
            soname = _SONAMES.get(libraries[library & 0x7F], "libc.so.6")
            first = min(releases[index] for index in data.last())
            for arch, place in places.items():
                if target_bits >> place & 1:
                    known = symbols[arch].setdefault(name, {})
                    known[soname] = min(known.get(soname, first), first)
            if library >= 0x80:
                name = ""
    return Zig(metadata.version("ziglang"), symbols)


def read_library(path: Path) -> Dict[str, List[Definition]]:
    """Return the symbols that a library defines, without those of GLIBC_PRIVATE.

    glibc (elf/dl-lookup.c, `check_match`) binds a reference without a version to the oldest version
    node of a library, which has the index 2, or else to the default version of the symbol.
    """
    found: Dict[str, List[Definition]] = {}
    with path.open("rb") as file:
        elf = ELFFile(file)
        symbols = elf.get_section_by_name(".dynsym")
        versions = elf.get_section_by_name(".gnu.version")
        nodes = elf.get_section_by_name(".gnu.version_d")
        if not isinstance(nodes, GNUVerDefSection):
            return {}
        assert isinstance(symbols, SymbolTableSection)  # noqa: S101 (for the type checker)
        assert isinstance(versions, GNUVerSymSection)  # noqa: S101
        names = {node["vd_ndx"]: next(entries).name for node, entries in nodes.iter_versions()}
        for row, symbol in enumerate(symbols.iter_symbols()):
            index = versions.get_symbol(row)["ndx"]
            if symbol["st_shndx"] == "SHN_UNDEF" or not isinstance(index, int):
                continue
            version = names[index & 0x7FFF]
            if version not in (symbol.name, "GLIBC_PRIVATE"):
                unversioned = index & 0x7FFF == 2 or index < 0x8000
                found.setdefault(symbol.name, []).append(Definition(version, unversioned))
    return found


class Root(NamedTuple):
    """The unpacked packages libc6, libstdc++6 and libgcc-s1 of one architecture."""

    arch: str
    path: Path

    @property
    def package(self) -> str:
        """The version of libc6."""
        path = self.path / "usr/share/doc/libc6/changelog.Debian.gz"
        first = gzip.decompress(path.read_bytes()).decode("utf-8").partition("\n")[0]
        found = re.match(r"glibc \(([^)]+)\)", first)
        if found is None:
            raise SystemExit(f"{path} does not begin with a version")
        return found.group(1)

    def library(self, name: str) -> Path:
        """Return the file of a library."""
        found = sorted(self.path.glob(f"usr/lib/*/{name}")) or sorted(
            self.path.glob(f"lib/*/{name}")
        )
        if not found:
            raise SystemExit(f"{self.path} has no {name}")
        return found[0].resolve()

    def accepted(self) -> FrozenSet[str]:
        """Return the names of glibc that a reference without a version can be bound to."""
        names: Set[str] = set()
        for folder in {self.library("libc.so.6").parent, self.library("libm.so.6").parent}:
            for path in folder.iterdir():
                if _GLIBC.fullmatch(path.name):
                    names.update(_accepted(read_library(path)))
        return frozenset(names)


def _accepted(symbols: Dict[str, List[Definition]]) -> Iterator[str]:
    for name, definitions in symbols.items():
        if any(one.unversioned for one in definitions):
            yield name
