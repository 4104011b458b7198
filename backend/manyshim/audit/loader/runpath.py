"""RPATH and RUNPATH entries, as the loaders of the two libc families expand them.

Sources: glibc elf/dl-load.c; musl ldso/dynlink.c; ld.so(8).
"""

from __future__ import annotations

import re
from typing import Iterator, Sequence

from manyshim.audit.tags import MUSL

_ORIGIN = r"(?s)\$(?:ORIGIN|\{ORIGIN\})(?P<rest>|/.*)"
_EXPANDS = r"(?s)(?:[^$]|\$ORIGIN|\$\{ORIGIN\})*"


def behind_origin(entries: Sequence[str], libc: str) -> Iterator[str]:
    """Yield what follows `$ORIGIN` in each entry that begins with it.

    Other entries cannot lead to a file of the wheel. In musl one variable that it does not know
    voids the whole path.
    """
    if libc == MUSL and not all(re.fullmatch(_EXPANDS, entry) for entry in entries):
        return
    for entry in entries:
        match = re.fullmatch(_ORIGIN, entry)
        if match:
            yield match.group("rest")
