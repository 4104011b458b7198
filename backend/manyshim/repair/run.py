"""Plan a repair from a configuration and an audit, write the repaired wheel and its SBOM."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict, List, Mapping, Optional, Sequence, Tuple

from manyshim import __version__
from manyshim.audit.decision import choose
from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.patterns import needed_names
from manyshim.audit.tags import WheelName
from manyshim.audit.verdict import Report
from manyshim.config import Config
from manyshim.errors import DamageError, ToolError, escape
from manyshim.formats.wheel.rewrite import Edits, rewrite
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formats.zip.deflate import deflater
from manyshim.formats.zip.digest import sha256
from manyshim.host import host_arch, interpreter_libc
from manyshim.repair import closure
from manyshim.repair.apply import PatchOptions, graft, refusals
from manyshim.repair.closure import plan
from manyshim.repair.fixes import fixes
from manyshim.repair.member_names import readable
from manyshim.repair.notes import changes, notes
from manyshim.repair.outside import Outside, find_outside
from manyshim.repair.plan import Library, Plan, RepairRequest
from manyshim.repair.search import Requester, Search
from manyshim.values import NamedTuple
from manyshim.workspace import subfolder

if TYPE_CHECKING:
    from manyshim.repair.sbom.packages import Package

# The errors that a repair resolves. A wheel with any other error is not repaired.
_REPAIRED = ("LIBPYTHON", "EXECSTACK", "RPATH_LEAK")


class RepairResult(NamedTuple):
    """The result of a repair.

    `path` is the repaired wheel in the private folder; None if the wheel is unchanged. `plan` is
    what was done or would be needed. `notes` are lines for the user. `owners` are the packages of
    the copied libraries by path, None if unknown; for the SBOM.
    """

    path: Optional[str]
    plan: Plan
    notes: Tuple[str, ...]
    owners: Mapping[str, Optional[Package]] = {}


def make_plan(
    facts: WheelFacts, report: Report, config: Config, *, dry_run: bool = False
) -> Tuple[Plan, List[str]]:
    """Plan what a configuration asks for; return the plan and notes for the user. Writes nothing.

    A dry run adds the policy that would be met without each copy. Raises ConfigError, ToolError.
    """
    request, platform = config.request, config.request.platform
    plain = Plan(decision=choose(report, request), blockers=report.errors)
    if report.arch is None or report.libc is None:
        return plain, []
    if any(found.kind not in _REPAIRED for found in report.errors):
        return plain, []
    plain = plain._replace(patches=fixes(facts, report, config.fix))
    same_target = platform is None or (platform.libc, platform.arch or report.arch) == (
        report.libc,
        report.arch,
    )
    if config.mode != "repair" or not same_target:
        return plain, changes(plain.patches, "fixed")
    search = _search(report, config, config.sysroot)
    finder = _Finder(search)
    repair_request = RepairRequest(facts, report, request, config.bundle, finder.find, config.fix)
    best = plan(repair_request)
    if dry_run:
        best = closure.alternatives(repair_request, best)
    needed = needed_names(copy.library.elf for copy in best.copies)
    best = best._replace(needed=frozenset(needed))
    lines = notes(best, search.skipped, dry_run=dry_run)
    if not best.decision.tag:
        # A wheel without a tag is not written.
        best = best._replace(copies=(), patches={}, launchers={})
    return best, lines


def refusal(wheel: Wheel, plan: Plan) -> str:
    """Return the line about the first file that cannot be patched as planned, "" if all can.

    Raises InvalidWheelError, ToolError.
    """
    try:
        return next((escape(f"not repaired: {reason}") for reason in refusals(wheel, plan)), "")
    except OSError as error:
        raise ToolError(f"{error.filename or 'a file'}: {error.strerror}") from error


def repair(
    wheel: Wheel, facts: WheelFacts, report: Report, config: Config, folder: str
) -> RepairResult:
    """Write the repaired wheel, under its old name, into the private `folder`.

    If a file differs from the plan, the wheel stays unchanged and `notes` give the reason. Raises
    ConfigError, InvalidWheelError, ToolError.
    """
    plan, lines = make_plan(facts, report, config)
    if plan.empty and config.strip == "none":
        return RepairResult(None, plan, tuple(lines))
    arch = report.arch or ""
    outside = _outside(facts, report, plan, config)
    options = PatchOptions(arch, host_arch(), config.strip, dict(os.environ), outside)
    work, target = (subfolder(folder, name) for name in ("repair", "repaired"))
    with deflater(os.path.join(folder, "deflated"), config.compression_level) as compressing:
        try:
            found = graft(wheel, facts.elfs, plan, work, options, compressing.add)
            owners = _owners(plan, config)
            files = compressing.finish()
        except DamageError as error:
            why = readable(str(error), work)
            return RepairResult(None, plan, (escape(f"not repaired: {why}"),))
        except ToolError as error:
            raise ToolError(*(readable(line, work) for line in error.lines)) from error
        except OSError as error:
            raise ToolError(f"{wheel.name}: cannot be written: {error.strerror}") from error
    level = config.compression_level
    edits = Edits(wheel.name.platforms, level, config.epoch, files, sync=False)
    lines += map(escape, found)
    return RepairResult(rewrite(wheel, target, edits), plan, tuple(lines), owners)


def _owners(plan: Plan, config: Config) -> Dict[str, Optional[Package]]:
    """Return the packages of the libraries that are copied, by path; empty without an SBOM."""
    if not plan.copies or not config.sbom:
        return {}
    from manyshim.repair.sbom.packages import Packages  # noqa: PLC0415 (only for an SBOM)

    return Packages(config.sysroot).owners({copy.library.real for copy in plan.copies})


def sbom(done: RepairResult, config: Config, wheel: Wheel, name: WheelName) -> Dict[str, bytes]:
    """Return the SBOM of the copies (PEP 770) by its member; empty without copies."""
    plan = done.plan
    if not plan.copies or not config.sbom:
        return {}
    from manyshim.repair.sbom import document  # noqa: PLC0415 (only where something was copied)

    copied = {copy.name for copy in plan.copies}
    grafted = [
        document.Grafted(
            soname=copy.library.elf.soname or copy.names[0],
            new_name=copy.name,
            path_in_wheel=copy.member,
            source=copy.library.real,
            sha256=copy.library.digest,
            size=copy.library.size,
            needs=tuple(sorted({new for _, new in copy.patch.replace_needed} & copied)),
            needed_by=copy.needed_by,
            package=done.owners[copy.library.real],
        )
        for copy in plan.copies
    ]
    text = document.document(name, grafted, version=__version__, epoch=config.epoch)
    # An earlier repair of the same wheel may have written an SBOM with this name.
    taken = {entry.name for entry in wheel.entries}
    stem, dot, rest = document.FILE_NAME.partition(".")
    names = (f"{stem}{number}{dot}{rest}" for number in ("", *range(2, len(taken) + 3)))
    members = (f"{wheel.dist_info}/sboms/{name}" for name in names)
    return {next(member for member in members if member not in taken): text}


class _Finder:
    """Searches for libraries and hashes the files found, each once."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._digests: Dict[str, Tuple[str, int]] = {}

    def find(self, name: str, chain: Sequence[ElfFile]) -> Optional[Library]:
        """Return the file that the target's loader would open, None if there is none.

        Raises ToolError.
        """
        found = self._search.find(name, list(map(Requester.of, chain)))
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


def _outside(facts: WheelFacts, report: Report, plan: Plan, config: Config) -> Optional[Outside]:
    """Return what the patched files take from this machine; None if they are not to be loaded."""
    if not config.trial or not _native(report):
        return None
    search = _search(report, config, None)
    return find_outside([elf for elf in facts.elfs if elf.loadable], plan, search)


def _search(report: Report, config: Config, sysroot: Optional[str]) -> Search:
    return Search(
        report.arch or "",
        report.libc or "",
        native=_native(report),
        library_path=config.library_path,
        sysroot=sysroot,
        environ=os.environ,
    )


def _native(report: Report) -> bool:
    """Return whether this machine can load the wheel's files."""
    return (report.arch, report.libc) == (host_arch(), interpreter_libc())
