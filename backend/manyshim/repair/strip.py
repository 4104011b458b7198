"""Strip files. No other module calls strip.

Files are stripped before they are patched, so that every tool sees the layout of a linker.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import Iterator, Mapping, Optional

from manyshim.audit.tags import ARCHES
from manyshim.errors import ToolError
from manyshim.process import run, seconds_for, writable

# "all" keeps only the symbols that the loader needs, as auditwheel does.
_OPTIONS = {"debug": "--strip-debug", "all": "--strip-all"}
_VERSION_SECONDS = 10.0
_MAX_VERSION_LINES = 5
_MAX_VERSION = 100
# Architectures whose binutils also handle each other's files.
_COMPATIBLE = (frozenset(("x86_64", "i686")),)


def strip(  # noqa: PLR0913 (independent facts of one file)
    path: str,
    what: str,
    arch: str,
    host_arch: str,
    environ: Optional[Mapping[str, str]] = None,
    *,
    name: str = "",
) -> None:
    """Strip a private copy: its debug information ("debug") or all that no loader needs ("all").

    Messages have `name` instead of the path, by default the last part of the path. Raises ToolError
    if there is no strip for `arch` on PATH, or if it fails.
    """
    environ = os.environ if environ is None else environ
    folder, base = os.path.split(os.path.abspath(path))
    name = name or base
    tool = _find(arch, host_arch, environ.get("PATH", ""))
    if tool is None:
        raise ToolError(
            f"{name} cannot be stripped: no strip for {arch} on PATH (tried "
            f"{', '.join(_names(arch, host_arch))}); install binutils or LLVM, or do not strip"
        )
    with writable(path, name):
        try:
            # In the file's folder, so that no message of the tool has the path of that folder.
            command = [tool, _OPTIONS[what], os.path.join(os.curdir, base)]
            run(command, environ, seconds_for(path), folder=folder)
        except ToolError as error:
            what_failed, *quoted = map(str, error.args)
            raise ToolError(
                f"{name} cannot be stripped by {_version(tool, environ)}: {what_failed}",
                *quoted,
                "  install another version of it, or do not strip",
            ) from error


def _find(arch: str, host_arch: str, search: str) -> Optional[str]:
    found = (shutil.which(name, path=search) for name in _names(arch, host_arch))
    path = next(filter(None, found), None)
    return path and os.path.abspath(path)


def _version(tool: str, environ: Mapping[str, str]) -> str:
    """Return a tool's name, with its version if it prints one."""
    name = os.path.basename(tool)
    try:
        printed = run([tool, "--version"], environ, _VERSION_SECONDS).split("\n")
    except ToolError:
        return name
    # GNU strip prints "GNU strip (GNU Binutils) 2.40" first, and llvm-strip its version after that.
    lines = (line.strip() for line in printed[:_MAX_VERSION_LINES])
    version = next((line for line in lines if re.search(r"[0-9]\.[0-9]", line)), "")
    if not version or name in version:
        return version[:_MAX_VERSION] or name
    return f"{name} ({version[:_MAX_VERSION]})"


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
