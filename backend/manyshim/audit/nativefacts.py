"""Facts of the machine code of macOS, iOS and Windows, without any judgement."""

from __future__ import annotations

import posixpath
from typing import Optional, Tuple

from manyshim.values import NamedTuple

# Mach-O: the file types that dyld loads or starts (mach-o/loader.h).
MACHO_PROGRAM = 2
MACHO_DYLIB = 6
MACHO_BUNDLE = 8
MACHO_LOADABLE = (MACHO_PROGRAM, MACHO_DYLIB, MACHO_BUNDLE)

# The systems of LC_BUILD_VERSION.
MACOS = 1
IOS = 2
IOS_SIMULATOR = 7
SYSTEMS = {
    MACOS: "macOS",
    IOS: "iOS",
    3: "tvOS",
    4: "watchOS",
    6: "Mac Catalyst",
    IOS_SIMULATOR: "the iOS simulator",
    8: "the tvOS simulator",
    9: "the watchOS simulator",
    10: "DriverKit",
    11: "visionOS",
    12: "the visionOS simulator",
}

# A version of macOS or iOS: major, minor, patch.
Release = Tuple[int, int, int]


class Dylib(NamedTuple):
    """A library that a slice asks for. dyld goes on without it if it is `optional`."""

    name: str
    optional: bool = False


class Built(NamedTuple):
    """The system that a slice states, its oldest release, and that of the SDK (zeros: unknown)."""

    system: int
    minimum: Release
    sdk: Release = (0, 0, 0)


class Slice(NamedTuple):
    """The facts of one architecture of a Mach-O file.

    `arch` is `x86_64`, `arm64`, `i386`, `ppc` or `ppc64`, or another name that no tag has. `builds`
    are empty if the slice states no system. `oldest_dyld` is the oldest macOS whose dyld knows all
    load commands, if some are new. `install_name` is LC_ID_DYLIB.
    """

    arch: str
    type: int = MACHO_DYLIB
    builds: Tuple[Built, ...] = ()
    oldest_dyld: Optional[Release] = None
    needed: Tuple[Dylib, ...] = ()
    install_name: str = ""
    rpaths: Tuple[str, ...] = ()
    signed: bool = False

    def built_for(self, *systems: int) -> Optional[Built]:
        """Return what the slice states for one of these systems; None if it does not."""
        return next((one for one in self.builds if one.system in systems), None)


class MachoFile(NamedTuple):
    """The loadable slices of one Mach-O member: programs, libraries and bundles."""

    path: str
    slices: Tuple[Slice, ...]

    @property
    def name(self) -> str:
        """The file name, without its folders."""
        return posixpath.basename(self.path)

    @property
    def arches(self) -> Tuple[str, ...]:
        """The architectures of the slices."""
        return tuple(one.arch for one in self.slices)

    def slice_for(self, arch: str) -> Optional[Slice]:
        """Return the slice of an architecture, or None."""
        return next((one for one in self.slices if one.arch == arch), None)

    @property
    def module(self) -> bool:
        """Whether the file name is that of an extension module, and not of a library."""
        return self.name.endswith(".so") and not self.name.startswith("lib")

    @property
    def program(self) -> bool:
        """Whether the file is a program."""
        return any(one.type == MACHO_PROGRAM for one in self.slices)


class PeFile(NamedTuple):
    """The facts of one PE member.

    `machine` is `x86`, `amd64` or `arm64`, or the number of another one. `dll` tells a library from
    a program. `imports` and `delayed` are names of DLLs as they are spelled; `python_names` those
    that the file imports from the interpreter. A `managed` file is for .NET (CLR).
    """

    path: str
    machine: str
    dll: bool = True
    imports: Tuple[str, ...] = ()
    delayed: Tuple[str, ...] = ()
    python_names: Tuple[str, ...] = ()
    managed: bool = False

    @property
    def name(self) -> str:
        """The file name, without its folders, in lower case as Windows compares it."""
        return posixpath.basename(self.path).lower()

    @property
    def module(self) -> bool:
        """Whether the file name is that of an extension module."""
        return self.name.endswith(".pyd")


class Broken(NamedTuple):
    """A member that begins like machine code and cannot be read, and the reason."""

    path: str
    reason: str


class NativeFacts(NamedTuple):
    """What was read from a wheel for macOS, iOS or Windows.

    `requires` are the names of the projects in Requires-Dist.
    """

    machos: Tuple[MachoFile, ...] = ()
    pes: Tuple[PeFile, ...] = ()
    broken: Tuple[Broken, ...] = ()
    requires: Tuple[str, ...] = ()
