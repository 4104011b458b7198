"""Patched files are loaded by this machine's own dynamic loader, in child processes.

Lazily, so that a module of another Python version does not fail for a function that this one
lacks; its data do fail, but so they do in the original, and then nothing is proved.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Dict, List, Mapping, Sequence, Tuple

# A process for each file, forked from one that is warm: a file finds no library loaded that
# another one brought, and may crash or hang alone. ctypes.CDLL would bind at once (RTLD_NOW).
# SIGKILL is a number here: the module signal takes as long to import as all the rest.
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


def refused(files: Sequence[Tuple[str, str]], timeout: float) -> Dict[str, str]:
    """Find the patched files that do not load though their originals do, each with the reason.

    `files` are pairs of an original and a patched path; `timeout` are the seconds that one file may
    take. Where no child process can be started nothing is refused, as nothing is proved.
    """
    environ = dict(os.environ)
    bare = {name: value for name, value in environ.items() if name != _LIBRARY_PATH}
    failed = _failures([patched for _, patched in files], timeout, bare)
    doubtful = [original for original, patched in files if patched in failed]
    broken = _failures(doubtful, timeout, environ) if doubtful else {}
    return {
        patched: failed[patched]
        for original, patched in files
        if patched in failed and original not in broken
    }


def _failures(paths: List[str], timeout: float, environ: Mapping[str, str]) -> Dict[str, str]:
    """Load each file; return what went wrong with those that did not load."""
    if not paths:
        return {}
    # With -I the interpreter takes no notice of PYTHON* variables and the working directory.
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
        return f"it was still being loaded after {timeout:g} seconds"
    if output:
        return output[1:] if output.startswith("-") else ""
    if os.WIFSIGNALED(status):
        return f"the process that loaded it was killed by {_signal_name(os.WTERMSIG(status))}"
    return f"it ended the process that loaded it, with exit code {os.WEXITSTATUS(status)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
