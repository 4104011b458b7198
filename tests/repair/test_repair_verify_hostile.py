"""Both comparisons judge damaged files within seconds: a sentence or a ToolError, never more."""

from __future__ import annotations

import io
import random
import time
from contextlib import suppress
from pathlib import Path

import pytest

from elfmodel import Elf
from elftables import Symbol
from elfwriter import write
from manyshim.errors import ToolError
from manyshim.formats.elf.edits import Patch
from manyshim.formats.elf.patch import patch_file
from manyshim.repair.verify import differences
from manyshim.repair.verify_file import StoredFile
from manyshim.repair.verify_strip import strip_differences

BASE = Elf(
    soname="libfoo.so.1",
    needed=("libbar.so.2", "libc.so.6"),
    symbols=(Symbol("foo"), Symbol("bar", defined=False)),
    version_needs=(("libbar.so.2", "BAR_1"),),
    notes=((b"GNU", 3, b"12345678"),),
)
PATCH = Patch((("libbar.so.2", "libbar-1234.so.2"),), (), "libfoo-1234.so.1", "$ORIGIN/x")
EXTREMES = (0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x8000000000000000)
# Headers and tables are in the first bytes.
TABLES = 0x400


def damaged(data: bytes, source: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(source.choice((1, 2, 4, 16))):
        place = source.randrange(min(len(data), source.choice((TABLES, len(data)))))
        if source.random() < 0.5:
            changed[place] = source.randrange(256)
        else:
            changed[place : place + 8] = source.choice(EXTREMES).to_bytes(8, "little")
    if source.random() < 0.1:
        del changed[source.randrange(len(changed)) :]
    return bytes(changed)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_judged(tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)  # noqa: S311 (repeatable)
    before, after = tmp_path / "before.so", tmp_path / "after.so"
    before.write_bytes(write(BASE))
    patch_file(str(before), str(after), PATCH)
    good = before.read_bytes(), after.read_bytes()
    for number in range(150):
        spoiled = [damaged(data, source) for data in good]
        before.write_bytes(good[0] if number % 3 == 0 else spoiled[0])
        after.write_bytes(good[1] if number % 3 == 1 else spoiled[1])
        started = time.perf_counter()
        with suppress(ToolError):
            differences(str(before), str(after), PATCH)
        with suppress(ToolError):
            strip_differences(str(before), str(after))
        with suppress(ToolError):
            strip_differences(str(before), str(before))
        assert time.perf_counter() - started < 5, (seed, number)


def test_a_section_beyond_the_end_of_the_file(tmp_path: Path) -> None:
    """The last page of the file is mapped as a whole."""
    data = bytearray(write(BASE))
    file = StoredFile("x.so", io.BytesIO(data))
    index, last = max(
        enumerate(file.sections), key=lambda found: (found[1].loaded, found[1].address)
    )
    edit = file.section_edit(index, last._replace(size=0x800))
    data[edit.offset : edit.offset + len(edit.data)] = edit.data
    path = tmp_path / "x.so"
    path.write_bytes(data)
    assert strip_differences(str(path), str(path)) == []
