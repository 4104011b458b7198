"""Find the source lines that use a symbol, in object files or a linked library.

An object file has a relocation for each use of a symbol that it does not define. Its line program
maps addresses of code to source lines. A linked library no longer has these relocations, but
compilers describe the calls in optimised code.

The results are only explanations. What cannot be read, or not in time, is left out. Nothing is
raised.

Sources: ELF gABI chapter 4; DWARF 5 sections 3.4 and 6.2.
"""

from __future__ import annotations

import os
import stat
import struct
from bisect import bisect_left
from contextlib import ExitStack, suppress
from time import monotonic
from typing import (
    TYPE_CHECKING,
    BinaryIO,
    Collection,
    Dict,
    Iterable,
    Iterator,
    Sequence,
    Set,
    Tuple,
    Union,
)

from manyshim.audit.facts import RELOCATABLE, SourceLine
from manyshim.formats.elf.relocatable import (
    Place,
    Relocatable,
    bare,
    compile_units,
    decoded,
    has_finite_header,
    readable,
)

if TYPE_CHECKING:  # a build that has nothing to explain does not load pyelftools
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.die import DIE

_MAX_FILES = 50_000
_MAX_OBJECTS = 2000
_MAX_OBJECT = 64 << 20
# How fast pyelftools decodes a line program. It cannot be stopped within one.
_BYTES_A_SECOND = 400_000

# How the tags of scopes that contain calls end, and those of calls (DWARF's, and GNU's older one).
_SCOPES, _CALL_SITE = ("_namespace", "_block", "_inlined_subroutine"), "_call_site"
_ORIGINS = ("DW_AT_call_origin", "DW_AT_abstract_origin", "DW_AT_specification")
# Attributes with the address of a call, and how many bytes before it the call is. In a
# GNU_call_site, low_pc is a return address.
_PLACES = (("DW_AT_call_pc", 0), ("DW_AT_call_return_pc", 1), ("DW_AT_low_pc", 1))


_Uses = Dict[str, Tuple[SourceLine, ...]]
_Found = Iterator[Tuple[str, SourceLine]]
_Lines = Dict[int, Tuple[str, int]]


def uses(
    folders: Sequence[str], symbols: Collection[str], root: str = "", seconds: float = 10.0
) -> _Uses:
    """Return the lines that use each of `symbols`, from the object files below `folders`.

    A symbol without a known use has no key. Paths below `root`, by default the working directory,
    are relative to it. The search stops after `seconds`.
    """
    names, deadline = set(map(bare, symbols)), monotonic() + seconds
    found: Set[Tuple[str, SourceLine]] = set()
    for path in _object_files(folders, deadline):
        with suppress(Exception), open(path, "rb") as file:
            found.update(_uses_in_object(bytearray(file.read()), names, deadline))
    return _by_symbol(symbols, found, root)


def uses_in_library(
    library: Union[str, BinaryIO], symbols: Collection[str], root: str = "", seconds: float = 10.0
) -> _Uses:
    """Return the lines that call each of `symbols`, as far as a linked library describes them.

    Compilers describe only calls, and only in optimised code with debug information. The other
    arguments and the result are as for `uses`.
    """
    names, deadline = set(map(bare, symbols)), monotonic() + seconds
    found: Set[Tuple[str, SourceLine]] = set()
    with suppress(Exception), ExitStack() as stack:
        file = stack.enter_context(open(library, "rb")) if isinstance(library, str) else library
        for call in _calls(file, names, deadline):
            found.add(call)
    return _by_symbol(symbols, found, root)


def _by_symbol(symbols: Iterable[str], found: Set[Tuple[str, SourceLine]], root: str) -> _Uses:
    roots = [os.path.join(place, "") for place in (os.path.abspath(root), os.path.realpath(root))]
    lines: Dict[str, Set[SourceLine]] = {}
    for name, use in found:
        inside = next((len(place) for place in roots if use.file.startswith(place)), 0)
        lines.setdefault(name, set()).add(use._replace(file=use.file[inside:]))
    known = ((symbol, lines.get(bare(symbol))) for symbol in symbols)
    return {symbol: tuple(sorted(places)) for symbol, places in known if places}


def _object_files(folders: Iterable[str], deadline: float) -> Iterator[str]:
    """Yield each relocatable file once. Links to folders are not followed, so there is no loop."""
    seen: Set[Tuple[int, int]] = set()
    walks = (step for folder in folders for step in os.walk(folder))
    objects = 0
    for path in (os.path.join(parent, name) for parent, _, names in walks for name in names):
        if len(seen) >= _MAX_FILES or objects >= _MAX_OBJECTS or monotonic() > deadline:
            return
        with suppress(OSError):
            status = os.stat(path)
            identity = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode) and identity not in seen:
                seen.add(identity)
                if status.st_size <= _MAX_OBJECT and _is_object(path):
                    objects += 1
                    yield path


def _is_object(path: str) -> bool:
    with open(path, "rb") as file:
        head = file.read(18)
    order = "<" if head[5:6] == b"\1" else ">"
    return head.startswith(b"\x7fELF") and head[16:] == struct.pack(order + "H", RELOCATABLE)


def _uses_in_object(data: bytearray, names: Set[str], deadline: float) -> _Found:
    if not any(name.encode() in data for name in names):
        return
    image = Relocatable(data)
    places = list(image.places(names))
    lines: _Lines = {}
    fallback = image.source()
    with suppress(Exception):
        units = image.units() if places else []
        for unit in units:
            lines.update(_lines(unit, places, deadline))
            name = _text(unit.get_top_DIE(), "DW_AT_name")
            fallback = _path(unit, name) if name and len(units) == 1 else fallback
    for place in places:
        file, line = lines.get(place.address, (fallback, 0))
        if file or place.function:
            yield place.name, SourceLine(file, line, place.function)


def _lines(unit: CompileUnit, places: Iterable[Place], deadline: float) -> _Lines:
    """Return the file and line of each place that the unit's line program covers."""
    found: _Lines = {}
    wanted = sorted(place.address for place in places)
    if not wanted or not has_finite_header(unit):
        return found
    program = unit.dwarfinfo.line_program_for_CU(unit)
    if program is None:
        return found
    size = program.program_end_offset - program.program_start_offset
    if size > (deadline - monotonic()) * _BYTES_A_SECOND:
        return found
    files, folders = program["file_entry"], program["include_directory"]
    if program["version"] < 5:  # their indexes start at 1
        files, folders = (None, *files), (b"", *folders)
    row = None
    for state in (entry.state for entry in program.get_entries() if entry.state is not None):
        if row is not None:
            first, end = bisect_left(wanted, row.address), bisect_left(wanted, state.address)
            for address in wanted[first:end]:
                file, folder = files[row.file].name, folders[files[row.file].dir_index]
                found[address] = (_path(unit, decoded(folder), decoded(file)), row.line)
        row = None if state.end_sequence else state
    return found


def _path(unit: CompileUnit, *names: str) -> str:
    folder = _text(unit.get_top_DIE(), "DW_AT_comp_dir")
    return os.path.normpath(os.path.join(folder, *names))


def _text(die: DIE, attribute: str) -> str:
    return decoded(die.attributes[attribute].value) if attribute in die.attributes else ""


def _calls(file: BinaryIO, names: Set[str], deadline: float) -> _Found:
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 (loaded only when asked)

    for unit in compile_units(ELFFile(file)):
        calls = list(_call_sites(unit.get_top_DIE(), "", names, deadline))
        lines = _lines(unit, calls, deadline)
        for call in calls:
            if call.address in lines:
                yield call.name, SourceLine(*lines[call.address], call.function)


def _call_sites(parent: DIE, function: str, names: Set[str], deadline: float) -> Iterator[Place]:
    """Yield the calls of functions that are declared but not defined, with the calling function.

    Raises TimeoutError after the deadline, and ValueError if the entries form a loop.
    """
    last = parent.offset
    for die in parent.iter_children():
        if monotonic() > deadline:
            raise TimeoutError
        if die.offset <= last:
            raise ValueError("the next entry is before this one")
        last = die.offset
        inside, wanted = function, names
        if str(die.tag).endswith(_CALL_SITE):
            yield from _call_places(die, function, names)
            wanted = set()
        elif die.tag == "DW_TAG_subprogram" and "DW_AT_declaration" not in die.attributes:
            inside = readable(_linkage_name(die))
        elif not str(die.tag).endswith(_SCOPES):
            wanted = set()
        # Without the place of the next entry, pyelftools reads all entries inside of this one. It
        # has no limit, so they are read here.
        if wanted or "DW_AT_sibling" not in die.attributes:
            yield from _call_sites(die, inside, wanted, deadline)


def _call_places(die: DIE, function: str, names: Set[str]) -> Iterator[Place]:
    name = _linkage_name(die)
    if name in names and "DW_AT_declaration" in _named(die).attributes:
        for attribute, back in _PLACES:
            if attribute in die.attributes:
                yield Place(name, die.attributes[attribute].value - back, function)


def _linkage_name(die: DIE) -> str:
    named = _named(die)
    return _text(named, "DW_AT_linkage_name") or _text(named, "DW_AT_name")


def _named(die: DIE) -> DIE:
    """Return the entry with the name: of a call's function, or of the original of a copy."""
    for _ in range(8):  # a damaged entry may refer to itself
        origin = next((name for name in _ORIGINS if name in die.attributes), None)
        if origin is None or "DW_AT_name" in die.attributes:
            break
        die = die.get_DIE_from_attribute(origin)
    return die
