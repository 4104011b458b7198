"""Load patched files with this machine's own dynamic loader, in child processes.

Functions are bound lazily, so a module for another Python version does not fail because this one
lacks a function. Missing data symbols fail in both files, so such a file is skipped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Dict, List, Mapping, Sequence, Tuple

# Each file has its own process, forked from one that has already imported ctypes. No file can use
# a library that another file loaded, and a crash or hang affects one file only. ctypes.CDLL would
# bind immediately (RTLD_NOW), so dlopen is called directly. SIGKILL is written as 9: importing
# signal would take as long as everything else.
_CHILD = """\
import ctypes, os, select, sys
seconds, *paths = sys.stdin.buffer.read().split(b"\\0")
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_RDWR), 1)
os.dup2(1, 2)
library = ctypes.CDLL(None)
library.dlopen.restype, library.dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
library.dlerror.restype = ctypes.c_char_p
for index, path in enumerate(paths):
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        os.close(receive)
        os.close(out)
        os.setsid()
        message = b"+"
        if not library.dlopen(path, os.RTLD_LAZY):
            message = b"-" + (library.dlerror() or b"?")[:2000]
        os.write(send, message)
        os._exit(0)
    os.close(send)
    ready = select.select([receive], [], [], float(seconds))[0]
    message = os.read(receive, 4096) if ready else b""
    os.close(receive)
    hung = not ready
    status = 0
    if not hung and not message:
        status = os.waitpid(child, 0)[1]
    else:
        for kill in (os.killpg, os.kill):
            try:
                kill(child, 9)
            except OSError:
                pass
        os.waitpid(child, 0)
    os.write(out, b"%d %d %d %b\\n" % (index, hung, status, message.hex().encode()))
"""
_START_SECONDS = 60.0
_LIBRARY_PATH = "LD_LIBRARY_PATH"


def load_failures(files: Sequence[Tuple[str, str]], timeout: float) -> Dict[str, str]:
    """Return the patched files that cannot be loaded though their originals can, with the reasons.

    `files` are pairs of an original and a patched path. `timeout` is the limit for one file in
    seconds. If no child process can be started, nothing was tested and the result is empty.
    """
    environ = dict(os.environ)
    without_path = {name: value for name, value in environ.items() if name != _LIBRARY_PATH}
    failed = _failures([patched for _, patched in files], timeout, without_path)
    originals = [original for original, patched in files if patched in failed]
    broken = _failures(originals, timeout, environ) if originals else {}
    return {
        patched: failed[patched]
        for original, patched in files
        if patched in failed and original not in broken
    }


def _failures(paths: List[str], timeout: float, environ: Mapping[str, str]) -> Dict[str, str]:
    """Load each file; return the reason for each one that could not be loaded."""
    if not paths:
        return {}
    # With -I the interpreter ignores PYTHON* variables and the working directory.
    command = [sys.executable, "-I", "-S", "-c", _CHILD]
    given = (repr(timeout), *map(os.path.abspath, paths))
    try:
        done = subprocess.run(  # noqa: S603 (the running interpreter)
            command,
            input=b"\0".join(map(os.fsencode, given)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            timeout=_START_SECONDS + timeout * len(paths),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found: Dict[str, str] = {}
    for line in done.stdout.splitlines():
        index, hung, status, output = line.split(b" ")
        message = bytes.fromhex(output.decode()).decode("utf-8", "replace")
        problem = _problem(message, int(status), timeout, hung=hung == b"1")
        if problem:
            found[paths[int(index)]] = problem
    return found


def _problem(output: str, status: int, timeout: float, *, hung: bool) -> str:
    if hung:
        return f"loading it was not finished after {timeout:g} seconds"
    if output:
        return output[1:] if output.startswith("-") else ""
    if os.WIFSIGNALED(status):
        return f"the process that loaded it was killed by {_signal_name(os.WTERMSIG(status))}"
    return f"it ended the process that loaded it (exit code {os.WEXITSTATUS(status)})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
