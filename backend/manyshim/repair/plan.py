"""What a repair is going to do, settled before anything is written: the values."""

from __future__ import annotations

import posixpath
from typing import Callable, Mapping, Optional, Sequence, Tuple

from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.request import Request
from manyshim.audit.tags import PlatformTag
from manyshim.audit.verdict import Report
from manyshim.values import NamedTuple


class Patch(NamedTuple):
    """What is changed in a file; empty fields change nothing.

    `rpath` becomes the one DT_RPATH; the empty text takes RPATH and RUNPATH away, None leaves both.
    `plain_stack` takes the executable bit from PT_GNU_STACK.
    """

    replace_needed: Tuple[Tuple[str, str], ...] = ()
    remove_needed: Tuple[str, ...] = ()
    soname: Optional[str] = None
    rpath: Optional[str] = None
    plain_stack: bool = False

    def applied(self, elf: ElfFile) -> ElfFile:
        """Foretell the facts of a file that was patched."""
        new = dict(self.replace_needed)
        kept = (name for name in elf.needed if name not in self.remove_needed)
        rpath = elf.rpath if self.rpath is None else tuple(filter(None, self.rpath.split(":")))
        return elf._replace(
            needed=tuple(new.get(name, name) for name in kept),
            versions_needed=tuple(
                need._replace(library=new.get(need.library, need.library))
                for need in elf.versions_needed
            ),
            soname=self.soname or elf.soname,
            rpath=rpath,
            runpath=elf.runpath if self.rpath is None else (),
            executable_stack=False if self.plain_stack else elf.executable_stack,
        )


class Library(NamedTuple):
    """A library of the system: who asked for it by which name, and what was found.

    `path` is where the loader would open it, `real` the file without links, `how` the rule that
    found it, `digest` its SHA-256 in hexadecimal digits, `size` in bytes.
    """

    asked: str
    path: str
    real: str
    how: str
    digest: str
    elf: ElfFile
    size: int = 0


# Finds the file that the target's loader would open for a name; the chain begins with who asks.
Find = Callable[[str, Sequence[ElfFile]], Optional[Library]]


class RepairRequest(NamedTuple):
    """A wheel as it stands and its audit, and what may be done.

    `bundle` are globs of the sonames that may be copied, `fixes` patches by member that are made in
    any case.
    """

    facts: WheelFacts
    report: Report
    request: Request
    bundle: Sequence[str]
    find: Find
    fixes: Mapping[str, Patch] = {}


class Copy(NamedTuple):
    """A library that is put into the wheel as `member`, and the names that it was asked for by."""

    library: Library
    member: str
    names: Tuple[str, ...]
    needed_by: Tuple[str, ...]
    patch: Patch

    @property
    def name(self) -> str:
        """Its new soname, which is its file name too."""
        return posixpath.basename(self.member)


class Plan(NamedTuple):
    """A repair: what is copied, what is patched, which programs move, and what would result.

    `patches` are by member; `launchers` map a program of the scripts folder to its new place;
    `lacking` are the libraries that stay outside, by name with the reason. `policy` is what holds
    afterwards, by what is foretold; `alternatives` are the policies that would hold if the
    environment provided a library instead of its copy.
    """

    copies: Tuple[Copy, ...] = ()
    patches: Mapping[str, Patch] = {}
    launchers: Mapping[str, str] = {}
    not_copied: Mapping[str, str] = {}
    policy: Optional[PlatformTag] = None
    alternatives: Tuple[Tuple[Copy, Optional[PlatformTag]], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the wheel stays as it is."""
        return not self.copies and not self.patches
