"""The reader sees the bytes that the loader maps, also where segments share a page."""

from __future__ import annotations

import json
import platform
import random
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Dict, List, Tuple

import pytest

import elfdamage as damage
from elfvariants import read
from elfwriter import Elf, Symbol, write
from manyshim.formats.elf.image import ElfError
from manyshim.formats.elf.mapping import Mapping

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 4096
PT_LOAD, PT_DYNAMIC = 1, 2
requires_loader = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.maxsize < 2**32 or platform.libc_ver()[0] != "glibc",
    reason="the machine code is for 64-bit x86 Linux, and the script for glibc",
)
# mov eax, 42; ret
ANSWER = b"\xb8\x2a\0\0\0\xc3"
# mov eax, 60 (exit); mov edi, 42; syscall
EXIT = b"\xb8\x3c\0\0\0\xbf\x2a\0\0\0\x0f\x05"
# Four-byte numbers, so that each place of the code has other bytes.
NUMBERS = b"".join(number.to_bytes(4, "little") for number in range(1, 0x8001))
LIBRARY = Elf(
    needed=("libc.so.6",),
    symbols=(Symbol("malloc", "libc.so.6", "GLIBC_2.2.5"), Symbol("answer", defined=True)),
    code=ANSWER.ljust(16, b"\0") + NUMBERS,
    sections=False,
)
# Prints the library's bytes in memory, page by page, from its first address on.
SCRIPT = """
import ctypes, json, sys
path, first, last = sys.argv[1], *map(int, sys.argv[2:])
library = ctypes.CDLL(path)
with open("/proc/self/maps") as maps:
    base = min(int(line.split("-")[0], 16) for line in maps if path in line)
print(json.dumps([ctypes.string_at(base + page, 4096).hex() for page in range(first, last, 4096)]))
"""


def load(path: Path, data: bytes, script: str, *more: int) -> Tuple[int, str, str]:
    """Load a library in a child process, which may crash."""
    path.write_bytes(data)
    run = subprocess.run(
        [sys.executable, "-c", script, str(path), *map(str, more)],
        check=False,
        capture_output=True,
        text=True,
    )
    return run.returncode, run.stdout, run.stderr


def answer(path: Path, data: bytes) -> Tuple[int, str]:
    script = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).answer())"
    status, _, message = load(path, data, script)
    return status, message


def loads(data: bytes) -> List[Tuple[int, int, int, int]]:
    return [
        (load.offset, load.address, load.file_size, load.memory_size)
        for load in read_image(data).segments
        if load.type == PT_LOAD
    ]


def read_image(data: bytes):  # type: ignore[no-untyped-def] # noqa: ANN201
    dynamic = read(data).dynamic
    assert dynamic is not None
    return dynamic.image


def overlays(seed: int) -> List[Tuple[int, int, int, int]]:
    """Return segments that share pages, between the pages of the code and of the data."""
    source = random.Random(seed)  # noqa: S311 (test data)
    made = []
    for _ in range(source.randrange(1, 9)):
        inside, pages = source.randrange(PAGE), source.randrange(2, 12)
        file_size = source.choice((0, 1, 100, 5000, 9000))
        more = source.choice((0, 0, 7, 3000, 9000))
        offset = source.randrange(2, 12) * PAGE + inside
        made.append((offset, 4 * PAGE + pages * PAGE + inside, file_size, file_size + more))
    return made


@requires_loader
@pytest.mark.parametrize("seed", range(16))
def test_the_bytes_are_those_in_memory(seed: int, tmp_path: Path) -> None:
    data = write(replace(LIBRARY, overlays=overlays(seed)))
    first, last = 4 * PAGE, 20 * PAGE
    status, out, message = load(tmp_path / "liba.so", data, SCRIPT, first, last)
    assert (status, message) == (0, "")
    memory = b"".join(map(bytes.fromhex, json.loads(out)))
    mapping = Mapping(loads(data), len(data))
    seen = zeros = 0
    for address in range(first, last):
        found, byte = mapping.find(address), memory[address - first]
        if found:
            assert data[found[0]] == byte, hex(address)
            seen += 1
        elif mapping.zeros(address):
            assert byte == 0, hex(address)
            zeros += 1
    assert seen > 8 * PAGE
    assert seen + zeros > 13 * PAGE


def hidden_tables(data: bytes, edit: Tuple[bytes, bytes]) -> bytes:
    """Map a changed copy of the first page, which has the tables, over the first page."""
    data += bytes(-len(data) % PAGE)
    copy = data[:PAGE].replace(*edit)
    return damage.with_segment(
        data + copy, PT_LOAD, 2, offset=len(data), vaddr=0, filesz=PAGE, memsz=PAGE
    )


@requires_loader
def test_a_later_segment_hides_the_tables(tmp_path: Path) -> None:
    """The file states libc.so.6 at the address of its tables, and the loader reads libx.so.6."""
    data = write(replace(LIBRARY, overlays=[(0, 0, 0, 0)]))
    assert read(data).facts.damage == ()
    assert answer(tmp_path / "liba.so", data) == (42, "")
    data = hidden_tables(data, (b"libc.so.6", b"libx.so.6"))
    status, message = answer(tmp_path / "liba.so", data)
    assert status == 1
    assert "libx.so.6: cannot open shared object file" in message
    with pytest.raises(ElfError, match="where a later segment is mapped"):
        read(data)


@requires_loader
def test_a_later_segment_hides_code(tmp_path: Path) -> None:
    data = write(replace(LIBRARY, overlays=[(3 * PAGE, 6 * PAGE, 9, 9)]))
    assert answer(tmp_path / "liba.so", data) == (42, "")
    facts = read(data).facts
    # The file states the whole page, and the page is mapped as a whole.
    assert facts.damage == ("a later segment is mapped over the 4096 bytes at the address 0x6000",)
    assert facts._replace(damage=()) == read(write(LIBRARY)).facts


def test_zeros_may_be_hidden_where_a_table_is() -> None:
    """The first segment states zeros as far as the dynamic section's, which is mapped later."""
    data = damage.with_segment(write(LIBRARY), PT_LOAD, 0, memsz=0x30000)
    facts = read(data).facts
    assert facts.damage[0].startswith("a later segment is mapped over the ")
    assert facts._replace(damage=()) == read(write(LIBRARY)).facts


@pytest.mark.parametrize(
    "overlay",
    [
        (3 * PAGE, 4 * PAGE, PAGE, PAGE),
        (3 * PAGE + 5, 4 * PAGE + 5, 100, 100),
        (0, 0, PAGE, PAGE),
        (0, 0, 0, 0),
        (5, 0x100005, 9, 9),
    ],
)
def test_segments_that_map_the_same_bytes_hide_nothing(overlay: Tuple[int, int, int, int]) -> None:
    """The code is one page ahead of its offset, the tables are not."""
    assert read(write(replace(LIBRARY, overlays=[overlay]))).facts.damage == ()


def test_hidden_notes_are_an_error() -> None:
    noted = replace(LIBRARY, notes=((b"GNU", 3, b"1234"),), isa=1, overlays=[(0, 0, 0, 0)])
    data = write(noted)
    assert read(data).facts.isa_level == 1
    at = damage.note_offset(data)
    changes = {"offset": 2 * PAGE + at, "vaddr": at, "filesz": 1, "memsz": 1}
    with pytest.raises(ElfError, match="where a later segment is mapped"):
        read(damage.with_segment(data, PT_LOAD, 2, **changes))


def dynamic_behind_the_segment(elf: Elf, memory: int) -> bytes:
    """End the bytes of the data's segment eight bytes after the start of the dynamic section."""
    return damage.with_segment(write(elf), PT_LOAD, 2, filesz=8, memsz=8 + memory)


PROGRAM = Elf(
    interp="/lib64/ld-linux-x86-64.so.2",
    needed=("libc.so.6",),
    dt_flags_1=0x08000000,
    sections=False,
    code=EXIT,
)
KINDS: Dict[str, Elf] = {"program": PROGRAM, "library": LIBRARY}


@requires_loader
@pytest.mark.parametrize("kind", KINDS)
def test_a_dynamic_section_behind_its_segment(kind: str, tmp_path: Path) -> None:
    """The rest of the page is the file's, unless the segment has zeros there."""
    elf, path = KINDS[kind], tmp_path / "file"
    for memory, runs in ((0, True), (PAGE // 4, False)):
        data = dynamic_behind_the_segment(elf, memory)
        if kind == "program":
            path.write_bytes(data)
            path.chmod(0o755)
            status = subprocess.run([str(path)], check=False, capture_output=True).returncode
        else:
            status = answer(path, data)[0]
        assert (status == 42) is runs
        if runs:
            assert read(data).facts == read(write(elf)).facts
        else:
            with pytest.raises(ElfError, match="has no string table"):
                read(data)


@requires_loader
def test_the_loader_does_not_read_the_size_of_the_dynamic_section(tmp_path: Path) -> None:
    data = damage.with_segment(write(LIBRARY), PT_DYNAMIC, filesz=16, memsz=16)
    assert answer(tmp_path / "liba.so", data) == (42, "")
    assert read(data).facts == read(write(LIBRARY)).facts


def test_many_segments_take_little_time() -> None:
    source = random.Random(1)  # noqa: S311 (test data)
    scattered = [
        (source.randrange(4096) * PAGE, source.randrange(1 << 24), 1 << 15, 1 << 16)
        for _ in range(1024)
    ]
    tiny = [(4 * at, 4 * at, 2, 2) for at in range(512)]
    nested = [(PAGE * (at % 2), PAGE * at, PAGE * (2048 - 2 * at), 0) for at in range(1024)]
    for rows in (scattered, tiny + [(PAGE - 1, PAGE - 1, 1, 1)] * 512, nested):
        start = time.process_time()
        mapping = Mapping(rows, 1 << 30)
        for address in range(0, 1 << 24, 1 << 12):
            mapping.find(address)
            mapping.hides(address, 16)
        assert time.process_time() - start < 20
