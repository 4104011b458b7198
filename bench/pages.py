"""The parts of the documents that show one run: the page of evidence and the summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench import report
from bench.report import Measured
from bench.rows import MILLIONS, Line
from bench.table import ROWS

_HEAD = """\
# One run of the bench

Written by `python scripts/write_performance.py`; [performance.md](../performance.md) says what is
measured, and why some rows fall short.

{versions}

## What must hold

"""


def missing(measured: Measured) -> list[str]:
    """Return the rows and subjects that have no numbers, each with the reason."""
    numbers = {(line.row, line.subject): line for line in report.judged(measured)}
    found = []
    for row in ROWS:
        for subject in row.subjects:
            line = numbers.get((row, subject))
            if line is None or not line.values:
                reason = line.verdict if line else measured.absent.get(subject, "it was not run")
                found.append(f"{row.what}, {subject}: {reason}")
    return found


def evidence(measured: Measured) -> str:
    """Return the page with every row, and the seconds and the memory of every contender."""
    head = _HEAD.format(versions=report.versions_line(measured))
    lines = [*report.rows_table(measured), "", "## Seconds and memory", ""]
    costs = "\n".join((*lines, *report.costs_tables(measured)))
    return head + costs.rstrip("\n") + "\n"


def summary(measured: Measured) -> str:
    """Return the table with one row for each comparison and its bounds."""
    groups: dict[tuple[str, float | None, float | None], list[Line]] = {}
    for line in report.judged(measured):
        if line.values and line.row.unit is not MILLIONS:
            bounds = (line.row.what, line.row.must, line.row.aim)
            groups.setdefault(bounds, []).append(line)
    head = ["| what | subjects | medians | must | aim | met |", "|---|---|---|---|---|---|"]
    return "".join(f"{line}\n" for line in (*head, *map(_summed, groups.values())))


def counts(measured: Measured) -> str:
    """Return the table of the counted instructions, of whole processes and beyond bare Python."""
    found = {
        line.subject: line.values[0]
        for line in report.judged(measured)
        if line.row.unit is MILLIONS and line.values
    }
    return "".join(f"{line}\n" for line in _counted(found))


def _counted(found: dict[str, float]) -> Iterator[str]:
    yield "| case | million instructions | beyond `bare` |"
    yield "|---|---|---|"
    for case, number in found.items():
        beyond = f"{number - found['bare']:.1f}" if "bare" in found else "-"
        yield f"| {case} | {number:.1f} | {beyond} |"


def _summed(lines: Sequence[Line]) -> str:
    """Return a row: the subjects, or their number, and the range of the medians."""
    medians = sorted(line.three[1] for line in lines)
    one = lines[0]
    texts = [report.amount(one, value) for value in dict.fromkeys((medians[0], medians[-1]))]
    names = ", ".join(line.subject for line in lines)
    subjects = names if len(lines) <= 4 else str(len(lines))
    bounds = [report.amount(one, bound) for bound in (one.row.must, one.row.aim)]
    held = sum(line.verdict in ("must", "aim") for line in lines)
    met = f"{held} of {len(lines)}" if any(line.verdict for line in lines) else "-"
    cells = [one.row.what, subjects, " to ".join(texts), *bounds, met]
    return "| " + " | ".join(cells) + " |"
