"""The ELF writer against pyelftools, the binutils and glibc's own loader."""

from __future__ import annotations

import platform
import re
import struct
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.hash import ELFHashTable, GNUHashTable

import needs
from elfdamage import (
    blank_sections,
    file_offset,
    scrambled_section_names,
    section_table_past_end,
    table_offset,
    with_dynamic,
    with_segment,
    without_dynamic,
)
from elftables import ALPHA, HIDDEN, NOTYPE, OBJECT, TLS
from elfwriter import TARGETS, Elf, Symbol, write

if TYPE_CHECKING:
    from pathlib import Path

MACHINES = {
    "x86_64": ("EM_X86_64", 64, True),
    "i686": ("EM_386", 32, True),
    "aarch64": ("EM_AARCH64", 64, True),
    "armv7l": ("EM_ARM", 32, True),
    "ppc64le": ("EM_PPC64", 64, True),
    "ppc64": ("EM_PPC64", 64, False),
    "s390x": ("EM_S390", 64, False),
    "riscv64": ("EM_RISCV", 64, True),
    "loongarch64": ("EM_LOONGARCH", 64, True),
}

# Imports stand behind and between definitions, so that the order of the file is the writer's work.
SYMBOLS = (
    Symbol("PyInit_demo", defined=True),
    Symbol("malloc", "libc.so.6", "GLIBC_2.17"),
    Symbol("demo_new", version="DEMO_2", defined=True),
    Symbol("gettid", "libc.so.6", "GLIBC_2.30", weak=True),
    Symbol("PyErr_Occurred"),
    Symbol("sin", "libm.so.6", "GLIBC_2.17"),
    Symbol("demo_state", defined=True, kind=OBJECT, unique=True),
    Symbol("demo_hidden", defined=True, visibility=HIDDEN),
    Symbol("demo_tls", defined=True, kind=TLS),
    Symbol("__gmon_start__", weak=True, kind=NOTYPE),
)
FULL = Elf(
    soname="libdemo.so.1",
    needed=("libc.so.6", "libm.so.6"),
    rpath="/opt/lib",
    runpath="$ORIGIN/../libs",
    symbols=SYMBOLS,
    versions_defined=("DEMO_1", "DEMO_2"),
    version_needs=(("libc.so.6", "GLIBC_2.36"),),
    weak_versions=frozenset({("libc.so.6", "GLIBC_2.30")}),
    sysv_hash=True,
    relr=True,
    dt_flags=0x18,
    dt_flags_1=1,
    tls_size=16,
    notes=((b"GNU", 3, b"\x01\x02\x03\x04\x05"), (b"Android", 1, b"abc")),
    isa=5,
    padding=0x12345,
)
# (library, node, flags, index) and (node, flags, index) of the above.
NEEDS = [
    ("libc.so.6", "GLIBC_2.17", 0, 4),
    ("libc.so.6", "GLIBC_2.30", 2, 5),
    ("libc.so.6", "GLIBC_2.36", 0, 7),
    ("libm.so.6", "GLIBC_2.17", 0, 6),
]
DEFINITIONS = [("libdemo.so.1", 1, 1), ("DEMO_1", 0, 2), ("DEMO_2", 0, 3)]
NODES = {4: "GLIBC_2.17", 5: "GLIBC_2.30", 7: "GLIBC_2.36", 6: "GLIBC_2.17", 3: "DEMO_2"}


def described(arch: str, full: Elf = FULL, **changes: Any) -> Elf:
    """Describe the same contents for another architecture."""
    target = TARGETS[arch]
    same = {name: getattr(target, name) for name in ("bits", "little", "machine", "flags")}
    return replace(full, page_align=target.page_align, **same, **changes)


def opened(data: bytes) -> Any:
    return ELFFile(BytesIO(data))


def dynamic_segment(elf: Any) -> Any:
    return next(elf.iter_segments("PT_DYNAMIC"))


def needs_and_definitions(elf: Any) -> Tuple[List[Any], List[Any]]:
    needs, definitions = map(elf.get_section_by_name, (".gnu.version_r", ".gnu.version_d"))
    return (
        [
            (need.name, node.name, node["vna_flags"], node["vna_other"], node["vna_hash"])
            for need, nodes in needs.iter_versions()
            for node in nodes
        ],
        [
            (node.name, record["vd_flags"], record["vd_ndx"], record["vd_hash"])
            for record, nodes in definitions.iter_versions()
            for node in nodes
        ],
    )


@pytest.mark.parametrize("arch", MACHINES)
def test_header_says_the_architecture(arch: str) -> None:
    elf = opened(write(described(arch, osabi=3, abiversion=1)))
    machine, bits, little = MACHINES[arch]
    assert (elf["e_machine"], elf.elfclass, elf.little_endian) == (machine, bits, little)
    assert (elf["e_type"], elf["e_flags"]) == ("ET_DYN", TARGETS[arch].flags)
    assert elf["e_ident"]["EI_OSABI"] == "ELFOSABI_LINUX"
    assert elf["e_ident"]["EI_ABIVERSION"] == 1
    assert elf["e_entry"] == 0, "a library does not start"
    assert elf["e_ehsize"] == elf["e_phoff"] == elf.structs.Elf_Ehdr.sizeof()


@pytest.mark.parametrize("tables_last", [False, True])
@pytest.mark.parametrize("arch", MACHINES)
def test_segments_map_what_they_should(arch: str, tables_last: bool) -> None:  # noqa: FBT001
    elf = opened(write(described(arch, tables_last=tables_last, interp="/lib/ld.so")))
    page = TARGETS[arch].page_align
    loads = list(elf.iter_segments("PT_LOAD"))
    assert [load["p_flags"] for load in loads] == [4, 5, 6, 6][: 3 + tables_last]
    for number, load in enumerate(loads):
        assert load["p_align"] == page
        assert load["p_vaddr"] - load["p_offset"] == number * page
    for one, other in zip(loads, loads[1:]):
        end = one["p_vaddr"] + one["p_memsz"]
        assert -(-end // page) <= other["p_vaddr"] // page, "two segments share a page"
    holder = loads[3 if tables_last else 0]
    for name in (".dynsym", ".dynstr"):
        assert holder.section_in_segment(elf.get_section_by_name(name))
    kinds = [segment["p_type"] for segment in elf.iter_segments()]
    assert kinds[:3] == ["PT_PHDR", "PT_INTERP", "PT_LOAD"]
    assert kinds.count("PT_NOTE") == 2
    assert "PT_GNU_PROPERTY" in kinds
    rows = {segment["p_type"]: segment for segment in elf.iter_segments()}
    assert rows["PT_INTERP"].get_interp_name() == "/lib/ld.so"
    assert rows["PT_PHDR"]["p_filesz"] == elf["e_phnum"] * elf["e_phentsize"]
    assert (rows["PT_TLS"]["p_filesz"], rows["PT_TLS"]["p_memsz"]) == (0, 16)
    assert rows["PT_GNU_STACK"]["p_flags"] == 6
    assert rows["PT_DYNAMIC"]["p_offset"] > FULL.padding
    assert elf["e_entry"] == elf.get_section_by_name(".text")["sh_addr"]


@pytest.mark.parametrize(
    ("changes", "kind", "flags"),
    [
        ({"stack_flags": None}, "PT_GNU_STACK", []),
        ({"stack_flags": 7}, "PT_GNU_STACK", [7]),
        ({"wx_segment": True}, "PT_LOAD", [4, 7, 6]),
        ({"tls_size": None}, "PT_TLS", []),
        ({"dynamic": False}, "PT_DYNAMIC", []),
        ({"isa": None, "notes": ()}, "PT_NOTE", []),
    ],
)
def test_segments_that_a_test_may_ask_for(
    changes: Dict[str, Any], kind: str, flags: List[int]
) -> None:
    elf = opened(write(replace(FULL, **changes)))
    assert [segment["p_flags"] for segment in elf.iter_segments(kind)] == flags


@pytest.mark.parametrize("tables_last", [False, True])
@pytest.mark.parametrize("arch", MACHINES)
def test_dynamic_tags_lead_to_the_sections(arch: str, tables_last: bool) -> None:  # noqa: FBT001
    elf = opened(write(described(arch, tables_last=tables_last, textrel=True, tags=((24, 7),))))
    segment = dynamic_segment(elf)
    tags = list(segment.iter_tags())
    assert tags[-1]["d_tag"] == "DT_NULL"
    assert [tag.needed for tag in tags if tag["d_tag"] == "DT_NEEDED"] == list(FULL.needed)
    values = {tag["d_tag"]: tag for tag in tags}
    assert values["DT_SONAME"].soname == FULL.soname
    assert values["DT_RPATH"].rpath == FULL.rpath
    assert values["DT_RUNPATH"].runpath == FULL.runpath
    numbers = {name: tag["d_val"] for name, tag in values.items()}
    word = elf.elfclass // 8
    expected = {
        "DT_SYMENT": elf.structs.Elf_Sym.sizeof(),
        "DT_VERNEEDNUM": 2,
        "DT_VERDEFNUM": 3,
        "DT_RELRSZ": word,
        "DT_RELRENT": word,
        "DT_TEXTREL": 0,
        "DT_FLAGS": 0x18,
        "DT_FLAGS_1": 1,
        "DT_BIND_NOW": 7,
    }
    assert {name: numbers[name] for name in expected} == expected
    tables = {
        ".hash": "DT_HASH",
        ".gnu.hash": "DT_GNU_HASH",
        ".dynstr": "DT_STRTAB",
        ".dynsym": "DT_SYMTAB",
        ".gnu.version": "DT_VERSYM",
        ".gnu.version_d": "DT_VERDEF",
        ".gnu.version_r": "DT_VERNEED",
        ".relr.dyn": "DT_RELR",
    }
    for name, tag in tables.items():
        section = elf.get_section_by_name(name)
        assert section is not None
        assert segment.get_table_offset(tag) == (section["sh_addr"], section["sh_offset"])
        assert section["sh_addr"] % section["sh_addralign"] == 0
    assert numbers["DT_STRSZ"] == elf.get_section_by_name(".dynstr")["sh_size"]
    relr = segment.get_relocation_tables()["RELR"]
    slots = [relocation["r_offset"] for relocation in relr.iter_relocations()]
    assert slots == [elf.get_section_by_name(".data")["sh_addr"]]


@pytest.mark.parametrize("arch", MACHINES)
def test_symbols_have_their_kinds_and_versions(arch: str) -> None:
    data = write(described(arch))
    elf = opened(data)
    table = elf.get_section_by_name(".dynsym")
    versions = elf.get_section_by_name(".gnu.version")
    assert versions.num_symbols() == table.num_symbols() == 1 + len(SYMBOLS)
    text = elf.get_section_by_name(".text")["sh_addr"]
    found: Dict[str, Tuple[Any, ...]] = {}
    for symbol, version in zip(table.iter_symbols(), versions.iter_symbols()):
        info, node = symbol["st_info"], version["ndx"]
        found[symbol.name] = (
            info["bind"][4:] + " " + info["type"][4:],
            symbol["st_other"]["visibility"],
            "undefined" if symbol["st_shndx"] == "SHN_UNDEF" else symbol["st_value"],
            NODES.get(node, ""),
        )
    assert found.pop("") == ("LOCAL NOTYPE", "STV_DEFAULT", "undefined", "")
    assert found == {
        "PyInit_demo": ("GLOBAL FUNC", "STV_DEFAULT", text, ""),
        "malloc": ("GLOBAL FUNC", "STV_DEFAULT", "undefined", "GLIBC_2.17"),
        "demo_new": ("GLOBAL FUNC", "STV_DEFAULT", text, "DEMO_2"),
        "gettid": ("WEAK FUNC", "STV_DEFAULT", "undefined", "GLIBC_2.30"),
        "PyErr_Occurred": ("GLOBAL FUNC", "STV_DEFAULT", "undefined", ""),
        "sin": ("GLOBAL FUNC", "STV_DEFAULT", "undefined", "GLIBC_2.17"),
        "demo_state": ("LOOS OBJECT", "STV_DEFAULT", text, ""),
        "demo_hidden": ("GLOBAL FUNC", "STV_HIDDEN", text, ""),
        "demo_tls": ("GLOBAL TLS", "STV_DEFAULT", 0, ""),
        "__gmon_start__": ("WEAK NOTYPE", "STV_DEFAULT", "undefined", ""),
    }
    by_sections = [symbol.name for symbol in table.iter_symbols()]
    by_segments = dynamic_segment(opened(blank_sections(data))).iter_symbols()
    assert [symbol.name for symbol in by_segments] == by_sections


@pytest.mark.parametrize("arch", MACHINES)
def test_version_chains_are_linked_and_hashed(arch: str) -> None:
    needs, definitions = needs_and_definitions(opened(write(described(arch))))
    hashed = ELFHashTable.elf_hash
    assert needs == [(*row, hashed(row[1])) for row in NEEDS]
    assert definitions == [(*row, hashed(row[0])) for row in DEFINITIONS]


@pytest.mark.parametrize("arch", MACHINES)
def test_gnu_hash_finds_the_definitions_only(arch: str) -> None:
    # Many symbols make several buckets and several words of the filter.
    many = tuple(Symbol(f"f{number}", defined=number % 3 > 0) for number in range(300))
    elf = opened(write(described(arch, symbols=many, version_needs=())))
    segment = dynamic_segment(elf)
    table = GNUHashTable(elf, segment.get_table_offset("DT_GNU_HASH")[1], segment)
    assert table.get_number_of_symbols() == 301
    assert table.params["symoffset"] == 101
    assert table.params["nbuckets"] == 100
    for symbol in many:
        found = table.get_symbol(str(symbol.name))
        assert (found.name if found else None) == (symbol.name if symbol.defined else None)
    assert table.get_symbol("absent") is None


@pytest.mark.skipif(
    sys.version_info < (3, 10), reason="the last pyelftools for this Python reads no DT_HASH alone"
)
@pytest.mark.parametrize("arch", sorted(set(MACHINES) - {"s390x"}))
def test_sysv_hash_finds_every_symbol(arch: str) -> None:
    many = tuple(Symbol(f"f{number}", defined=number % 3 > 0) for number in range(300))
    elf = opened(write(described(arch, symbols=many, version_needs=(), gnu_hash=False)))
    segment = dynamic_segment(elf)
    assert segment.num_symbols() == 301
    table = ELFHashTable(elf, segment.get_table_offset("DT_HASH")[1], None, segment)
    for index, symbol in enumerate(many, 1):
        found = table.get_symbol(str(symbol.name))
        assert found is not None
        assert found.name == symbol.name == segment.get_symbol(index).name


@pytest.mark.parametrize(
    ("elf", "words"),
    [
        (TARGETS["s390x"], ">Q"),
        (Elf(machine=ALPHA), "<Q"),
        (replace(TARGETS["s390x"], bits=32), ">I"),
        (TARGETS["x86_64"], "<I"),
    ],
)
def test_sysv_hash_words_are_wide_where_the_abi_says(elf: Elf, words: str) -> None:
    # pyelftools reads 32-bit words always.
    data = write(replace(elf, symbols=(Symbol("a"), Symbol("b")), sysv_hash=True))
    # One bucket that starts at the last of two symbols, each of which leads to the one before.
    table = struct.unpack_from(f"{words[0]}6{words[1]}", data, table_offset(data, 4))
    assert table == (1, 3, 2, 0, 0, 1)


def test_gnu_hash_without_definitions() -> None:
    imports = Elf(symbols=(Symbol("a"), Symbol("b")))
    assert dynamic_segment(opened(write(imports))).num_symbols() == 3
    like_ld = write(replace(imports, empty_hash_like_ld=True))
    table = struct.unpack_from("<4IQI", like_ld, table_offset(like_ld, 0x6FFFFEF5))
    assert table == (1, 1, 1, 0, 0, 0)


def test_undefined_function_with_a_value_is_hashed() -> None:
    symbols = (Symbol("main", defined=True), Symbol("puts", value=0x401000), Symbol("exit"))
    elf = opened(write(Elf(type=2, interp="/lib/ld.so", symbols=symbols)))
    assert elf["e_type"] == "ET_EXEC"
    assert next(elf.iter_segments("PT_LOAD"))["p_vaddr"] == 0x400000
    section = elf.get_section_by_name(".gnu.hash")
    found = section.get_symbol("puts")
    assert found is not None
    assert (found["st_shndx"], found["st_value"]) == ("SHN_UNDEF", 0x401000)
    assert section.get_symbol("exit") is None


@pytest.mark.parametrize("arch", MACHINES)
def test_notes_are_found_by_section_and_by_segment(arch: str) -> None:
    elf = opened(write(described(arch)))
    expected = [("GNU", b"\x01\x02\x03\x04\x05"), ("Android", b"abc")]
    segments = list(elf.iter_segments("PT_NOTE"))
    plain = [(row["n_name"], row["n_descdata"]) for row in segments[0].iter_notes()]
    assert plain == expected
    for holder in (segments[1], elf.get_section_by_name(".note.gnu.property")):
        (row,) = holder.iter_notes()
        assert (row["n_name"], row["n_type"]) == ("GNU", "NT_GNU_PROPERTY_TYPE_0")
        assert len(row["n_descdata"]) % (elf.elfclass // 8) == 0
        order = "<" if elf.little_endian else ">"
        assert struct.unpack_from(f"{order}III", row["n_descdata"]) == (0xC0008002, 4, 5)


@pytest.mark.parametrize("name", [".rela.dyn", ".rel.dyn", ".rela.plt", ".rel.plt"])
@pytest.mark.parametrize("arch", MACHINES)
def test_relocations_name_every_undefined_symbol(arch: str, name: str) -> None:
    data = blank_sections(write(described(arch, relocations=name)))
    segment = dynamic_segment(opened(data))
    tables = segment.get_relocation_tables()
    table = tables["JMPREL" if name.endswith(".plt") else name[1:-4].upper()]
    rows = list(table.iter_relocations())
    assert {row["r_info_type"] for row in rows} == {0}
    names = {segment.get_symbol(row["r_info_sym"]).name for row in rows}
    assert names == {symbol.name for symbol in SYMBOLS if not symbol.defined}


def test_names_are_bytes() -> None:
    needed = (b"lib\xff .so", "libé.so", "lib\udcfe.so")
    data = write(Elf(needed=needed, symbols=(Symbol(b"\xfdsymbol"),)))
    for name in (b"lib\xff .so", "libé.so".encode(), b"lib\xfe.so", b"\xfdsymbol"):
        assert b"\0" + name + b"\0" in data


def test_import_with_a_version_needs_a_library() -> None:
    with pytest.raises(ValueError, match="no library"):
        write(Elf(symbols=(Symbol("f", version="V_1"),)))


def test_static_executable_has_none_of_the_tables() -> None:
    elf = opened(write(replace(FULL, type=2, dynamic=False)))
    assert elf["e_entry"] == elf.get_section_by_name(".text")["sh_addr"] > 0x400000
    assert elf.get_section_by_name(".dynsym") is None


@pytest.mark.parametrize("arch", MACHINES)
def test_without_sections(arch: str) -> None:
    elf = opened(write(described(arch, sections=False)))
    assert (elf["e_shoff"], elf["e_shnum"], elf["e_shstrndx"]) == (0, 0, 0)
    symbols = list(dynamic_segment(elf).iter_symbols())
    assert len(symbols) == 1 + len(SYMBOLS)


def test_output_is_deterministic() -> None:
    assert write(FULL) == write(replace(FULL))


@pytest.mark.parametrize("arch", MACHINES)
def test_damage_hits_what_it_names(arch: str) -> None:
    data = write(described(arch))
    assert opened(blank_sections(data)).num_sections() == 0
    assert opened(section_table_past_end(data))["e_shoff"] > len(data)
    scrambled = opened(scrambled_section_names(data))
    assert scrambled.num_sections() == opened(data).num_sections()
    assert scrambled.get_section_by_name(".dynsym") is None
    second = dynamic_segment(opened(with_dynamic(data, 1, 0, nth=1)))
    assert [tag.needed for tag in second.iter_tags("DT_NEEDED")] == ["libc.so.6", ""]
    hidden = dynamic_segment(opened(without_dynamic(data, 14)))
    assert not list(hidden.iter_tags("DT_SONAME"))
    assert len(list(hidden.iter_tags())) == len(list(dynamic_segment(opened(data)).iter_tags()))
    moved = opened(with_segment(data, 1, 2, offset=0x7777, filesz=3))
    row = list(moved.iter_segments("PT_LOAD"))[2]
    assert (row["p_offset"], row["p_filesz"], row["p_flags"]) == (0x7777, 3, 6)
    for name, tag in ((".gnu.version_r", 0x6FFFFFFE), (".dynsym", 6)):
        assert table_offset(data, tag) == opened(data).get_section_by_name(name)["sh_offset"]
    # The data lie where addresses and offsets differ.
    section = opened(data).get_section_by_name(".dynamic")
    assert file_offset(data, section["sh_addr"]) == section["sh_offset"] != section["sh_addr"]
    with pytest.raises(ValueError, match="no segment holds"):
        file_offset(data, len(data) * 100)
    with pytest.raises(ValueError, match="no such entry"):
        with_dynamic(data, 1, 0, nth=2)


def readelf(*arguments: str) -> str:
    """Run binutils' readelf, which complains on stderr and carries on."""
    tool = needs.tool("readelf", "binutils")
    run = subprocess.run(
        [tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
    )
    complaints = re.findall(r"(?im)^.*(?:\berror\b|warning|corrupt|<unknown).*$", run.stdout)
    assert (run.returncode, complaints) == (0, [])
    return run.stdout


@pytest.mark.parametrize("tables_last", [False, True])
@pytest.mark.parametrize("arch", MACHINES)
def test_readelf_has_no_complaint(
    tmp_path: Path,
    arch: str,
    tables_last: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "demo.so"
    path.write_bytes(write(TARGETS[arch]))
    readelf("-hlSdVn", "--dyn-syms", "-W", str(path))
    path.write_bytes(write(described(arch, tables_last=tables_last, relocations=".rela.dyn")))
    output = readelf("-hlSdVnrI", "--dyn-syms", "-W", str(path))
    for expected in ("gettid@GLIBC_2.30", "demo_new@@DEMO_2", "[libm.so.6]", "[$ORIGIN/../libs]"):
        assert expected in output


@pytest.mark.parametrize("gnu_hash", [False, True])
@pytest.mark.parametrize("arch", MACHINES)
def test_readelf_counts_symbols_by_the_hash_table(
    tmp_path: Path,
    arch: str,
    gnu_hash: bool,  # noqa: FBT001
) -> None:
    elf = described(arch, sections=False, gnu_hash=gnu_hash, sysv_hash=not gnu_hash)
    path = tmp_path / "demo.so"
    path.write_bytes(write(elf))
    output = readelf("-D", "-s", "-W", str(path))
    for symbol in SYMBOLS:
        assert re.search(rf" {symbol.name!s}\b", output)


requires_x86_64 = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.maxsize < 2**32 or platform.system() != "Linux",
    reason="the machine code is for 64-bit x86 Linux",
)
requires_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the written files need glibc"
)
# mov eax, 42; ret
ANSWER = b"\xb8\x2a\0\0\0\xc3"
# mov eax, 60 (exit); mov edi, 42; syscall
EXIT = b"\xb8\x3c\0\0\0\xbf\x2a\0\0\0\x0f\x05"
LOADABLE = Elf(
    soname="libanswer.so",
    needed=("libc.so.6",),
    symbols=(
        Symbol("malloc", "libc.so.6", "GLIBC_2.2.5"),
        Symbol("absent", weak=True),
        Symbol("answer", defined=True),
    ),
    code=ANSWER,
)


def loaded(path: Path, elf: Elf) -> Tuple[Optional[int], str]:
    """Load a library in a child, which a wrong file may crash, and let it call ``answer``."""
    path.write_bytes(write(elf))
    script = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).answer())"
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=False, stderr=subprocess.PIPE, text=True
    )
    return run.returncode, run.stderr


@requires_x86_64
@requires_glibc
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sysv_hash": True, "gnu_hash": False},
        {"sections": False, "padding": 0x54321},
        {"tables_last": True, "page_align": 0x10000},
        {"relocations": ".rela.dyn"},
        {"versions_defined": ("ANSWER_1",), "rpath": "/nowhere", "tls_size": 8},
        {"version_needs": (("libc.so.6", "GLIBC_9.9"),)},
        {"isa": 1, "notes": ((b"GNU", 3, b"1234"),)},
    ],
)
def test_glibc_loads_the_library(tmp_path: Path, changes: Dict[str, Any]) -> None:
    weak = frozenset({("libc.so.6", "GLIBC_9.9")})
    elf = replace(LOADABLE, weak_versions=weak, **changes)
    assert loaded(tmp_path / "libanswer.so", elf) == (42, "")


@requires_x86_64
@requires_glibc
def test_glibc_checks_the_version_needs(tmp_path: Path) -> None:
    elf = replace(LOADABLE, version_needs=(("libc.so.6", "GLIBC_9.9"),))
    status, message = loaded(tmp_path / "libanswer.so", elf)
    assert status == 1
    assert "version `GLIBC_9.9' not found" in message


@requires_x86_64
@pytest.mark.parametrize(
    "elf",
    [
        Elf(type=2, dynamic=False),
        Elf(type=2, dynamic=False, sections=False, padding=0x2345),
        pytest.param(Elf(type=2, interp="", needed=("libc.so.6",)), marks=requires_glibc),
        pytest.param(
            Elf(interp="", needed=("libc.so.6",), dt_flags_1=0x08000000), marks=requires_glibc
        ),
    ],
    ids=["static", "static without sections", "dynamic", "position-independent"],
)
def test_executables_run(tmp_path: Path, elf: Elf) -> None:
    path = tmp_path / "program"
    if elf.interp is not None:
        elf = replace(elf, interp="/lib64/ld-linux-x86-64.so.2")
    path.write_bytes(write(replace(elf, code=EXIT)))
    path.chmod(0o755)
    assert subprocess.run([str(path)], check=False).returncode == 42
