"""The input of the rules."""

from __future__ import annotations

from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.loader.search import LOADER, SYSTEM, Loading, Process
from manyshim.audit.names import interpreter_prefixes, is_libpython
from manyshim.audit.policy import Policies
from manyshim.audit.request import Request
from manyshim.audit.tags import GLIBC, MUSL, WheelName
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Iterator, Mapping, Optional, Set, Tuple

# The libraries whose names are in data/*-names.txt. These never define another name.
LISTED = frozenset(
    (
        *("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"),
        *("libresolv.so.2", "libgcc_s.so.1", "libstdc++.so.6"),
    )
)

# Python makes a new empty set each time.
_NO_NAMES: FrozenSet[str] = frozenset()


class Context(NamedTuple):
    """The input of a rule. `elfs` are the files that the policies apply to.

    `imported` has the names by file that it refers to strongly, except for those that the
    interpreter defines: those without a version, and for musl, which ignores versions, all.
    `definers` has by root the libraries that its process loads and that may define names unknown to
    us. It is empty if no name is imported.
    """

    facts: WheelFacts
    request: Request
    policies: Policies
    elfs: Tuple[ElfFile, ...]
    loading: Loading
    imported: Mapping[str, FrozenSet[str]]
    definers: Mapping[str, FrozenSet[str]]

    def ruled_out(self, allowed_from: Optional[int], made: Finding) -> Iterator[Finding]:
        """Yield the finding `made` with the newest policy that it rules out, if there is one.

        `allowed_from` is the index of the first policy that allows what the finding is about. None
        means that no policy does.
        """
        first = self.policies.never if allowed_from is None else allowed_from
        if first > 0:
            yield made._replace(policy=self.policies.listed[first - 1])

    def promises(self, library: str) -> bool:
        """Whether some policy has a library, and the user did not declare another provider."""
        first = self.policies.first_policy_allowing_library(library)
        return first < self.policies.never and not self.request.excludes(library)

    def missing(
        self, process: Process, wanted: Mapping[str, FrozenSet[str]]
    ) -> Dict[str, Set[str]]:
        """Return, by member, the wanted names that no member of the process is known to define.

        Members without such names may be left out.
        """
        asking = [path for path in process.members if wanted[path]]
        left = set().union(*map(wanted.__getitem__, asking))
        for path in process.members if left else ():
            left.difference_update(self.facts.exports.get(path, ()))
        return {path: left & wanted[path] for path in asking} if left else {}


def imported(name: WheelName, elfs: Tuple[ElfFile, ...], libc: str) -> Dict[str, FrozenSet[str]]:
    """Return the `imported` names of a context, for the wheel `name`."""
    strong = {elf.path: elf.undefined for elf in elfs}
    if libc == MUSL:
        strong = {elf.path: (*elf.undefined, *elf.strong_versioned) for elf in elfs}
    # The files of a wheel refer to the same names again and again.
    every = set().union(*strong.values())
    others = {one for one in every if not one.startswith(("Py", "_Py"))}
    found = {}
    for elf in elfs:
        names = others.intersection(strong[elf.path])
        prefixes = interpreter_prefixes(name, elf) if names else ()
        if prefixes:
            names = {one for one in names if not one.startswith(prefixes)}
        found[elf.path] = frozenset(names) if names else _NO_NAMES
    return found


def definers(facts: WheelFacts, loading: Loading, libc: str) -> Dict[str, FrozenSet[str]]:
    """Return the `definers` of a context: what is not in the wheel, or cannot be read.

    The libraries with lists of names are not among them.
    """
    unreadable = [one.path for one in facts.unreadable[:1]]
    found: Dict[str, FrozenSet[str]] = {}
    by_file = loading.by_file()
    for process in loading.processes:
        kinds: Dict[str, Set[str]] = {}
        for path in process.members:
            for name, kind in by_file.get(path, ()):
                kinds.setdefault(name, set()).add(kind)
        others = (name for name in process.outside if _may_define(kinds.get(name), name, libc))
        found[process.root] = frozenset((*others, *unreadable))
    return found


def _may_define(kinds: Optional[Set[str]], name: str, libc: str) -> bool:
    if not kinds or kinds == {LOADER} or is_libpython(name):
        return False
    return kinds != {SYSTEM} or libc != GLIBC or name not in LISTED
