"""From a configuration and an audit to a mended wheel, or to the reason why it stays as it is."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from manyshim import __version__
from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.reasons import escape
from manyshim.audit.tags import WheelName
from manyshim.audit.verdict import Report
from manyshim.config import Config
from manyshim.errors import DamageError, ToolError
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from manyshim.host import host_arch, interpreter_libc
from manyshim.repair import closure
from manyshim.repair.apply import PatchOptions, graft, sha256
from manyshim.repair.closure import plan
from manyshim.repair.fixes import fixes
from manyshim.repair.plan import Library, Patch, Plan, RepairRequest
from manyshim.repair.search import ENVIRONMENT, Requester, Search
from manyshim.values import NamedTuple

# The errors that a repair does away with; with any other the wheel is not worth repairing.
_REPAIRED = ("LIBPYTHON", "EXECSTACK")


class RepairResult(NamedTuple):
    """The outcome: the mended wheel in the private folder, None where nothing is changed.

    `notes` are for the one who builds; `plan` is what was done, or is needed.
    """

    path: Optional[str]
    plan: Plan
    notes: Tuple[str, ...]


def make_plan(
    facts: WheelFacts, report: Report, config: Config, *, weigh: bool = False
) -> Tuple[Plan, List[str]]:
    """Plan what a configuration asks for; the notes say what is done, and what is not. Reads only.

    `weigh` adds what would hold without each library.
    """
    request, platform = config.request, config.request.platform
    if report.arch is None or report.libc is None:
        return Plan(), []
    if any(found.kind not in _REPAIRED for found in report.errors):
        return Plan(), []
    patches_of_fixes = fixes(facts, report, config.fix)
    fitting = platform is None or (platform.libc, platform.arch or report.arch) == (
        report.libc,
        report.arch,
    )
    if config.mode != "repair" or not fitting:
        return Plan(patches=patches_of_fixes), _fix_notes(patches_of_fixes)
    search = Search(
        report.arch,
        report.libc,
        native=_native(report),
        library_path=config.library_path,
        sysroot=config.sysroot,
        environ=os.environ,
    )
    finder = _Finder(search)
    task = RepairRequest(facts, report, request, config.bundle, finder.find, patches_of_fixes)
    best = plan(task)
    if weigh:
        best = closure.alternatives(task, best)
    notes = list(_notes(best, search.passed_over))
    if best.policy is None:
        # Without a policy that holds, copies would make the wheel larger and no better.
        best = best._replace(copies=(), patches=patches_of_fixes, launchers={})
    return best, [*_fix_notes(patches_of_fixes), *map(escape, notes)]


def repair(
    wheel: Wheel, facts: WheelFacts, report: Report, config: Config, folder: str
) -> RepairResult:
    """Write the mended wheel, under its old name, below the private `folder`.

    Raises ToolError. What does not come out as planned leaves the wheel as it is, with the reason.
    """
    plan, notes = make_plan(facts, report, config)
    if plan.empty and config.strip == "none":
        return RepairResult(None, plan, tuple(notes))
    arch = report.arch or ""
    how = PatchOptions(arch, host_arch(), _native(report), config.strip, dict(os.environ))
    work = os.path.join(folder, "repair")
    target = os.path.join(folder, "repaired")
    try:
        os.makedirs(work)
        os.makedirs(target)
    except OSError as error:
        raise ToolError(f"{work}: cannot be written: {error.strerror}") from error
    try:
        files = graft(wheel, facts.elfs, plan, work, how)
    except DamageError as error:
        return RepairResult(None, plan, (escape(f"not repaired: {error}"),))
    edits = Edits(wheel.name.platforms, config.compression_level, config.epoch, files)
    return RepairResult(rewrite(wheel, target, edits), plan, tuple(notes))


def sbom(plan: Plan, config: Config, wheel: Wheel, name: WheelName, folder: str) -> Dict[str, str]:
    """Write the SBOM of what was copied (PEP 770); name its file by its member, if there is one."""
    if not plan.copies or not config.sbom:
        return {}
    from manyshim.repair.sbom import document  # noqa: PLC0415 (only where something was copied)
    from manyshim.repair.sbom.packages import Packages  # noqa: PLC0415

    packages = Packages(config.sysroot)
    grafted = [
        document.Grafted(
            soname=copy.library.elf.soname or copy.names[0],
            new_name=copy.name,
            path_in_wheel=copy.member,
            source=copy.library.real,
            sha256=copy.library.digest,
            size=copy.library.size,
            needs=tuple(sorted(new for _, new in copy.patch.replace_needed)),
            needed_by=copy.needed_by,
            package=packages.owner(copy.library.real),
        )
        for copy in plan.copies
    ]
    path = os.path.join(folder, document.FILE_NAME)
    try:
        with open(path, "xb") as file:
            file.write(document.document(name, grafted, version=__version__, epoch=config.epoch))
    except OSError as error:
        raise ToolError(f"{path}: cannot be written: {error.strerror}") from error
    # An earlier repair of the wheel has left its own.
    taken = {entry.name for entry in wheel.entries}
    stem, dot, rest = document.FILE_NAME.partition(".")
    names = (f"{stem}{number}{dot}{rest}" for number in ("", *range(2, len(taken) + 3)))
    members = (f"{wheel.dist_info}/sboms/{name}" for name in names)
    return {next(member for member in members if member not in taken): path}


def alternatives(plan: Plan) -> List[str]:
    """Say, for each copied library, which policy would hold if the environment provided it."""
    return [
        f"{escape(copy.names[0])}: with it {plan.policy}, "
        f"from the environment instead (exclude) {other or 'no policy'}"
        for copy, other in plan.alternatives
    ]


def to_dict(plan: Plan) -> Dict[str, Any]:
    """Make a plan JSON-able: sorted, so that equal plans give equal bytes."""
    others = {copy.member: str(other) for copy, other in plan.alternatives if other}
    return {
        "policy": str(plan.policy) if plan.policy else None,
        "copies": [
            {
                "source": copy.library.real,
                "found": copy.library.how,
                "member": copy.member,
                "sha256": copy.library.digest,
                "needed_by": list(copy.needed_by),
                "excluded": others.get(copy.member),
            }
            for copy in plan.copies
        ],
        "patches": {
            path: {"needed": dict(patch.replace_needed), "removed": list(patch.remove_needed)}
            for path, patch in sorted(plan.patches.items())
        },
        "launchers": dict(sorted(plan.launchers.items())),
        "lacking": dict(sorted(plan.not_copied.items())),
    }


class _Finder:
    """Looks a library up, and hashes what is found."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._digests: Dict[str, Tuple[str, int]] = {}

    def find(self, name: str, chain: Sequence[ElfFile]) -> Optional[Library]:
        """Find the file that the loader of the target would open. Raises ToolError."""
        requesters = [
            Requester(elf.path if os.path.isabs(elf.path) else "", elf.rpath, elf.runpath)
            for elf in chain
        ]
        found = self._search.find(name, requesters)
        if found is None:
            return None
        try:
            if found.real not in self._digests:
                self._digests[found.real] = sha256(found.real), os.path.getsize(found.real)
        except OSError as error:
            raise ToolError(f"{found.real}: cannot be read: {error.strerror}") from error
        facts = found.facts._replace(path=os.path.abspath(found.path))
        digest, size = self._digests[found.real]
        return Library(name, found.path, found.real, found.how, digest, facts, size)


def _native(report: Report) -> bool:
    """Whether the wheel's files can be loaded by this machine."""
    return (report.arch, report.libc) == (host_arch(), interpreter_libc())


def _fix_notes(patches: Mapping[str, Patch]) -> List[str]:
    notes = []
    for path, patch in sorted(patches.items()):
        if patch.plain_stack:
            notes.append(f"fixed {path}: its stack is not executable any more")
        if patch.rpath is not None:
            notes.append(f"fixed {path}: its search path is {patch.rpath or 'gone'}")
        notes += [f"fixed {path}: it needs {new}, not {old}" for old, new in patch.replace_needed]
    return list(map(escape, notes))


def _notes(plan: Plan, passed_over: Sequence[str]) -> List[str]:
    # Without a policy that holds nothing is copied, but it is said what was found.
    verb = "copies" if plan.policy else "would copy"
    notes = [
        f"{verb} {copy.library.real} as {copy.member} ({copy.library.how})" for copy in plan.copies
    ]
    notes += [
        f"warning: LD_LIBRARY_PATH decided where {copy.names[0]} was found"
        for copy in plan.copies
        if copy.library.how == ENVIRONMENT
    ]
    notes += [f"{name} stays outside: {reason}" for name, reason in sorted(plan.not_copied.items())]
    if plan.copies and not plan.policy:
        notes.append("nothing is copied: no policy would hold with that")
    if plan.not_copied:
        notes += [f"passed over: {reason}" for reason in passed_over]
    return notes
