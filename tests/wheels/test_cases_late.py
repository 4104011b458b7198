"""Verdicts that other tools get wrong, cases 44 to 50, and similar wheels."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Dict

import pytest

from casewheels import (
    EXT,
    GOOD,
    INFLATE,
    LIB,
    MUSL_OLD,
    NEW,
    NEWEST,
    OLDEST,
    PIDFD,
    TOO_NEW,
    Case,
    judge,
    module,
    musl,
    report_of,
)
from elfdamage import patched, table_offset, with_segment
from elfwriter import Elf, Symbol, write
from manyshim.audit.facts import EXECUTABLE
from manyshim.audit.request import Request
from manyshim.audit.tags import GLIBC, MUSL, PlatformTag

if TYPE_CHECKING:
    from pathlib import Path

LIBPYTHON = "libpython3.13t.so.1.0"
PIE = 0x08000000
LOADER = "/lib64/ld-linux-x86-64.so.2"
START = Symbol("__libc_start_main", "libc.so.6", "GLIBC_2.34")
SCRIPT = "demo-1.0.data/scripts/tool"
TOOLS = "py3-none-linux_x86_64"
PROGRAM = Elf(type=EXECUTABLE, interp=LOADER, needed=("libc.so.6", "libz.so.1"))
STATIC = write(Elf(type=EXECUTABLE, dynamic=False))


def versioned(version: str, library: str = "libc.so.6") -> bytes:
    more = () if library == "libc.so.6" else (library,)
    return write(module(Symbol("some", library, version), needed=more))


def asked(minor: int) -> Request:
    return Request(libc=GLIBC, platform=PlatformTag(GLIBC, 2, minor))


def noted(description_size: int) -> bytes:
    """Return an extension module with a note that is shorter than it states."""
    data = write(module(notes=((b"GNU", 3, b"12345678"),)))
    return patched(data, data.index(b"GNU\0") - 8, description_size.to_bytes(4, "little"))


def nothing_hashed(relocations: str) -> Elf:
    """Return a library without exports, whose GNU hash table lists no symbol."""
    return Elf(
        needed=("libc.so.6", "libz.so.1"),
        symbols=(PIDFD, INFLATE),
        empty_hash_like_ld=True,
        relocations=relocations,
    )


CASES: Dict[str, Case] = {
    "44 program": Case(
        {
            SCRIPT: write(
                Elf(interp=LOADER, needed=("libc.so.6",), symbols=(START,), dt_flags_1=PIE)
            )
        },
        "manylinux_2_34_x86_64",
        {"TOO_NEW": "__libc_start_main"},
        TOOLS,
    ),
    "45 static program": Case({SCRIPT: STATIC}, OLDEST, {}, TOOLS),
    "45 static program, built on musl": Case(
        {SCRIPT: STATIC}, MUSL_OLD, {}, TOOLS, Request(libc=MUSL)
    ),
    "45 static PIE": Case({SCRIPT: write(Elf(dt_flags_1=PIE))}, OLDEST, {}, TOOLS),
    "46 GLIBC_PRIVATE": Case({EXT: versioned("GLIBC_PRIVATE")}, None, {"TOO_NEW": "GLIBC_PRIVATE"}),
    "47 GLIBC_2.42": Case({EXT: versioned("GLIBC_2.42")}, None, {"TOO_NEW": "GLIBC_2.42"}),
    "47 GLIBC_2.42 asked for": Case(
        {EXT: versioned("GLIBC_2.42")},
        "manylinux_2_42_x86_64",
        {"TOO_NEW": "GLIBC_2.42"},
        request=asked(42),
    ),
    "47 GLIBC_ABI_GNU2_TLS": Case(
        {EXT: versioned("GLIBC_ABI_GNU2_TLS")},
        None,
        {"TOO_NEW": "GLIBC_ABI_GNU2_TLS"},
        request=asked(42),
    ),
    "48 unknown namespace": Case(
        {EXT: versioned("FOO_1.0", "libm.so.6")}, None, {"UNKNOWN_NAMESPACE": "FOO_1.0"}
    ),
    "49 note longer than its segment": Case({EXT: noted(0x7FFFFFFF)}, OLDEST, {"ELF_DAMAGED": EXT}),
    "49 notes behind the file": Case(
        {EXT: with_segment(noted(8), 4, filesz=1 << 40)}, OLDEST, {"ELF_DAMAGED": EXT}
    ),
    "address of a function": Case(
        {"tool": write(replace(PROGRAM, symbols=(INFLATE._replace(value=0x401000), PIDFD)))},
        None,
        {"TOO_NEW": "pidfd_open", "FORBIDDEN_SYMBOL": "inflate_table"},
        TOOLS,
    ),
    "a link that was stored as a file": Case(
        {EXT: GOOD, "demo.libs/liby.so": NEW, "demo.libs/liby.so.1": NEW, "demo/copy.txt": b"x"},
        NEWEST,
        {**TOO_NEW, "DUPLICATE_LIBRARY": "demo.libs/liby.so.1"},
    ),
    "code for devices": Case(
        {
            EXT: GOOD,
            "demo/amd.hsaco": write(Elf(machine=224, osabi=64)),
            "demo/nv.cubin": write(Elf(machine=190, osabi=51, type=2, dynamic=False)),
        },
        OLDEST,
        {"DEVICE_CODE": "demo/nv.cubin"},
    ),
    **{
        f"empty hash table and {relocations}": Case(
            {LIB: write(nothing_hashed(relocations))},
            None,
            {"TOO_NEW": "pidfd_open", "FORBIDDEN_SYMBOL": "inflate_table"},
        )
        for relocations in (".rela.dyn", ".rel.dyn", ".rela.plt", ".rel.plt")
    },
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_verdict(case: Case, tmp_path: Path) -> None:
    judge(case, tmp_path)


def test_50_many_symbols(tmp_path: Path) -> None:
    """A name after a hundred thousand others is found."""
    many = (Symbol(f"f{index}", "libc.so.6", "GLIBC_2.2.5") for index in range(100_000))
    case = Case(
        {EXT: write(module(*many, PIDFD, sysv_hash=True))}, NEWEST, {"TOO_NEW": "pidfd_open"}
    )
    judge(case, tmp_path)


@pytest.mark.parametrize("case", ["44 program", "45 static program", "address of a function"])
def test_program_is_no_module(case: str, tmp_path: Path) -> None:
    kinds = {one.kind for one in report_of(CASES[case], tmp_path).findings}
    assert not kinds & {"NO_INIT", "SUFFIX", "EXECSTACK", "STATIC_TLS"}


def test_31_libpython_of_a_program_is_no_error(tmp_path: Path) -> None:
    program = write(Elf(interp=LOADER, needed=("libc.so.6", LIBPYTHON)))
    judge(Case({SCRIPT: program}, OLDEST, {"LIBPYTHON": LIBPYTHON}, TOOLS), tmp_path)


@pytest.mark.parametrize("path", [EXT, "demo/liby.so"])
@pytest.mark.parametrize("elf", [module(Symbol("nobody")), musl("statx")])
def test_a_damaged_hash_table_is_reported(elf: Elf, path: str, tmp_path: Path) -> None:
    """The table is read only for the exports; none of its chains ends."""
    asking = write(replace(elf, needed=(*elf.needed, "liby.so"), runpath="$ORIGIN"))
    data = write(elf)
    start = table_offset(data, 0x6FFFFEF5)
    buckets, _, bloom, _ = struct.unpack_from("<4I", data, start)
    chain = start + 16 + 8 * bloom + 4 * buckets
    data = patched(data, chain - 4 * buckets, struct.pack("<I", 0x7FFFFFF) * buckets)
    report = report_of(Case({EXT: asking, path: data}, None), tmp_path)
    assert ("ELF_CORRUPT", path) in {(one.kind, one.path) for one in report.findings}


def test_members_of_one_name_are_all_audited(tmp_path: Path) -> None:
    pairs = [(EXT, write(module(needed=("libone.so",)))), (EXT, NEW)]
    found = {"DUP_MEMBER": EXT, "EXTERNAL_LIBRARY": "libone.so", **TOO_NEW}
    judge(Case(pairs, None, found), tmp_path)
