"""The use case of `show`, and the steps that all use cases share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, AbstractSet, Any, Dict, List, Optional, Tuple

from manyshim.advice import advised, readable
from manyshim.audit.decision import TagDecision, choose
from manyshim.audit.facts import WheelFacts
from manyshim.audit.policy import policies_of
from manyshim.audit.request import Request
from manyshim.audit.verdict import Report, audit, load, questions
from manyshim.errors import InternalError
from manyshim.formats.wheel.wheel import Wheel
from manyshim.formatters.text import Line, show_lines
from manyshim.values import NamedTuple

if TYPE_CHECKING:
    from manyshim.audit.patterns import Pattern

REPORT = "please report this line; MANYSHIM_DEBUG=1 adds the traceback"


class Outcome(NamedTuple):
    """The result of a command for one wheel: exit code, lines of text, and data for JSON.

    `patterns` are those of exclude and bundle, which count for all wheels of the command together.
    """

    code: int
    lines: List[Line]
    data: Dict[str, Any]
    patterns: Tuple[Pattern, ...] = ()


def outcome(
    code: int,
    lines: List[Line],
    report: Report,
    decision: TagDecision,
    patterns: Tuple[Pattern, ...] = (),
) -> Outcome:
    """Return the result of a command for a wheel that was judged."""
    from manyshim.formatters.json import to_dict  # noqa: PLC0415 (a build does not need it)

    return Outcome(code, lines, to_dict(report, decision), patterns)


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
        facts = wheel.facts()
        report = inspect(wheel, request, facts)
        decision = choose(report, request)
        report = advised(report, decision, wheel, request)
    lines = show_lines(report, decision, readable(report), verbose=verbose)
    return outcome(0, lines, report, decision, compare_patterns(facts, report, request.exclude))
