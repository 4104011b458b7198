"""The numbers of the ELF format that this project uses, with their names in the standards.

Sources: ELF gABI chapters 4 and 5; LSB "Symbol Versioning"; glibc elf/elf.h.
"""

from __future__ import annotations

MAGIC = b"\x7fELF"

# p_type: kinds of segments.
PT_NULL = 0
PT_LOAD = 1
PT_DYNAMIC = 2
PT_INTERP = 3
PT_NOTE = 4
PT_PHDR = 6
PT_TLS = 7
PT_GNU_STACK = 0x6474E551
PT_GNU_PROPERTY = 0x6474E553

# p_flags: what a segment may be used for.
PF_X = 1
PF_W = 2
PF_R = 4

# d_tag: entries of the dynamic section.
DT_NULL = 0
DT_NEEDED = 1
DT_PLTRELSZ = 2
DT_HASH = 4
DT_STRTAB = 5
DT_SYMTAB = 6
DT_RELA = 7
DT_RELASZ = 8
DT_STRSZ = 10
DT_SONAME = 14
DT_RPATH = 15
DT_REL = 17
DT_RELSZ = 18
DT_PLTREL = 20
DT_DEBUG = 21
DT_TEXTREL = 22
DT_JMPREL = 23
DT_RUNPATH = 29
DT_FLAGS = 30
DT_RELRSZ = 35
DT_RELR = 36
DT_ANDROID_REL = 0x6000000F
DT_ANDROID_RELA = 0x60000011
DT_ANDROID_RELR = 0x6FFFE000
DT_GNU_HASH = 0x6FFFFEF5
DT_VERSYM = 0x6FFFFFF0
DT_RELACOUNT = 0x6FFFFFF9
DT_RELCOUNT = 0x6FFFFFFA
DT_FLAGS_1 = 0x6FFFFFFB
DT_VERDEF = 0x6FFFFFFC
DT_VERNEED = 0x6FFFFFFE
DT_VERNEEDNUM = 0x6FFFFFFF
DT_AUXILIARY = 0x7FFFFFFD
DT_FILTER = 0x7FFFFFFF

# The tags whose values are addresses, besides those in the ranges (gABI, figure 5-10).
ADDRESS_TAGS = (
    *(3, 4, 5, 6, 7, 12, 13, 17, 23, 25, 26, 32, 34, 36, DT_ANDROID_REL, DT_ANDROID_RELA),
    *(DT_ANDROID_RELR, DT_VERSYM, DT_VERDEF, DT_VERNEED),
)
# DT_ADDRRNGLO to DT_ADDRRNGHI, and those of the processor.
ADDRESS_TAG_RANGES = (range(0x6FFFFE00, 0x6FFFFF00), range(0x70000000, 0x7FFFFFFD))

# Values of DT_FLAGS and DT_FLAGS_1.
DF_TEXTREL = 0x4
DF_STATIC_TLS = 0x10
DF_1_PIE = 0x08000000

# Version nodes: vd_flags and vna_flags.
VER_FLG_BASE = 1
VER_FLG_WEAK = 2

# st_info: binding and type of a symbol.
STB_GLOBAL = 1
STB_WEAK = 2
STB_GNU_UNIQUE = 10
STT_FUNC = 2
STT_FILE = 4
STT_GNU_IFUNC = 10

# sh_type and sh_flags. Only linkers, debuggers and tools that edit files read sections.
SHT_STRTAB = 3
SHT_DYNAMIC = 6
SHT_NOBITS = 8
SHF_ALLOC = 2
SHF_EXECINSTR = 4
SHF_TLS = 0x400

# The type of GNU's property note, and its property that states the x86 level.
NT_GNU_PROPERTY_TYPE_0 = 5
GNU_PROPERTY_X86_ISA_1_NEEDED = 0xC0008002

EM_AARCH64 = 183

# The largest page size of a kernel in bytes, by e_machine, where it is not 64 KiB: x86, s390x,
# riscv64.
PAGES = {3: 4096, 62: 4096, 22: 4096, 243: 4096}
LARGEST_PAGE = 65536

# r_info: by e_machine and word size, the types of relocations that store a thread-local variable's
# fixed offset from the thread pointer (the psABI of each architecture).
TPOFF_TYPES = {
    (3, 32): (14, 37),
    (21, 64): (73,),
    (22, 64): (56,),
    (40, 32): (19,),
    (62, 64): (18,),
    (EM_AARCH64, 64): (1030,),
    (243, 32): (10,),
    (243, 64): (11,),
    (258, 32): (10,),
    (258, 64): (11,),
}

# e_machine: only s390x (64-bit) and alpha have DT_HASH words of 64 bits.
WIDE_HASH_MACHINES = (22, 0x9026)
