"""What a row of the table is, and the verdict of the runs on each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from statistics import median
from typing import NamedTuple, Tuple

from bench.run import Outcome, Run

# (group, subject, contender) -> its runs.
Place = Tuple[str, str, str]


class Unit(NamedTuple):
    """The unit of a row; `value` computes it from a run and the peer's run of the same round.

    Without a peer both runs are the same.
    """

    text: str
    value: Callable[[Run, Run], float]
    higher_is_better: bool = False


def _ratio(amount: float, of: float) -> float:
    return amount / max(of, 1e-6)


FASTER = Unit("{:.2f}x", lambda run, peer: _ratio(peer.amount, run.amount), higher_is_better=True)
TIMES = Unit("{:.2f}", lambda run, peer: _ratio(run.amount, peer.amount))
# As FASTER, but the contenders' elapsed seconds are compared.
SOONER = Unit(
    "{:.2f}x elapsed", lambda run, peer: _ratio(peer.amount, run.amount), higher_is_better=True
)
PERCENT = Unit("{:.1f} %", lambda run, _: run.amount)
MEMORY = Unit("{:.1f} MiB", lambda run, _: run.peak)
SECONDS = Unit("{:.2f} s", lambda run, _: run.amount)
MILLISECONDS = Unit("{:.1f} ms", lambda run, _: run.amount * 1000)
MORE = Unit("{:+.1f} ms", lambda run, peer: (run.amount - peer.amount) * 1000)
MILLIONS = Unit("{:.1f} M", lambda run, _: run.amount / 1e6)


class Row(NamedTuple):
    """A bound, and the subjects that it is for.

    The rows of one group share their runs. `rounds` multiplies the number of pairs that the command
    line asks for.
    """

    group: str
    what: str
    unit: Unit
    contender: str
    peer: str
    subjects: tuple[str, ...]
    must: float | None = None
    aim: float | None = None
    rounds: int = 1


class Line(NamedTuple):
    """The numbers of a row on one subject; `verdict` is "aim", "must", "SHORT" or a failure."""

    row: Row
    subject: str
    values: tuple[float, ...]
    verdict: str

    @property
    def three(self) -> tuple[float, float, float]:
        """Return the minimum, the median and the maximum."""
        return min(self.values), median(self.values), max(self.values)


def lines(rows: Iterable[Row], runs: Mapping[Place, Outcome]) -> Iterator[Line]:
    """Judge every row on every subject that was run for it."""
    measured = {(group, subject) for group, subject, _ in runs}
    for row in rows:
        for subject in row.subjects:
            if (row.group, subject) in measured:
                yield _line(row, subject, runs)


def _line(row: Row, subject: str, runs: Mapping[Place, Outcome]) -> Line:
    own, other = (
        runs.get((row.group, subject, name), Outcome([]))
        for name in (row.contender, row.peer or row.contender)
    )
    values = tuple(row.unit.value(run, peer) for run, peer in zip(own.runs, other.runs))
    if not values:
        return Line(row, subject, (), own.failure or other.failure or "no runs")
    return Line(row, subject, values, _verdict(row, median(values)))


def _verdict(row: Row, value: float) -> str:
    def holds(bound: float | None) -> bool:
        if bound is None:
            return False
        return value >= bound if row.unit.higher_is_better else value <= bound

    if row.must is None and row.aim is None:
        return ""
    return "aim" if holds(row.aim) else "must" if holds(row.must) else "SHORT"
