"""The command that runs a Python of another system, and what that Python says of itself."""

from __future__ import annotations

import os
import re
import subprocess
from functools import lru_cache
from typing import Optional, Sequence, Tuple

from manyshim import host
from manyshim.audit.tags import GLIBC, MUSL
from manyshim.emulator import find_qemu, musl_loader, qemu_name
from manyshim.release.asking import VERSION
from manyshim.release.systems import Python
from manyshim.values import NamedTuple

# After its version, a Python prints `glibc 2.36` if it has that (confstr(3)).
_ASK = f"""{VERSION}
import os
try:
    print(os.confstr("CS_GNU_LIBC_VERSION"))
except (ValueError, OSError):
    pass
"""
_SAID = re.compile(r"^cpython (3\.\d+t?)$", re.ASCII | re.MULTILINE)
_MUSL_VERSION = re.compile(r"Version (\d+)\.(\d+)", re.ASCII)
_GLIBC_VERSION = re.compile(r"glibc (\d+)\.(\d+)", re.ASCII)
_SECONDS = 120


class Machine(NamedTuple):
    """What this machine can run: its architecture, and the family and version of its libc.

    `libc` is None on other systems than Linux.
    """

    arch: str
    libc: Optional[str]
    version: Tuple[int, int]


class Runner(NamedTuple):
    """How a Python of a system is run: the words before the path of its program.

    `version` is that of its Python, `libc_version` that of its libc. `problem` tells why it cannot
    be run, and how that is fixed.
    """

    python: Python
    before: Tuple[str, ...] = ()
    version: str = ""
    libc_version: Tuple[int, int] = (0, 0)
    problem: str = ""


@lru_cache(maxsize=None)
def this_machine() -> Machine:
    """Return what this machine can run."""
    libc, arch = host.interpreter_libc(), host.host_arch()
    if libc == GLIBC:
        found = _GLIBC_VERSION.search(os.confstr("CS_GNU_LIBC_VERSION") or "")
    elif libc == MUSL:
        found = _MUSL_VERSION.search(_answer([musl_loader(arch)]) or "")
    else:
        found = None
    return Machine(arch, libc, _numbers(found))


@lru_cache(maxsize=None)
def runner(python: Python) -> Runner:
    """Return how a Python of a system is run here. It is run once, and asked for its version."""
    loader = python.loader
    if loader is not None:
        words: Tuple[str, ...] = (loader, "--library-path", os.pathsep.join(python.libraries))
    elif os.path.exists(python.interpreter):
        words = ()  # python-build-standalone has no libc; this machine has it
    else:
        lack = f"{python.system} has no {python.interpreter}; unpack the libc of {python.arch} too"
        return Runner(python, problem=lack)
    emulator: Tuple[str, ...] = ()
    said = _answer([*words, python.path, "-I", "-c", _ASK])
    if said is None:
        program = find_qemu(python.arch)
        if program is None:
            lack = f"{qemu_name(python.arch)} is not found; install qemu-user-static"
            return Runner(python, problem=lack)
        emulator = (program,)
        said = _answer([*emulator, *words, python.path, "-I", "-c", _ASK]) or ""
    found = _SAID.search(said)
    if found is None:
        last = (said.splitlines() or ["it prints nothing"])[-1]
        return Runner(python, problem=f"{python.path} cannot be run: {last}")
    pattern = _GLIBC_VERSION
    if python.libc == MUSL:
        # Its loader without a program prints its version, and fails.
        said = _answer([*emulator, loader or python.interpreter]) or ""
        pattern = _MUSL_VERSION
    return Runner(python, (*emulator, *words), found[1], _numbers(pattern.search(said)))


def _numbers(found: Optional[re.Match[str]]) -> Tuple[int, int]:
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _answer(command: Sequence[str]) -> Optional[str]:
    """Return what a command prints; None if the kernel cannot run it."""
    environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(  # noqa: S603 (a Python that the user has given)
            list(command),
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except OSError:
        return None
    except subprocess.TimeoutExpired:
        return f"it does not end within {_SECONDS} s"
    return done.stdout.decode(errors="replace").strip()
