"""The request of an audit, made from a configuration or a command line."""

from __future__ import annotations

from manyshim.audit.identity import GLIBC_OWN
from manyshim.audit.names import matches
from manyshim.audit.tags import PlatformTag
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import FrozenSet, Optional, Tuple


class Allowance(NamedTuple):
    """An error that the maintainer accepts: its kind, and a glob for the path of the member."""

    kind: str
    glob: str


class Compiled(NamedTuple):
    """What manyshim's toolchain had to compile.

    `multiarch` is the triplet in the file names of the target's extension modules. `modules` are
    the files that the wrapped backend started to build. `called` is true if it called a compiler,
    even if that compilation failed. `glibc_names` are the names that some glibc defines.
    """

    multiarch: str
    modules: Tuple[str, ...] = ()
    called: bool = False
    glibc_names: FrozenSet[str] = frozenset()


class Request(NamedTuple):
    """What an audit has to decide, and which findings are accepted.

    `platform` is the requested tag; None means the oldest policy that is proved. `libc` is the
    family to assume if the files fit both; in a build, it is that of the building interpreter.
    `strict` turns findings about a likely crash into errors, `thorough` (set by `check`) those
    about the archive. `exact` allows unlisted policies too if `platform` is None (PEP 600).
    `compiled` is set if manyshim's toolchain compiled the files, which must then fit its target.
    `expects_code` is true if options of a build show that it should not give a pure wheel.
    """

    platform: Optional[PlatformTag] = None
    libc: Optional[str] = None
    strict: bool = False
    thorough: bool = False
    exact: bool = False
    compiled: Optional[Compiled] = None
    exclude: Tuple[str, ...] = ()
    allow: Tuple[Allowance, ...] = ()
    expects_code: bool = False

    def excludes(self, soname: str) -> bool:
        """Whether the user declared that the environment provides a library."""
        return soname not in GLIBC_OWN and any(matches(soname, glob) for glob in self.exclude)

    def allows(self, kind: str, path: str) -> bool:
        """Whether the user accepted findings of this kind for a member."""
        return any(
            allowance.kind == kind and matches(path, allowance.glob) for allowance in self.allow
        )
