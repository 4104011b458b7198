"""The signals that end a release."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from manyshim.release import interrupts
from manyshim.release.children import Children
from manyshim.release.interrupts import ended_by_signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_second_signal_does_not_disturb_the_end(name: str) -> None:
    number = getattr(signal, name)
    # nohup makes its children ignore SIGHUP.
    before = signal.signal(number, signal.default_int_handler)
    ended = []

    def end_twice() -> None:
        with ended_by_signals():
            try:
                os.kill(os.getpid(), number)
            finally:
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), signal.SIGINT)
                ended.append("all children")

    try:
        with pytest.raises(KeyboardInterrupt):
            end_twice()
        assert ended
        assert signal.getsignal(number) == signal.default_int_handler
    finally:
        signal.signal(number, before)


def test_a_later_signal_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is kept from ending a run that hangs."""
    monkeypatch.setattr(interrupts, "_DEAF_SECONDS", -1.0)
    count = 0
    with ended_by_signals():
        for _ in range(2):
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                count += 1
    assert count == 2


def test_what_the_caller_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_ends_the_child_that_is_waited_for(tmp_path: Path) -> None:
    """The sdist is built by the main thread."""
    note = tmp_path / "pid"
    code = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    def end() -> None:
        while not (note.exists() and note.read_text(encoding="utf-8")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    ending = threading.Thread(target=end)
    ending.start()
    command = ["/bin/sh", "-c", '"$@"; true', "sh", sys.executable, "-c", code]
    with ended_by_signals(), pytest.raises(KeyboardInterrupt):
        Children().run(command, str(tmp_path / "log"), str(tmp_path), os.environ)
    ending.join()
    child = int(note.read_text(encoding="utf-8"))
    limit = time.monotonic() + 10
    while is_running(child) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] != "Z"
