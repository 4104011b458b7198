"""Plan a repair from a configuration and an audit, write the repaired wheel and its SBOM."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from manyshim import __version__
from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.tags import WheelName
from manyshim.audit.verdict import Report
from manyshim.config import Config
from manyshim.errors import DamageError, ToolError, escape, shorten
from manyshim.formats.elf.edits import Patch
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from manyshim.host import host_arch, interpreter_libc
from manyshim.repair import closure
from manyshim.repair.apply import PatchOptions, graft, sha256
from manyshim.repair.closure import plan
from manyshim.repair.fixes import fixes
from manyshim.repair.plan import Library, Plan, RepairRequest
from manyshim.repair.search import ENVIRONMENT, Requester, Search
from manyshim.values import NamedTuple

# The errors that a repair resolves. A wheel with any other error is not repaired.
_REPAIRED = ("LIBPYTHON", "EXECSTACK")


class RepairResult(NamedTuple):
    """The result of a repair.

    `path` is the repaired wheel in the private folder; None if the wheel is unchanged. `plan` is
    what was done or would be needed. `notes` are lines for the user.
    """

    path: Optional[str]
    plan: Plan
    notes: Tuple[str, ...]


def make_plan(
    facts: WheelFacts, report: Report, config: Config, *, with_alternatives: bool = False
) -> Tuple[Plan, List[str]]:
    """Plan what a configuration asks for; return the plan and notes for the user. Writes nothing.

    `with_alternatives` adds the policy that would be met without each copy. Raises ConfigError,
    ToolError.
    """
    request, platform = config.request, config.request.platform
    if report.arch is None or report.libc is None:
        return Plan(), []
    if any(found.kind not in _REPAIRED for found in report.errors):
        return Plan(), []
    fix_patches = fixes(facts, report, config.fix)
    same_target = platform is None or (platform.libc, platform.arch or report.arch) == (
        report.libc,
        report.arch,
    )
    if config.mode != "repair" or not same_target:
        return Plan(patches=fix_patches), _fix_notes(fix_patches)
    search = Search(
        report.arch,
        report.libc,
        native=_native(report),
        library_path=config.library_path,
        sysroot=config.sysroot,
        environ=os.environ,
    )
    finder = _Finder(search)
    repair_request = RepairRequest(facts, report, request, config.bundle, finder.find, fix_patches)
    best = plan(repair_request)
    if with_alternatives:
        best = closure.alternatives(repair_request, best)
    notes = list(_notes(best, search.skipped))
    if best.policy is None:
        # If no policy is met, copies would only make the wheel larger.
        best = best._replace(copies=(), patches=fix_patches, launchers={})
    return best, [*_fix_notes(fix_patches), *map(escape, notes)]


def repair(
    wheel: Wheel, facts: WheelFacts, report: Report, config: Config, folder: str
) -> RepairResult:
    """Write the repaired wheel, under its old name, into the private `folder`.

    If a file differs from the plan, the wheel stays unchanged and `notes` give the reason. Raises
    ConfigError, InvalidWheelError, ToolError.
    """
    plan, notes = make_plan(facts, report, config)
    if plan.empty and config.strip == "none":
        return RepairResult(None, plan, tuple(notes))
    arch = report.arch or ""
    options = PatchOptions(arch, host_arch(), _native(report), config.strip, dict(os.environ))
    work = os.path.join(folder, "repair")
    target = os.path.join(folder, "repaired")
    try:
        os.makedirs(work)
        os.makedirs(target)
    except OSError as error:
        raise ToolError(f"{work}: cannot be written: {error.strerror}") from error
    try:
        files = graft(wheel, facts.elfs, plan, work, options)
    except DamageError as error:
        return RepairResult(None, plan, (escape(f"not repaired: {error}"),))
    edits = Edits(wheel.name.platforms, config.compression_level, config.epoch, files)
    return RepairResult(rewrite(wheel, target, edits), plan, tuple(notes))


def sbom(plan: Plan, config: Config, wheel: Wheel, name: WheelName, folder: str) -> Dict[str, str]:
    """Write the SBOM of the copies (PEP 770); return its path by member, empty without copies."""
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
    # An earlier repair of the same wheel may have written an SBOM with this name.
    taken = {entry.name for entry in wheel.entries}
    stem, dot, rest = document.FILE_NAME.partition(".")
    names = (f"{stem}{number}{dot}{rest}" for number in ("", *range(2, len(taken) + 3)))
    members = (f"{wheel.dist_info}/sboms/{name}" for name in names)
    return {next(member for member in members if member not in taken): path}


def alternatives(plan: Plan) -> List[str]:
    """Return a line for each copy: the policy that would be met if the environment provided it."""
    return [
        f"{shorten(copy.names[0])}: {plan.policy} with the copy, {other or 'no policy'} "
        "if the environment provides it (exclude)"
        for copy, other in plan.alternatives
    ]


def to_dict(plan: Plan) -> Dict[str, Any]:
    """Return a plan as values for JSON; sorted, so that equal plans give equal bytes."""
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
    """Searches for libraries and hashes the files found, each once."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._digests: Dict[str, Tuple[str, int]] = {}

    def find(self, name: str, chain: Sequence[ElfFile]) -> Optional[Library]:
        """Return the file that the target's loader would open, None if there is none.

        Raises ToolError.
        """
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
    """Return whether this machine can load the wheel's files."""
    return (report.arch, report.libc) == (host_arch(), interpreter_libc())


def _fix_notes(patches: Mapping[str, Patch]) -> List[str]:
    notes = []
    for path, patch in sorted(patches.items()):
        if patch.plain_stack:
            notes.append(f"fixed {path}: its stack is no longer executable")
        if patch.rpath is not None:
            change = f"is now {patch.rpath}" if patch.rpath else "was removed"
            notes.append(f"fixed {path}: its search path {change}")
        notes += [
            f"fixed {path}: it now needs {new} instead of {old}"
            for old, new in patch.replace_needed
        ]
    return list(map(escape, notes))


def _notes(plan: Plan, skipped: Sequence[str]) -> List[str]:
    # If no policy is met, nothing is copied, but the notes still list what was found.
    verb = "copies" if plan.policy else "would copy"
    notes = [
        f"{verb} {copy.library.real} as {copy.member} ({copy.library.how})" for copy in plan.copies
    ]
    notes += [
        f"warning: {copy.names[0]} was found through LD_LIBRARY_PATH"
        for copy in plan.copies
        if copy.library.how == ENVIRONMENT
    ]
    notes += [f"{name} is not copied: {reason}" for name, reason in sorted(plan.not_copied.items())]
    if plan.copies and not plan.policy:
        notes.append("nothing is copied: the wheel would still not meet any policy")
    if plan.not_copied:
        notes += [f"skipped: {reason}" for reason in skipped]
    return notes
