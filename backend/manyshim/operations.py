"""The use cases of the commands: show, check, retag and repair, with the steps they share."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

from manyshim.advice import advised, readable
from manyshim.audit.decision import TagDecision, choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.request import Request
from manyshim.audit.tags import WheelName
from manyshim.audit.verdict import Report, audit, load, questions, resolved
from manyshim.config import Config
from manyshim.errors import InternalError, ToolError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.text import Line, check_lines, show_lines, why_not
from manyshim.values import NamedTuple

# The findings that a repair can resolve.
_REPAIRED = ("EXTERNAL_LIBRARY", "BY_NAME_ONLY", "LIBPYTHON")


REPORT = "please report this line; MANYSHIM_DEBUG=1 adds the traceback"


class Outcome(NamedTuple):
    """The result of a command for one wheel: exit code, lines of text, and data for JSON."""

    code: int
    lines: List[Line]
    data: Dict[str, Any]


def _outcome(code: int, lines: List[Line], report: Report, decision: TagDecision) -> Outcome:
    from manyshim.formatters.json import to_dict  # noqa: PLC0415 (a build does not need it)

    return Outcome(code, lines, to_dict(report, decision))


def internal_error(error: Exception, name: str) -> InternalError:
    """Return an unexpected exception as the error of the wheel `name`.

    With MANYSHIM_DEBUG=1 its further lines are the traceback.
    """
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
        trace = trace.tb_next
    what = f"{type(error).__name__} at {place}: {error}"
    lines: List[str] = []
    if os.environ.get("MANYSHIM_DEBUG") == "1":
        import traceback  # noqa: PLC0415 (only to debug)

        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        lines = text.rstrip("\n").split("\n")
    return InternalError(f"{name}: internal error: {what} ({REPORT})", *lines)


def inspect(wheel: Wheel, request: Request, facts: Optional[WheelFacts] = None) -> Report:
    """Audit an open wheel; `facts` saves reading them again. Raises InvalidWheelError."""
    facts = facts or wheel.facts()
    loading = load(facts, request)
    asked = questions(facts, request, loading)
    while asked:
        exports, broken = wheel.exports(asked)
        unreadable = {member.path for member in broken}
        facts = facts._replace(
            exports={**facts.exports, **exports},
            elfs=tuple(elf for elf in facts.elfs if elf.path not in unreadable),
            unreadable=(*facts.unreadable, *broken),
        )
        loading = load(facts, request) if broken else loading
        asked = questions(facts, request, loading)
    return audit(facts, request, loading)


def show(path: str, request: Request, *, verbose: bool = False) -> Outcome:
    """Audit a wheel and report its tag. Raises InvalidWheelError."""
    with Wheel(path) as wheel:
        report = inspect(wheel, request)
        decision = choose(report, request)
        report = advised(report, decision, wheel, request)
    return _outcome(
        0, show_lines(report, decision, readable(report), verbose=verbose), report, decision
    )


def check(path: str, request: Request, *, verbose: bool = False) -> Outcome:
    """Verify a wheel's tags, METADATA and RECORD, and that the index accepts it.

    The exit code is 1 if there is an error. Raises InvalidWheelError, and
    ToolError if packaging or wheel is not installed.
    """
    from manyshim.audit.gate import index, metadata  # noqa: PLC0415 (only for this command)
    from manyshim.formats.wheel import metadata as readers  # noqa: PLC0415

    request = request._replace(thorough=True)
    with Wheel(path) as wheel:
        facts = wheel.facts()
        wrong_crc, wrong_hash = wheel.broken()
        record = facts.record._replace(wrong_crc=wrong_crc, wrong_hash=wrong_hash)
        facts = facts._replace(record=record)
        report = inspect(wheel, request, facts)
        found = [
            *index.index_rules(facts),
            *metadata.record(readers.record_problem(wheel)),
        ]
        # A METADATA that is damaged in the archive has its findings already.
        if f"{wheel.dist_info}/METADATA" not in wrong_crc:
            found += metadata.metadata(readers.read(wheel))
        false: List[Finding] = []
        for tag in index.tags_to_prove(facts.name, request):
            judged = report
            if tag.libc != report.libc and report.open_libc:
                judged = inspect(wheel, request._replace(platform=tag), facts)
                found += [one for one in judged.errors if one not in report.findings]
            false += index.false_tags(tag, judged, request)
        found += index.by_cause(false)
    decision = choose(report, request)
    report = report._replace(findings=resolved((*report.findings, *found), request))
    lines = check_lines(report, readable(report), verbose=verbose)
    return _outcome(1 if report.errors else 0, lines, report, decision)


def retag(
    path: str, folder: str, config: Config, *, dry_run: bool = False, verbose: bool = False
) -> Outcome:
    """Write a wheel under its proved tag into `folder`, repaired as `config` asks.

    A dry run writes nothing and reports the plan. The exit code is 1 if there is no tag. Raises
    InvalidWheelError, ToolError.
    """
    with ExitStack() as stack:
        wheel = stack.enter_context(Wheel(path))
        facts = wheel.facts()
        config, report, notes = _inspect_as_suggested(wheel, facts, config)
        if dry_run:
            return _predicted(facts, report, config, notes)
        from manyshim.workspace import private_folder, publish  # noqa: PLC0415 (only to write)

        private = stack.enter_context(private_folder(folder))
        prepared = prepare(wheel, facts, report, config, private, stack)
        decision = choose(prepared.report, config.request)
        report = advised(prepared.report, decision, prepared.wheel, config.request)
        prepared = prepared._replace(report=report)
        title, *rest = show_lines(report, decision, readable(report), verbose=verbose)
        notes = (*notes, *prepared.notes)
        lines = [title, *(Line(f"  {note}", "dim") for note in notes), *rest]
        if not decision.tag:
            return _outcome(1, lines, prepared.report, decision)
        finished = write_retagged(prepared, decision, config, private)
        target = os.path.join(folder, os.path.basename(finished))
        publish(finished, target)
    lines.append(Line(f"  wrote {target}", "tag"))
    return _outcome(0, lines, prepared.report, decision)


def _inspect_as_suggested(
    wheel: Wheel, facts: WheelFacts, config: Config
) -> Tuple[Config, Report, Tuple[str, ...]]:
    """Audit a wheel for the platform that the environment suggests, if it applies to the wheel.

    Returns the configuration with that platform, the report, and the line for a wheel of another
    architecture or libc family.
    """
    suggested = config.suggested
    if suggested is None:
        return config, inspect(wheel, config.request, facts), ()
    asked = config._replace(platform=suggested.tag)
    report = inspect(wheel, asked.request, facts)
    if report.arch is None:
        return config, report, ()
    tag = suggested.tag.on(report.arch)
    if (tag.arch, tag.libc) == (report.arch, report.libc):
        return asked, report, ()
    report = inspect(wheel, config.request, facts)
    line = (
        f"{suggested.variable}={suggested.value} does not apply: "
        f"this wheel is for {report.arch}, {report.libc}"
    )
    return config, report, (line,)


class Prepared(NamedTuple):
    """An open wheel with its report, the notes of a repair, and the function that adds an SBOM."""

    wheel: Wheel
    report: Report
    notes: Tuple[str, ...] = ()
    sbom: Callable[[Wheel, WheelName, str], Dict[str, str]] = lambda _wheel, _name, _folder: {}


def prepare(  # noqa: PLR0913, PLR0917 (one step that build.py and retag share)
    wheel: Wheel,
    facts: WheelFacts,
    report: Report,
    config: Config,
    folder: str,
    stack: ExitStack,
) -> Prepared:
    """Repair a wheel if `config` asks for it, and audit the result.

    `folder` is private; `stack` closes the repaired wheel. Raises InvalidWheelError, ToolError.
    """
    if config.mode not in ("retag", "repair") or not _wants_repair(report, config):
        return Prepared(wheel, report)
    paths = {elf.path for elf in facts.elfs}
    if any(found.kind == "BAD_PATH" and found.path in paths for found in report.findings):
        return Prepared(wheel, report, ("not repaired: the path of a file is not valid",))
    from manyshim.repair import run  # noqa: PLC0415 (only if a repair is asked for)

    done = run.repair(wheel, facts, report, config, folder)
    sbom = partial(run.sbom, done.plan, config)
    if done.path is None:
        return Prepared(wheel, report, done.notes)
    wheel = stack.enter_context(Wheel(done.path))
    return Prepared(wheel, inspect(wheel, config.request), done.notes, sbom)


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

    name = prepared.wheel.name._replace(platforms=decision.platforms)
    files = prepared.sbom(prepared.wheel, name, folder)
    impure = prepared.report.code_at_root
    edits = Edits(decision.platforms, config.compression_level, config.epoch, files, impure)
    return rewrite(prepared.wheel, _out(folder), edits)


def _predicted(
    facts: WheelFacts, report: Report, config: Config, notes: Tuple[str, ...]
) -> Outcome:
    """Report what a repair would do, after the notes of the audit."""
    from manyshim.repair import run  # noqa: PLC0415 (only if a repair is asked for)

    plan, planned = run.make_plan(facts, report, config, with_alternatives=True)
    decision = choose(report, config.request)
    # Without libraries to copy, the repair writes what is decided already.
    tag = decision.tag if plan.empty else plan.policy or decision.tag
    if config.platform and plan.policy and not plan.empty:
        holds = plan.policy.version <= config.platform.version
        tag = config.platform.on(plan.policy.arch) if holds else None
    lines = [
        Line(str(report.name), "title"),
        *(Line(f"  {note}", "dim") for note in (*notes, *planned, *run.alternatives(plan))),
        Line(f"  would be {tag}" if tag else f"  would stay as it is: {why_not(decision)}", "tag"),
    ]
    made = _outcome(0 if tag else 1, lines, report, decision)
    return made._replace(data={**made.data, "plan": run.to_dict(plan)})


def _out(private: str) -> str:
    """Create the folder of finished wheels in a private folder; return its path."""
    folder = os.path.join(private, "out")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    return folder
