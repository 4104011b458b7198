"""What was read from a wheel, before anybody judges it.

NamedTuples rather than dataclasses: as frozen, and importing them does not cost a build the 25 ms
that the dataclasses module and its generated methods do.
"""

from __future__ import annotations

import posixpath
from typing import Dict, FrozenSet, Mapping, NamedTuple, Optional, Tuple

from manyshim.audit.tags import WheelName, parse_module_suffix

# ELF gABI: e_type.
EXECUTABLE = 2
SHARED = 3


class ElfIdent(NamedTuple):
    """The identity that an ELF header states (ELF gABI, "ELF Header")."""

    bits: int
    little_endian: bool
    machine: int
    type: int
    os_abi: int
    abi_version: int
    flags: int

    @property
    def loadable(self) -> bool:
        """Whether it is an executable or a shared object, not an object file or a core dump."""
        return self.type in (EXECUTABLE, SHARED)


class VersionNeed(NamedTuple):
    """One version node that a file requires of a library (LSB, "Version Dependencies").

    `weak` is VER_FLG_WEAK, which alone makes the loader go on without the node; `only_weak` says
    that no symbol with a strong binding uses it. `symbols` are sorted.
    """

    library: str
    version: str
    weak: bool = False
    symbols: Tuple[str, ...] = ()
    only_weak: bool = False


class ElfFile(NamedTuple):
    """The facts of one ELF member. Names that are no UTF-8 carry surrogate escapes.

    `undefined` are the strong undefined names that carry no version, `strong_undefined` those that
    do; `exports` is None until somebody asked for some of them. `damage` is what is broken but
    not read by the loader.
    """

    path: str
    ident: ElfIdent
    interpreter: Optional[str] = None
    dynamic: bool = False
    needed: Tuple[str, ...] = ()
    soname: Optional[str] = None
    rpath: Tuple[str, ...] = ()
    runpath: Tuple[str, ...] = ()
    versions_needed: Tuple[VersionNeed, ...] = ()
    versions_defined: Tuple[str, ...] = ()
    undefined: Tuple[str, ...] = ()
    strong_versioned: FrozenSet[str] = frozenset()
    relr: bool = False
    pie: bool = False
    isa_level: int = 0
    android: bool = False
    damage: Tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file name, without its folders."""
        return posixpath.basename(self.path)

    @property
    def executable(self) -> bool:
        """Whether the file is a program: ET_EXEC, an interpreter, or the PIE flag."""
        return self.ident.type == EXECUTABLE or self.interpreter is not None or self.pie

    @property
    def static(self) -> bool:
        """Whether a program asks for no loader: no PT_INTERP and no DT_NEEDED."""
        alone = self.interpreter is None and not self.needed
        return alone and (self.ident.type == EXECUTABLE or self.pie or not self.dynamic)

    @property
    def extension_module(self) -> bool:
        """Whether the file name says that an interpreter imports it."""
        return parse_module_suffix(self.name) is not None


class Unreadable(NamedTuple):
    """An ELF member that cannot be read as the loader would, and why."""

    path: str
    reason: str


class WheelFacts(NamedTuple):
    """What was read from one wheel.

    `distribution` is what the .dist-info and .data folders begin with; `paths` are the members in
    the order of the archive, folders left out; `tags` and `purelib` are WHEEL's Tag lines and
    Root-Is-Purelib; `exports` gives, by path, those of the names asked for that the file defines.
    """

    name: WheelName
    distribution: str = ""
    paths: Tuple[str, ...] = ()
    symlinks: Tuple[str, ...] = ()
    tags: Tuple[str, ...] = ()
    purelib: bool = False
    elfs: Tuple[ElfFile, ...] = ()
    unreadable: Tuple[Unreadable, ...] = ()
    exports: Mapping[str, FrozenSet[str]] = {}


class InstallPath(NamedTuple):
    """Where a member comes to lie: a root of the installation scheme and a path below it.

    Roots are distinct folders whose relation is not fixed, so `$ORIGIN` cannot lead from one into
    another (PEP 427, "The .data directory").
    """

    root: str
    path: str


_SCHEMES: Dict[str, str] = {
    "platlib": "site",
    "purelib": "site",
    "scripts": "scripts",
    "data": "data",
    "headers": "headers",
}


def install_path(path: str, distribution: str) -> InstallPath:
    """Map an archive path to where installers put it; `distribution` is `NAME-VERSION`."""
    prefix = f"{distribution}.data/"
    if path.startswith(prefix):
        scheme, slash, rest = path[len(prefix) :].partition("/")
        if slash and scheme in _SCHEMES:
            return InstallPath(_SCHEMES[scheme], posixpath.normpath(rest))
    return InstallPath("site", posixpath.normpath(path))
