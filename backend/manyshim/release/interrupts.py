"""The signals that end a release: each child is ended, and what is finished stays."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import Iterator, Optional

# Windows has no SIGHUP.
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
# While the children end, people press Ctrl-C again, and that must not leave one behind.
_DEAF_SECONDS = 8.0


class _Handler:
    """Raises KeyboardInterrupt, but not again as long as the children are being ended."""

    def __init__(self) -> None:
        self._first: Optional[float] = None

    def __call__(self, *_: object) -> None:
        now = time.monotonic()
        if self._first is None or now - self._first > _DEAF_SECONDS:
            self._first = now
            raise KeyboardInterrupt


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let the signals that end a process raise KeyboardInterrupt, so that children are ended.

    Those that the caller ignores stay so (nohup).
    """
    handler = _Handler()
    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    heard = [one for one in numbers if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, handler) for one in heard}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
