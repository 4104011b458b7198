"""The one caller of strip.

Always before patchelf: GNU strip lays a file that patchelf has extended out anew, and wrongly
(NixOS/patchelf#507, pypa/auditwheel#716).
"""

from __future__ import annotations

import os
import shutil
from typing import Iterator, Mapping, Optional

from manyshim.audit.tags import ARCHES
from manyshim.errors import ToolError
from manyshim.process import operand, run, seconds_for, writable

# "all" leaves what the loader needs, and no symbol table beside it; auditwheel does so, too.
_OPTIONS = {"debug": "--strip-debug", "all": "--strip-all"}
# Architectures whose files the binutils of the other one know.
_KIN = (frozenset(("x86_64", "i686")),)


def strip(
    path: str, what: str, arch: str, host_arch: str, environ: Optional[Mapping[str, str]] = None
) -> None:
    """Remove the debug information ("debug") or all that no loader needs ("all") of a private copy.

    Raises ToolError where no strip for `arch` is found on PATH, or where it fails.
    """
    environ = os.environ if environ is None else environ
    search = environ.get("PATH", "")
    for name in _names(arch, host_arch):
        tool = shutil.which(name, path=search)
        if tool:
            break
    else:
        raise ToolError(
            f"{os.path.basename(path)} cannot be stripped: no strip for {arch} on PATH, neither of "
            f"{', '.join(_names(arch, host_arch))}; install binutils or LLVM, or do not strip"
        )
    with writable(path):
        run([tool, _OPTIONS[what], operand(path)], environ, seconds_for(path))


def _names(arch: str, host_arch: str) -> Iterator[str]:
    native = arch == host_arch or any({arch, host_arch} <= kin for kin in _KIN)
    if native:
        yield "strip"
    else:
        cpu = "i686" if arch == "i686" else ARCHES[arch].triplet
        suffix = "eabihf" if arch == "armv7l" else ""
        yield f"{cpu}-linux-gnu{suffix}-strip"
        yield f"{cpu}-linux-musl{suffix}-strip"
    yield "llvm-strip"
