"""A relocatable ELF file: where it uses undefined symbols, and its debug information.

Sources: ELF gABI chapter 4; the psABIs of RISC-V and LoongArch; the Itanium C++ ABI, "Mangling".
"""

from __future__ import annotations

import io
import re
import struct
import sys
from bisect import bisect_right
from typing import (
    TYPE_CHECKING,
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
    from elftools.elf.sections import Section

_MAX_SECTION = 64 << 20
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
        """Relocate the sections that lines need. Return the compile units.

        pyelftools can relocate them too, but for fewer machines, and slowly.
        """
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415  loaded only when asked

        for index, section in enumerate(self._sections):
            if section.name in _RELOCATED and section.data_size <= _MAX_SECTION:
                content = self._relocated(index)
                header = self._elf["e_shoff"] + index * self._elf["e_shentsize"]
                # The section's flags (no longer compressed), address, offset and size.
                values = (0, 0, len(self._data), len(content))
                struct.pack_into(self._format("4Q", "4I"), self._data, header + 8, *values)
                self._data += content
        if not self._elf.has_section(".debug_line"):  # none, or the .zdebug_line of old GNU tools
            return []
        elf = ELFFile(io.BytesIO(self._data))
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
            names = self._sections[section["sh_link"]].data()
            for entry in self._table(section, self._format("IBBHQQ", "IIIBBH")):
                # The 32-bit entry has its value and size before the rest, the 64-bit one after it.
                start, info, _, home, value, size = (
                    entry if self._wide else (entry[0], *entry[3:], *entry[1:3])
                )
                name = decoded(names[start : names.index(0, start)])
                yield _Symbol(name, info & 15, home, value + self._bases.get(home, 0), size)

    def _format(self, wide: str, narrow: str) -> str:
        return ("<" if self._order == "little" else ">") + (wide if self._wide else narrow)

    def _table(self, section: Section, form: str) -> Iterator[Tuple[int, ...]]:
        content, size = section.data(), struct.calcsize(form)
        return struct.iter_unpack(form, content[: len(content) // size * size])


def bare(symbol: str) -> str:
    """Return a symbol without its version, which reports have, and object files with .symver."""
    return symbol.partition("@")[0]


def decoded(name: bytes) -> str:
    """Decode a name. Bytes that are not UTF-8 are replaced."""
    return name.decode("utf-8", "replace")


def readable(name: str) -> str:
    """Demangle a plain C++ name, nested or not. Operators, constructors and templates stay."""
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
