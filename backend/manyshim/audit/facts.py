"""What was read from a wheel, before anything is judged."""

from __future__ import annotations

import posixpath
from typing import Dict, FrozenSet, Mapping, Optional, Tuple

from manyshim.audit.tags import WheelName, parse_module_suffix
from manyshim.values import NamedTuple

# ELF gABI: e_type.
RELOCATABLE = 1
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

    `undefined` are the strong undefined names that carry no version, `strong_versioned` those that
    do. `executable_stack` is None where PT_GNU_STACK is missing; `tls_size` is in bytes;
    `page_size` is the largest page, in bytes, with which every segment can be mapped, 0 without
    segments; `module_init` tells whether the file exports its module's init function, None where
    its name is no module's; `detached` marks a file of debug information, whose segments are empty.
    `damage` is what is broken but not read by the loader.
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
    textrel: bool = False
    static_tls: bool = False
    tls_size: int = 0
    executable_stack: Optional[bool] = None
    writable_code: bool = False
    page_size: int = 0
    module_init: Optional[bool] = None
    detached: bool = False
    damage: Tuple[str, ...] = ()

    @property
    def loadable(self) -> bool:
        """Whether a loader would take it: no object file, no core dump, no detached debug file."""
        return self.ident.loadable and not self.detached

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
    def module_name(self) -> str:
        """The name that an import of the file would use."""
        return self.name.partition(".")[0]

    @property
    def extension_module(self) -> bool:
        """Whether the file name says that an interpreter imports it."""
        return parse_module_suffix(self.name) is not None


class Unreadable(NamedTuple):
    """An ELF member that cannot be read as the loader would, and why."""

    path: str
    reason: str


class RecordFacts(NamedTuple):
    """Where RECORD and the archive disagree: paths, sorted.

    `wrong_hash` and `wrong_crc` stay empty unless every member was read; `blank` says that RECORD
    has a blank line, at which some installers stop.
    """

    unlisted: Tuple[str, ...] = ()
    absent: Tuple[str, ...] = ()
    wrong_size: Tuple[str, ...] = ()
    wrong_hash: Tuple[str, ...] = ()
    wrong_crc: Tuple[str, ...] = ()
    blank: bool = False


class WheelFacts(NamedTuple):
    """What was read from one wheel.

    `distribution` is what the .dist-info and .data folders begin with; `paths` are the members in
    the order of the archive, folders left out; `tags` and `purelib` are WHEEL's Tag lines and
    Root-Is-Purelib; `exports` gives, by path, those of the names asked for that the file defines;
    `static_objects` are archives of object files; `size` is the wheel's, in bytes.
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
    static_objects: Tuple[str, ...] = ()
    record: RecordFacts = RecordFacts()
    size: int = 0


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
