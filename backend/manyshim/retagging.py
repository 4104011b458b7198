"""The use case of `retag` and `repair`: each wheel under the tag that is proved, or as it is."""

from __future__ import annotations

import os
from contextlib import ExitStack

from manyshim.advice import advised, after_repair, readable
from manyshim.audit.decision import TagDecision, can_be_copied, choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import Evidence
from manyshim.audit.reasons import join_names
from manyshim.audit.tags import PlatformTag
from manyshim.audit.verdict import Report
from manyshim.config import Config
from manyshim.errors import InvalidWheelError, escape
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.text import Line, check_lines, finding_lines, show_lines, why_not
from manyshim.operations import Judged, Outcome, inspect, outcome
from manyshim.values import NamedTuple
from manyshim.writing import corrections_of, patterns_of, prepare, write_retagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple


class Options(NamedTuple):
    """What only the command line asks for; `rebuild` replaces the rows of RECORD that are wrong."""

    dry_run: bool = False
    verbose: bool = False
    rebuild: bool = False


_NO_OPTIONS = Options()


def retag(path: str, folder: str, config: Config, options: Options = _NO_OPTIONS) -> Outcome:
    """Write a wheel under its proved tag into `folder`, repaired as `config` asks.

    A wheel that needs no tag is copied. A dry run writes nothing and reports the plan; it needs no
    folder. The exit code is 1 if there is no tag. Raises InvalidWheelError, ToolError.
    """
    asked = config.platform
    with ExitStack() as stack:
        wheel = stack.enter_context(Wheel(path))
        facts = _verified(wheel, rebuild=options.rebuild)
        config, report, notes = _inspect_as_suggested(wheel, facts, config)
        decision = choose(report, config.request)
        if facts.record.wrong_hash:
            return _refused(wheel, facts, report, config, verbose=options.verbose)
        if can_be_copied(report, decision):
            left = _Left(wheel, report, decision, _inapplicable(asked, config, decision))
            return _copied(left, folder, config, options)
        if options.dry_run:
            return _predicted(wheel, facts, report, config, notes)
        from manyshim.workspace import private_folder, publish  # noqa: PLC0415 (only to write)

        private = stack.enter_context(private_folder(folder))
        prepared = prepare(wheel, facts, report, config, private, stack)
        decision = choose(prepared.report, config.request)
        report = advised(prepared.report, decision, prepared.wheel, config.request)
        prepared = prepared._replace(report=report)
        title, *rest = show_lines(report, decision, readable(report), verbose=options.verbose)
        notes = (*notes, *prepared.notes)
        lines = [title, *(Line(f"  {note}", "dim") for note in notes), *rest]
        judged = Judged(report, decision, config.request, prepared.patterns, notes=notes)
        if not decision.tag:
            return outcome(1, lines, judged)
        finished = write_retagged(prepared, decision, config, private)
        target = os.path.join(folder, os.path.basename(finished))
        publish(finished, target)
        lines += [Line(f"  {note}", "warning") for note in prepared.corrections]
        notes = (*notes, *prepared.corrections)
    lines.append(Line(f"  wrote {target}", "tag"))
    return outcome(0, lines, judged._replace(written=target, notes=notes))


def _verified(wheel: Wheel, *, rebuild: bool) -> WheelFacts:
    """Read a wheel to its end. Raises InvalidWheelError if a member does not have its CRC."""
    facts = wheel.facts(verify=True)
    # A library that cannot be read has its finding.
    unreadable = {one.path for one in facts.unreadable}
    damaged = tuple(path for path in facts.record.wrong_crc if path not in unreadable)
    if damaged:
        whose = "its" if len(damaged) == 1 else "their"
        what = f"{join_names(damaged)}: {whose} CRC does not match"
        raise InvalidWheelError(f"{wheel.path}: {what}")
    if wheel.streams:
        names = join_names(tuple(one.path for one in wheel.streams))
        raise InvalidWheelError(
            f"{wheel.path}: {names}: the compressed stream does not end where the archive says"
        )
    if rebuild:
        wheel.rebuild_record()
    return facts._replace(record=wheel.record)


def _refused(
    wheel: Wheel, facts: WheelFacts, report: Report, config: Config, *, verbose: bool
) -> Outcome:
    """Report a wheel whose files may not be those that were built."""
    decision = TagDecision(reason=Evidence.OTHER_HASH)
    report = advised(report, decision, wheel, config.request)
    lines = show_lines(report, decision, readable(report), verbose=verbose)
    # The second line says that there is no tag. A pure wheel needs none.
    lines[1] = Line(f"  not written: {why_not(decision)}", "error")
    patterns = patterns_of(facts, report, config)
    return outcome(1, lines, Judged(report, decision, config.request, patterns))


class _Left(NamedTuple):
    """A wheel that keeps its tag, and the options that do not apply to it."""

    wheel: Wheel
    report: Report
    decision: TagDecision
    inapplicable: Tuple[str, ...]


def _inapplicable(
    platform: Optional[PlatformTag], config: Config, decision: TagDecision
) -> Tuple[str, ...]:
    """Return the options of the command line that have no effect on a wheel that keeps its tag.

    A pure wheel has nothing to fix or to strip.
    """
    compiled = decision.reason != Evidence.PURE
    given = (
        (platform is not None, f"--platform {platform}"),
        (compiled and bool(config.fix), "--fix"),
        (compiled and config.strip != "none", "--strip"),
    )
    return tuple(name for is_given, name in given if is_given)


def _copied(left: _Left, folder: Optional[str], config: Config, options: Options) -> Outcome:
    """Copy a wheel that keeps its tag into `folder`, byte by byte unless RECORD is rebuilt."""
    source = left.wheel.path
    corrections = left.wheel.corrections() if options.rebuild else ""
    own = folder is not None and _is_in(source, folder)
    dry = options.dry_run
    if own and corrections:
        what = f"{'would get' if dry else 'gets'} a new RECORD: {corrections}"
    elif own:
        what = "stays as it is"
    else:
        what = f"{'would be' if dry else 'is'} copied{f' to {folder}' if folder else ''}"
        what += f" with a new RECORD: {corrections}" if corrections else " unchanged"
    what += f"; {why_not(left.decision)}"
    if left.inapplicable:
        verb = "does" if len(left.inapplicable) == 1 else "do"
        what += f"; {' and '.join(left.inapplicable)} {verb} not apply"
    written = None
    if folder is not None and not dry and (corrections or not own):
        written = _write_copy(left.wheel, folder, config, new_record=bool(corrections))
    line = Line(escape(f"{os.path.basename(source)} {what}"), "title")
    rest = check_lines(left.report, readable(left.report), verbose=options.verbose)[1:]
    judged = Judged(left.report, left.decision, config.request, written=written)
    return outcome(0, [line, *rest], judged._replace(notes=(what,)))


def _is_in(path: str, folder: str) -> bool:
    """Whether a file is in a folder, under whatever names both are given."""
    try:
        return os.path.samefile(os.path.dirname(path) or ".", folder)
    except OSError:
        return False


def _write_copy(wheel: Wheel, folder: str, config: Config, *, new_record: bool) -> str:
    """Copy a wheel into `folder`; return the path of the copy."""
    from manyshim.formats.wheel.rewrite import Edits, copy, rewrite  # noqa: PLC0415
    from manyshim.workspace import private_folder, publish, subfolder  # noqa: PLC0415

    with private_folder(folder) as private:
        out = subfolder(private, "out")
        edits = Edits((), config.compression_level, config.epoch)
        finished = rewrite(wheel, out, edits) if new_record else copy(wheel, out)
        target = os.path.join(folder, os.path.basename(wheel.path))
        publish(finished, target)
    return target


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
    # Files that fit both families are for the one that the wheel's name states.
    if facts.name.libc in (None, suggested.tag.libc):
        asked = config._replace(platform=suggested.tag)
        report = inspect(wheel, asked.request, facts)
        tag = suggested.tag.on(report.arch or "")
        if (tag.arch, tag.libc) == (report.arch, report.libc):
            return asked, report, ()
    report = inspect(wheel, config.request, facts)
    if report.arch is None or choose(report, config.request).reason == Evidence.OTHER_ARCH:
        return config, report, ()
    line = (
        f"{suggested.variable}={suggested.value} does not apply: "
        f"this wheel is for {report.arch}, {report.libc}"
    )
    return config, report, (line,)


def _predicted(
    wheel: Wheel, facts: WheelFacts, report: Report, config: Config, notes: Tuple[str, ...]
) -> Outcome:
    """Report what a repair would do, after the notes of the audit."""
    from manyshim.repair import run  # noqa: PLC0415 (only if a repair is asked for)
    from manyshim.repair.notes import alternatives, to_dict  # noqa: PLC0415

    report = report._replace(findings=after_repair(report.findings))
    plan, planned = run.make_plan(facts, report, config, dry_run=True)
    decision = choose(report, config.request)
    blocked = finding_lines(after_repair(plan.blockers))
    # A wheel whose files cannot be patched is written as it is, if at all.
    refused = run.refusal(wheel, plan)
    expected = decision if refused else plan.decision
    tag, why = expected.tag, why_not(expected)
    planned += [refused] if refused else []
    corrections = corrections_of(wheel) if tag else ()
    lines = [
        Line(str(report.name), "title"),
        *(Line(f"  {line}", "dim") for line in (*notes, *planned, *blocked, *alternatives(plan))),
        *(Line(f"  {note}", "warning") for note in corrections),
        Line(f"  would be {tag}" if tag else f"  would stay as it is: {why}", "tag"),
    ]
    patterns = patterns_of(facts, report, config, plan.needed)
    notes = (*notes, *planned, *blocked, *alternatives(plan), *corrections)
    judged = Judged(report, decision, config.request, patterns, notes=notes)
    made = outcome(0 if tag else 1, lines, judged)
    return made._replace(data={**made.data, "plan": to_dict(plan)})
