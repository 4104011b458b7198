"""Read from a process which libraries of a repaired wheel it has mapped and asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Set, Tuple

# Appended to code that uses a wheel: prints the files that the process has mapped.
MAPS = """
import json
with open("/proc/self/maps") as maps:
    print(json.dumps(sorted({line.split(None, 5)[5].strip() for line in maps if "/" in line})))
"""


def original(name: str) -> Tuple[str, str]:
    """Return the soname of a library and the hash, from its copy's name."""
    found = re.fullmatch(r"(.+)-([0-9a-f]{8})(\..*)", name)
    assert found, name
    return f"{found[1]}{found[3]}", found[2]


def bare(name: str) -> Tuple[str, str]:
    """Return a library's name without its version, and the hash, from its copy's name."""
    soname, digest = original(name)
    return soname.partition(".so")[0], digest


def asked(debug: str, folder: Path) -> Set[str]:
    """Return the names that files below a folder needed, from glibc's LD_DEBUG=files."""
    found = re.findall(r"file=(\S+) \[\d+\];  .* by (\S+) \[\d+\]", debug)
    names = {name for name, user in found if user.startswith(f"{folder}/")}
    assert names, "LD_DEBUG printed the needed files"
    return names
