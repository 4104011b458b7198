"""The use case of `show`, and the steps that all use cases share."""

from __future__ import annotations

import os

from manyshim.audit.decision import TagDecision, blockers, choose
from manyshim.audit.facts import NO_PLACES, Places, WheelFacts
from manyshim.audit.findings import Finding
from manyshim.audit.policy import policies_of
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report, audit, load, questions, resolved
from manyshim.errors import InternalError, InvalidWheelError, ManyshimError, printable
from manyshim.formats.wheel.wheel import Wheel
from manyshim.values import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet, Any, Callable, Dict, List, Optional, Tuple

    from manyshim.audit.patterns import Pattern
    from manyshim.formatters.text import Line

REPORT = "please report this line; MANYSHIM_DEBUG=1 adds the traceback"


class Outcome(NamedTuple):
    """The result of a command for one wheel: exit code, lines of text, and data for JSON.

    `patterns` are those of exclude and bundle, which count for all wheels of the command together.
    """

    code: int
    lines: List[Line]
    data: Dict[str, Any]
    patterns: Tuple[Pattern, ...] = ()


class Judged(NamedTuple):
    """A wheel that was judged: its report and tag, and what a command did with it.

    `places` are the source lines that use symbols, if they were searched. `written` is the path of
    the wheel that was written, `notes` are the lines about its changes.
    """

    report: Report
    decision: TagDecision
    request: Request
    patterns: Tuple[Pattern, ...] = ()
    places: Places = NO_PLACES
    written: Optional[str] = None
    notes: Tuple[str, ...] = ()


def outcome(code: int, lines: List[Line], judged: Judged) -> Outcome:
    """Return the result of a command for a wheel that was judged."""
    return Outcome(code, lines, as_data(judged), judged.patterns)


def as_data(judged: Judged) -> Dict[str, Any]:
    """Return a judged wheel as data for JSON, with what rules out the next older policy."""
    from manyshim.formatters.json import Extras, to_dict  # noqa: PLC0415 (a build does not need it)

    report, decision = judged.report, judged.decision
    blocked = blockers(report, decision, judged.request, always=True)
    return to_dict(report, decision, Extras(judged.places, blocked, judged.written, judged.notes))


def compare_patterns(
    facts: WheelFacts,
    report: Report,
    exclude: Tuple[str, ...],
    bundle: Tuple[str, ...] = (),
    more: AbstractSet[str] = frozenset(),
) -> Tuple[Pattern, ...]:
    """Compare the patterns of both options with the libraries that a wheel's files need.

    `more` are those that the libraries found by a repair need.
    """
    if report.arch is None or report.libc is None or not (exclude or bundle):
        return ()
    from manyshim.audit import patterns  # noqa: PLC0415 (few builds have a pattern)

    names = patterns.needed_names(facts.elfs) | more
    promised = policies_of(report.libc, report.arch).promised
    found = (("exclude", exclude), ("bundle", bundle))
    return sum((patterns.compared(*one, names, promised) for one in found), ())


def about_symbols(report: Report) -> List[Finding]:
    """Return the findings of a report, and what they are caused by, that are about symbols."""
    causes = (cause for found in report.findings for cause in found.causes)
    return [found for found in (*report.findings, *causes) if found.symbols]


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


def guarded(
    work: Callable[[str], Outcome],
    path: str,
    refine: Callable[[str], Optional[InvalidWheelError]] = lambda _path: None,
) -> Outcome:
    """Return an error as an outcome, so that the other files are still processed.

    `refine` may know a better error for a file that cannot be read.
    """
    try:
        return work(path)
    except InvalidWheelError as error:
        return _failed(refine(path) or error, path)
    except ManyshimError as error:
        return _failed(error, path)
    except Exception as error:  # noqa: BLE001 (no failure of ours may cost another file its verdict)
        return _failed(internal_error(error, os.path.basename(path)), path)


def lost(path: str, how: str) -> Outcome:
    """Return the outcome of a file whose process has ended before it was done."""
    what = f"internal error: the process that worked on it {how}"
    return _failed(InternalError(f"{os.path.basename(path)}: {what} ({REPORT})"), path)


def _failed(error: ManyshimError, path: str) -> Outcome:
    from manyshim.formatters.json import failure  # noqa: PLC0415 (only after a failure)
    from manyshim.formatters.text import Line  # noqa: PLC0415

    first, *more = error.lines
    if isinstance(error, InvalidWheelError) and printable(os.path.basename(path)) not in first:
        first = f"{path}: {first}"
    lines = [Line(line, "failure") for line in (f"manyshim: error: {first}", *more)]
    internal = isinstance(error, InternalError)
    name = os.path.basename(path.rstrip(os.sep)) or path
    data = failure(name, "\n".join((first, *more)), internal=internal)
    return Outcome(error.exit_code, lines, data)


def inspect(wheel: Wheel, request: Request, facts: Optional[WheelFacts] = None) -> Report:
    """Audit an open wheel; `facts` saves reading them again. Raises InvalidWheelError."""
    facts = facts or wheel.facts()
    loaded = load(facts, request)
    asked = questions(facts, request, loaded)
    while asked:
        exports, broken = wheel.exports(asked)
        unreadable = {member.path for member in broken}
        facts = facts._replace(
            exports={**facts.exports, **exports},
            elfs=tuple(elf for elf in facts.elfs if elf.path not in unreadable),
            unreadable=(*facts.unreadable, *broken),
        )
        loaded = load(facts, request) if broken else loaded
        asked = questions(facts, request, loaded)
    report = audit(facts, request, loaded)
    if facts.native is None:
        return report
    from manyshim.audit.native import native  # noqa: PLC0415 (no wheel for Linux needs it)

    found = native(facts, request)
    findings = resolved((*report.findings, *found.findings), request)
    return report._replace(findings=findings, right_tags=found.right_tags)


def show(
    path: str,
    request: Request,
    *,
    verbose: bool = False,
    explain: bool = False,
    data: bool = True,
) -> Outcome:
    """Audit a wheel and report its tag; `explain` searches source lines.

    Without `data` the outcome has the lines only. Raises InvalidWheelError.
    """
    from manyshim.advice import advised, readable, source_places  # noqa: PLC0415 (not for a build)
    from manyshim.formatters.text import show_lines  # noqa: PLC0415

    with Wheel(path) as wheel:
        facts = wheel.facts()
        report = inspect(wheel, request, facts)
        decision = choose(report, request)
        report = advised(report, decision, wheel, request)
        places = source_places(about_symbols(report), wheel) if explain else {}
    lines = show_lines(report, decision, readable(report, places), verbose=verbose)
    patterns = compare_patterns(facts, report, request.exclude)
    if not data:
        return Outcome(0, lines, {}, patterns)
    return outcome(0, lines, Judged(report, decision, request, patterns, places))
