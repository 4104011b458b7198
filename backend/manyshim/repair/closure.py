"""Find which libraries to copy into a wheel so that it meets a policy, and what to patch.

Names and layout are auditwheel's (`NAME.libs/libfoo-<hash>.so.1`), so other tools recognise them.
"""

from __future__ import annotations

import posixpath
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from manyshim.audit.facts import ElfFile, WheelFacts, install_path
from manyshim.audit.identity import is_loader
from manyshim.audit.names import escapes_wheel, is_libpython, matches
from manyshim.audit.policy import policies_of
from manyshim.audit.tags import MUSL
from manyshim.audit.verdict import audit
from manyshim.formats.elf.edits import Patch
from manyshim.repair.plan import Copy, Library, Plan, RepairRequest

# A copy's name contains this many digits of the original library's SHA-256, so it is unique.
_HASH_DIGITS = 8


def plan(repair_request: RepairRequest) -> Plan:
    """Plan the copies for the oldest policy that the repaired wheel would meet.

    With `platform` set, older policies than that one are not tried. If no policy can be met, the
    plan's `policy` is None.
    """
    report, request = repair_request.report, repair_request.request
    best = Plan()
    index = 0
    while index < len(report.policies):
        target = report.policies[index]
        if request.platform and target.version < request.platform.version:
            index += 1
            continue
        if any(found.kind not in _REPAIRED for found in report.rules_out(target)):
            index += 1
            continue
        best = _Planner(repair_request, index).plan()
        if best.policy and best.policy.version <= target.version:
            return best
        # A newer policy may allow a library that was not found.
        index = report.policies.index(best.policy) if best.policy else index + 1
    return best


def alternatives(repair_request: RepairRequest, chosen: Plan) -> Plan:
    """Add, for each copy, the policy that would be met if the environment provided the library."""
    found = []
    for copy in chosen.copies:
        names = tuple(name.replace("[", "[[]") for name in copy.names)
        request = repair_request.request._replace(exclude=(*repair_request.request.exclude, *names))
        report = audit(repair_request.facts, request)
        other = plan(repair_request._replace(request=request, report=report))
        found.append((copy, other.policy))
    return chosen._replace(alternatives=tuple(found))


# The policy findings that a repair resolves.
_REPAIRED = ("EXTERNAL_LIBRARY", "BY_NAME_ONLY")


class _Planner:
    """Builds the plan for one policy, library by library."""

    def __init__(self, repair_request: RepairRequest, index: int) -> None:
        self.facts, self.report, self.request, self.bundle, self.find, self.fixes = repair_request
        self.index = index
        report, facts = self.report, self.facts
        self.policies = policies_of(report.libc or "", report.arch or "")
        self.libs = f"{facts.name.name}.libs"
        self.elfs = {elf.path: elf for elf in facts.elfs}
        self.not_copied: Dict[str, str] = {}
        self.libraries: Dict[str, Library] = {}
        # By file: the names in NEEDED that led to it, and the files that need it.
        self.names: Dict[str, Set[str]] = {}
        self.users: Dict[str, Set[str]] = {}
        # By file that needs libraries: the library file for each name in its NEEDED.
        self.edges: Dict[str, Dict[str, str]] = {}
        # Files that others name in DT_FILTER or DT_AUXILIARY, which patchelf cannot change. Their
        # copies keep their names.
        self.kept: Set[str] = set()

    def plan(self) -> Plan:
        """Collect the libraries that the wheel's files need, and predict the repaired wheel."""
        for path, name in self._external_needs():
            self._follow(path, name, [self.elfs[path]])
        copies = tuple(self._copies())
        launchers = dict(self._launchers())
        patches = dict(self._patches(launchers))
        predicted = self._predicted(copies, patches, launchers)
        policy = audit(predicted, self.request).policy
        return Plan(copies, patches, launchers, self.not_copied, policy)

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
            if library.real not in self.libraries:
                self.libraries[library.real] = library
                longer = [library.elf, *chain]
                waiting += [
                    (library.real, needed, longer)
                    for needed in (*library.elf.needed, *self._filtered(library.elf, longer))
                    if self._must_copy(needed)
                ]
            if name in self._filtered(chain[0], chain):
                self.kept.add(library.real)
            self.names.setdefault(library.real, set()).add(name)
            self.users.setdefault(library.real, set()).add(user)
            self.edges.setdefault(user, {})[name] = library.real

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
            self.not_copied[name] = "the library of the Python interpreter is never copied"
        elif not any(matches(name, glob) for glob in self.bundle):
            self.not_copied[name] = "no pattern of bundle matches it"
        else:
            library = self.find(name, chain)
            if library is None:
                self.not_copied[name] = "it was not found"
            elif not _is_text(_file_name(library)):
                self.not_copied[name] = "its name is not valid UTF-8, which a wheel requires"
                return None
            return library
        return None

    def _copies(self) -> Iterator[Copy]:
        for real, library in sorted(self.libraries.items()):
            edges = self.edges.get(real, {})
            patch = Patch(
                replace_needed=self._renamed(edges),
                soname=self._new_name(real),
                rpath="$ORIGIN"
                if edges
                else ("" if library.elf.rpath + library.elf.runpath else None),
            )
            users = sorted(self._member(user) for user in self.users[real])
            yield Copy(
                library, self._member(real), tuple(sorted(self.names[real])), tuple(users), patch
            )

    def _new_name(self, real: str) -> str:
        library = self.libraries[real]
        name = _file_name(library)
        if real in self.kept:
            return name
        stem, dot, rest = name.partition(".")
        digits = library.digest[:_HASH_DIGITS]
        return name if stem.endswith(f"-{digits}") else f"{stem}-{digits}{dot}{rest}"

    def _member(self, user: str) -> str:
        return f"{self.libs}/{self._new_name(user)}" if user in self.libraries else user

    def _renamed(self, edges: Mapping[str, str]) -> Tuple[Tuple[str, str], ...]:
        return tuple(
            (name, self._new_name(real))
            for name, real in sorted(edges.items())
            if real not in self.kept
        )

    def _launchers(self) -> Iterator[Tuple[str, str]]:
        """Yield each program in the scripts folder that needs a copy, and its new member name.

        No fixed relative path leads from the scripts folder to the copies.
        """
        for path in self.edges.keys() & self.elfs.keys():
            place = install_path(path, self.facts.distribution)
            if place.root == "scripts":
                yield path, f"{self.facts.name.name}.scripts/{place.path}"

    def _patches(self, launchers: Mapping[str, str]) -> Iterator[Tuple[str, Patch]]:
        unneeded = {
            found.path: found.subject for found in self.report.errors if found.kind == "LIBPYTHON"
        }
        reached: Dict[str, Set[str]] = {}
        for found in self.report.findings:
            if found.kind == "BY_NAME_ONLY" and not found.allowed:
                reached.setdefault(found.path, set()).add(posixpath.dirname(found.library))
        for path in sorted({*self.edges, *unneeded, *reached, *self.fixes} & self.elfs.keys()):
            fix = self.fixes.get(path, Patch())
            folders = set(reached.get(path, ()))
            edges = self.edges.get(path, {})
            if edges:
                folders.add(self.libs)
            rpath = self._rpath(launchers.get(path, path), self.elfs[path], folders)
            yield (
                path,
                fix._replace(
                    replace_needed=(*fix.replace_needed, *self._renamed(edges)),
                    remove_needed=(unneeded[path],) if path in unneeded else (),
                    rpath=fix.rpath if rpath is None else rpath,
                ),
            )

    def _rpath(self, path: str, elf: ElfFile, folders: Set[str]) -> Optional[str]:
        """Return an RPATH from an installed file to `folders` of the wheel; None without folders.

        Existing entries that stay inside the wheel are kept.
        """
        if not folders:
            return None
        here = posixpath.dirname(install_path(path, self.facts.distribution).path)
        entries = [
            entry
            for entry in elf.runpath or elf.rpath
            if not escapes_wheel(elf, entry, self.facts.distribution)
        ]
        for folder in sorted(folders):
            there = install_path(f"{folder}/x", self.facts.distribution).path
            relative = posixpath.relpath(posixpath.dirname(there) or ".", here or ".")
            entries.append("$ORIGIN" if relative == "." else f"$ORIGIN/{relative}")
        return ":".join(dict.fromkeys(entries))

    def _predicted(
        self, copies: Sequence[Copy], patches: Mapping[str, Patch], launchers: Mapping[str, str]
    ) -> WheelFacts:
        """Predict the facts of the repaired wheel."""
        changed = [
            patches.get(elf.path, Patch())
            .applied(elf)
            ._replace(path=launchers.get(elf.path, elf.path))
            for elf in self.facts.elfs
        ]
        added = [copy.patch.applied(copy.library.elf)._replace(path=copy.member) for copy in copies]
        paths = (*self.facts.paths, *(elf.path for elf in added), *launchers.values())
        return self.facts._replace(elfs=(*changed, *added), paths=paths)


def _file_name(library: Library) -> str:
    """Return the name of a library's copy without the hash; a soname may contain slashes."""
    return posixpath.basename(library.elf.soname or "") or posixpath.basename(library.real)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
