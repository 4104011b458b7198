"""The ELF writer's segments, sections, tags, notes and relocations, read by pyelftools."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any, Dict, List

import pytest

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
from elfsamples import FULL, MACHINES, SYMBOLS, described, dynamic_segment, opened
from elfwriter import TARGETS, Elf, Symbol, write


@pytest.mark.parametrize("arch", MACHINES)
def test_header_states_the_architecture(arch: str) -> None:
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
def test_segments_map_the_parts(arch: str, tables_last: bool) -> None:  # noqa: FBT001
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
def test_optional_segments(changes: Dict[str, Any], kind: str, flags: List[int]) -> None:
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
def test_damage_changes_the_named_field(arch: str) -> None:
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
    # In the data segment addresses and offsets differ.
    section = opened(data).get_section_by_name(".dynamic")
    assert file_offset(data, section["sh_addr"]) == section["sh_offset"] != section["sh_addr"]
    with pytest.raises(ValueError, match="no segment holds"):
        file_offset(data, len(data) * 100)
    with pytest.raises(ValueError, match="no such entry"):
        with_dynamic(data, 1, 0, nth=2)
