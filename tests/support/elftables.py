"""Encode the ELF tables whose bytes do not depend on their place in the file.

Sources: System V gABI chapters 4 and 5 (header, symbols, notes, hash table), LSB core "Symbol
Versioning" (Verdef, Verneed), binutils' ``bfd/elflink.c`` (GNU hash).
"""

from __future__ import annotations

import struct
from typing import AbstractSet, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

Text = Union[str, bytes]

NOTYPE, OBJECT, FUNC, TLS, IFUNC = 0, 1, 2, 6, 10
DEFAULT, INTERNAL, HIDDEN, PROTECTED = 0, 1, 2, 3

S390, ALPHA = 22, 0x9026


def raw(text: Text) -> bytes:
    """Return the bytes of a name as ELF stores it."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


class Encoding(NamedTuple):
    """The word size and byte order of a file (gABI, e_ident)."""

    bits: int
    little: bool

    def format(self, layout: str) -> str:
        """Return a ``struct`` format; W stands for a word of the file's class."""
        order = "<" if self.little else ">"
        return order + layout.replace("W", "Q" if self.bits == 64 else "I")

    def pack(self, layout: str, *values: Union[int, bytes]) -> bytes:
        """Return the bytes of one record."""
        return struct.pack(self.format(layout), *values)

    def pack_all(self, code: str, values: Sequence[int]) -> bytes:
        """Return the bytes of an array."""
        return self.pack(code * len(values), *values)

    def size(self, layout: str) -> int:
        """Return the size of a record in bytes."""
        return struct.calcsize(self.format(layout))


class Record(NamedTuple):
    """The field names of a header, and their ``struct`` codes."""

    names: str
    codes: str

    def locate(self, encoding: Encoding, name: str) -> Tuple[int, str]:
        """Return the offset of a field in the record, and its code."""
        index = self.names.split().index(name)
        return encoding.size(self.codes[:index]), self.codes[index]


# The fields after e_ident, and the program headers of the two classes in their order.
HEADER = Record(
    "type machine version entry phoff shoff flags ehsize phentsize phnum shentsize shnum shstrndx",
    "HHIWWWIHHHHHH",
)
SEGMENTS = {
    64: Record("type flags offset vaddr paddr filesz memsz align", "IIWWWWWW"),
    32: Record("type offset vaddr paddr filesz memsz flags align", "IWWWWWIW"),
}
SECTION = Record("name type flags addr offset size link info addralign entsize", "IIWWWWIIWW")


class Symbol(NamedTuple):
    """One entry of the dynamic symbol table.

    An import has a version together with the library that provides it. A definition has one of
    the file's ``versions_defined``. A value that is not 0 is written unchanged. In a non-PIE
    executable an undefined function has a value if its address is taken.
    """

    name: Text
    library: Optional[Text] = None
    version: Optional[Text] = None
    defined: bool = False
    weak: bool = False
    unique: bool = False
    kind: int = FUNC
    visibility: int = DEFAULT
    value: int = 0

    @property
    def hashed(self) -> bool:
        """Tell whether GNU hash tables list the symbol: those with a value are listed."""
        return self.defined or self.value != 0

    def entry(self, encoding: Encoding, name: int, section: int, address: int) -> bytes:
        """Return an Elf32_Sym or Elf64_Sym."""
        binding = 2 if self.weak else 10 if self.unique else 1
        info = binding << 4 | self.kind
        # A thread-local symbol's value is an offset into its block, never an address.
        value = self.value or (address if self.defined and self.kind != TLS else 0)
        index = section if self.defined else 0
        if encoding.bits == 64:
            return encoding.pack("IBBHQQ", name, info, self.visibility, index, value, 0)
        return encoding.pack("IIIBBH", name, value, 0, info, self.visibility, index)


class Strings:
    """A string table that stores every string once."""

    def __init__(self) -> None:
        self.data = bytearray(1)
        self._offsets: Dict[bytes, int] = {b"": 0}

    def add(self, text: Text) -> int:
        """Return the offset of a string; append the string if it is new."""
        key = raw(text)
        if key not in self._offsets:
            self._offsets[key] = len(self.data)
            self.data += key + b"\0"
        return self._offsets[key]


def sysv_hash(name: bytes) -> int:
    """Hash a name for DT_HASH and for version records (gABI, "Hash Table")."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high
    return value


def gnu_hash(name: bytes) -> int:
    """Hash a name for DT_GNU_HASH (Bernstein's function, seeded with 5381)."""
    value = 5381
    for byte in name:
        value = value * 33 + byte & 0xFFFFFFFF
    return value


def sysv_hash_word(encoding: Encoding, machine: int) -> str:
    """Return the struct code of a DT_HASH word, which is 64 bits wide in two older ABIs."""
    return "Q" if encoding.bits == 64 and machine in {S390, ALPHA} else "I"


def sysv_hash_table(encoding: Encoding, word: str, symbols: Sequence[Symbol]) -> bytes:
    """Encode a DT_HASH table over all symbols, with undefined ones, as linkers do."""
    buckets = [0] * max(1, len(symbols) // 2)
    chains = [0] * (1 + len(symbols))
    for index, symbol in enumerate(symbols, 1):
        bucket = sysv_hash(raw(symbol.name)) % len(buckets)
        chains[index], buckets[bucket] = buckets[bucket], index
    return encoding.pack_all(word, [len(buckets), len(chains), *buckets, *chains])


def gnu_hash_order(symbols: Sequence[Symbol]) -> List[Symbol]:
    """Order the hashed symbols after the others, grouped by bucket."""
    hashed = [symbol for symbol in symbols if symbol.hashed]
    buckets = max(1, len(hashed) // 2)
    hashed.sort(key=lambda symbol: gnu_hash(raw(symbol.name)) % buckets)
    return [symbol for symbol in symbols if not symbol.hashed] + hashed


def gnu_hash_table(encoding: Encoding, symbols: Sequence[Symbol], *, like_ld: bool) -> bytes:
    """Encode a DT_GNU_HASH table over symbols in ``gnu_hash_order``.

    Without hashed symbols GNU ld states 1 as the first hashed index, for any number of undefined
    symbols. lld states the symbol count.
    """
    bits = encoding.bits
    hashes = [gnu_hash(raw(symbol.name)) for symbol in symbols if symbol.hashed]
    first = 1 + len(symbols) - len(hashes)
    if not hashes and like_ld:
        first = 1
    shift = 6
    # The bloom filter has about eight bits per symbol; loaders take its words modulo a power of 2.
    bloom = [0] * (1 << (len(hashes) * 8 // bits).bit_length())
    buckets = [0] * max(1, len(hashes) // 2)
    chains = []
    for position, value in enumerate(hashes):
        bloom[value // bits % len(bloom)] |= 1 << value % bits | 1 << (value >> shift) % bits
        bucket = value % len(buckets)
        buckets[bucket] = buckets[bucket] or first + position
        following = hashes[position + 1 : position + 2]
        ends_chain = not following or following[0] % len(buckets) != bucket
        chains.append(value & ~1 | ends_chain)
    header = encoding.pack("IIII", len(buckets), first, len(bloom), shift if hashes else 0)
    return header + encoding.pack_all("W", bloom) + encoding.pack_all("I", [*buckets, *chains])


class Versions:
    """The versions that a file defines and needs, and the indices that its symbols use."""

    def __init__(
        self,
        defined: Sequence[Text],
        symbols: Sequence[Symbol],
        further: Sequence[Tuple[Text, Text]],
    ) -> None:
        self.defined = [raw(name) for name in defined]
        self.needed: Dict[bytes, Dict[bytes, int]] = {}
        imports = []
        for symbol in symbols:
            if symbol.version is not None and not symbol.defined:
                if symbol.library is None:
                    raise ValueError(f"the import {symbol.name!r} has a version but no library")
                imports.append((symbol.library, symbol.version))
        # 0 is local, 1 is global and the BASE definition. Needs follow the definitions.
        index = 2 + len(self.defined)
        for library, version in [*imports, *further]:
            nodes = self.needed.setdefault(raw(library), {})
            if raw(version) not in nodes:
                nodes[raw(version)] = index
                index += 1

    def index(self, symbol: Symbol) -> int:
        """Return a symbol's entry of the version table."""
        if symbol.version is None:
            return 1
        if symbol.defined:
            return 2 + self.defined.index(raw(symbol.version))
        return self.needed[raw(symbol.library or "")][raw(symbol.version)]

    def definitions(self, encoding: Encoding, strings: Strings, base: Text) -> bytes:
        """Encode the Verdef chain, whose first record is the file's own name (VER_FLG_BASE)."""
        names = [raw(base), *self.defined]
        table = b""
        for index, name in enumerate(names, 1):
            is_base = index == 1
            following = 28 if index < len(names) else 0
            table += encoding.pack("HHHHIII", 1, is_base, index, 1, sysv_hash(name), 20, following)
            table += encoding.pack("II", strings.add(name), 0)
        return table

    def needs(
        self, encoding: Encoding, strings: Strings, weak: AbstractSet[Tuple[Text, Text]]
    ) -> bytes:
        """Encode the Verneed chain; the weak nodes get VER_FLG_WEAK, which is 2."""
        weak_nodes = {(raw(library), raw(version)) for library, version in weak}
        table = b""
        for library, nodes in self.needed.items():
            is_last = library == list(self.needed)[-1]
            following = 0 if is_last else 16 + 16 * len(nodes)
            table += encoding.pack("HHIII", 1, len(nodes), strings.add(library), 16, following)
            for version, index in nodes.items():
                flags = 2 if (library, version) in weak_nodes else 0
                table += encoding.pack("IHH", sysv_hash(version), flags, index)
                is_last = index == max(nodes.values())
                table += encoding.pack("II", strings.add(version), 0 if is_last else 16)
        return table


def note(encoding: Encoding, owner: bytes, kind: int, desc: bytes, align: int = 4) -> bytes:
    """Encode a note. The sizes count the owner's NUL but no padding (gABI)."""
    name = owner + b"\0"
    data = encoding.pack("III", len(name), len(desc), kind) + name + bytes(-len(name) % 4)
    return data + desc + bytes(-len(desc) % align)


def isa_note(encoding: Encoding, isa: int) -> bytes:
    """Encode the property GNU_PROPERTY_X86_ISA_1_NEEDED (x86-64 psABI, "Program Property")."""
    align = encoding.bits // 8
    desc = encoding.pack("III", 0xC0008002, 4, isa)
    return note(encoding, b"GNU", 5, desc + bytes(-len(desc) % align), align)
