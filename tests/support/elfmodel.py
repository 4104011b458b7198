"""The description of an ELF file that ``elfwriter`` writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Dict, Optional, Sequence, Tuple

from elftables import Encoding, Symbol, Text


@dataclass(frozen=True)
class Elf:
    """The contents of an ELF file; the default is an x86_64 shared object without imports."""

    bits: int = 64
    little: bool = True
    machine: int = 62
    type: int = 3
    osabi: int = 0
    abiversion: int = 0
    flags: int = 0
    interp: Optional[Text] = None
    soname: Optional[Text] = None
    needed: Sequence[Text] = ()
    auxiliary: Sequence[Text] = ()
    filters: Sequence[Text] = ()
    rpath: Optional[Text] = None
    runpath: Optional[Text] = None
    symbols: Sequence[Symbol] = ()
    versions_defined: Sequence[Text] = ()
    # (library, version) pairs: needs that no symbol has, and needs marked VER_FLG_WEAK.
    version_needs: Sequence[Tuple[Text, Text]] = ()
    weak_versions: AbstractSet[Tuple[Text, Text]] = frozenset()
    gnu_hash: bool = True
    sysv_hash: bool = False
    # Without hashed symbols GNU ld's table does not state the symbol count; lld's does.
    empty_hash_like_ld: bool = False
    # ".rela.dyn", ".rel.dyn", ".rela.plt" or ".rel.plt": one that names every undefined symbol.
    relocations: Optional[str] = None
    # Their type, and whether they name the defined symbols or none instead. Type 0 is
    # R_<machine>_NONE, which the loader does not look up.
    relocation_type: int = 0
    relocated: str = "undefined"
    relr: bool = False
    textrel: bool = False
    dt_flags: int = 0
    dt_flags_1: int = 0
    # Further (tag, value) entries of the dynamic section.
    tags: Sequence[Tuple[int, int]] = ()
    tls_size: Optional[int] = None
    # None leaves PT_GNU_STACK out.
    stack_flags: Optional[int] = 6
    wx_segment: bool = False
    page_align: int = 0x1000
    # (owner, type, description) of each.
    notes: Sequence[Tuple[bytes, int, bytes]] = ()
    isa: Optional[int] = None
    # False makes a static executable, which has no dynamic section and none of its tables.
    dynamic: bool = True
    sections: bool = True
    # The strings of the section .comment, each with NUL.
    comment: bytes = b""
    code: bytes = bytes(16)
    # Zero bytes after the code, so that the dynamic section is far from the start.
    padding: int = 0
    tables_last: bool = False
    # Only the string table is at the end, as patchelf moves it.
    strings_last: bool = False
    # Further PT_LOADs before the one of the data: offset, address, size in the file and in memory.
    overlays: Sequence[Tuple[int, int, int, int]] = ()

    @property
    def encoding(self) -> Encoding:
        """The word size and byte order of the file."""
        return Encoding(self.bits, self.little)

    @property
    def word(self) -> int:
        """The size of an address in bytes."""
        return self.bits // 8

    @property
    def base(self) -> int:
        """The address of the first byte; 0 except for a position-dependent executable."""
        return 0x400000 if self.type == 2 else 0


# A file of each architecture that has a tag, with the e_flags and the page size of GNU ld.
TARGETS: Dict[str, Elf] = {
    "x86_64": Elf(),
    "i686": Elf(bits=32, machine=3),
    "aarch64": Elf(machine=183, page_align=0x10000),
    "armv7l": Elf(bits=32, machine=40, flags=0x05000400, page_align=0x10000),
    "ppc64le": Elf(machine=21, flags=2, page_align=0x10000),
    "ppc64": Elf(machine=21, flags=1, little=False, page_align=0x10000),
    "s390x": Elf(machine=22, little=False),
    "riscv64": Elf(machine=243, flags=5),
    "loongarch64": Elf(machine=258, flags=0x43, page_align=0x10000),
}
