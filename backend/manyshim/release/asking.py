"""Asks a program of this machine for one answer, in bounded time."""

from __future__ import annotations

import subprocess
from typing import Optional

# What a Python prints of itself: `cpython 3.13`, or `cpython 3.13t` for the free-threaded one.
VERSION = """
import sys, sysconfig
free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print("%s %d.%d%s" % (sys.implementation.name, *sys.version_info[:2], free))
"""
_SECONDS = 60


def answer(*command: str) -> Optional[str]:
    """Return what a command prints, without spaces around it; None if it fails or takes long."""
    try:
        done = subprocess.run(  # noqa: S603 (uv, or a Python that the user has)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.decode(errors="replace").strip()
