"""The values of a repair plan. It is complete before anything is written."""

from __future__ import annotations

import posixpath
from typing import Callable, FrozenSet, Mapping, Optional, Sequence, Tuple

from manyshim.audit.decision import TagDecision
from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.request import Request
from manyshim.audit.tags import PlatformTag
from manyshim.audit.verdict import Report
from manyshim.formats.elf.edits import Patch
from manyshim.values import NamedTuple


class Library(NamedTuple):
    """A library of the target's system.

    `needed_name` is the name in NEEDED that led to it. `path` is where the loader would open it,
    `real` the same file with links resolved, `how` the search rule that found it. `digest` is its
    SHA-256 in hexadecimal digits, `size` its size in bytes.
    """

    needed_name: str
    path: str
    real: str
    how: str
    digest: str
    elf: ElfFile
    size: int = 0


# Finds the file that the target's loader would open for a name. The chain begins with the file
# that needs it; the files that load that one follow.
Find = Callable[[str, Sequence[ElfFile]], Optional[Library]]


class RepairRequest(NamedTuple):
    """A wheel, its audit, and what a repair may change.

    `bundle` are globs of the sonames that may be copied. `fix` are the names of the fixes that are
    always applied.
    """

    facts: WheelFacts
    report: Report
    request: Request
    bundle: Sequence[str]
    find: Find
    fix: Sequence[str] = ()


class Copy(NamedTuple):
    """A library that is copied into the wheel as `member`; `names` are those found in NEEDED."""

    library: Library
    member: str
    names: Tuple[str, ...]
    needed_by: Tuple[str, ...]
    patch: Patch

    @property
    def name(self) -> str:
        """Return its new soname, which is also its file name."""
        return posixpath.basename(self.member)


class Plan(NamedTuple):
    """A repair: the copies, the patches, the programs that move, and the predicted result.

    `patches` are by member. `launchers` map a program in the scripts folder to its new member.
    `not_copied` are the libraries that are not copied, by name, each with the reason. `policy` is
    the policy that the repaired wheel is predicted to meet, `decision` its tag. Without a tag,
    `blockers` are the findings that rule it out. `alternatives` are the policies that it would meet
    if the environment provided a library instead of its copy. `needed` are the names of the
    libraries that the found ones need, copied or not.
    """

    copies: Tuple[Copy, ...] = ()
    patches: Mapping[str, Patch] = {}
    launchers: Mapping[str, str] = {}
    not_copied: Mapping[str, str] = {}
    policy: Optional[PlatformTag] = None
    decision: TagDecision = TagDecision()
    blockers: Tuple[Finding, ...] = ()
    alternatives: Tuple[Tuple[Copy, Optional[PlatformTag]], ...] = ()
    needed: FrozenSet[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Return whether the plan changes nothing."""
        return not self.copies and not self.patches
