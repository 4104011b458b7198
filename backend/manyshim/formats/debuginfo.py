"""Where the source uses a symbol: object files or a library into lines of source.

An object file has a relocation for each use of a symbol that it does not define, and a program
that gives the addresses of its code their lines. In a linked library the relocations are gone,
but compilers describe the calls in optimised code.

All this only explains: what cannot be read, or not in time, is left out, and nothing is raised.

Sources: ELF gABI chapter 4; DWARF 5 sections 3.4 and 6.2; the psABIs of RISC-V and LoongArch;
the Itanium C++ ABI chapter 5.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
from bisect import bisect_left, bisect_right
from contextlib import nullcontext, suppress
from time import monotonic
from typing import (
    TYPE_CHECKING,
    BinaryIO,
    Collection,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
)

if TYPE_CHECKING:  # a build that has nothing to explain does not load pyelftools
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.die import DIE
    from elftools.dwarf.dwarfinfo import DWARFInfo
    from elftools.dwarf.lineprogram import LineProgram
    from elftools.elf.sections import Section

_FILES_AT_MOST = 50_000
_OBJECTS_AT_MOST = 2000
_OBJECT_AT_MOST = 64 << 20
_LINES_AT_MOST = 2 << 20
_DEBUG_AT_MOST = 256 << 20

_ET_REL = 1
_SHF_ALLOC, _SHF_EXECINSTR = 2, 4
_STT_FUNC, _STT_FILE, _STT_GNU_IFUNC = 2, 4, 10
_RELOCATIONS = ("SHT_REL", "SHT_RELA")
# The debug sections that hold the lines, and the names of the files and of their folders.
_RELOCATED = (".debug_info", ".debug_line", ".debug_str_offsets")
# Where a linker may shorten code, the compiler leaves distances to it, as sums: the first type
# that adds (R_RISCV_ADD8, R_LARCH_ADD8), the first that subtracts, and the bytes of each in turn.
_SUMS = {"EM_RISCV": (33, 37, (1, 2, 4, 8)), "EM_LOONGARCH": (47, 52, (1, 2, 3, 4, 8))}

_SCOPES = {
    f"DW_TAG_{scope}"
    for scope in ("namespace", "lexical_block", "inlined_subroutine", "try_block", "catch_block")
}
_CALL_SITES = {"DW_TAG_call_site", "DW_TAG_GNU_call_site"}


class SourceLine(NamedTuple):
    """A use: line 0 where the compiler gave it none, and no file where it recorded none (no -g).

    The file is relative where it lies in the project, and otherwise as the compiler knew it.
    """

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        inside = f"in {self.function}()" if self.function else ""
        return " ".join(filter(None, (place, inside, "" if place else "(compiled without -g)")))


_Uses = Dict[str, Tuple[SourceLine, ...]]
_Lines = Dict[int, Tuple[str, int]]


def uses(
    folders: Sequence[str], symbols: Collection[str], *, root: str = "", seconds: float = 10.0
) -> _Uses:
    """Find the lines that use each of `symbols`, by the object files in `folders`.

    A symbol of which no use is found is no key. Files below `root`, by default the working
    directory, are named relative to it. After `seconds` no further file is opened.
    """
    names, found = _bare(symbols), set()
    for path in _object_files(folders, monotonic() + seconds):
        with suppress(Exception), open(path, "rb") as file:
            found.update(_uses_in_object(bytearray(file.read()), names))
    return _by_symbol(symbols, found, root)


def uses_in_library(
    library: Union[str, BinaryIO],
    symbols: Collection[str],
    *,
    root: str = "",
    seconds: float = 10.0,
) -> _Uses:
    """Find the lines that call each of `symbols`, as far as a linked library describes them.

    Compilers describe calls in optimised code with debug information, and no other uses than
    calls. Otherwise as `uses`.
    """
    names, found, deadline = _bare(symbols), set(), monotonic() + seconds
    source = open(library, "rb") if isinstance(library, str) else nullcontext(library)
    with suppress(Exception), source as file:
        for use in _calls(file, names, deadline):
            found.add(use)
    return _by_symbol(symbols, found, root)
