"""Damaged debug information costs neither much time nor much memory."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from pathlib import Path
from typing import Dict, Tuple

import pytest
from elftools.elf.elffile import ELFFile

from manyshim.audit.facts import SourceLine
from manyshim.formats.elf.debuginfo import uses, uses_in_library
from manyshim.formats.elf.relocatable import Relocatable, readable
from paths import REPOSITORY

SEEDS = REPOSITORY / "fuzz" / "seeds" / "debug"
NOBITS, COMPRESSED = 8, 0x800
_Found = Dict[str, Tuple[SourceLine, ...]]


def seed(name: str) -> bytearray:
    return bytearray((SEEDS / name).read_bytes())


def state(data: bytearray, section: str, *, kind: int = 0, **fields: int) -> None:
    """Change fields of a section header of a 64-bit little-endian file."""
    elf = ELFFile(io.BytesIO(data))
    at = elf["e_shoff"] + elf.get_section_index(section) * elf["e_shentsize"]
    if kind:
        struct.pack_into("<I", data, at + 4, kind)
    for name, value in fields.items():
        place = at + {"flags": 8, "offset": 24, "size": 32}[name]
        struct.pack_into("<Q", data, place, value)


def in_object(data: bytes, folder: Path) -> _Found:
    (folder / "x.o").write_bytes(data)
    return uses([str(folder)], ["pidfd_open"])


def in_library(data: bytes, _: Path) -> _Found:
    return uses_in_library(io.BytesIO(data), ["pidfd_open"])


READERS = {"gcc-dwarf5.o": in_object, "gcc-dwarf5.shared": in_library}


@pytest.mark.parametrize("name", READERS)
def test_the_undamaged_files_have_a_line(name: str, tmp_path: Path) -> None:
    (place,) = READERS[name](bytes(seed(name)), tmp_path)["pidfd_open"]
    assert (Path(place.file).name, place.line, place.function) == ("x.c", 2, "helper")


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("section", [".debug_str", ".debug_abbrev", ".eh_frame", ".zdebug_info"])
@pytest.mark.parametrize("how", ["not in the file", "compressed"])
def test_a_small_file_cannot_state_much_debug_information(
    name: str, section: str, how: str, tmp_path: Path
) -> None:
    data, size = seed(name), 100 << 20
    if not data.count(section.encode()):
        # pyelftools reads this section too, so it gets the name of one that does not matter.
        other = b".debug_aranges"
        at = data.index(other)
        data[at : at + len(other)] = section.encode().ljust(len(other), b"\0")
    if how == "compressed":
        # An Elf64_Chdr: the type, 4 bytes reserved, the size and the alignment.
        content = struct.pack("<IIQQ", 1, 0, size, 1) + zlib.compress(bytes(size))
        if section == ".zdebug_info":
            # The form of old GNU tools has no flag.
            content = b"ZLIB" + struct.pack(">Q", size) + content[24:]
        flags = COMPRESSED if section != ".zdebug_info" else 0
        state(data, section, flags=flags, offset=len(data), size=len(content))
        data += content
    else:
        state(data, section, kind=NOBITS, size=size)
    tracemalloc.start()
    try:
        READERS[name](bytes(data), tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_sections_that_overlap_are_not_read() -> None:
    data = seed("gcc-dwarf5.o")
    state(data, ".symtab", offset=0, size=len(data))
    with pytest.raises(ValueError, match="overlap"):
        Relocatable(data)


def test_names_that_are_ends_of_one_name_are_limited() -> None:
    name, symbols = b"a" * 100_000 + b"\0", 1000
    table = b"".join(struct.pack("<IBBHQQ", index, 0, 0, 0, 0, 0) for index in range(symbols))
    header = b"\x7fELF\2\1\1".ljust(16, b"\0")
    fields = (1, 62, 1, 0, 0, 64 + len(name) + len(table), 0, 64, 0, 0, 64, 3, 0)
    header += struct.pack("<HHIQQQIHHHHHH", *fields)
    sections = bytes(64)
    for kind, offset, size, link in (
        (2, 64 + len(name), len(table), 2),
        (3, 64, len(name), 0),
    ):
        sections += struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, offset, size, link, 0, 1, 24)
    with pytest.raises(ValueError, match="long names"):
        Relocatable(bytearray(header + name + table + sections))


def test_a_long_name_is_not_demangled() -> None:
    began = time.process_time()
    for name in ("_Z" + "1a" * 100_000, "_Z" + "9" * 100_000):
        assert readable(name) == name
    assert time.process_time() - began < 1


def test_entries_in_a_loop_end_the_search() -> None:
    data = seed("gcc-dwarf5.shared")
    elf = ELFFile(io.BytesIO(data))
    (unit,) = elf.get_dwarf_info().iter_CUs()
    die = next(die for die in unit.iter_DIEs() if "DW_AT_sibling" in die.attributes)
    sibling = die.attributes["DW_AT_sibling"]
    assert sibling.form == "DW_FORM_ref4"
    section = elf.get_section_by_name(".debug_info")
    assert section is not None
    struct.pack_into("<I", data, section["sh_offset"] + sibling.offset, die.offset)
    began = time.process_time()
    assert uses_in_library(io.BytesIO(data), ["pidfd_open"], seconds=20) == {}
    assert time.process_time() - began < 5


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "entries",
    [
        # One field, whose form has no bytes (DW_FORM_flag_present), and 2**49 - 1 folders.
        b"\x01\x01\x19" + b"\xff" * 6 + b"\x7f",
        # No fields.
        b"\x00" + b"\xff" * 6 + b"\x7f",
        # A path (DW_FORM_line_strp), and more folders than any unit has.
        b"\x01\x01\x1f\xff\xff\x7f",
    ],
)
def test_folders_without_an_end_are_not_read(name: str, entries: bytes, tmp_path: Path) -> None:
    data = seed(name)
    section = ELFFile(io.BytesIO(data)).get_section_by_name(".debug_line")
    assert section is not None
    at = data.index(b"\x01\x01\x1f", section["sh_offset"])
    data[at : at + len(entries)] = entries
    began = time.process_time()
    assert READERS[name](bytes(data), tmp_path).get("pidfd_open", ()) in {
        (),
        (SourceLine("x.c", 0, "helper"),),
    }
    assert time.process_time() - began < 5
