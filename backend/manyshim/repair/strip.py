"""Strip files. No other module calls strip.

Files are stripped before they are patched. GNU strip damages the layout of a file that patchelf has
extended (NixOS/patchelf#507, pypa/auditwheel#716).
"""

from __future__ import annotations

import os
import shutil
from typing import Iterator, Mapping, Optional

from manyshim.audit.tags import ARCHES
from manyshim.errors import ToolError
from manyshim.process import operand, run, seconds_for, writable

# "all" keeps only the symbols that the loader needs, as auditwheel does.
_OPTIONS = {"debug": "--strip-debug", "all": "--strip-all"}
# Architectures whose binutils also handle each other's files.
_COMPATIBLE = (frozenset(("x86_64", "i686")),)


def strip(
    path: str, what: str, arch: str, host_arch: str, environ: Optional[Mapping[str, str]] = None
) -> None:
    """Strip a private copy: its debug information ("debug") or all that no loader needs ("all").

    Raises ToolError if there is no strip for `arch` on PATH, or if it fails.
    """
    environ = os.environ if environ is None else environ
    search = environ.get("PATH", "")
    for name in _names(arch, host_arch):
        tool = shutil.which(name, path=search)
        if tool:
            break
    else:
        raise ToolError(
            f"{os.path.basename(path)} cannot be stripped: no strip for {arch} on PATH (tried "
            f"{', '.join(_names(arch, host_arch))}); install binutils or LLVM, or do not strip"
        )
    with writable(path):
        run([tool, _OPTIONS[what], operand(path)], environ, seconds_for(path))


def _names(arch: str, host_arch: str) -> Iterator[str]:
    native = arch == host_arch or any({arch, host_arch} <= group for group in _COMPATIBLE)
    if native:
        yield "strip"
    else:
        cpu = "i686" if arch == "i686" else ARCHES[arch].triplet
        suffix = "eabihf" if arch == "armv7l" else ""
        yield f"{cpu}-linux-gnu{suffix}-strip"
        yield f"{cpu}-linux-musl{suffix}-strip"
    yield "llvm-strip"
