"""Run a target on one input: count what it does, and keep what it must not do."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, Optional

from outcome import Target

# The limits of one input: seconds of the processor, and KiB of memory.
MAX_SECONDS = 5.0
MAX_MEMORY = 200 << 10


class TooSlowError(BaseException):
    """An input takes more than MAX_SECONDS. The readers cannot suppress it."""


class Measured:
    """A target that records outcomes. It saves the first input of each crash below `folder`.

    A crash is an exception that is not documented, or a limit that is exceeded. Fuzzing goes on.
    """

    def __init__(self, target: Target, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self.outcomes: Counter[str] = Counter()
        self.crashes: Counter[str] = Counter()
        self.slowest = 0.0
        signal.signal(signal.SIGPROF, _too_slow)

    def __call__(self, data: bytes) -> None:
        """Run one input."""
        memory, began = _memory(), time.process_time()
        try:
            signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
            outcome = self._target.run(data)
            signal.setitimer(signal.ITIMER_PROF, 0)
        except (Exception, TooSlowError) as error:  # noqa: BLE001 (any is a result)
            signal.setitimer(signal.ITIMER_PROF, 0)
            outcome = "crash"
            self._crash(f"{type(error).__name__} in {_place(error)}", data, error)
        self.slowest = max(self.slowest, time.process_time() - began)
        self.outcomes[outcome] += 1
        if _memory() - memory > MAX_MEMORY:
            self._crash("more than 200 MiB", data)
            forget_peak()

    @property
    def executions(self) -> int:
        """The number of inputs."""
        return sum(self.outcomes.values())

    def as_json(self) -> str:
        """Return the counts as JSON."""
        counts: Dict[str, Any] = {
            "executions": self.executions,
            "outcomes": dict(self.outcomes),
            "crashes": dict(self.crashes),
            "slowest": self.slowest,
            "memory": _memory() >> 10,
        }
        return json.dumps(counts)

    def _crash(self, kind: str, data: bytes, error: Optional[BaseException] = None) -> None:
        self.crashes[kind] += 1
        if self.crashes[kind] > 1:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{self._target.name}-{hashlib.sha256(data).hexdigest()[:12]}"
        (self._folder / name).write_bytes(data)
        lines = traceback.format_exception(type(error), error, error.__traceback__) if error else []
        (self._folder / f"{name}.txt").write_text(kind + "\n" + "".join(lines), encoding="utf-8")


def _memory() -> int:
    """Return the peak memory of the process in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def forget_peak() -> None:
    """Make the present memory the peak, so that a later input is measured too (proc(5))."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _too_slow(*_: object) -> None:
    raise TooSlowError


def _place(error: BaseException) -> str:
    """Return the file and line of manyshim or of the target that raised, or called what did."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "manyshim" in Path(frame.filename).parts or "fuzz" in Path(frame.filename).parts
    ]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
