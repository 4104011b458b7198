"""Fuzz targets: ELF files, and the debug information of object files and libraries."""

from __future__ import annotations

import io
import os
import zlib
from typing import FrozenSet, Optional, Tuple

from manyshim.audit.facts import ElfFile
from manyshim.errors import ToolError
from manyshim.formats.elf import debuginfo, reader
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.patch import patch_file
from manyshim.formats.zip.directory import DEFLATED, STORED
from manyshim.formats.zip.window import MemberError, Window
from manyshim.repair.verify import differences
from outcome import READ, REFUSED, agree, stored

_MEMBER = "demo/demo.cpython-311-x86_64-linux-gnu.so"
_NAMES = frozenset(("PyInit_demo", "demo_new", "demo_state", "malloc", ""))
# What the seeds of debug information use, as tests/support/debugsources.py has it.
_USED = ("pidfd_open", "fcntl64@GLIBC_2.28")
_SECONDS = 2.0
# The seeds need libc.so.6 or nothing; a name that a file does not need is refused.
_PATCH = Patch(soname="lib-with-another-name.so.1", rpath="$ORIGIN/../x.libs", plain_stack=True)

_Facts = Tuple[ElfFile, FrozenSet[str]]


def elf(data: bytes) -> str:
    """Read an ELF file stored and deflated. Both must give the same facts."""
    stored_facts = _facts(Window(io.BytesIO(data), 0, len(data), len(data), STORED))
    deflater = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(data) + deflater.flush()
    deflated = _facts(Window(io.BytesIO(packed), 0, len(packed), len(data), DEFLATED))
    agree("stored and deflated", stored_facts, deflated)
    return REFUSED if stored_facts is None else READ


def _facts(window: Window) -> Optional[_Facts]:
    """Return the facts of a file and the names that it exports; None if it is damaged."""
    try:
        reader.is_elf(window.read(0, min(4, window.size)))
        reading = reader.read(_MEMBER, window)
        asked = _NAMES.union(reading.facts.undefined, reading.facts.strong_versioned)
        found = reading.defined(asked)
    except (ElfError, MemberError):
        return None
    if not found <= asked:
        raise AssertionError(f"not asked for: {found - asked}")
    return reading.facts, found


def patched(data: bytes) -> str:
    """Patch an ELF file, prove what was written, and patch it again, which changes nothing."""
    source = stored("patch", "x.so", data)
    target, again = f"{source}.patched", f"{source}.again"
    try:
        patch_file(source, target, _PATCH)
    except ElfError:
        return REFUSED
    try:
        found = differences(source, target, _PATCH)
    except ToolError:
        # The loader's reader does not read the original, so no repair patches it.
        return READ
    if found:
        raise AssertionError(f"not proved: {found}")
    patch_file(target, again, _PATCH)
    with open(target, "rb") as first, open(again, "rb") as second:
        if first.read() != second.read():
            raise AssertionError("the same patch changes a patched file")
    return READ


def debug_information(data: bytes) -> str:
    """Look for the lines that use a symbol, in an object file or in a library."""
    path = stored("debug", "object.o", data)
    root = os.path.dirname(path)
    if data[16:18] in (b"\1\0", b"\0\1"):
        found = debuginfo.uses([root], _USED, root=root, seconds=_SECONDS)
    else:
        library = io.BytesIO(data)
        found = debuginfo.uses_in_library(library, _USED, root=root, seconds=_SECONDS)
    for line in (line for lines in found.values() for line in lines):
        str(line)
    return READ if found else REFUSED
