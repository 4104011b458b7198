"""Expands RPATH and RUNPATH entries as the loaders of the two libc families do.

Sources: glibc elf/dl-load.c; musl ldso/dynlink.c; ld.so(8).
"""

from __future__ import annotations

import re
from typing import Iterator, Sequence

from manyshim.audit.tags import MUSL

_ORIGIN = r"(?s)\$(?:ORIGIN|\{ORIGIN\})(?P<rest>|/.*)"
_EXPANDS = r"(?s)(?:[^$]|\$ORIGIN|\$\{ORIGIN\})*"


def after_origin(entries: Sequence[str], libc: str) -> Iterator[str]:
    """Yield the rest of each entry that begins with `$ORIGIN`.

    Other entries cannot lead to a file of the wheel. musl ignores all entries if one of them has a
    variable other than `$ORIGIN`.
    """
    if libc == MUSL and not all(re.fullmatch(_EXPANDS, entry) for entry in entries):
        return
    for entry in entries:
        match = re.fullmatch(_ORIGIN, entry)
        if match:
            yield match.group("rest")
