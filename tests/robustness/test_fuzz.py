"""No content of a file makes the audit raise, hang, or use much memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fuzz


@pytest.mark.parametrize("seed", range(4))
def test_a_report_or_invalid_wheel(seed: int, tmp_path: Path) -> None:
    kinds, slowest = fuzz.run(400, seed, tmp_path)
    assert set(kinds) == {"judged", "corrupt", "InvalidWheel"}
    assert slowest < 5


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_many_more_in_bounded_memory() -> None:
    script = str(Path(fuzz.__file__))
    done = subprocess.run(
        [sys.executable, script, "60000", "1000"], capture_output=True, text=True, check=True
    )
    assert "other exceptions 0" in done.stdout
    assert int(done.stdout.rsplit("peak memory ", 1)[1].split()[0]) <= 64
