"""The dynamic symbol table: its length, its entries, and which symbols are imported or exported.

Sources: ELF gABI chapter 5; LSB "Symbol Versioning"; glibc elf/ for the GNU hash table.
"""

from __future__ import annotations

import struct
import sys
from array import array

from manyshim.audit.facts import SHARED, ElfFile
from manyshim.formats.elf.constants import (
    DT_GNU_HASH,
    DT_HASH,
    DT_JMPREL,
    DT_PLTREL,
    DT_PLTRELSZ,
    DT_REL,
    DT_RELA,
    DT_RELASZ,
    DT_RELSZ,
    DT_SYMTAB,
    DT_VERSYM,
    STB_GLOBAL,
    STB_GNU_UNIQUE,
    STB_WEAK,
    TPOFF_TYPES,
    WIDE_HASH_MACHINES,
)
from manyshim.formats.elf.dynamic import Dynamic
from manyshim.formats.elf.image import ElfError, Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Set, Tuple, TypeAlias

    _Entry = Tuple[int, int, int, int]  # name, info, other and section, of one symbol

_BINDS = (STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE)
# st_info: the binding, and any type.
_EXPORTED = frozenset(bind << 4 | kind for bind in _BINDS for kind in range(16))
# STV_DEFAULT and STV_PROTECTED, in the low two bits of st_other.
_VISIBLE = frozenset((0, 3))

# Relocation tables: the tags of the address and of the size in bytes, and if entries have addends.
_RELOCATIONS = ((DT_RELA, DT_RELASZ, True), (DT_REL, DT_RELSZ, False))

_SYMBOLS_AT_ONCE = 1 << 13
_NAMES_AT_ONCE = 1 << 19
# A bucket of a valid table has a handful of symbols. A chain of a damaged one may have no end.
_MAX_CHAIN = 1 << 12
# Linkers make about one for four symbols. The largest libraries have some hundred thousand.
_MAX_BUCKETS = 1 << 20
# The largest libraries have about a million symbols, and some millions of relocations. The largest
# modules import some thousand names.
_MAX_SYMBOLS = 1 << 22
_MAX_RELOCATIONS = 1 << 24
_MAX_IMPORTS = 200_000

# An undefined symbol: the offset of its name in the string table, whether it is strong, and the
# index of its version. NamedTuples would make the audit of numpy 0.9 % slower (callgrind).
Import: TypeAlias = "Tuple[int, bool, int]"


def imports(facts: ElfFile, dynamic: Dynamic) -> List[Import]:
    """Return the undefined symbols of a file, which other libraries have to define."""
    found: List[Import] = []
    versions = dynamic.get(DT_VERSYM)
    for start, entries in _entries(dynamic, 1, undefined_end(facts, dynamic)):
        indexes: Tuple[int, ...] = (0,) * len(entries)
        if versions is not None:
            raw = dynamic.image.at(versions + start * 2, len(entries) * 2, "symbol version table")
            indexes = struct.unpack(f"{dynamic.image.layout.order}{len(entries)}H", raw)
        found += [
            (name, info >> 4 != STB_WEAK, version & 0x7FFF)
            for (name, info, _, section), version in zip(entries, indexes)
            if section == 0 and name and info in _EXPORTED
        ]
        if len(found) > _MAX_IMPORTS:
            raise ElfError(f"it has more than {_MAX_IMPORTS} undefined symbols")
    return found


def exports(dynamic: Dynamic, first: int = 1, end: Optional[int] = None) -> Iterator[array[int]]:
    """Yield the names that a file exports, as string offsets, in slices of bounded size.

    The slices are large, because reading the names of each is a pass over the string table.
    """
    names = array("I")
    for _, entries in _entries(dynamic, first, count(dynamic) if end is None else end):
        names.extend(
            name
            for name, info, other, section in entries
            if section and info in _EXPORTED and other & 3 in _VISIBLE
        )
        if len(names) > _NAMES_AT_ONCE:
            yield names
            names = array("I")
    yield names


def _entries(dynamic: Dynamic, first: int, end: int) -> Iterator[Tuple[int, List[_Entry]]]:
    """Yield the dynamic symbols from `first` to before `end`, in batches with their start."""
    image, table = dynamic.image, dynamic.get(DT_SYMTAB)
    if table is None or end <= first:
        return
    entry = image.layout.short_symbol
    # A file does not state where the table ends. So its segment's end is checked before reading.
    image.span(table, end * entry.size, "dynamic symbol table")
    if end > _MAX_SYMBOLS:
        raise ElfError(f"it has {end} dynamic symbols, more than {_MAX_SYMBOLS}")
    for start in range(first, end, _SYMBOLS_AT_ONCE):
        size = min(_SYMBOLS_AT_ONCE, end - start) * entry.size
        data = image.at(table + start * entry.size, size, "dynamic symbol table")
        yield start, list(entry.iter_unpack(data))


def undefined_end(facts: ElfFile, dynamic: Dynamic) -> int:
    """Return an index before which all undefined symbols are.

    In a shared object they come before the hashed symbols. An executable may have an undefined
    function with a value after them, so all its symbols are read.
    """
    table = _gnu_hash(dynamic)
    if table and table.last and facts.ident.type == SHARED and facts.interpreter is None:
        return table.first
    return count(dynamic)


def count(dynamic: Dynamic) -> int:
    """Return the number of dynamic symbols. Only the hash tables or the relocations tell it."""
    image, address = dynamic.image, dynamic.get(DT_HASH)
    if address is not None:
        word = _hash_word(image, address)
        return int(word.unpack(image.at(address + word.size, word.size, "hash table"))[0])
    table = _gnu_hash(dynamic)
    if table and table.last:
        return _chain_end(image, table)
    # For a file without exports, GNU ld writes an empty table, which does not tell the number.
    return max(table.first if table else 0, max(_relocated_ends(dynamic), default=0))


def defines(dynamic: Dynamic, name: str) -> bool:
    """Return whether a file exports a name. It is looked up as by the loader, in the hash table.

    Without a hash table no name is found.
    """
    image = dynamic.image
    table = _gnu_hash(dynamic)
    candidates = _gnu_chain(image, table, name) if table else _sysv_chain(dynamic, name)
    return any(
        dynamic.string(offset) == name
        for index in candidates
        for offsets in exports(dynamic, index, index + 1)
        for offset in offsets
    )


def _gnu_chain(image: Image, table: _GnuHash, name: str) -> Iterator[int]:
    """Yield the indexes of the symbols with the name's hash (glibc, dl_new_hash)."""
    code = 5381
    for byte in name.encode():
        code = (code * 33 + byte) & 0xFFFFFFFF
    index = table.buckets[code % len(table.buckets)] if table.buckets else 0
    if index and index >= table.first:
        for place, found in enumerate(_gnu_hashes(image, table, index), index):
            if found | 1 == code | 1:
                yield place


def _gnu_hashes(image: Image, table: _GnuHash, index: int) -> Iterator[int]:
    """Yield the hashes of a chain, from a symbol on. The last hash has the end bit."""
    word = struct.Struct(image.layout.order + "I")
    place = table.chains + (index - table.first) * 4
    for step in range(_MAX_CHAIN):
        found = word.unpack(image.at(place + step * 4, 4, "GNU hash table"))[0]
        yield found
        if found & 1:
            return
    raise ElfError(f"a chain of its GNU hash table does not end within {_MAX_CHAIN} symbols")


def _sysv_chain(dynamic: Dynamic, name: str) -> Iterator[int]:
    """Yield the indexes of the symbols in the name's bucket of DT_HASH (ELF gABI, "Hash Table")."""
    image, address = dynamic.image, dynamic.get(DT_HASH)
    if address is None:
        return
    word = _hash_word(image, address)
    buckets, chains = (
        word.unpack(image.at(address + place * word.size, word.size, "hash table"))[0]
        for place in (0, 1)
    )
    code = 0
    for byte in name.encode():
        code = (code << 4) + byte
        code = (code ^ (code >> 24 & 0xF0)) & 0x0FFFFFFF
    place = 2 + code % buckets if buckets else 0
    for _ in range(min(chains, _MAX_CHAIN) if place else 0):
        index = word.unpack(image.at(address + place * word.size, word.size, "hash table"))[0]
        if not index:
            return
        yield index
        place = 2 + buckets + index


def _hash_word(image: Image, address: int) -> struct.Struct:
    order = image.layout.order
    wide = image.layout.bits == 64 and image.ident.machine in WIDE_HASH_MACHINES
    # LLD writes 4-byte words for s390x. Read as one of 8 bytes, two are too many buckets.
    wide = wide and struct.unpack(f"{order}Q", image.at(address, 8, "hash table"))[0] < 1 << 32
    return struct.Struct(order + ("Q" if wide else "I"))


class _GnuHash:
    """DT_GNU_HASH: the first hashed symbol, the last one that a bucket refers to, the buckets.

    `chains` is the address of the chains.
    """

    def __init__(self, first: int, buckets: array[int], chains: int) -> None:
        self.first = first
        self.last = max(buckets, default=0)
        self.buckets = buckets
        self.chains = chains


def _gnu_hash(dynamic: Dynamic) -> Optional[_GnuHash]:
    address = dynamic.get(DT_GNU_HASH)
    if address is None:
        return None
    image = dynamic.image
    order, word = image.layout.order, image.layout.bits // 8
    buckets, first, bloom, _ = struct.unpack(order + "4I", image.at(address, 16, "GNU hash table"))
    if buckets > _MAX_BUCKETS:
        raise ElfError(f"its GNU hash table has {buckets} buckets, more than {_MAX_BUCKETS}")
    place = address + 16 + bloom * word
    data = image.at(place, buckets * 4, "GNU hash table")
    heads = array("I", data)
    if (sys.byteorder == "little") != (order == "<"):
        heads.byteswap()
    return _GnuHash(first, heads, place + buckets * 4)


def _chain_end(image: Image, table: _GnuHash) -> int:
    if table.last < table.first:
        raise ElfError("a bucket of its GNU hash table refers to a symbol that is not hashed")
    return table.last + sum(1 for _ in _gnu_hashes(image, table, table.last))


def static_tls(dynamic: Dynamic) -> Tuple[bool, List[int]]:
    """Return what relocations store fixed offsets of: own thread-local variables, and others.

    The others are the names of undefined symbols, as string offsets.
    """
    image = dynamic.image
    bits = image.layout.bits
    types = TPOFF_TYPES.get((image.ident.machine, bits), ())
    mask, shift = (0xFFFFFFFF, 32) if bits == 64 else (0xFF, 8)
    symbols: Set[int] = set()
    for infos in _relocations(dynamic):
        symbols.update(info >> shift for (info,) in infos if info & mask in types)
        if len(symbols) > _MAX_IMPORTS:
            raise ElfError(f"it has more than {_MAX_IMPORTS} thread-local symbols")
    entries = [
        entry
        for index in sorted(symbols - {0})
        for _, found in _entries(dynamic, index, index + 1)
        for entry in found
    ]
    own = 0 in symbols or any(section for _, _, _, section in entries)
    return own, [name for name, _, _, section in entries if not section]


def _relocated_ends(dynamic: Dynamic) -> Iterator[int]:
    """Yield, for parts of the relocations, an index after those of their symbols."""
    shift = 32 if dynamic.image.layout.bits == 64 else 8
    for infos in _relocations(dynamic):
        yield (max(infos)[0] >> shift) + 1


def _relocations(dynamic: Dynamic) -> Iterator[List[Tuple[int]]]:
    """Yield the `r_info` of all relocations, in lists of bounded size."""
    image = dynamic.image
    tables = [(dynamic.get(tag), dynamic.get(size), addend) for tag, size, addend in _RELOCATIONS]
    addend = dynamic.get(DT_PLTREL) == DT_RELA
    tables.append((dynamic.get(DT_JMPREL), dynamic.get(DT_PLTRELSZ), addend))
    word = image.layout.bits // 8
    for address, size, addend in tables:
        if address is None or not size:
            continue
        code = f"{word}x{image.layout.word}" + (f"{word}x" if addend else "")
        entry = struct.Struct(image.layout.order + code)
        number = size // entry.size
        if number > _MAX_RELOCATIONS:
            raise ElfError(f"a relocation table has {number} entries, more than {_MAX_RELOCATIONS}")
        for start in range(0, number, _SYMBOLS_AT_ONCE):
            length = min(_SYMBOLS_AT_ONCE, number - start) * entry.size
            data = image.at(address + start * entry.size, length, "relocation table")
            yield list(entry.iter_unpack(data))
