"""Convert a run to text and to data, and read it back from data."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from statistics import median
from typing import Any, NamedTuple

from bench import places
from bench.contenders import AMOUNT, CONTENDERS, SIZE
from bench.rows import MEMORY, Line, Place, lines
from bench.run import Outcome, Run
from bench.table import ROWS

_DISTRIBUTIONS = (
    *("manyshim", "auditwheel", "repairwheel", "wheel", "setuptools", "pyelftools", "pip"),
)


class Measured(NamedTuple):
    """Everything of a run: versions, wheel sizes in MB, absent subjects, and the runs."""

    versions: dict[str, str]
    sizes: dict[str, float]
    absent: dict[str, str]
    runs: dict[Place, Outcome]


def versions() -> dict[str, str]:
    """Return the versions of everything that the numbers depend on."""
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    found["zlib"] = zlib.ZLIB_RUNTIME_VERSION
    # What `[fast]` stands for in the table.
    found.update(places.pinned())
    found["valgrind"] = _first_line("valgrind", "--version")
    found["cp"] = _first_line("cp", "--version")
    found["compiler"] = _first_line("cc", "--version")
    found["kernel"] = platform.release()
    found["processor"] = f"{os.cpu_count()} x {_processor()}"
    return found


def _first_line(program: str, argument: str) -> str:
    path = shutil.which(program)
    if path is None:
        return "absent"
    done = subprocess.run([path, argument], check=False, capture_output=True, text=True)
    first = (done.stdout.splitlines() or ["unknown"])[0]
    return first.partition(" ")[2] or first


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        named = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.*)$", file.read(), re.MULTILINE)
    return named.group(1) if named else platform.machine()


def text(measured: Measured) -> Iterator[str]:
    """Yield the lines of the report, as Markdown."""
    yield from rows_table(measured)
    yield ""
    found = judged(measured)
    short = [line for line in found if line.verdict == "SHORT"]
    yield f"{len(short)} of {len(found)} lines fall short" + (":" if short else ".")
    for line in short:
        bound = amount(line, line.row.aim if line.row.must is None else line.row.must)
        yield f"* {line.row.what}, {line.subject}: {amount(line, line.three[1])}, must be {bound}"
    for subject, why in measured.absent.items():
        yield f"* absent: {subject}: {why}"
    yield ""
    yield from costs_tables(measured)
    yield versions_line(measured)


def judged(measured: Measured) -> list[Line]:
    """Return all lines of a run."""
    return list(lines(ROWS, measured.runs))


def rows_table(measured: Measured) -> Iterator[str]:
    """Yield the table of all rows, as Markdown."""
    yield "| what | of | n | min | median | max | must | aim | met |"
    yield "|---|---|---|---|---|---|---|---|---|"
    yield from map(_row, _condensed(judged(measured)))


def versions_line(measured: Measured) -> str:
    """Return a line with the version of everything that was measured."""
    return "Versions: " + "; ".join(f"{name} {one}" for name, one in measured.versions.items())


def _condensed(found: Iterable[Line]) -> Iterator[Line]:
    """Keep only the worst wheel of a memory row; the table of costs has all of them."""
    worst: dict[str, Line] = {}
    for line in found:
        if line.row.unit is not MEMORY or not line.values:
            yield line
        elif line.row.what not in worst or line.three[1] > worst[line.row.what].three[1]:
            worst[line.row.what] = line
    yield from worst.values()


def _row(line: Line) -> str:
    three = [amount(line, value) for value in line.three] if line.values else ["-"] * 3
    bounds = [amount(line, bound) for bound in (line.row.must, line.row.aim)]
    cells = [line.row.what, line.subject, str(len(line.values)), *three, *bounds, line.verdict]
    return "| " + " | ".join(cells) + " |"


def amount(line: Line, value: float | None) -> str:
    """Return a value of a line as text, in the unit of its row."""
    return "-" if value is None else line.row.unit.text.format(value)


def costs_tables(measured: Measured) -> Iterator[str]:
    """Yield a table for each group: the medians of the seconds, with the peak memory in MiB."""
    for group in dict.fromkeys(row.group for row in ROWS):
        timed = [place for place in measured.runs if place[0] == group and _is_time(place[2])]
        names = list(dict.fromkeys(name for _, _, name in timed))
        if not names:
            continue
        yield f"| {group}: seconds (MiB) | " + " | ".join(names) + " |"
        yield "|---" * (len(names) + 1) + "|"
        for subject in dict.fromkeys(subject for _, subject, _ in timed):
            size = measured.sizes.get(subject)
            label = subject if size is None else f"{subject} ({size:.2f} MB)"
            cells = [_cost(measured.runs.get((group, subject, name))) for name in names]
            yield f"| {label} | " + " | ".join(cells) + " |"
        yield ""


def _is_time(name: str) -> bool:
    return name in CONTENDERS and CONTENDERS[name].measure not in (AMOUNT, SIZE)


def _cost(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    if not outcome.runs:
        return outcome.failure
    seconds = median(run.amount for run in outcome.runs)
    return f"{seconds:.3g} ({median(run.peak for run in outcome.runs):.0f})"


def to_dict(measured: Measured) -> dict[str, Any]:
    """Return the run as data, with its table."""
    return {
        "version": 1,
        "versions": measured.versions,
        "sizes": measured.sizes,
        "absent": measured.absent,
        "rows": [_row_dict(line) for line in judged(measured)],
        "runs": [
            {
                **dict(zip(("group", "subject", "contender"), place)),
                "failure": outcome.failure,
                "amounts": [run.amount for run in outcome.runs],
                "peaks": [run.peak for run in outcome.runs],
            }
            for place, outcome in measured.runs.items()
        ],
    }


def _row_dict(line: Line) -> dict[str, Any]:
    least, middle, greatest = line.three if line.values else (None, None, None)
    return {
        "what": line.row.what,
        "subject": line.subject,
        "contender": line.row.contender,
        "peer": line.row.peer,
        "unit": line.row.unit.text.partition("}")[2].strip(),
        "higher_is_better": line.row.unit.higher_is_better,
        "values": line.values,
        "min": least,
        "median": middle,
        "max": greatest,
        "must": line.row.must,
        "aim": line.row.aim,
        "verdict": line.verdict,
    }


def from_dict(data: Mapping[str, Any]) -> Measured:
    """Return the run that the data describe; its table is computed again."""
    return Measured(data["versions"], data["sizes"], data["absent"], dict(_runs(data["runs"])))


def _runs(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Place, Outcome]]:
    for row in rows:
        runs = [Run(*pair) for pair in zip(row["amounts"], row["peaks"])]
        yield (row["group"], row["subject"], row["contender"]), Outcome(runs, row["failure"])
