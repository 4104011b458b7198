"""The facts of Mach-O files, and files that dyld would not read."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Dict, Tuple

import pytest

import machowriter as m
from manyshim.audit.nativefacts import Built, Dylib, MachoFile, Slice
from manyshim.formats.bounds import Bound
from manyshim.formats.macho import MachoError, is_macho, read
from manyshim.formats.zip.window import MemberError
from zipwindows import STORED, noise, window

FULL = (
    m.build(1, 12, 3, 1),
    m.dylib("@rpath/libx.dylib", m.ID),
    m.dylib("/usr/lib/libSystem.B.dylib"),
    m.dylib("weak.dylib", m.WEAK),
    m.dylib("lazy.dylib", m.LAZY),
    m.dylib("again.dylib", m.REEXPORT),
    m.dylib("up.dylib", m.UPWARD),
    m.rpath("@loader_path/lib"),
    m.rpath("/opt/lib"),
    m.plain(m.CHAINED),
    m.plain(0x2),
    m.extent(m.SIGNATURE, 0, 16),
)


def facts(data: bytes) -> MachoFile:
    return read("x", window(data, STORED), Bound(100_000))


def only(data: bytes) -> Slice:
    (one,) = facts(data).slices
    return one


@pytest.mark.parametrize("arch", m.CPUS)
def test_all_facts_of_a_slice(arch: str) -> None:
    assert only(m.thin(*FULL, arch=arch)) == Slice(
        arch,
        m.DYLIB,
        (Built(1, (12, 3, 1), (14, 0, 0)),),
        (10, 15, 0),
        (
            Dylib("/usr/lib/libSystem.B.dylib"),
            Dylib("weak.dylib", optional=True),
            Dylib("lazy.dylib", optional=True),
            Dylib("again.dylib"),
            Dylib("up.dylib"),
        ),
        "@rpath/libx.dylib",
        ("@loader_path/lib", "/opt/lib"),
        signed=True,
    )


@pytest.mark.parametrize(("command", "system"), [(m.MIN_MACOS, 1), (m.MIN_IOS, 2)])
def test_old_commands_state_the_release_too(command: int, system: int) -> None:
    assert only(m.thin(m.minimum(command, 10, 9))).builds == (
        Built(system, (10, 9, 0), (14, 0, 0)),
    )


@pytest.mark.parametrize("wide", [False, True])
def test_the_slices_of_a_fat_file_are_read(wide: bool) -> None:  # noqa: FBT001
    data = m.fat([m.module("x86_64", 10, 9), m.module(), m.module("arm64e")], wide=wide)
    assert facts(data).arches == ("x86_64", "arm64", "arm64e")
    assert is_macho(data[:8])


def test_archives_and_objects_are_no_slices() -> None:
    archive, bitcode = b"!<arch>\n" + bytes(100), b"BC\xc0\xde" + bytes(100)
    assert facts(m.fat([archive, bitcode, m.thin(kind=m.OBJECT), m.module()])).arches == ("arm64",)
    assert facts(m.thin(kind=m.SYMBOLS, arch="x86_64")).slices == ()


def test_other_files_are_none() -> None:
    java = struct.pack(">II", 0xCAFEBABE, 52)
    for head in (java, b"\x7fELF\2\1\1\0", b"MZ\x90\0\3\0\0\0", b"", b"\xca\xfe\xba\xbe"):
        assert not is_macho(head)
    assert is_macho(m.module()[:8])


def test_only_the_commands_are_inflated() -> None:
    thin = window(m.module() + noise(2 << 20))
    read("x", thin, Bound(100))
    assert thin.inflated <= 4096
    first, second = m.module("x86_64", 10, 9) + noise(1 << 20), m.module() + noise(4 << 20)
    fat = window(m.fat([first, second]))
    assert read("x", fat, Bound(100)).arches == ("x86_64", "arm64")
    assert (1 << 20) < fat.inflated < (1 << 20) + 100_000


def patched(data: bytes, offset: int, form: str, value: int) -> bytes:
    raw = struct.pack(form, value)
    return data[:offset] + raw + data[offset + len(raw) :]


GOOD = m.module()
BROKEN: Dict[str, Tuple[bytes, str]] = {
    "cut off in its header": (GOOD[:20], "load commands extend|outside"),
    "cut off in its commands": (GOOD[:60], "load commands extend"),
    "commands of 4 GB": (patched(GOOD, 20, "<I", 0xFFFFFFFF), "bytes, more than"),
    "more commands than there are": (patched(GOOD, 16, "<I", 999), "shorter than"),
    "a command of no size": (patched(GOOD, 36, "<I", 0), "wrong size"),
    "a command of one byte more": (patched(GOOD, 36, "<I", 0xFFFF), "wrong size"),
    "a command that is too short": (
        m.thin((m.BUILD, "", ())),
        "too short",
    ),
    "a name outside": (m.thin((m.LOAD, "IIII", (400, 0, 0, 0))), "outside of its load command"),
    "a segment outside": (m.thin(m.extent(m.SEGMENT_64, 0, 1 << 40)), "a segment extends"),
    "an old segment outside": (
        m.thin(m.extent(m.SEGMENT, 100, 4000), arch="i386"),
        "a segment extends",
    ),
    "a signature outside": (m.thin(m.extent(m.SIGNATURE, 4000, 16)), "its signature extends"),
    "a slice outside": (m.fat([GOOD])[:4100], "a slice extends"),
    "an empty slice": (m.fat([GOOD, bytes(100)]), "no Mach-O file"),
    "entries outside": (struct.pack(">II", 0xCAFEBABE, 3), "lie outside"),
    "too many slices": (struct.pack(">II", 0xCAFEBABE, 17), "has 17 slices"),
    "too many names": (m.thin(*[m.dylib("x")] * 2001), "more than 2000"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_dyld_would_not_read_is_an_error(name: str) -> None:
    data, words = BROKEN[name]
    with pytest.raises((MachoError, MemberError), match=words):
        facts(data)


def test_each_cut_ends_in_facts_or_an_error() -> None:
    data = m.fat([m.thin(*FULL, arch="x86_64"), m.thin(*FULL)], align=4)
    for length in range(8, len(data)):
        with pytest.raises((MachoError, MemberError)):
            facts(data[:length])


def test_each_changed_byte_ends_in_facts_or_an_error() -> None:
    data = m.fat([m.thin(*FULL, arch="x86_64"), m.thin(*FULL)], align=4)
    for position in range(4, len(data)):
        for value in (0, 0x7F, 0xFF):
            changed = data[:position] + bytes((value,)) + data[position + 1 :]
            if is_macho(changed[:8]):
                with suppress(MachoError, MemberError):
                    facts(changed)
