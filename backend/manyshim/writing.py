"""The steps that write a wheel, in a build and in `retag` and `repair`: repair, name, rewrite."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial

from manyshim.audit.decision import TagDecision, choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.names import bad_path
from manyshim.audit.tags import WheelName
from manyshim.audit.verdict import Report
from manyshim.config import Config
from manyshim.formats.wheel.wheel import Wheel
from manyshim.operations import Judged, compare_patterns, inspect
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet, Callable, Dict, Tuple

    from manyshim.audit.patterns import Pattern

# The findings that a repair can resolve.
_REPAIRED = ("EXTERNAL_LIBRARY", "BY_NAME_ONLY", "LIBPYTHON")


class Prepared(NamedTuple):
    """An open wheel with its report, the notes of a repair, and the function that adds an SBOM.

    `source` is the wheel before the repair. `patterns` are those of exclude and bundle.
    """

    wheel: Wheel
    report: Report
    source: Wheel
    notes: Tuple[str, ...] = ()
    sbom: Callable[[Wheel, WheelName], Dict[str, bytes]] = lambda _wheel, _name: {}
    patterns: Tuple[Pattern, ...] = ()

    @property
    def corrections(self) -> Tuple[str, ...]:
        """The lines about what a rewrite corrects in RECORD."""
        return corrections_of(self.source)


def corrections_of(wheel: Wheel) -> Tuple[str, ...]:
    """Return the lines about what a rewrite of a wheel corrects in RECORD."""
    found = wheel.corrections()
    lines = (f"RECORD is made anew from the archive: {found}",) if found else ()
    if wheel.rebuilt:
        from manyshim.audit.reasons import join_names  # noqa: PLC0415 (few wheels need it)

        lines = (f"RECORD stated another hash for {join_names(wheel.rebuilt)}", *lines)
    return lines


def patterns_of(
    facts: WheelFacts, report: Report, config: Config, more: AbstractSet[str] = frozenset()
) -> Tuple[Pattern, ...]:
    """Compare the patterns of exclude and bundle; the latter has an effect in a repair only."""
    bundle = config.bundle if config.mode == "repair" else ()
    return compare_patterns(facts, report, config.exclude, bundle, more)


def prepare(  # noqa: PLR0913, PLR0917 (one step that build.py and retag share)
    wheel: Wheel, facts: WheelFacts, report: Report, config: Config, folder: str, stack: ExitStack
) -> Prepared:
    """Repair a wheel if `config` asks for it, and audit the result.

    `folder` is private; `stack` closes the repaired wheel. Raises InvalidWheelError, ToolError.
    """
    made = Prepared(wheel, report, wheel, patterns=patterns_of(facts, report, config))
    if config.mode not in ("retag", "repair") or not _wants_repair(report, config):
        return made
    from manyshim.advice import after_repair  # noqa: PLC0415 (only for a repair)

    repairs = config.mode == "repair"
    if repairs:
        report = report._replace(findings=after_repair(report.findings))
        made = made._replace(report=report)
    # A report does not list every path that is not valid.
    if any(bad_path(elf.path) for elf in facts.elfs):
        return made._replace(notes=("not repaired: the path of a file is not valid",))
    from manyshim.formatters.text import finding_lines  # noqa: PLC0415 (only for a repair)
    from manyshim.repair import run, verify_loading  # noqa: PLC0415

    done = run.repair(wheel, facts, report, config, folder)
    patterns = patterns_of(facts, report, config, done.plan.needed)
    # The report has the findings of the wheel as it was built.
    predicted = after_repair(done.plan.blockers)
    blocked = finding_lines(found for found in predicted if found not in report.findings)
    made = made._replace(notes=(*done.notes, *blocked), patterns=patterns)
    if done.path is None:
        return made
    wheel = stack.enter_context(Wheel(done.path))
    after = wheel.facts()
    problems = verify_loading.wrong_loading(facts, after, done.plan, config.request)
    if problems:
        return made._replace(notes=(f"not repaired: {'; '.join(problems[:5])}",))
    report = inspect(wheel, config.request, after)
    if repairs:
        report = report._replace(findings=after_repair(report.findings))
    return made._replace(wheel=wheel, report=report, sbom=partial(run.sbom, done, config))


def _wants_repair(report: Report, config: Config) -> bool:
    """Whether a repair could change anything; if not, its modules are not loaded."""
    if report.arch is None:
        return False
    found = config.sysroot is not None or any(one.kind in _REPAIRED for one in report.findings)
    return bool(config.fix) or config.strip != "none" or (config.mode == "repair" and found)


def write_retagged(prepared: Prepared, decision: TagDecision, config: Config, folder: str) -> str:
    """Write the wheel under its new tag into a private folder; return its path.

    Raises ToolError.
    """
    from manyshim.formats.wheel.rewrite import Edits, rewrite  # noqa: PLC0415 (only to write)
    from manyshim.workspace import subfolder  # noqa: PLC0415

    name = prepared.wheel.name._replace(platforms=decision.platforms)
    texts = prepared.sbom(prepared.wheel, name)
    level, impure = config.compression_level, prepared.report.code_at_root
    edits = Edits(decision.platforms, level, config.epoch, texts=texts, impure=impure)
    return rewrite(prepared.wheel, subfolder(folder, "out"), edits)


def is_native_build(config: Config) -> bool:
    """Whether a build on macOS or Windows is to be judged.

    Under cibuildwheel it is not: `manyshim check` is run after delocate and delvewheel.
    """
    return config.mode != "off" and config.libc is None and os.environ.get("CIBUILDWHEEL") != "1"


def judge_native(built: str, config: Config) -> Judged:
    """Judge a wheel for macOS or Windows. Without strict its errors are warnings."""
    from manyshim.audit.native import in_build  # noqa: PLC0415 (not for Linux)

    with Wheel(built) as wheel:
        report = inspect(wheel, config.request)
    findings = in_build(report.findings, strict=config.request.strict)
    report = report._replace(findings=findings)
    return Judged(report, choose(report, config.request), config.request)
