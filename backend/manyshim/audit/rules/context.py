"""The input of the rules."""

from __future__ import annotations

from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.loader.search import LOADER, SYSTEM, Loading, Process
from manyshim.audit.names import interpreter_prefixes, is_libpython
from manyshim.audit.policy import Policies
from manyshim.audit.request import Request
from manyshim.audit.tags import GLIBC
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


class Context(NamedTuple):
    """The input of a rule. `elfs` are the files that the policies apply to."""

    facts: WheelFacts
    request: Request
    policies: Policies
    elfs: Tuple[ElfFile, ...]
    loading: Loading

    def ruled_out(self, allowed_from: Optional[int], made: Finding) -> Iterator[Finding]:
        """Yield the finding `made` with the newest policy that it rules out, if there is one.

        `allowed_from` is the index of the first policy that allows what the finding is about. None
        means that no policy does.
        """
        first = self.policies.never if allowed_from is None else allowed_from
        if first > 0:
            yield made._replace(policy=self.policies.listed[first - 1])

    def imported_names(self, elf: ElfFile, *, versioned: bool = False) -> FrozenSet[str]:
        """Return the names of strong references, except those that the interpreter defines."""
        names = (*elf.undefined, *elf.strong_versioned) if versioned else elf.undefined
        found = frozenset(name for name in names if not name.startswith(("Py", "_Py")))
        if not found:
            return found
        prefixes = interpreter_prefixes(self.facts.name, elf)
        return frozenset(name for name in found if not name.startswith(prefixes))

    def definers(self, process: Process) -> FrozenSet[str]:
        """Return the libraries that a process loads and that may define names unknown to us.

        They are not in the wheel, or cannot be read. The libraries with lists of names are not
        among them.
        """
        kinds: Dict[str, Set[str]] = {}
        for path in process.members:
            for name, kind in self.loading.by_file.get(path, ()):
                kinds.setdefault(name, set()).add(kind)
        found = {name for name in process.outside if self._may_define(kinds.get(name, set()), name)}
        return frozenset((*found, *(one.path for one in self.facts.unreadable[:1])))

    def promises(self, library: str) -> bool:
        """Whether some policy has a library, and the user did not declare another provider."""
        first = self.policies.first_policy_allowing_library(library)
        return first < self.policies.never and not self.request.excludes(library)

    def _may_define(self, kinds: Set[str], name: str) -> bool:
        if kinds <= {LOADER} or is_libpython(name):
            return False
        return kinds != {SYSTEM} or self.policies.libc != GLIBC or name not in LISTED

    def missing(
        self, process: Process, wanted: Mapping[str, FrozenSet[str]]
    ) -> Dict[str, Set[str]]:
        """Return, by member, the wanted names that no member of the process is known to define."""
        left = {name for path in process.members for name in wanted[path]}
        for path in process.members if left else ():
            left -= self.facts.exports.get(path, frozenset())
        return {path: left & wanted[path] for path in process.members}
