"""The fuzz targets read their seeds, and notice what a reader must not do. Atheris is not used."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

import measure
import run
from fuzz import mutated
from measure import Measured
from outcome import READ, REFUSED, Target
from seeding import seeds
from targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_damaged_seeds_are_read_or_refused(name: str, tmp_path: Path) -> None:
    measured = Measured(TARGETS[name], tmp_path)
    chance = random.Random(1)  # noqa: S311 (reproducible, not secret)
    given = seeds(name)
    for data in given:
        measured(data)
    assert measured.outcomes[READ]
    for data in given * (1 + 40 // len(given)):
        measured(mutated(data, chance))
    assert measured.outcomes[REFUSED]
    assert (measured.crashes, list(tmp_path.iterdir())) == ({}, [])
    assert measured.executions == len(given) * (2 + 40 // len(given))


def test_the_seeds_are_small() -> None:
    assert all(
        len(data) <= target.max_len for target in TARGETS.values() for data in seeds(target.name)
    )


def test_an_exception_is_a_crash_and_its_first_input_is_kept(tmp_path: Path) -> None:
    def fail(data: bytes) -> str:
        if data > b"b":
            raise KeyError(data)
        return READ

    measured = Measured(Target("failing", fail), tmp_path / "crashes")
    for data in (b"a", b"c", b"d"):
        measured(data)
    assert list(measured.crashes.values()) == [2]
    assert measured.outcomes == {READ: 1, "crash": 2}
    kept, trace = sorted((tmp_path / "crashes").iterdir())
    assert kept.read_bytes() == b"c"
    assert "KeyError: b'c'" in trace.read_text()


def test_a_loop_is_a_crash_even_if_it_suppresses_exceptions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loop(_: bytes) -> str:
        while True:
            try:
                sum(range(1000))
            except Exception:  # noqa: BLE001 (as debuginfo does)
                return REFUSED

    monkeypatch.setattr(measure, "MAX_SECONDS", 0.1)
    measured = Measured(Target("loop", loop), tmp_path)
    measured(b"")
    assert [kind.partition(" ")[0] for kind in measured.crashes] == ["TooSlowError"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets the peak")
def test_much_memory_is_a_crash(tmp_path: Path) -> None:
    def allocate(data: bytes) -> str:
        return READ if data * (250 << 20) else REFUSED

    measured = Measured(Target("large", allocate), tmp_path)
    measure.forget_peak()
    for data in (b"", b"x", b"x"):
        measured(data)
    assert measured.crashes == {"more than 200 MiB": 2}


def test_the_last_figures_of_the_log_are_in_the_row() -> None:
    log = "#2 INITED cov: 5 ft: 6 corp: 1/9b\n#9 DONE cov: 30 ft: 33 corp: 5/9b lim: 4"
    coverage = run.coverage(log)
    assert coverage == (30, 33, 5)
    counts = {"executions": 9, "outcomes": {READ: 7}, "crashes": {}, "slowest": 0.01, "memory": 50}
    line = run.row("zip", counts, coverage)
    assert line == "| `zip` | 9 | 7 | 0 | 0 | 30 | 33 | 5 | 0.010 s | 50 MiB |"
    assert run.coverage("nothing") is None
