"""Where the source uses a symbol: object files or a library into lines of source.

An object file has a relocation for each use of a symbol that it does not define, and a program
that gives the addresses of its code their lines. In a linked library the relocations are gone,
but compilers describe the calls in optimised code.

All this only explains: what cannot be read, or not in time, is left out, and nothing is raised.

Sources: ELF gABI chapter 4; DWARF 5 sections 3.4 and 6.2; the psABIs of RISC-V and LoongArch;
the Itanium C++ ABI, "Mangling".
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import sys
from bisect import bisect_left, bisect_right
from contextlib import ExitStack, suppress
from time import monotonic
from typing import (
    TYPE_CHECKING,
    BinaryIO,
    Collection,
    Dict,
    Iterable,
    Iterator,
    List,
    Literal,
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
    from elftools.elf.sections import Section

_FILES_AT_MOST = 50_000
_OBJECTS_AT_MOST = 2000
_OBJECT_AT_MOST = 64 << 20
_DEBUG_AT_MOST = 256 << 20
# How fast pyelftools decodes a line program, which it does in one go.
_BYTES_A_SECOND = 400_000

_ET_REL = 1
_SHF_ALLOC, _SHF_EXECINSTR = 2, 4
_STT_FUNC, _STT_FILE, _STT_GNU_IFUNC = 2, 4, 10
# The debug sections that hold the lines and the names of the files and of their folders.
_RELOCATED = (".debug_info", ".debug_line", ".debug_str_offsets")
# Where a linker may shorten code, the distances in it are left to the linker, as sums: the first
# type that adds (R_RISCV_ADD8, R_LARCH_ADD8), the first that subtracts, the bytes of each in turn.
_SUMS = {"EM_RISCV": (33, 37, (1, 2, 4, 8)), "EM_LOONGARCH": (47, 52, (1, 2, 3, 4, 8))}

# The ends of the tags of what calls may be in, and of a call: DWARF's own and GNU's before it.
_SCOPES, _CALL_SITE = ("_namespace", "_block", "_inlined_subroutine"), "_call_site"
_ORIGINS = ("DW_AT_call_origin", "DW_AT_abstract_origin", "DW_AT_specification")
# Where a call is, and how far behind an address in it: GNU_call_site's low_pc is a return address.
_PLACES = (("DW_AT_call_pc", 0), ("DW_AT_call_return_pc", 1), ("DW_AT_low_pc", 1))


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
_Found = Iterator[Tuple[str, SourceLine]]
_Lines = Dict[int, Tuple[str, int]]


def uses(
    folders: Sequence[str], symbols: Collection[str], root: str = "", seconds: float = 10.0
) -> _Uses:
    """Find the lines that use each of `symbols`, by the object files in `folders`.

    A symbol of which no use is found is no key. Files below `root`, by default the working
    directory, are named relative to it. After `seconds` the rest is left alone.
    """
    names, deadline = set(map(_bare, symbols)), monotonic() + seconds
    found: Set[Tuple[str, SourceLine]] = set()
    for path in _object_files(folders, deadline):
        with suppress(Exception), open(path, "rb") as file:
            found.update(_uses_in_object(bytearray(file.read()), names, deadline))
    return _by_symbol(symbols, found, root)


def uses_in_library(
    library: Union[str, BinaryIO], symbols: Collection[str], root: str = "", seconds: float = 10.0
) -> _Uses:
    """Find the lines that call each of `symbols`, as far as a linked library describes them.

    Compilers describe calls in optimised code with debug information, and no uses but calls.
    Otherwise as `uses`.
    """
    names, deadline = set(map(_bare, symbols)), monotonic() + seconds
    found: Set[Tuple[str, SourceLine]] = set()
    with suppress(Exception), ExitStack() as stack:
        file = stack.enter_context(open(library, "rb")) if isinstance(library, str) else library
        for call in _calls(file, names, deadline):
            found.add(call)
    return _by_symbol(symbols, found, root)


def _bare(symbol: str) -> str:
    """Cut off the version that a report has, and an object file that asks for a certain one."""
    return symbol.partition("@")[0]


def _by_symbol(symbols: Iterable[str], found: Set[Tuple[str, SourceLine]], root: str) -> _Uses:
    roots = [os.path.join(place, "") for place in (os.path.abspath(root), os.path.realpath(root))]
    lines: Dict[str, Set[SourceLine]] = {}
    for name, use in found:
        inside = next((len(place) for place in roots if use.file.startswith(place)), 0)
        lines.setdefault(name, set()).add(use._replace(file=use.file[inside:]))
    known = ((symbol, lines.get(_bare(symbol))) for symbol in symbols)
    return {symbol: tuple(sorted(places)) for symbol, places in known if places}


def _object_files(folders: Iterable[str], deadline: float) -> Iterator[str]:
    """Yield each relocatable file once. Links to folders are not followed, so none is a loop."""
    seen: Set[Tuple[int, int]] = set()
    walks = (step for folder in folders for step in os.walk(folder))
    objects = 0
    for path in (os.path.join(parent, name) for parent, _, names in walks for name in names):
        if len(seen) >= _FILES_AT_MOST or objects >= _OBJECTS_AT_MOST or monotonic() > deadline:
            return
        with suppress(OSError):
            status = os.stat(path)
            identity = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode) and identity not in seen:
                seen.add(identity)
                if status.st_size <= _OBJECT_AT_MOST and _is_object(path):
                    objects += 1
                    yield path


def _is_object(path: str) -> bool:
    with open(path, "rb") as file:
        head = file.read(18)
    order = "<" if head[5:6] == b"\1" else ">"
    return head.startswith(b"\x7fELF") and head[16:] == struct.pack(order + "H", _ET_REL)


def _uses_in_object(data: bytearray, names: Set[str], deadline: float) -> _Found:
    if not any(name.encode() in data for name in names):
        return
    image = _Object(data)
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


class _Place(NamedTuple):
    """An address whose content depends on an undefined symbol."""

    name: str
    address: int
    function: str


class _Symbol(NamedTuple):
    name: str
    kind: int
    section: int
    value: int
    size: int


class _Object:
    """A relocatable file, laid out as a linker does it: each section has addresses of its own."""

    def __init__(self, data: bytearray) -> None:
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415  see above

        self._data = data
        self._elf = ELFFile(io.BytesIO(data))
        self._wide = self._elf.elfclass == 64
        self._order: Literal["little", "big"] = "little" if self._elf.little_endian else "big"
        self._sections = list(self._elf.iter_sections())
        self._relocating: Dict[int, List[Section]] = {}
        self._bases: Dict[int, int] = {}
        base = len(data)  # above any address that was left unrelocated
        for index, section in enumerate(self._sections):
            if section["sh_type"] in ("SHT_REL", "SHT_RELA"):
                self._relocating.setdefault(section["sh_info"], []).append(section)
            elif section["sh_flags"] & _SHF_ALLOC and section["sh_type"] != "SHT_NOBITS":
                self._bases[index] = base
                base += section["sh_size"] + 16
        self._symbols = list(self._read_symbols())
        mode = 1 if self._elf["e_machine"] == "EM_ARM" else 0  # Thumb's functions are odd
        self._functions = sorted(
            (symbol.value & ~mode, symbol.size, symbol.name)
            for symbol in self._symbols
            if symbol.kind in (_STT_FUNC, _STT_GNU_IFUNC) and symbol.section in self._bases
        )

    def source(self) -> str:
        """Name the source by the symbol table, if there is debug information to say more."""
        debug = any("debug_line" in section.name for section in self._sections)
        files = [symbol.name for symbol in self._symbols if debug and symbol.kind == _STT_FILE]
        return files[0] if len(files) == 1 else ""

    def places(self, names: Set[str]) -> Iterator[_Place]:
        """Yield the places in code and data that wait for the address of one of the symbols."""
        for index, base in self._bases.items():
            code = self._sections[index]["sh_flags"] & _SHF_EXECINSTR
            for offset, symbol, _, _ in self._relocations(index):
                if symbol.section == 0 and _bare(symbol.name) in names:
                    function = self._function(base + offset) if code else ""
                    yield _Place(_bare(symbol.name), base + offset, function)

    def _function(self, address: int) -> str:
        after = bisect_right(self._functions, (address, sys.maxsize))
        start, size, name = self._functions[after - 1] if after else (0, 1, "")
        return _readable(name) if address < start + size or not size else ""

    def units(self) -> List[CompileUnit]:
        """Relocate what the lines need; pyelftools knows fewer machines, and takes its time."""
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415  see above

        for index, section in enumerate(self._sections):
            if section.name in _RELOCATED and section.data_size <= _OBJECT_AT_MOST:
                content = self._relocated(index)
                header = self._elf["e_shoff"] + index * self._elf["e_shentsize"]
                # The section's flags (no longer compressed), address, place and size.
                values = (0, 0, len(self._data), len(content))
                struct.pack_into(self._format("4Q", "4I"), self._data, header + 8, *values)
                self._data += content
        if not self._elf.has_section(".debug_line"):  # none, or the .zdebug_line of old GNU tools
            return []
        elf = ELFFile(io.BytesIO(self._data))
        return list(elf.get_dwarf_info(relocate_dwarf_sections=False).iter_CUs())

    def _relocated(self, index: int) -> bytearray:
        """Fill in addresses of code and data, and offsets in debug sections, which have 32 bits."""
        content = bytearray(self._sections[index].data())
        add, subtract, sizes = _SUMS.get(self._elf["e_machine"], (0, 0, ()))
        sums = {add + nth: (1, size) for nth, size in enumerate(sizes)}
        sums.update((subtract + nth, (-1, size)) for nth, size in enumerate(sizes))
        for offset, symbol, kind, addend in self._relocations(index):
            loaded = self._wide and symbol.section in self._bases
            sign, size = sums.get(kind, (1, 8 if loaded else 4))
            field = slice(offset, offset + size)
            value = sign * (symbol.value + (addend or 0))
            if addend is None or kind in sums:
                value += int.from_bytes(content[field], self._order)
            content[field] = (value & ((1 << 8 * size) - 1)).to_bytes(size, self._order)
        return content

    def _relocations(self, target: int) -> Iterator[Tuple[int, _Symbol, int, Optional[int]]]:
        """Yield the place, the symbol, the type, and the addend if the place does not hold it."""
        shift = 32 if self._wide else 8
        for section in self._relocating.get(target, ()):
            explicit = section["sh_type"] == "SHT_RELA"
            form = self._format("QQq", "IIi") if explicit else self._format("QQ", "II")
            for offset, info, *addend in self._table(section, form):
                symbol = self._symbols[info >> shift]
                yield offset, symbol, info & ((1 << shift) - 1), addend[0] if addend else None

    def _read_symbols(self) -> Iterator[_Symbol]:
        for section in self._sections:
            if section["sh_type"] != "SHT_SYMTAB":
                continue
            names = self._sections[section["sh_link"]].data()
            for entry in self._table(section, self._format("IBBHQQ", "IIIBBH")):
                # The narrow entry has its value and size before, the wide one behind the rest.
                start, info, _, home, value, size = (
                    entry if self._wide else (entry[0], *entry[3:], *entry[1:3])
                )
                name = _decoded(names[start : names.index(0, start)])
                yield _Symbol(name, info & 15, home, value + self._bases.get(home, 0), size)

    def _format(self, wide: str, narrow: str) -> str:
        return ("<" if self._order == "little" else ">") + (wide if self._wide else narrow)

    def _table(self, section: Section, form: str) -> Iterator[Tuple[int, ...]]:
        content, size = section.data(), struct.calcsize(form)
        return struct.iter_unpack(form, content[: len(content) // size * size])


def _lines(unit: CompileUnit, places: Iterable[_Place], deadline: float) -> _Lines:
    """Find the file and line of each place that the unit's line program covers."""
    found: _Lines = {}
    wanted = sorted(place.address for place in places)
    program = unit.dwarfinfo.line_program_for_CU(unit) if wanted else None
    if program is None:
        return found
    size = program.program_end_offset - program.program_start_offset
    if size > (deadline - monotonic()) * _BYTES_A_SECOND:
        return found
    files, folders = program["file_entry"], program["include_directory"]
    if program["version"] < 5:  # they count from 1 then
        files, folders = (None, *files), (b"", *folders)
    row = None
    for state in (entry.state for entry in program.get_entries() if entry.state is not None):
        if row is not None:
            first, end = bisect_left(wanted, row.address), bisect_left(wanted, state.address)
            for address in wanted[first:end]:
                file, folder = files[row.file].name, folders[files[row.file].dir_index]
                found[address] = (_path(unit, _decoded(folder), _decoded(file)), row.line)
        row = None if state.end_sequence else state
    return found


def _path(unit: CompileUnit, *names: str) -> str:
    folder = _text(unit.get_top_DIE(), "DW_AT_comp_dir")
    return os.path.normpath(os.path.join(folder, *names))


def _text(die: DIE, attribute: str) -> str:
    return _decoded(die.attributes[attribute].value) if attribute in die.attributes else ""


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _calls(file: BinaryIO, names: Set[str], deadline: float) -> _Found:
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415  see above

    elf = ELFFile(file)
    debug = sum(part.data_size for part in elf.iter_sections() if "debug_" in part.name)
    if not elf.has_section(".debug_info") or debug > _DEBUG_AT_MOST:
        return
    for unit in elf.get_dwarf_info(relocate_dwarf_sections=False).iter_CUs():
        calls = list(_call_sites(unit.get_top_DIE(), "", names, deadline))
        lines = _lines(unit, calls, deadline)
        for call in calls:
            if call.address in lines:
                yield call.name, SourceLine(*lines[call.address], call.function)


def _call_sites(parent: DIE, function: str, names: Set[str], deadline: float) -> Iterator[_Place]:
    """Yield the calls of what is declared and not defined, with the function that has the code."""
    for die in parent.iter_children():
        if monotonic() > deadline:
            return
        if die.tag.endswith(_CALL_SITE):
            name = _linkage_name(die)
            if name in names and "DW_AT_declaration" in _named(die).attributes:
                for attribute, back in _PLACES:
                    if attribute in die.attributes:
                        yield _Place(name, die.attributes[attribute].value - back, function)
        elif die.tag == "DW_TAG_subprogram" and "DW_AT_declaration" not in die.attributes:
            yield from _call_sites(die, _readable(_linkage_name(die)), names, deadline)
        elif die.tag.endswith(_SCOPES):
            yield from _call_sites(die, function, names, deadline)


def _linkage_name(die: DIE) -> str:
    named = _named(die)
    return _text(named, "DW_AT_linkage_name") or _text(named, "DW_AT_name")


def _named(die: DIE) -> DIE:
    """Go from a call to what it calls, and from a copy of a function to the one with the name."""
    for _ in range(8):  # a damaged one might refer to itself
        origin = next((name for name in _ORIGINS if name in die.attributes), None)
        if origin is None or "DW_AT_name" in die.attributes:
            break
        die = die.get_DIE_from_attribute(origin)
    return die


def _readable(name: str) -> str:
    """Demangle a plain C++ name, nested or not; operators, constructors and templates stay."""
    name = name.partition(".")[0]  # "helper.cold" is a part of helper
    start = re.match(r"_ZL?(NK?)?(?=[0-9])", name)
    parts, end = [], start.end() if start else 0
    while start and name[end : end + 1].isdigit():
        digits = re.findall("[0-9]+", name[end:])[0]
        first, end = end + len(digits), end + len(digits) + int(digits)
        parts.append(name[first:end].replace("_GLOBAL__N_1", "(anonymous namespace)"))
    nested = start is not None and start.group(1)
    complete = name[end : end + 1] == "E" if nested else name[end : end + 1] not in ("I", "B")
    return "::".join(parts) if parts and complete else name
