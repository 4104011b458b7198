"""Facts: what was read from a wheel, without any judgement."""

from __future__ import annotations

import posixpath

from manyshim.audit.suffixes import parse_module_suffix
from manyshim.audit.tags import WheelName
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Mapping, Optional, Tuple, TypeAlias

    from manyshim.audit.nativefacts import NativeFacts

# ELF gABI: e_type.
RELOCATABLE = 1
EXECUTABLE = 2
SHARED = 3


# Of Linux, in bytes: NAME_MAX and PATH_MAX, the latter without its NUL.
_MAX_NAME = 255
_MAX_PATH = 4095


def is_too_long(path: str) -> bool:
    """Whether no file can have a path: it has more than 4,095 bytes, or a part more than 255."""
    if len(path) <= _MAX_NAME and path.isascii():
        return False
    # Names that are not UTF-8 have surrogates.
    data = path.encode("utf-8", "surrogatepass")
    return len(data) > _MAX_PATH or max(map(len, data.split(b"/"))) > _MAX_NAME


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
        """Whether the file is an executable or a shared object, by its type."""
        return self.type in (EXECUTABLE, SHARED)


class VersionNeed(NamedTuple):
    """One symbol version that a file requires from a library (LSB, "Version Dependencies").

    `weak` is VER_FLG_WEAK: the loader accepts a library without the version only if it is set.
    `only_weak` is true if no symbol with a strong binding uses the version. `symbols` are sorted.
    """

    library: str
    version: str
    weak: bool = False
    symbols: Tuple[str, ...] = ()
    only_weak: bool = False


class ElfFile(NamedTuple):
    """The facts of one ELF member. Names that are not UTF-8 contain surrogate escapes.

    `undefined` are the strong undefined names without a version, `strong_versioned` those with one.
    `auxiliary` and `filters` are DT_AUXILIARY and DT_FILTER. An `rpath` or `runpath` of `("",)` is
    an empty string, which is no search path. `executable_stack` is None if PT_GNU_STACK is missing.
    `tls_size` is in bytes. `own_static_tls` tells whether the file accesses its own thread-local
    variables at a fixed offset: if it is opened later, the loader needs reserved space for them.
    `static_tls_imports` are the names of such variables that other files define.
    `page_size` is the largest page, in bytes, with which every segment can be mapped; 0 without
    segments.
    `module_init` tells whether the file exports the init function of its module; None if it does
    not have the name of a module. `detached` marks a file of debug information, whose segments are
    empty. `damage` describes what is broken in parts that the loader does not read.
    """

    path: str
    ident: ElfIdent
    interpreter: Optional[str] = None
    dynamic: bool = False
    needed: Tuple[str, ...] = ()
    auxiliary: Tuple[str, ...] = ()
    filters: Tuple[str, ...] = ()
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
    own_static_tls: bool = False
    static_tls_imports: Tuple[str, ...] = ()
    executable_stack: Optional[bool] = None
    writable_code: bool = False
    page_size: int = 0
    module_init: Optional[bool] = None
    detached: bool = False
    damage: Tuple[str, ...] = ()

    @property
    def libraries(self) -> Tuple[str, ...]:
        """The names of all libraries that it asks for, also of those that only glibc reads."""
        return (*self.needed, *self.filters, *self.auxiliary)

    @property
    def loadable(self) -> bool:
        """Whether a loader accepts the file: no object file, core dump or detached debug file."""
        return self.ident.loadable and not self.detached

    @property
    def name(self) -> str:
        """The file name, without its folders; empty if no file can have the path."""
        return "" if is_too_long(self.path) else posixpath.basename(self.path)

    @property
    def executable(self) -> bool:
        """Whether the file is a program: ET_EXEC, the PIE flag, or an interpreter and no soname.

        Some libraries, such as those of Qt, have an interpreter to print their version. So may
        extension modules.
        """
        library = self.soname or self.extension_module
        interpreted = self.interpreter is not None and not library
        return self.ident.type == EXECUTABLE or self.pie or interpreted

    @property
    def static(self) -> bool:
        """Whether the file is a program that runs without a loader: no PT_INTERP, no DT_NEEDED."""
        alone = self.interpreter is None and not self.needed
        return alone and (self.ident.type == EXECUTABLE or self.pie or not self.dynamic)

    @property
    def module_name(self) -> str:
        """The name under which Python imports the file: the package's for an `__init__`."""
        name = self.name.partition(".")[0]
        folders = self.path.split("/")[:-1]
        if name != "__init__" or not folders:
            return name
        # Below NAME-VERSION.data/platlib, as at the root of the wheel, there is no package.
        return name if len(folders) == 2 and folders[0].endswith(".data") else folders[-1]

    @property
    def extension_module(self) -> bool:
        """Whether the file name is that of an extension module."""
        return parse_module_suffix(self.name) is not None

    @property
    def init_functions(self) -> Tuple[str, ...]:
        """The prefixes of init functions that an interpreter with the file's suffix looks for."""
        suffix = parse_module_suffix(self.name)
        return suffix.init_functions if suffix else ()


class Unreadable(NamedTuple):
    """An ELF member that cannot be read as the loader reads it, and the reason."""

    path: str
    reason: str


class Copies(NamedTuple):
    """Members with equal contents: their paths, sorted, and the size of each in bytes."""

    paths: Tuple[str, ...]
    size: int


class RecordFacts(NamedTuple):
    """The paths for which RECORD and the archive disagree, sorted.

    `absent` has the first 1,000 in RECORD, and `more_absent` counts the others. `wrong_hash`,
    `wrong_crc` and `weak_hash` are empty unless every member was read, and in the order of the
    archive. `weak_hash` are those with a hash that installers do not accept. `blank` is true if
    RECORD has a blank line, at which some installers stop.
    """

    unlisted: Tuple[str, ...] = ()
    absent: Tuple[str, ...] = ()
    wrong_size: Tuple[str, ...] = ()
    wrong_hash: Tuple[str, ...] = ()
    wrong_crc: Tuple[str, ...] = ()
    blank: bool = False
    more_absent: int = 0
    weak_hash: Tuple[str, ...] = ()


class WheelFacts(NamedTuple):
    """What was read from one wheel.

    `distribution` is `NAME-VERSION`, the stem of the .dist-info and .data folders. `paths` are the
    members without folders, in the order of the archive. `tags`, `purelib` and `wheel_version` are
    the Tag lines, Root-Is-Purelib and Wheel-Version of WHEEL; the last is empty if missing.
    `exports` maps a path to those of the requested names that the file defines. `static_objects`
    are archives of object files. `size` is that of the wheel, in bytes. `copies` are loadable files
    that are in the wheel several times, by their size and CRC. `native` is the machine code of
    macOS, iOS and Windows; None if the name has no such tag.
    """

    name: WheelName
    distribution: str = ""
    paths: Tuple[str, ...] = ()
    symlinks: Tuple[str, ...] = ()
    tags: Tuple[str, ...] = ()
    purelib: bool = False
    wheel_version: str = "1.0"
    elfs: Tuple[ElfFile, ...] = ()
    unreadable: Tuple[Unreadable, ...] = ()
    exports: Mapping[str, FrozenSet[str]] = {}
    static_objects: Tuple[str, ...] = ()
    record: RecordFacts = RecordFacts()
    size: int = 0
    copies: Tuple[Copies, ...] = ()
    native: Optional[NativeFacts] = None


class InstallPath(NamedTuple):
    """Where a member is installed: a root of the installation scheme, and a path below it.

    The relative position of two roots is not fixed, so `$ORIGIN` cannot lead from one into another
    (PEP 427, "The .data directory").
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
    """Return where installers put a member; `distribution` is `NAME-VERSION`."""
    prefix = f"{distribution}.data/"
    if path.startswith(prefix):
        scheme, slash, rest = path[len(prefix) :].partition("/")
        if slash and scheme in _SCHEMES:
            return InstallPath(_SCHEMES[scheme], posixpath.normpath(rest))
    normal = posixpath.normpath(path)
    # An equal text is not kept twice.
    return InstallPath("site", path if normal == path else normal)


class SourceLine(NamedTuple):
    """A use of a symbol. Line 0: the compiler gave it no line. No file: none is recorded (no -g).

    A file in the project has a relative path. Others have the path that the compiler recorded.
    """

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        inside = f"in {self.function}()" if self.function else ""
        return " ".join(filter(None, (place, inside, "" if place else "(compiled without -g)")))


# By symbol, the source lines that use it.
Places: TypeAlias = "Mapping[str, Tuple[SourceLine, ...]]"
NO_PLACES: Places = {}
