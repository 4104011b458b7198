"""The use cases, each a few lines that join the rooms below."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

from manyshim.audit.decision import TagDecision, choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import sort_key
from manyshim.audit.request import Request
from manyshim.audit.tags import WheelName
from manyshim.audit.verdict import Report, audit, load, questions
from manyshim.config import Config
from manyshim.errors import ToolError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.text import Line, check_lines, show_lines, why_not
from manyshim.values import NamedTuple

# What a repair does away with.
_REPAIRED = ("EXTERNAL_LIBRARY", "BY_NAME_ONLY", "LIBPYTHON")


class Outcome(NamedTuple):
    """What a command has to say of one wheel: its exit code, text and data."""

    code: int
    lines: List[Line]
    data: Dict[str, Any]


def _outcome(code: int, lines: List[Line], report: Report, decision: TagDecision) -> Outcome:
    from manyshim.formatters.json import to_dict  # noqa: PLC0415 (a build has no use for it)

    return Outcome(code, lines, to_dict(report, decision))


def inspect(wheel: Wheel, request: Request, facts: Optional[WheelFacts] = None) -> Report:
    """Audit an open wheel, whose facts may be known already."""
    facts = facts or wheel.facts()
    loading = load(facts, request)
    asked = questions(facts, request, loading)
    while asked:
        exports, broken = wheel.exports(asked)
        lost = {member.path for member in broken}
        facts = facts._replace(
            exports={**facts.exports, **exports},
            elfs=tuple(elf for elf in facts.elfs if elf.path not in lost),
            unreadable=(*facts.unreadable, *broken),
        )
        loading = load(facts, request) if broken else loading
        asked = questions(facts, request, loading)
    return audit(facts, request, loading)


def show(path: str, request: Request, *, verbose: bool = False) -> Outcome:
    """Audit a wheel. Raises InvalidWheelError."""
    with Wheel(path) as wheel:
        report = inspect(wheel, request)
    decision = choose(report, request)
    return _outcome(0, show_lines(report, decision, verbose=verbose), report, decision)


def check(path: str, request: Request, *, verbose: bool = False) -> Outcome:
    """Prove that a wheel may carry its tags and that the index takes it. InvalidWheelError."""
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
            *metadata.metadata(readers.read(wheel)),
            *metadata.record(readers.record_problem(wheel)),
        ]
        for tag in index.tags_to_prove(facts.name, request):
            judged = report
            if tag.libc != report.libc and report.open_libc:
                judged = inspect(wheel, request._replace(platform=tag), facts)
                found += [one for one in judged.errors if one not in report.findings]
            found += index.false_tags(tag, judged, request)
    decision = choose(report, request)
    report = report._replace(findings=tuple(sorted((*report.findings, *found), key=sort_key)))
    lines = check_lines(report, verbose=verbose)
    return _outcome(1 if report.errors else 0, lines, report, decision)


def retag(
    path: str, folder: str, config: Config, *, dry_run: bool = False, verbose: bool = False
) -> Outcome:
    """Write a wheel under its proved tag, mended as `config` asks; only say so in a dry run.

    Raises InvalidWheelError, ToolError.
    """
    with ExitStack() as stack:
        wheel = stack.enter_context(Wheel(path))
        facts = wheel.facts()
        report = inspect(wheel, config.request, facts)
        if dry_run:
            return _predicted(facts, report, config)
        from manyshim.workspace import private_folder, publish  # noqa: PLC0415 (only to write)

        private = stack.enter_context(private_folder(folder))
        prepared = prepare(wheel, facts, report, config, private, stack)
        decision = choose(prepared.report, config.request)
        title, *rest = show_lines(prepared.report, decision, verbose=verbose)
        lines = [title, *(Line(f"  {note}", "dim") for note in prepared.notes), *rest]
        if not decision.tag:
            return _outcome(1, lines, prepared.report, decision)
        finished = write_retagged(prepared, decision, config, private)
        target = os.path.join(folder, os.path.basename(finished))
        publish(finished, target)
    lines.append(Line(f"  wrote {target}", "tag"))
    return _outcome(0, lines, prepared.report, decision)


class Prepared(NamedTuple):
    """A wheel on its way: open, audited, with what was done to it and has to be said."""

    wheel: Wheel
    report: Report
    notes: Tuple[str, ...] = ()
    sbom: Callable[[Wheel, WheelName, str], Dict[str, str]] = lambda _wheel, _name, _folder: {}


def prepare(  # noqa: PLR0913, PLR0917 (a step of one way, not an interface)
    wheel: Wheel,
    facts: WheelFacts,
    report: Report,
    config: Config,
    folder: str,
    stack: ExitStack,
) -> Prepared:
    """Repair and fix a wheel where that is asked for, and audit what comes out."""
    if config.mode not in ("retag", "repair") or not _wants_repair(report, config):
        return Prepared(wheel, report)
    from manyshim.repair import run  # noqa: PLC0415 (only for those who ask for it)

    done = run.repair(wheel, facts, report, config, folder)
    sbom = partial(run.sbom, done.plan, config)
    if done.path is None:
        return Prepared(wheel, report, done.notes)
    wheel = stack.enter_context(Wheel(done.path))
    return Prepared(wheel, inspect(wheel, config.request), done.notes, sbom)


def _wants_repair(report: Report, config: Config) -> bool:
    """Whether anything might be changed; else the modules of a repair are not even loaded."""
    found = config.sysroot is not None or any(one.kind in _REPAIRED for one in report.findings)
    return bool(config.fix) or config.strip != "none" or (config.mode == "repair" and found)


def write_retagged(prepared: Prepared, decision: TagDecision, config: Config, folder: str) -> str:
    """Write the wheel under its new tag into a private folder; return its path."""
    from manyshim.formats.wheel.rewrite import Edits, rewrite  # noqa: PLC0415 (only to write)

    name = prepared.wheel.name._replace(platforms=decision.platforms)
    files = prepared.sbom(prepared.wheel, name, folder)
    edits = Edits(decision.platforms, config.compression_level, config.epoch, files)
    return rewrite(prepared.wheel, _out(folder), edits)


def _predicted(facts: WheelFacts, report: Report, config: Config) -> Outcome:
    """Say what a repair would do."""
    from manyshim.repair import run  # noqa: PLC0415 (only for those who ask for it)

    plan, notes = run.make_plan(facts, report, config, with_alternatives=True)
    decision = choose(report, config.request)
    tag = plan.policy or decision.tag
    lines = [
        Line(str(report.name), "title"),
        *(Line(f"  {note}", "dim") for note in (*notes, *run.alternatives(plan))),
        Line(f"  would be {tag}" if tag else f"  would stay as it is: {why_not(decision)}", "tag"),
    ]
    made = _outcome(0 if tag else 1, lines, report, decision)
    return made._replace(data={**made.data, "plan": run.to_dict(plan)})


def _out(private: str) -> str:
    folder = os.path.join(private, "out")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    return folder
