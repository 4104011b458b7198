"""Runs one function over many wheels in several processes, each of which may be killed."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection, wait
from typing import Callable, Deque, Dict, Generic, Iterator, List, Sequence, TypeVar

_Result = TypeVar("_Result")


def spread(
    work: Callable[[str], _Result],
    lost: Callable[[str, str], _Result],
    wheels: Sequence[str],
    jobs: int,
) -> Iterator[_Result]:
    """Yield `work(wheel)` for each wheel, in order.

    If the process that works on a wheel ends before, the result is `lost(wheel, how)`, and another
    process takes its place.
    """
    waiting: Deque[int] = deque(range(len(wheels)))
    results: Dict[int, _Result] = {}
    workers: List[_Worker[_Result]] = []
    following = 0
    try:
        while following < len(wheels):
            while waiting and len(workers) < jobs:
                try:
                    workers.append(_Worker(work))
                except OSError:
                    # The system gives no further process. Those that run take all wheels.
                    jobs = len(workers)
                    break
                workers[-1].begin(waiting.popleft(), wheels)
            if not workers:
                at = waiting.popleft()
                results[at] = work(wheels[at])
            for worker in _ready(workers) if workers else ():
                try:
                    results[worker.current] = worker.receive()
                except (EOFError, OSError):
                    workers.remove(worker)
                    results[worker.current] = lost(wheels[worker.current], worker.end())
                    continue
                if waiting:
                    worker.begin(waiting.popleft(), wheels)
                else:
                    workers.remove(worker)
                    worker.end()
            while following in results:
                yield results.pop(following)
                following += 1
    finally:
        for worker in workers:
            worker.process.terminate()
            worker.end()


class _Worker(Generic[_Result]):
    """A process, the connection to it, and the index of the wheel that it works on."""

    def __init__(self, work: Callable[[str], _Result]) -> None:
        self.current = -1
        self.connection, far_end = Pipe()
        self.process = Process(target=_serve, args=(far_end, work), daemon=True)
        self.process.start()
        # Only the worker holds its end now, so that this one sees when the worker is gone.
        far_end.close()

    def begin(self, index: int, wheels: Sequence[str]) -> None:
        self.current = index
        # A process that is gone is noticed when its result is read.
        with suppress(OSError):
            self.connection.send(wheels[index])

    def receive(self) -> _Result:
        """Return the result. Raises EOFError or OSError if the process has ended without one."""
        if not self.connection.poll():
            raise EOFError
        result: _Result = self.connection.recv()
        return result

    def end(self) -> str:
        """End the process, if it still waits for a wheel; return how it ended."""
        # The processes that were started later have copies of this end, so closing is not enough.
        with suppress(OSError):
            self.connection.send(None)
        self.process.join()
        self.connection.close()
        code = self.process.exitcode or 0
        from manyshim.process import ending  # noqa: PLC0415 (only after a failure)

        return ending(code) if code < 0 else f"ended with exit code {code}"


def _ready(workers: Sequence[_Worker[_Result]]) -> List[_Worker[_Result]]:
    """Wait until a worker has a result or is gone; return all of these."""
    found = wait([one.connection for one in workers] + [one.process.sentinel for one in workers])
    return [one for one in workers if one.connection in found or one.process.sentinel in found]


def _serve(connection: Connection, work: Callable[[str], object]) -> None:
    """Work on one wheel after another, until there is none or the other end is closed."""
    with suppress(EOFError, OSError, KeyboardInterrupt):
        for wheel in iter(connection.recv, None):
            connection.send(work(wheel))
