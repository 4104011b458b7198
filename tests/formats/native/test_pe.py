"""The facts of PE files, and files that Windows would not load."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Callable, Dict, Optional, Tuple

import pytest

from manyshim.audit.nativefacts import PeFile
from manyshim.formats.bounds import Bound
from manyshim.formats.pe import PeError, is_pe, read
from manyshim.formats.zip.window import MemberError
from pewriter import MACHINES, write
from zipwindows import STORED, noise, window

IMPORTS = {
    "KERNEL32.dll": ("Sleep", 7),
    "python311.dll": ("PyLong_AsLong", "PyArg_Parse", 12),
    "foo.dll": (),
}
DELAYED = ("ole32.dll", "bar.dll")


def facts(data: bytes) -> Optional[PeFile]:
    return read("x", window(data, STORED), Bound(100_000))


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("machine", MACHINES)
def test_all_facts(machine: str, bound: bool, absolute: bool) -> None:  # noqa: FBT001
    data = write(IMPORTS, delayed=DELAYED, machine=machine, bound=bound, absolute=absolute)
    name = {"arm": "0x1c4"}.get(machine, machine)
    assert is_pe(data[:8])
    assert facts(data) == PeFile(
        "x",
        name,
        dll=True,
        imports=tuple(IMPORTS),
        delayed=DELAYED,
        python_names=("PyArg_Parse", "PyLong_AsLong"),
    )


def test_programs_and_files_without_imports() -> None:
    assert facts(write({}, dll=False)) == PeFile("x", "amd64", dll=False)
    assert facts(write({}, delayed=("a.dll",))) == PeFile("x", "amd64", delayed=("a.dll",))


def test_of_files_for_dotnet_nothing_more_is_read() -> None:
    data = write(IMPORTS, managed=True)
    assert facts(data) == PeFile("x", "amd64", managed=True)


@pytest.mark.parametrize(
    "data", [b"MZ", b"MZ" + bytes(62), b"MZ" + b"\xff" * 62, b"MZ text" * 40, b"MZ" + bytes(5000)]
)
def test_what_only_begins_like_one_is_none(data: bytes) -> None:
    assert facts(data) is None


def test_tables_at_the_end_take_one_pass() -> None:
    data = write(IMPORTS, delayed=DELAYED)
    body = noise(3 << 20)
    far = write(IMPORTS, delayed=DELAYED, filler=3 << 20)
    far = far[:0x400] + body + far[0x400 + len(body) :] + noise(1 << 20)
    one = window(far)
    found = read("x", one, Bound(100))
    assert found == facts(data)
    assert (3 << 20) < one.inflated < (3 << 20) + 400_000


def changed(form: str, offset: int, value: int) -> Callable[[bytes], bytes]:
    raw = struct.pack(form, value)
    return lambda data: data[:offset] + raw + data[offset + len(raw) :]


COFF, OPTIONAL = 0x40, 0x58
TABLE = OPTIONAL + 112
SECTION = OPTIONAL + 240
BROKEN: Dict[str, Tuple[Callable[[bytes], bytes], str]] = {
    "no sections": (changed("<H", COFF + 6, 0), "has 0 sections"),
    "many sections": (changed("<H", COFF + 6, 65535), "has 65535 sections"),
    "no optional header": (changed("<H", COFF + 20, 0), "unknown type"),
    "a short optional header": (changed("<H", COFF + 20, 24), "too short"),
    "a strange optional header": (changed("<H", OPTIONAL, 0x107), "unknown type 0x107"),
    "imports outside": (changed("<I", TABLE + 8, 0x7000000), "not in the file"),
    "imports behind the data": (changed("<I", SECTION + 16, 8), "not in the file"),
    "a section behind the end": (changed("<I", SECTION + 20, 1 << 30), "beyond the end"),
    "cut off behind its tables": (lambda data: data[:-1], "beyond the end"),
    "a name outside": (changed("<I", 0x400 + 12, 0x7000000), "not in the file"),
    "names outside": (changed("<I", 0x400 + 20, 0x7000000), "not in the file"),
    "cut off in its tables": (lambda data: data[:0x420], "beyond the end"),
    "cut off in its headers": (lambda data: data[:0x60], "lie outside"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_windows_would_not_load_is_an_error(name: str) -> None:
    change, words = BROKEN[name]
    with pytest.raises((PeError, MemberError), match=words):
        facts(change(write(IMPORTS)))


def test_the_end_of_a_section_that_is_only_there_to_round_it_up_may_be_missing() -> None:
    data = write(IMPORTS)
    rounded = changed("<I", SECTION + 16, len(data))(data)
    assert facts(rounded) == facts(data)
    no_size = changed("<I", SECTION + 8, 0)(data)
    assert facts(no_size) == facts(data)


def test_tables_without_an_end_are_bounded() -> None:
    with pytest.raises(PeError, match="more than 1000 libraries"):
        facts(write({f"{number}.dll": () for number in range(1001)}))
    with pytest.raises(PeError, match="more than 20000 names"):
        facts(write({"python311.dll": range(1, 20_002)}))
    endless = write({"a.dll": ()})
    start = endless.index(b"a.dll")
    with pytest.raises(PeError, match="does not end"):
        facts(endless[:start] + b"a" * (len(endless) - start))


def test_each_cut_ends_in_facts_or_an_error() -> None:
    data = write(IMPORTS, delayed=DELAYED)
    whole = facts(data)
    for length in range(len(data)):
        with suppress(PeError, MemberError):
            assert facts(data[:length]) in (None, whole)


def test_each_changed_byte_ends_in_facts_or_an_error() -> None:
    data = write(IMPORTS, delayed=DELAYED)
    for position in range(2, len(data)):
        for value in (0, 0x7F, 0xFF):
            one = data[:position] + bytes((value,)) + data[position + 1 :]
            with suppress(PeError, MemberError):
                facts(one)
