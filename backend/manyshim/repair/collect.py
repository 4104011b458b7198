"""Follow the external libraries that a wheel needs, and name their copies.

Names and layout are auditwheel's (`NAME.libs/libfoo-<hash>.so.1`), so other tools recognise them.
"""

from __future__ import annotations

import posixpath
from typing import Dict, Iterator, List, Optional, Set, Tuple

from manyshim.audit.facts import ElfFile
from manyshim.audit.identity import is_loader
from manyshim.audit.names import is_libpython, matches
from manyshim.audit.policy import policies_of
from manyshim.audit.tags import MUSL
from manyshim.repair.plan import Library, RepairRequest

NO_LIBPYTHON = "the library of the Python interpreter is never copied"
# A copy's name contains this many digits of the original library's SHA-256, so it is unique.
_HASH_DIGITS = 8


class Closure:
    """The libraries to copy so that a wheel meets the policy at `index`.

    `libraries` are by path on the host. A user is a member of the wheel or such a path. `edges`
    have, by user, the library for each name in its NEEDED. `names` and `users` have, by library,
    the names that led to it and the files that need it. `not_copied` has the reason for each other
    name.
    """

    def __init__(self, repair_request: RepairRequest, index: int) -> None:
        """Follow every need that rules out the policy. Raises ToolError."""
        facts, self.report, self.request, self.bundle, self.find, _ = repair_request
        self.index = index
        self.policies = policies_of(self.report.libc or "", self.report.arch or "")
        self.folder = f"{facts.name.name}.libs"
        self.elfs = {elf.path: elf for elf in facts.elfs}
        self.not_copied: Dict[str, str] = {}
        self.libraries: Dict[str, Library] = {}
        self.names: Dict[str, Set[str]] = {}
        self.users: Dict[str, Set[str]] = {}
        self.edges: Dict[str, Dict[str, str]] = {}
        # Files that others name in DT_FILTER or DT_AUXILIARY, which no patch changes. Their copies
        # keep their names.
        self._kept: Set[str] = set()
        for path, name in self._external_needs():
            self._follow(path, name, [self.elfs[path]])

    def next_index(self) -> int:
        """Return the index of the first newer policy that allows one of these libraries."""
        names = {*self.not_copied, *(name for needs in self.edges.values() for name in needs)}
        allowed_from = map(self.policies.first_policy_allowing_library, names)
        return min(
            (first for first in allowed_from if first > self.index), default=self.policies.never
        )

    def _external_needs(self) -> Iterator[Tuple[str, str]]:
        target = self.report.policies[self.index]
        for found in self.report.rules_out(target):
            elf = self.elfs[found.path]
            if found.kind == "EXTERNAL_LIBRARY" and found.subject in (*elf.needed, *elf.filters):
                yield found.path, found.subject

    def _follow(self, user: str, name: str, chain: List[ElfFile]) -> None:
        """Add a library and everything that it needs; each file is visited once."""
        waiting = [(user, name, chain)]
        while waiting:
            user, name, chain = waiting.pop()
            library = self._accept(name, chain)
            if library is None:
                continue
            library = self._same(library, chain)
            if library.real not in self.libraries:
                self.libraries[library.real] = library
                longer = [library.elf, *chain]
                waiting += [
                    (library.real, needed, longer)
                    for needed in (*library.elf.needed, *self._filtered(library.elf, longer))
                    if self._must_copy(needed)
                ]
            if name in self._filtered(chain[0], chain):
                self._kept.add(library.real)
            self.names.setdefault(library.real, set()).add(name)
            self.users.setdefault(library.real, set()).add(user)
            self.edges.setdefault(user, {})[name] = library.real

    def _same(self, library: Library, chain: List[ElfFile]) -> Library:
        """Return the library that is copied already if this one is the same file elsewhere.

        Their copies would have the same name. What they need must be the same, too.
        """
        for other in self.libraries.values():
            if (other.digest, _file_name(other)) == (library.digest, _file_name(library)):
                names = [name for name in library.elf.needed if self._must_copy(name)]
                found = [self.find(name, [library.elf, *chain]) for name in names]
                known = [self.find(name, [other.elf, *chain]) for name in names]
                if _digests(found) == _digests(known):
                    return other
        return library

    def _filtered(self, elf: ElfFile, chain: List[ElfFile]) -> Tuple[str, ...]:
        """Return the libraries that a file names in DT_FILTER, and those in DT_AUXILIARY if found.

        musl does not read these entries.
        """
        if self.policies.libc == MUSL:
            return ()
        found = (name for name in elf.auxiliary if self.find(name, chain) is not None)
        return (*elf.filters, *found)

    def _must_copy(self, name: str) -> bool:
        """Return whether a library that a copied one needs must be copied too.

        A library of the policy or an excluded one is not copied. Neither is the dynamic loader:
        every process already has one.
        """
        if is_loader(self.policies.libc, self.policies.arch, name) or self.request.excludes(name):
            return False
        return self.policies.first_policy_allowing_library(name) > self.index

    def _accept(self, name: str, chain: List[ElfFile]) -> Optional[Library]:
        if is_libpython(name):
            self.not_copied[name] = NO_LIBPYTHON
        elif not any(matches(name, glob) for glob in self.bundle):
            self.not_copied[name] = "no pattern of bundle matches it"
        else:
            library = self.find(name, chain)
            if library is None:
                self.not_copied[name] = "it was not found; name its folder with library-path"
            elif not _is_text(_file_name(library)):
                self.not_copied[name] = "its name is not valid UTF-8, which a wheel requires"
                return None
            return library
        return None

    def new_name(self, real: str) -> str:
        """Return the file name of a library's copy, which is also its soname."""
        library = self.libraries[real]
        name = _file_name(library)
        if real in self._kept:
            return name
        stem, dot, rest = name.partition(".")
        digits = library.digest[:_HASH_DIGITS]
        return name if stem.endswith(f"-{digits}") else f"{stem}-{digits}{dot}{rest}"

    def member(self, user: str) -> str:
        """Return the member that a user is, or will be."""
        return f"{self.folder}/{self.new_name(user)}" if user in self.libraries else user

    def renamed(self, user: str) -> Tuple[Tuple[str, str], ...]:
        """Return the names in the user's NEEDED that change, each with the new one."""
        return tuple(
            (name, self.new_name(real))
            for name, real in sorted(self.edges.get(user, {}).items())
            if real not in self._kept
        )


def _file_name(library: Library) -> str:
    """Return the name of a library's copy without the hash; a soname may contain slashes."""
    return posixpath.basename(library.elf.soname or "") or posixpath.basename(library.real)


def _digests(found: List[Optional[Library]]) -> List[Optional[str]]:
    return [library and library.digest for library in found]


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
