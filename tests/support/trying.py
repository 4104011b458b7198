"""Libraries that are loaded for a trial."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Callable, Sequence, Tuple

from elfbuilding import gcc
from manyshim.repair.outside import Outside
from manyshim.repair.trial import Limits, Trial, TrialResult, try_loading

# The head of a function that the loader calls.
CONSTRUCTOR = "__attribute__((constructor)) static void f(void) "


def library(folder: Path, name: str, text: str, *options: str) -> str:
    """Compile a shared library; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.c").write_text(text)
    gcc(folder, "-shared", "-fPIC", "-w", "source.c", "-o", name, *options)
    return str(folder / name)


def attempt(
    pairs: Sequence[Tuple[str, str]],
    seconds: float = 10,
    outside: Outside = Outside(),  # noqa: B008 (a value)
    all_seconds: float = 100,
) -> TrialResult:
    """Load pairs of an original and a patched file; the member is the path of the patched one."""
    files = [Trial(patched, original, patched) for original, patched in pairs]
    with tempfile.TemporaryDirectory() as folder:
        return try_loading(files, outside, folder, {}, Limits(seconds, all_seconds))


def within(seconds: float, condition: Callable[[], object]) -> bool:
    """Return whether a condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def running(path: Path) -> bool:
    """Return whether a process is running whose id a file has; a zombie is not."""
    try:
        stat = Path("/proc", path.read_text().strip(), "stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))
