"""Files that a loader would refuse are reported as such, and no other error is raised."""

from __future__ import annotations

import io
from typing import Callable, Dict, List, Tuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import elfdamage as damage
from elfvariants import FULL, VARIANTS, described, read
from elfwriter import TARGETS, write
from manyshim.formats.elf import reader
from manyshim.formats.elf.image import ElfError
from manyshim.formats.zip.window import MemberError, Window

# Tags that elfdamage addresses by number.
NEEDED, HASH, STRTAB, SYMTAB, STRSZ, SONAME = 1, 4, 5, 6, 10, 14
GNU_HASH, VERSYM, VERNEED, VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF
VERDEF, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 0x6FFFFFFC, 1, 2, 3, 4


@pytest.mark.parametrize("arch", TARGETS)
@pytest.mark.parametrize("tables_last", [False, True])
def test_truncated_files_are_errors(arch: str, tables_last: bool) -> None:  # noqa: FBT001
    data = write(described(arch, sections=False, tables_last=tables_last, interp="/lib/ld.so"))
    read(data)
    for size in range(4, len(data)):
        with pytest.raises(ElfError):
            read(data[:size])
    for size in range(4, len(data), 97):
        window = Window(io.BytesIO(data[:size]), 0, len(data), len(data), 0)
        with pytest.raises((ElfError, MemberError)):
            reader.read("x.so", window)


WILD = 1 << 30
Damage = Callable[[bytes], bytes]
DAMAGES: Dict[str, Tuple[Damage, str]] = {
    "class": (lambda d: damage.patched(d, 4, b"\3"), "class byte 3"),
    "data": (lambda d: damage.patched(d, 5, b"\0"), "data byte 0"),
    "row size": (lambda d: damage.with_header(d, phentsize=1), "1 bytes each"),
    "row count": (lambda d: damage.with_header(d + bytes(1 << 16), phnum=1025), "more than 1024"),
    "row table": (lambda d: damage.with_header(d, phnum=0xFFFE), "beyond the end of the file"),
    "row offset": (lambda d: damage.with_header(d, phoff=WILD), "beyond the end of the file"),
    "load": (lambda d: damage.with_segment(d, PT_LOAD, 1, filesz=WILD), "segment at offset"),
    "load offset": (lambda d: damage.with_segment(d, PT_LOAD, 0, offset=WILD), "segment at offset"),
    "dynamic": (lambda d: damage.with_segment(d, PT_DYNAMIC, vaddr=WILD), "dynamic section"),
    "no end": (lambda d: damage.without_dynamic_end(d) + b"x" * 4096, "with DT_NULL"),
    "empty": (lambda d: damage.with_segment(d, PT_DYNAMIC, filesz=0, memsz=0), "with DT_NULL"),
    "interpreter": (lambda d: damage.with_segment(d, PT_INTERP, offset=WILD), "beyond the end"),
    "interpreter end": (lambda d: damage.with_segment(d, PT_INTERP, filesz=3), "not end with NUL"),
    "no strings": (lambda d: damage.without_dynamic(d, STRTAB), "no string table"),
    "no string size": (lambda d: damage.without_dynamic(d, STRSZ), "no string table"),
    "strings": (lambda d: damage.with_dynamic(d, STRTAB, WILD), "string table lies in no"),
    "string size": (lambda d: damage.with_dynamic(d, STRSZ, WILD), "beyond its segment"),
    "few strings": (lambda d: damage.with_dynamic(d, STRSZ, 1), "outside its string table's 1 "),
    "needed": (lambda d: damage.with_dynamic(d, NEEDED, WILD, 1), "outside its string table"),
    "soname": (lambda d: damage.with_dynamic(d, SONAME, WILD), "outside its string table"),
    "needs": (lambda d: damage.with_dynamic(d, VERNEED, WILD), "version needs lies in no"),
    "definitions": (lambda d: damage.with_dynamic(d, VERDEF, WILD), "version definitions lies"),
    "symbols": (lambda d: damage.with_dynamic(d, SYMTAB, WILD), "symbol table lies in no"),
    "versions": (lambda d: damage.with_dynamic(d, VERSYM, WILD), "symbol version table lies"),
    "hash": (lambda d: damage.with_dynamic(d, HASH, WILD), "hash table lies in no"),
    "GNU hash": (lambda d: damage.with_dynamic(d, GNU_HASH, WILD), "GNU hash table lies in no"),
    "symbol count": (
        lambda d: damage.patched(d, damage.table_offset(d, HASH), b"\x7f" * 16),
        "symbol table",
    ),
    "buckets": (
        lambda d: damage.patched(d, damage.table_offset(d, GNU_HASH), b"\x7f" * 4),
        "buckets, more than",
    ),
}
# Of a library, the GNU hash table tells where the undefined symbols end. Of a program, all
# symbols are read.
LIBRARY = ("GNU hash", "buckets")


@pytest.mark.parametrize("case", DAMAGES)
@pytest.mark.parametrize("arch", TARGETS)
def test_damage_is_reported(arch: str, case: str) -> None:
    change, gist = DAMAGES[case]
    interp = None if case in LIBRARY else "/lib/ld.so"
    data = write(described(arch, interp=interp, sysv_hash=interp is not None, sections=False))
    read(data)
    with pytest.raises(ElfError, match=gist):
        read(change(data))


@pytest.mark.parametrize("arch", TARGETS)
def test_strings_without_an_end(arch: str) -> None:
    data = write(described(arch, tables_last=True, sections=False))
    start = damage.table_offset(data, STRTAB)
    with pytest.raises(ElfError, match="does not end with NUL"):
        read(data[:start] + b"x" * (len(data) - start))


@pytest.mark.parametrize("arch", TARGETS)
def test_wrong_counts_of_versions(arch: str) -> None:
    """The loader reads no counts: it refused a library whose count was zero. So do we."""
    data = write(described(arch))
    facts = read(data).facts
    for count in (WILD, 0, 1):
        assert read(damage.with_dynamic(data, VERNEEDNUM, count)).facts == facts


def test_damaged_notes_are_no_error() -> None:
    data = write(FULL)
    facts = read(damage.with_segment(data, PT_NOTE, 0, offset=WILD)).facts
    assert facts.damage == (f"its 24 bytes of notes at offset {WILD} extend beyond the file's end",)
    assert facts._replace(damage=()) == read(data).facts


WRITTEN = [
    write(described(arch, sysv_hash=hashed, gnu_hash=not hashed, interp=interp))
    for arch in TARGETS
    for hashed in (False, True)
    for interp in (None, "/lib/ld.so")
] + [write(described(arch, **VARIANTS["as ld.rela.plt"])) for arch in TARGETS]
BLOBS = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from((b"\xff" * 4, b"\xff" * 8, bytes(8), b"\0\0\0\x7f", b"\1")),
)


@settings(max_examples=1500, deadline=None, database=None)
@given(
    st.sampled_from(WRITTEN),
    st.lists(st.tuples(st.integers(0, 2500), BLOBS), min_size=1, max_size=6),
)
@example(WRITTEN[0], [(64, b"\xff" * 8)])
def test_mutated_files_are_read_or_refused(data: bytes, edits: List[Tuple[int, bytes]]) -> None:
    for at, blob in edits:
        data = data[:at] + blob + data[at + len(blob) :]
    try:
        reading = read(data)
        reading.defined(frozenset(("PyInit_demo", "x")))
    except (ElfError, MemberError) as error:
        assert str(error)  # noqa: PT017 (each error has its own text)
    else:
        assert isinstance(reading, reader.Reading)
