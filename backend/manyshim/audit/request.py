"""What was asked of an audit: the values that a configuration or a command line comes down to."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import FrozenSet, Optional, Tuple

from manyshim.audit.identity import GLIBC_OWN
from manyshim.audit.tags import PlatformTag
from manyshim.values import NamedTuple


class Allowance(NamedTuple):
    """An error finding that the maintainer accepts: its kind, and a glob for the member."""

    kind: str
    glob: str


class Compiled(NamedTuple):
    """What a toolchain was told to compile.

    `multiarch` is the triplet in the file names of the target's extension modules; `modules` are
    the files that the wrapped backend set out to build; `called` says that it called a compiler,
    be it for something that it gave up; `glibc_names` is what any glibc defines.
    """

    multiarch: str
    modules: Tuple[str, ...] = ()
    called: bool = False
    glibc_names: FrozenSet[str] = frozenset()


class Request(NamedTuple):
    """What was asked: the platform, or None for the oldest proved, and what is accepted.

    `libc` is the family that decides where the files leave it open: in a build the building
    interpreter's. `strict` hardens the findings that stand for a likely crash, `thorough` those
    about the archive, as `check` does. `exact` lets `auto` take unlisted policies too (PEP 600).
    `compiled` is there where our toolchain compiled the files: they have to be what it was told.
    """

    platform: Optional[PlatformTag] = None
    libc: Optional[str] = None
    strict: bool = False
    thorough: bool = False
    exact: bool = False
    compiled: Optional[Compiled] = None
    exclude: Tuple[str, ...] = ()
    allow: Tuple[Allowance, ...] = ()

    def excludes(self, soname: str) -> bool:
        """Whether the wheel's environment is declared to provide a library."""
        return soname not in GLIBC_OWN and any(fnmatchcase(soname, glob) for glob in self.exclude)

    def allows(self, kind: str, path: str) -> bool:
        """Whether a finding of this kind is accepted for a member."""
        return any(
            allowance.kind == kind and fnmatchcase(path, allowance.glob) for allowance in self.allow
        )
