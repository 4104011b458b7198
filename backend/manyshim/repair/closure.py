"""Plan what to copy into a wheel and what to patch, so that it meets a policy."""

from __future__ import annotations

import posixpath
from typing import Dict, Iterator, Optional, Set, Tuple

from manyshim.audit.decision import blockers, choose
from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report, audit, load
from manyshim.formats.elf.edits import Patch
from manyshim.repair.collect import NO_LIBPYTHON, Closure
from manyshim.repair.fixes import fix, fixes
from manyshim.repair.plan import Copy, Plan, RepairRequest
from manyshim.repair.programs import moves, search_path


def plan(repair_request: RepairRequest) -> Plan:
    """Plan the copies for the oldest policy that the repaired wheel would meet.

    With `platform` set, older policies than that one are not tried. If the repaired wheel would get
    no tag, the plan has the findings that rule it out.
    """
    report, request = repair_request.report, repair_request.request
    best = _judged(Plan(), report, request)
    index = 0
    while index < len(report.policies):
        target = report.policies[index]
        newest = index + 1 == len(report.policies)
        # A platform that is newer than every policy allows what the newest one allows.
        too_old = request.platform and target.version < request.platform.version and not newest
        if too_old or any(one.kind not in _REPAIRED for one in report.rules_out(target)):
            index += 1
            continue
        planner = _Planner(repair_request, index)
        best = planner.plan()
        if best.policy and best.policy.version > target.version:
            index = report.policies.index(best.policy)
        elif best.policy and best.decision.tag:
            return best
        else:
            # A newer policy may allow a library that was not found, or that cannot be copied.
            index = planner.libraries.next_index()
    return best


def _judged(made: Plan, report: Report, request: Request) -> Plan:
    """Add to a plan the tag of the repaired wheel, or what rules it out."""
    report = report._replace(
        findings=tuple(found for found in report.findings if found.kind not in _UNDECIDED)
    )
    decision = choose(report, request)
    made = made._replace(policy=report.policy, decision=decision)
    if decision.tag:
        return made
    blocked = blockers(report, decision, request)
    return made._replace(blockers=report.errors or (blocked.findings if blocked else ()))


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
# Findings that depend on what the copies define. That is read when they are in the wheel.
_UNDECIDED = ("UNDEFINED", "MUSL_UNDEFINED", "ABI3")


class _Planner:
    """Plans the patches for the policy at `index`, and predicts the repaired wheel.

    `folders` have, by member, the folders of the wheel in which it must find libraries.
    """

    def __init__(self, repair_request: RepairRequest, index: int) -> None:
        self.facts, self.report, self.request, _, _, self.fix = repair_request
        self.libraries = Closure(repair_request, index)
        self.elfs = self.libraries.elfs
        users = map(self.libraries.member, self.libraries.edges)
        self.folders = {user: {self.libraries.folder} for user in users}
        self.launchers: Dict[str, str] = {}

    def plan(self) -> Plan:
        """Plan the patches, and predict the repaired wheel.

        A library that is found after a repair may itself need others, which were not searched
        before. So this is repeated until no further search path is needed.
        """
        report, made = self.report, None
        programs = self._programs()
        while self._add_folders(report) or made is None:
            self.launchers = moves(self.folders, programs, self.facts.name, self.facts.distribution)
            made = Plan(tuple(self._copies()), dict(self._patches()), self.launchers)
            report = audit(self._predicted(made), self.request)
        made = made._replace(not_copied=self.libraries.not_copied)
        return _judged(made, report, self.request)

    def _programs(self) -> Set[str]:
        """Return the programs in the scripts folder that run in a process of their own."""
        scripts = f"{self.facts.distribution}.data/scripts/"
        if not any(path.startswith(scripts) for path in self.elfs):
            return set()
        loaded = load(self.facts, self.request)
        processes = loaded.context.loading.processes if loaded else ()
        return {one.root for one in processes if one.program}

    def _add_folders(self, report: Report) -> bool:
        """Add the folders of the libraries that no search path finds; return if any is new."""
        before = sum(map(len, self.folders.values()))
        moved = {new: path for path, new in self.launchers.items()}
        for found in report.findings:
            if found.kind == "BY_NAME_ONLY" and not found.allowed:
                path = moved.get(found.path, found.path)
                self.folders.setdefault(path, set()).add(posixpath.dirname(found.library))
        return sum(map(len, self.folders.values())) > before

    def _copies(self) -> Iterator[Copy]:
        libraries = self.libraries
        for real, library in sorted(libraries.libraries.items()):
            elf, member = library.elf, libraries.member(real)
            fixed = fix(elf, self.report, self.fix, self.facts.distribution)
            rpath = self._search_path(elf, member, member)
            patch = fixed._replace(
                replace_needed=(*fixed.replace_needed, *libraries.renamed(real)),
                soname=libraries.new_name(real),
                rpath="" if rpath is None and elf.rpath + elf.runpath else rpath,
            )
            users = tuple(sorted(map(libraries.member, libraries.users[real])))
            yield Copy(library, member, tuple(sorted(libraries.names[real])), users, patch)

    def _patches(self) -> Iterator[Tuple[str, Patch]]:
        """Yield the patches of the wheel's files, by member."""
        removed = self._removed()
        fixed = fixes(self.facts, self.report, self.fix)
        for path in sorted({*self.folders, *removed, *fixed} & self.elfs.keys()):
            patch = fixed.get(path, Patch())
            rpath = self._search_path(self.elfs[path], path, self.launchers.get(path, path))
            patch = patch._replace(
                replace_needed=(*patch.replace_needed, *self.libraries.renamed(path)),
                remove_needed=removed.get(path, ()),
                rpath=patch.rpath if rpath is None else rpath,
            )
            if patch != Patch():
                yield path, patch

    def _search_path(self, elf: ElfFile, path: str, member: str) -> Optional[str]:
        folders = self.folders.get(path, ())
        libc, distribution = self.report.libc or "", self.facts.distribution
        return search_path(elf, member, folders, libc, distribution)

    def _removed(self) -> Dict[str, Tuple[str, ...]]:
        """Return the names of libpython that modules need, but no statically linked Python has.

        glibc stops the process if a file needs versions of a library that it does not load.
        """
        removed: Dict[str, Tuple[str, ...]] = {}
        for found in self.report.errors:
            if found.kind != "LIBPYTHON":
                continue
            path, name = found.path, found.subject
            if any(need.library == name for need in self.elfs[path].versions_needed):
                reason = f"{NO_LIBPYTHON}, and {path} needs symbol versions of it"
                self.libraries.not_copied[name] = reason
            else:
                removed[path] = (*removed.get(path, ()), name)
        return removed

    def _predicted(self, made: Plan) -> WheelFacts:
        """Predict the facts of the repaired wheel."""
        changed = [
            made.patches.get(elf.path, Patch())
            .applied(elf)
            ._replace(path=made.launchers.get(elf.path, elf.path))
            for elf in self.facts.elfs
        ]
        added = [
            copy.patch.applied(copy.library.elf)._replace(path=copy.member) for copy in made.copies
        ]
        paths = (*self.facts.paths, *(elf.path for elf in added), *made.launchers.values())
        return self.facts._replace(elfs=(*changed, *added), paths=paths)
