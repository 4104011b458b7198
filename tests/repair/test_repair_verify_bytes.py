"""The comparison finds a change of any byte of a patched file, for each way to add a segment."""

from __future__ import annotations

import io
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Tuple

import pytest

from elfbuilding import gcc, needs_gcc
from elfdamage import with_segment
from elfmodel import TARGETS, Elf
from elftables import Symbol
from elfwriter import write
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.patch import patch_file
from manyshim.repair.verify import differences
from manyshim.repair.verify_file import StoredFile

PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR = 0, 1, 2, 3, 4, 6
PT_GNU_STACK = 0x6474E551
# Types that no loader knows.
UNKNOWN, OTHER = 0x60000001, 0x60000002
BUILD_ID = (b"GNU", 3, b"12345678")

BASE = Elf(
    soname="libfoo.so.1",
    needed=("libbar.so.2", "libc.so.6"),
    rpath="/opt/lib",
    symbols=(Symbol("foo"), Symbol("bar", defined=False)),
    version_needs=(("libbar.so.2", "BAR_1"), ("libc.so.6", "GLIBC_2.4")),
    notes=(BUILD_ID,),
    sysv_hash=True,
)
PATCH = Patch(
    (("libbar.so.2", "libbar-12345678.so.2"),), (), "libfoo-0badcafe.so.1", "$ORIGIN/x", True
)


def plain(data: bytes) -> bytes:
    return data


def null(data: bytes) -> bytes:
    return with_segment(data, PT_GNU_STACK, type=PT_NULL)


def library(data: bytes) -> bytes:
    """Hide PT_INTERP, so that PT_PHDR is not needed."""
    return with_segment(data, PT_INTERP, type=UNKNOWN)


def fixed(data: bytes) -> bytes:
    """Hide PT_INTERP and PT_PHDR, so that nothing behind the program headers can move."""
    return with_segment(library(data), PT_PHDR, type=OTHER)


class Way(NamedTuple):
    """A way to make room for the new segment: the file, its edit, the patch, and what it shows.

    `lost` are the types of the program headers that are dropped, `more` how many there are more.
    """

    elf: Elf = BASE
    edit: Callable[[bytes], bytes] = plain
    patch: Patch = PATCH
    lost: Tuple[int, ...] = ()
    more: int = 0


PROGRAM = replace(BASE, interp="/lib/ld.so")
WAYS: Dict[str, Way] = {
    "in place": Way(patch=Patch((("libc.so.6", "so.6"),), (), "foo.so.1", "", True)),
    "nothing": Way(patch=Patch()),
    "the stack": Way(replace(BASE, stack_flags=7), patch=Patch(plain_stack=True)),
    "the table grows": Way(more=1),
    "a program's table grows": Way(PROGRAM, more=1),
    "the table grows without sections": Way(replace(BASE, sections=False), more=1),
    "a free entry": Way(edit=null, lost=(PT_NULL,)),
    "the note of a property": Way(replace(BASE, isa=1), lost=(PT_NOTE,)),
    "a library's PT_PHDR": Way(PROGRAM, library, lost=(PT_PHDR,)),
    "the segment of the strings": Way(replace(BASE, strings_last=True), lost=(PT_LOAD,)),
    "a note that informs": Way(PROGRAM, fixed, lost=(PT_NOTE,)),
    "its own segment": Way(replace(BASE, strings_last=True, sections=False)),
    "the table moves": Way(replace(PROGRAM, sections=False, notes=()), fixed, more=1),
    "the dynamic section moves": Way(replace(BASE, rpath=None), more=1),
    "hints are dropped": Way(
        replace(BASE, rpath=None, soname=None, tags=((21, 0), (0x6FFFFFF9, 3))), more=1
    ),
}
LAYOUTS = {
    "32-bit, little-endian": replace(BASE, bits=32, machine=TARGETS["armv7l"].machine),
    "32-bit, big-endian": replace(BASE, bits=32, little=False, machine=20),
    "64-bit, big-endian": replace(BASE, little=False, machine=TARGETS["s390x"].machine),
    "64-bit, large pages": replace(BASE, machine=183, page_align=0x10000),
}
CASES = {**WAYS, **{name: Way(elf, more=1) for name, elf in LAYOUTS.items()}}


def stored(path: Path) -> StoredFile:
    return StoredFile(path.name, io.BytesIO(path.read_bytes()))


def pair(folder: Path, way: Way) -> Tuple[Path, Path]:
    """Write a file and its patched copy."""
    source, target = folder / "source.so", folder / "target.so"
    source.write_bytes(way.edit(write(way.elf)))
    patch_file(str(source), str(target), way.patch)
    return source, target


@pytest.mark.parametrize("name", CASES)
def test_each_way_to_patch_is_good(tmp_path: Path, name: str) -> None:
    way = CASES[name]
    source, target = pair(tmp_path, way)
    assert differences(str(source), str(target), way.patch) == []
    before, after = stored(source), stored(target)
    assert after.count == before.count + way.more
    was, now = ([one.type for one in file.programs] for file in (before, after))
    added = [PT_LOAD] * (after.count - before.count + len(way.lost))
    assert sorted([*now, *way.lost]) == sorted([*was, *added])
    assert (after.table != before.table) == (name == "the table moves")
    again = target.with_name("again.so")
    patch_file(str(target), str(again), way.patch)
    assert again.read_bytes() == target.read_bytes()


def changed_bytes(target: Path, bad: Path, places: range) -> Iterator[Tuple[int, int]]:
    """Write the file with one byte changed in two ways, at each place; yield place and change."""
    size = target.stat().st_size
    return changed_places(target, bad, range(size)[places.start :: places.step])


def changed_places(target: Path, bad: Path, places: Iterable[int]) -> Iterator[Tuple[int, int]]:
    good = target.read_bytes()
    bad.write_bytes(good)
    file = os.open(str(bad), os.O_WRONLY)
    try:
        for place in places:
            for change in (0x01, 0x80 if good[place] != 0x80 else 0x40):
                os.pwrite(file, bytes((good[place] ^ change,)), place)
                yield place, change
            os.pwrite(file, good[place : place + 1], place)
    finally:
        os.close(file)


def overlooked(folder: Path, way: Way, places: range) -> List[Tuple[str, int]]:
    """Return the changes that the comparison does not find, each with its offset."""
    source, target = pair(folder, way)
    bad = folder / "bad.so"
    assert differences(str(source), str(target), way.patch) == []
    return [
        (hex(place), change)
        for place, change in changed_bytes(target, bad, places)
        if not differences(str(source), str(bad), way.patch)
    ]


@pytest.mark.parametrize("name", CASES)
def test_a_change_of_any_seventeenth_byte_is_found(tmp_path: Path, name: str) -> None:
    start = list(CASES).index(name) % 17
    assert overlooked(tmp_path, CASES[name], range(start, 1 << 20, 17)) == []


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
def test_a_change_of_any_byte_is_found(tmp_path: Path, name: str) -> None:
    """No byte is free: padding, dead fields and the new strings are compared, too."""
    assert overlooked(tmp_path, CASES[name], range(0, 1 << 20, 1)) == []


@needs_gcc
def test_sampled_changes_of_a_large_library_are_found(tmp_path: Path) -> None:
    """The library has 12 MB of data, a code section, symbols and relocations."""
    (tmp_path / "x.c").write_text(
        "int puts(const char *);\nint call(void) { return puts(__FILE__); }\n"
        "const char data[12000000] = {1};\nvoid *table[9999] = {&call};\n"
    )
    source, target, bad = (tmp_path / name for name in ("x.so", "y.so", "bad.so"))
    gcc(tmp_path, "-shared", "-fPIC", "-g", "x.c", "-o", "x.so")
    patch = Patch(soname="a-new-name.so.1", rpath="$ORIGIN/x")
    patch_file(str(source), str(target), patch)
    assert differences(str(source), str(target), patch) == []
    size = target.stat().st_size
    chance = random.Random(1)  # noqa: S311 (reproducible, not secret)
    # Half of the samples are among the headers, the tables and the new segment.
    places = {*(chance.randrange(size) for _ in range(100)), *range(0, 4096, 61)}
    places |= set(range(size - 2048, size, 61))
    missed = [
        place
        for place, _ in changed_places(target, bad, sorted(places))
        if not differences(str(source), str(bad), patch)
    ]
    assert missed == []
