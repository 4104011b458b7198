"""A relocatable ELF file: where it uses undefined symbols, and its debug information.

Sources: ELF gABI chapter 4; the psABIs of RISC-V and LoongArch; the Itanium C++ ABI, "Mangling".
"""

from __future__ import annotations

import io
import re
import struct
import sys
from bisect import bisect_right
from itertools import chain, repeat
from typing import (
    TYPE_CHECKING,
    Collection,
    Dict,
    Iterator,
    List,
    Literal,
    Optional,
    Set,
    Tuple,
)

from manyshim.formats.elf.constants import (
    SHF_ALLOC,
    SHF_EXECINSTR,
    STT_FILE,
    STT_FUNC,
    STT_GNU_IFUNC,
)
from manyshim.values import NamedTuple

if TYPE_CHECKING:  # a build that has nothing to explain does not load pyelftools
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import Section

# The sections that pyelftools reads whole, in bytes. A file can have less: some are compressed.
_MAX_DEBUG = 64 << 20
# All names of a symbol table, in bytes, and one name that is demangled.
_MAX_NAMES = 64 << 20
_MAX_NAME = 4096
# The folders and files of a unit, and the forms that describe them. None is empty.
_MAX_PATHS = 100_000
_FORMS = {
    5: "DW_FORM_data2",
    6: "DW_FORM_data4",
    7: "DW_FORM_data8",
    8: "DW_FORM_string",
    9: "DW_FORM_block",
    11: "DW_FORM_data1",
    14: "DW_FORM_strp",
    15: "DW_FORM_udata",
    30: "DW_FORM_data16",
    31: "DW_FORM_line_strp",
}
# The debug sections with the lines and the names of files and folders.
_RELOCATED = (".debug_info", ".debug_line", ".debug_str_offsets")
# If a linker may shorten code, object files describe distances in it by relocations that add and
# subtract. For each machine: the first type that adds (R_RISCV_ADD8, R_LARCH_ADD8), the first type
# that subtracts, and the bytes of each type in a series.
_SUMS = {"EM_RISCV": (33, 37, (1, 2, 4, 8)), "EM_LOONGARCH": (47, 52, (1, 2, 3, 4, 8))}


class Place(NamedTuple):
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


class Relocatable:
    """A relocatable file, laid out as by a linker: no two sections have the same addresses."""

    def __init__(self, data: bytearray) -> None:
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415  loaded only when asked

        self._data = data
        self._elf = ELFFile(io.BytesIO(data))
        self._wide = self._elf.elfclass == 64
        self._order: Literal["little", "big"] = "little" if self._elf.little_endian else "big"
        self._sections = list(self._elf.iter_sections())
        kinds = [(section["sh_type"], section["sh_size"]) for section in self._sections]
        if sum(size for kind, size in kinds if kind != "SHT_NOBITS") > len(data):
            raise ValueError("its sections overlap, so reading them all could take very long")
        self._relocating: Dict[int, List[Section]] = {}
        self._bases: Dict[int, int] = {}
        base = len(data)  # above any address that is not relocated
        for index, section in enumerate(self._sections):
            if section["sh_type"] in ("SHT_REL", "SHT_RELA"):
                self._relocating.setdefault(section["sh_info"], []).append(section)
            elif section["sh_flags"] & SHF_ALLOC and section["sh_type"] != "SHT_NOBITS":
                self._bases[index] = base
                base += section["sh_size"] + 16
        self._symbols = list(self._read_symbols())
        mode = 1 if self._elf["e_machine"] == "EM_ARM" else 0  # Thumb functions have odd addresses
        self._functions = sorted(
            (symbol.value & ~mode, symbol.size, symbol.name)
            for symbol in self._symbols
            if symbol.kind in (STT_FUNC, STT_GNU_IFUNC) and symbol.section in self._bases
        )

    def source(self) -> str:
        """Return the name of the source file in the symbol table.

        It is empty without debug information, or if the symbol table has several files.
        """
        debug = any("debug_line" in section.name for section in self._sections)
        files = [symbol.name for symbol in self._symbols if debug and symbol.kind == STT_FILE]
        return files[0] if len(files) == 1 else ""

    def places(self, names: Set[str]) -> Iterator[Place]:
        """Yield the places in code and data that need the address of one of the symbols."""
        for index, base in self._bases.items():
            code = self._sections[index]["sh_flags"] & SHF_EXECINSTR
            for offset, symbol, _, _ in self._relocations(index):
                if symbol.section == 0 and bare(symbol.name) in names:
                    function = self._function(base + offset) if code else ""
                    yield Place(bare(symbol.name), base + offset, function)

    def _function(self, address: int) -> str:
        after = bisect_right(self._functions, (address, sys.maxsize))
        start, size, name = self._functions[after - 1] if after else (0, 1, "")
        return readable(name) if address < start + size or not size else ""

    def units(self) -> List[CompileUnit]:
        """Relocate the sections that lines need. Return the compile units. It can be called once.

        pyelftools can relocate them too, but for fewer machines, and slowly.
        """
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415  loaded only when asked

        if not _has_lines(self._sections):
            return []
        for index, section in enumerate(self._sections):
            if section.name in _RELOCATED:
                content = self._relocated(index)
                header = self._elf["e_shoff"] + index * self._elf["e_shentsize"]
                # The section's flags (no longer compressed), address, offset and size.
                values = (0, 0, len(self._data), len(content))
                struct.pack_into(self._format("4Q", "4I"), self._data, header + 8, *values)
                self._data += content
                del content  # each copy may have 64 MiB
        stream = io.BytesIO(self._data)
        self._data.clear()
        elf = ELFFile(stream)
        return list(elf.get_dwarf_info(relocate_dwarf_sections=False).iter_CUs())

    def _relocated(self, index: int) -> bytearray:
        """Return a section with its addresses of code and data, and its offsets in debug sections.

        These offsets have 32 bits.
        """
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
        """Yield the offset, the symbol, the type and the addend of each relocation.

        The addend is None if the section has it at this offset.
        """
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
            names = self._content(self._sections[section["sh_link"]])
            length = 0
            for entry in self._table(section, self._format("IBBHQQ", "IIIBBH")):
                # The 32-bit entry has its value and size before the rest, the 64-bit one after it.
                start, info, _, home, value, size = (
                    entry if self._wide else (entry[0], *entry[3:], *entry[1:3])
                )
                end = names.index(0, start)
                length += end - start
                if length > _MAX_NAMES:  # many names may be ends of one
                    raise ValueError("its symbols have too many long names")
                name = decoded(names[start:end])
                yield _Symbol(name, info & 15, home, value + self._bases.get(home, 0), size)

    def _format(self, wide: str, narrow: str) -> str:
        return ("<" if self._order == "little" else ">") + (wide if self._wide else narrow)

    def _table(self, section: Section, form: str) -> Iterator[Tuple[int, ...]]:
        content, size = self._content(section), struct.calcsize(form)
        return struct.iter_unpack(form, content[: len(content) // size * size])

    def _content(self, section: Section) -> bytes:
        """Return the bytes of a table. Linkers read no table that is not as it is in the file."""
        if section.compressed or section["sh_type"] == "SHT_NOBITS":
            raise ValueError(f"{section.name} is compressed or not in the file")
        return section.data()


def compile_units(elf: ELFFile) -> Iterator[CompileUnit]:
    """Yield the compile units of a file. There are none if its debug information is too large."""
    if _has_lines(list(elf.iter_sections())):
        yield from elf.get_dwarf_info(relocate_dwarf_sections=False).iter_CUs()


def _has_lines(sections: Collection[Section]) -> bool:
    """Return whether a file has lines, in sections that together fit into memory.

    pyelftools reads .eh_frame too. It inflates the .zdebug_info of old GNU tools without a limit.
    """
    names = {part.name for part in sections}
    read = (part for part in sections if "debug" in part.name or part.name == ".eh_frame")
    return (
        names.issuperset((".debug_info", ".debug_line"))
        and ".zdebug_info" not in names
        and sum(part.data_size for part in read) <= _MAX_DEBUG
    )


def has_finite_header(unit: CompileUnit) -> bool:
    """Return whether the lists of folders and files in a line program end (DWARF 5, 6.2.4).

    pyelftools reads as many entries as are stated. If these have no bytes, the end of the section
    does not stop it. Older lists end with an empty name.
    """
    attributes, lines = unit.get_top_DIE().attributes, unit.dwarfinfo.debug_line_sec
    if lines is None or "DW_AT_stmt_list" not in attributes:
        return False
    stream, structs = lines.stream, unit.structs
    byte, number = structs.Dwarf_uint8("").parse_stream, structs.Dwarf_uleb128("").parse_stream
    stream.seek(attributes["DW_AT_stmt_list"].value)
    structs.Dwarf_initial_length("").parse_stream(stream)
    if structs.Dwarf_uint16("").parse_stream(stream) < 5:
        return True
    # The next 7 fields, of which one has the size of an offset, and the lengths of the opcodes.
    stream.seek(2 + structs.dwarf_format // 8 + 5, io.SEEK_CUR)
    stream.seek(byte(stream) - 1, io.SEEK_CUR)
    for _ in range(2):
        codes = [(number(stream), number(stream))[1] for _ in range(byte(stream))]
        forms = [structs.Dwarf_dw_form.get(_FORMS.get(code, "")) for code in codes]
        count = number(stream)
        if count > _MAX_PATHS or (count and not forms):
            return False
        for form in chain.from_iterable(repeat(forms, count)):
            if form is None:
                return False
            form.parse_stream(stream)
    return True


def bare(symbol: str) -> str:
    """Return a symbol without its version, which reports have, and object files with .symver."""
    return symbol.partition("@")[0]


def decoded(name: bytes) -> str:
    """Decode a name. Bytes that are not UTF-8 are replaced."""
    return name.decode("utf-8", "replace")


def readable(name: str) -> str:
    """Demangle a plain C++ name, nested or not. Operators, constructors and templates stay."""
    name = name.partition(".")[0]  # "helper.cold" is a part of helper
    if len(name) > _MAX_NAME:
        return name
    start = re.match(r"_ZL?(NK?)?(?=[0-9])", name)
    number, parts, end = re.compile("[0-9]+"), [], start.end() if start else 0
    length = number.match(name, end) if start else None
    while length:
        first, end = length.end(), length.end() + int(length.group())
        parts.append(name[first:end].replace("_GLOBAL__N_1", "(anonymous namespace)"))
        length = number.match(name, end)
    nested = start is not None and start.group(1)
    complete = name[end : end + 1] == "E" if nested else name[end : end + 1] not in ("I", "B")
    return "::".join(parts) if parts and complete else name
