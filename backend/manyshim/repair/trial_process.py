"""Entry point of the process that loads files with dlopen, each in a child process of its own.

trial.py imports it in a new interpreter. Standard input has, separated by NUL, the limit in seconds
for one file and for all files, and the paths. Each file gives one line: its index, whether the
limit ended it, the exit status, and the message in hexadecimal digits ("+", or "-" and the reason).
The line `limit` says that there was no time for the other files.

It imports nothing of manyshim, and little else, so that it starts fast: importing signal, tempfile
or subprocess would take as long as everything else. No file can use a library that another file
loaded, and a crash affects one file only. Functions are bound lazily, so a module for another
Python version does not fail because this one lacks a function. ctypes.CDLL would bind immediately
(RTLD_NOW), so dlopen is called directly.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

_SIGKILL = 9
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# More than a message with two of the longest paths has.
_MAX_MESSAGE_BYTES = 16384
# When the output has this size, messages of the second size or more are left out.
_MAX_OUTPUT_BYTES = 1 << 22
_MAX_LATE_BYTES = 512
_OMITTED = b"-its message is too long to be kept"
_LENGTH_BYTES = 4
# How long killed processes may take to end, in seconds.
_MAX_END_SECONDS = 10.0
_PAUSE_SECONDS = 0.001
_LIBC = ctypes.CDLL(None)


def main() -> None:
    """Load the files that standard input names, and print a line for each."""
    file_seconds, all_seconds, *paths = sys.stdin.buffer.read().split(b"\0")
    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    _LIBC.dlopen.restype, _LIBC.dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    _LIBC.dlerror.restype = ctypes.c_char_p
    _LIBC.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    # Processes whose parents have ended become children of this process, which then ends them.
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _without_core_dumps()
    memory = mmap.mmap(-1, _LENGTH_BYTES + _MAX_MESSAGE_BYTES)
    end = time.monotonic() + float(all_seconds)
    printed = 0
    for index, path in enumerate(paths):
        left = end - time.monotonic()
        hung, status = _load(path, memory, out, min(left, float(file_seconds)))
        if hung and left < float(file_seconds):
            os.write(out, b"limit\n")
            return
        size = int.from_bytes(memory[:_LENGTH_BYTES], "little")
        message = memory[_LENGTH_BYTES : _LENGTH_BYTES + size]
        if printed > _MAX_OUTPUT_BYTES and size >= _MAX_LATE_BYTES:
            message = _OMITTED
        line = b"%d %d %d %b\n" % (index, hung, status, message.hex().encode())
        printed += os.write(out, line)


def _without_core_dumps() -> None:
    """Let crashes write no core dumps, and start no program that handles them.

    The kernel starts that program also with the limit 0, but not with 1 (core(5)).
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except (OSError, ValueError):
        return


def _load(path: bytes, memory: mmap.mmap, out: int, seconds: float) -> tuple[bool, int]:
    """Load a file in a child process; return whether it took too long, and the exit status.

    The message is in `memory`: its length, then its bytes. A pipe would not do, because libraries
    may close all descriptors.
    """
    memory[:_LENGTH_BYTES] = bytes(_LENGTH_BYTES)
    child = os.fork()
    if not child:
        os.close(out)
        _load_here(path, memory)
    status = _wait(child, time.monotonic() + seconds)
    for kill in (os.killpg, os.kill) if status < 0 else (os.killpg,):
        _try(kill, child)
    _end_children()
    return status < 0, max(status, 0)


def _load_here(path: bytes, memory: mmap.mmap) -> None:
    """Load a file, leave the message in `memory`, and end this process."""
    try:
        os.setsid()
        _LIBC.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        own = os.getpid()
        message = b"+"
        if not _LIBC.dlopen(path, os.RTLD_LAZY):
            message = b"-" + (_LIBC.dlerror() or b"?")[: _MAX_MESSAGE_BYTES - 1]
        # A library may fork, and both processes return from dlopen.
        if os.getpid() == own:
            memory[_LENGTH_BYTES : _LENGTH_BYTES + len(message)] = message
            memory[:_LENGTH_BYTES] = len(message).to_bytes(_LENGTH_BYTES, "little")
    finally:
        os._exit(0)


def _wait(child: int, deadline: float) -> int:
    """Return the exit status of a child; -1 if it has not ended in time."""
    while True:
        try:
            found, status = os.waitpid(child, os.WNOHANG)
        except ChildProcessError:
            # SIGCHLD is ignored, so the system keeps no exit status.
            return 0
        if found:
            return status
        if time.monotonic() > deadline:
            return -1
        time.sleep(_PAUSE_SECONDS)


def _end_children() -> None:
    """Kill every process that a library started, also those in sessions of their own."""
    deadline = time.monotonic() + _MAX_END_SECONDS
    while time.monotonic() < deadline:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            for child in _children():
                _try(os.kill, child)
            time.sleep(_PAUSE_SECONDS)


def _try(kill: Callable[[int, int], None], process: int) -> None:
    # contextlib would cost the start more than this function.
    try:
        kill(process, _SIGKILL)
    except OSError:
        return


def _children() -> list[int]:
    """List the children of this process (proc(5): the fourth field of stat)."""
    own, found = os.getpid(), []
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    for name in filter(str.isdigit, names):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == own:
            found.append(int(name))
    return found
