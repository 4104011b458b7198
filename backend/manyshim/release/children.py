"""The child processes of a release: each with its log, its time, and an end when the user asks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from manyshim.errors import ManyshimError, ToolError
from manyshim.values import NamedTuple

# How long children may take to end themselves.
_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.05
_GROUPS = hasattr(os, "killpg")


class StoppedError(ManyshimError):
    """The release is ending, and starts no child any more."""


class Ended(NamedTuple):
    """A child that has ended: its exit code, negative for a signal, and what it took.

    `cpu` is in seconds, of the child and its own children; None where the system does not tell.
    `late` tells that it was ended because its time was over.
    """

    code: int
    seconds: float
    cpu: Optional[float]
    late: bool = False


class Children:
    """Starts children in groups of their own, and ends all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Set[int] = set()
        self._stopped = False

    def run(
        self,
        command: Sequence[str],
        log: str,
        folder: str,
        environ: Mapping[str, str],
        limit: Optional[float] = None,
    ) -> Ended:
        """Run a command until it ends; its output is appended to a file.

        After `limit` seconds it is ended. Raises ToolError if it cannot be started, and
        StoppedError if the release is ending.
        """
        began = time.monotonic()
        with open(log, "ab") as output:
            process = self._start(command, folder, environ, output)
        try:
            late = limit is not None and not _ends_within(process, limit)
            if late:
                _end([process.pid])
            code, cpu = _wait(process)
        except BaseException:
            # Ctrl-C in the main thread, which waits for the sdist.
            _end([process.pid])
            process.wait()
            raise
        finally:
            with self._lock:
                self._running.discard(process.pid)
        if self._stopped:
            raise StoppedError("stopped")
        return Ended(code, time.monotonic() - began, cpu, late)

    def _start(
        self, command: Sequence[str], folder: str, environ: Mapping[str, str], output: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise StoppedError("stopped")
            options: Dict[str, Any] = {"start_new_session": True} if _GROUPS else {}
            try:
                process = subprocess.Popen(  # noqa: S603 (a frontend, or the user's own command)
                    list(command),
                    cwd=folder,
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    **options,
                )
            except OSError as error:
                raise ToolError(f"{command[0]}: cannot be run: {error.strerror}") from error
            self._running.add(process.pid)
            return process

    def end_all(self) -> None:
        """End all children with their own children, and start none any more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        _end(running)


def _wait(process: subprocess.Popen[bytes]) -> Tuple[int, Optional[float]]:
    if sys.platform == "win32":
        return process.wait(), None
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except ChildProcessError:
        # It was waited for before.
        return process.wait(), None
    process.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the end of a process without reaping it, so that its CPU time can still be read."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if sys.platform == "win32":
            if process.poll() is not None:
                return True
        elif not _is_alive(process.pid):
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _end(processes: List[int]) -> None:
    """End groups of processes: first with SIGTERM, after a while with SIGKILL."""
    _signal(processes, signal.SIGTERM)
    end = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < end and any(map(_is_alive, processes)):
        time.sleep(_POLL_SECONDS)
    _signal(processes, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(processes: List[int], number: int) -> None:
    for process in processes:
        with suppress(OSError):
            if _GROUPS:
                os.killpg(process, number)
            else:
                os.kill(process, number)


def _is_alive(process: int) -> bool:
    """Whether a child has not ended; one that has may still wait to be reaped."""
    if sys.platform == "win32":
        return False
    try:
        return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False
