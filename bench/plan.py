"""Which contenders run on which subjects, and which wheels these need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from bench import subjects, wheels
from bench.instructions import sample_of
from bench.rows import Row
from bench.table import INSTRUCTIONS, ROWS


class Work(NamedTuple):
    """One set of rounds: the contenders of a group on one subject.

    `rounds` multiplies the number of pairs that the command line asks for.
    """

    group: str
    subject: str
    contenders: tuple[str, ...]
    rounds: int

    @property
    def needs(self) -> tuple[wheels.Sample, ...]:
        """Return the published wheels that have to be there."""
        if self.group == INSTRUCTIONS:
            return sample_of(self.subject)
        return subjects.needs(self.subject)


def planned(patterns: Sequence[str]) -> Iterator[Work]:
    """Yield what the rows need whose GROUP/SUBJECT contains a match of one of the patterns.

    The works on one subject follow one another.
    """
    # From the smallest wheel to the largest, and then what is made.
    samples = (sample.project for sample in wheels.SAMPLES)
    names = (*samples, *(subject for row in ROWS for subject in row.subjects))
    groups = dict.fromkeys(row.group for row in ROWS)
    for subject in dict.fromkeys(names):
        for group in groups:
            rows = [row for row in ROWS if row.group == group and subject in row.subjects]
            place = f"{group}/{subject}"
            if rows and any(fnmatchcase(place, f"*{pattern}*") for pattern in patterns):
                yield _work(rows, subject)


def _work(rows: Sequence[Row], subject: str) -> Work:
    names = (name for row in rows for name in (row.contender, row.peer) if name)
    rounds = max(row.rounds for row in rows)
    return Work(rows[0].group, subject, tuple(dict.fromkeys(names)), rounds)
