"""The ELF writer's symbols, versions and hash tables, against pyelftools."""

from __future__ import annotations

import struct
import sys
from dataclasses import replace
from typing import Any, Dict, List, Tuple

import pytest
from elftools.elf.hash import ELFHashTable, GNUHashTable

from elfdamage import blank_sections, table_offset
from elfsamples import MACHINES, SYMBOLS, described, dynamic_segment, opened
from elftables import ALPHA
from elfwriter import TARGETS, Elf, Symbol, write

# (library, node, flags, index) and (node, flags, index) of the samples.
NEEDS = [
    ("libc.so.6", "GLIBC_2.17", 0, 4),
    ("libc.so.6", "GLIBC_2.30", 2, 5),
    ("libc.so.6", "GLIBC_2.36", 0, 7),
    ("libm.so.6", "GLIBC_2.17", 0, 6),
]
DEFINITIONS = [("libdemo.so.1", 1, 1), ("DEMO_1", 0, 2), ("DEMO_2", 0, 3)]
NODES = {4: "GLIBC_2.17", 5: "GLIBC_2.30", 7: "GLIBC_2.36", 6: "GLIBC_2.17", 3: "DEMO_2"}


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
def test_sysv_hash_words_are_64_bits_in_two_abis(elf: Elf, words: str) -> None:
    # pyelftools always reads 32-bit words.
    data = write(replace(elf, symbols=(Symbol("a"), Symbol("b")), sysv_hash=True))
    # One bucket that starts at the last of two symbols; each links to the previous one.
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


def test_import_with_a_version_needs_a_library() -> None:
    with pytest.raises(ValueError, match="no library"):
        write(Elf(symbols=(Symbol("f", version="V_1"),)))
