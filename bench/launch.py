"""Run one command and print its CPU time, elapsed time and peak memory, in JSON.

The kernel counts CPU time and memory. A child inherits the peak of the process that started it
(getrusage(2) over execve). So this process must be smaller than every measured one: run this file
with `python -I -S`. Its arguments are a time limit in seconds, a file for the command's output, and
the command.
"""

from __future__ import annotations

import os
import signal
import sys
from time import perf_counter


def main() -> None:
    """Run the command in the arguments; kill it and its children at the time limit."""
    limit, output, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    started = perf_counter()
    child = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setpgroup=0,
    )
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(limit)
    try:
        _, status, used = os.wait4(child, 0)
    except KeyboardInterrupt:
        os.killpg(child, signal.SIGKILL)
        raise
    elapsed = perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    cpu = used.ru_utime + used.ru_stime
    sums = f'"cpu": {cpu!r}, "elapsed": {elapsed!r}, "peak": {used.ru_maxrss}'
    print(f'{{"code": {code}, {sums}}}')


if __name__ == "__main__":
    main()
