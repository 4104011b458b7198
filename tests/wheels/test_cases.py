"""Verdicts that other tools get wrong, from bytes to tag, cases 1 to 25."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Dict,
    Tuple,
)

import pytest

from casewheels import (
    EXT,
    EXT_MUSL,
    GOOD,
    INFLATE,
    INIT,
    LIB,
    MUSL_NEW,
    MUSL_OLD,
    NEAR,
    NEW,
    NEWEST,
    OLDEST,
    PIDFD,
    PLAIN,
    TOO_NEW,
    Case,
    judge,
    module,
    musl,
    on,
    report_of,
)
from elfdamage import blank_sections, scrambled_section_names, section_table_past_end, with_header
from elfwriter import Elf, Symbol, write
from manyshim.audit.findings import Evidence

if TYPE_CHECKING:
    from pathlib import Path


WEAK = PIDFD._replace(weak=True)


WEAK_NODES = frozenset({("libc.so.6", "GLIBC_2.36")})
RSEQ = Symbol("__rseq_size", "ld-linux-x86-64.so.2", "GLIBC_2.35", kind=1)
CXX = Symbol("_ZSt3newv", "libstdc++.so.6", "GLIBCXX_3.4.34")
CXX_RENAMED = CXX._replace(library="libstdc++-1a2b.so.6")


def unlisted(record: str, path: str = EXT) -> str:
    return "".join(line for line in record.splitlines(True) if not line.startswith(path))


def libstdcxx(soname: str) -> bytes:
    symbol = Symbol("_ZSt3newv", version="GLIBCXX_3.4.34", defined=True)
    return write(
        Elf(
            soname=soname,
            needed=("libc.so.6",),
            symbols=(symbol,),
            versions_defined=("GLIBCXX_3.4.34",),
        )
    )


def libz(soname: str) -> bytes:
    symbols = (Symbol("inflate_table", defined=True),)
    return write(Elf(soname=soname, needed=("libc.so.6",), symbols=symbols))


def needs_musl(minimum: str) -> Dict[str, str]:
    return {"TOO_NEW": f"musl {minimum}", "MUSL_PATCH_LEVEL": f"musl {minimum}"}


CASES: Dict[str, Case] = {
    "1 no section headers": Case({EXT: blank_sections(NEW)}, NEWEST, TOO_NEW),
    "2 renamed sections": Case({EXT: scrambled_section_names(NEW)}, NEWEST, TOO_NEW),
    "3 section table past the end": Case(
        {EXT: section_table_past_end(NEW)}, NEWEST, {**TOO_NEW, "ELF_DAMAGED": EXT}
    ),
    "3 section names past the table": Case(
        {EXT: with_header(NEW, shstrndx=200)}, NEWEST, {**TOO_NEW, "ELF_DAMAGED": EXT}
    ),
    "4 weak reference": Case({EXT: write(module(WEAK))}, NEWEST, {"TOO_NEW": "pidfd_open"}),
    "5 weak node": Case({EXT: write(module(WEAK, weak_versions=WEAK_NODES))}, OLDEST),
    "6 node of the loader": Case(
        {EXT: write(module(RSEQ, needed=("ld-linux-x86-64.so.2",)))},
        "manylinux_2_35_x86_64",
        {"TOO_NEW": "__rseq_size"},
    ),
    "7 not in RECORD": Case(
        {EXT: NEW}, NEWEST, {**TOO_NEW, "RECORD": EXT}, wheel={"edit_record": unlisted}
    ),
    "8 row without a file": Case(
        {EXT: GOOD},
        OLDEST,
        {"RECORD": "demo/gone.py"},
        wheel={"edit_record": lambda text: f"demo/gone.py,,\n{text}"},
    ),
    "9 called a script": Case({"demo/x.py": NEW}, NEWEST, TOO_NEW),
    "10 cut in half": Case({EXT: NEW[: len(NEW) // 2]}, None, {"ELF_CORRUPT": EXT}),
    "10 of 20 bytes": Case({EXT: NEW[:20]}, None, {"ELF_CORRUPT": EXT}),
    "10 of 4 bytes": Case({EXT: GOOD, LIB: NEW[:4]}, None, {"ELF_CORRUPT": LIB}),
    "11 two architectures": Case(
        {EXT: GOOD, LIB: write(on("aarch64"))}, None, {"MIXED_ARCH": "aarch64"}
    ),
    "12 two libcs": Case(
        {EXT: GOOD, LIB: write(musl())},
        None,
        {"MIXED_LIBC": "musl"},
        "cp311-cp311-manylinux_2_17_x86_64",
    ),
    "13 x32": Case({PLAIN: write(module(bits=32))}, None, {"WRONG_ABI": PLAIN}),
    "13 soft float": Case(
        {PLAIN: write(on("armv7l", flags=0x05000200))},
        None,
        {"WRONG_ABI": PLAIN},
        "cp311-cp311-linux_armv7l",
    ),
    "13 the other byte order": Case(
        {PLAIN: write(on("ppc64le")), LIB: write(on("ppc64"))},
        None,
        {"WRONG_ABI": LIB},
        "cp311-cp311-linux_ppc64le",
    ),
    "14 without double floats": Case(
        {PLAIN: write(on("riscv64", flags=1))},
        None,
        {"WRONG_ABI": PLAIN},
        "cp311-cp311-linux_riscv64",
    ),
    "15 ELFv1": Case(
        {PLAIN: write(on("ppc64le", flags=1))},
        None,
        {"WRONG_ABI": PLAIN},
        "cp311-cp311-linux_ppc64le",
    ),
    "16 its own libstdc++": Case(
        {
            EXT: write(module(CXX, needed=("libstdc++.so.6",), runpath=NEAR)),
            "demo.libs/libstdc++.so.6": libstdcxx("libstdc++.so.6"),
        },
        OLDEST,
        {"VENDORED_SONAME_CLASH": "demo.libs/libstdc++.so.6"},
    ),
    "16 its own libstdc++, renamed": Case(
        {
            EXT: write(module(CXX_RENAMED, needed=("libstdc++-1a2b.so.6",), runpath=NEAR)),
            "demo.libs/libstdc++-1a2b.so.6": libstdcxx("libstdc++-1a2b.so.6"),
        },
        OLDEST,
    ),
    "17 its own libz": Case(
        {
            EXT: write(module(INFLATE, needed=("libz.so.1",), runpath=NEAR)),
            "demo.libs/libz.so.1": libz("libz.so.1"),
        },
        OLDEST,
        {"VENDORED_SONAME_CLASH": "demo.libs/libz.so.1"},
    ),
    "17 its own libz, renamed": Case(
        {
            EXT: write(module(INFLATE, needed=("libz-1a2b.so.1",), runpath=NEAR)),
            "demo.libs/libz-1a2b.so.1": libz("libz-1a2b.so.1"),
        },
        OLDEST,
    ),
    "18 private name of libz": Case(
        {EXT: write(module(INFLATE, needed=("libz.so.1",)))},
        None,
        {"FORBIDDEN_SYMBOL": "inflate_table"},
    ),
    "18 weak private name of libz": Case(
        {EXT: write(module(INFLATE._replace(weak=True), needed=("libz.so.1",)))}, OLDEST
    ),
    "19 RELR without libc": Case(
        {EXT: write(Elf(symbols=(INIT,), relr=True))}, NEWEST, {"TOO_NEW": "GLIBC_ABI_DT_RELR"}
    ),
    "20 RELR on musl": Case({EXT_MUSL: write(musl(relr=True))}, MUSL_NEW, needs_musl("1.2.4")),
    "21 statx on musl": Case({EXT_MUSL: write(musl("statx"))}, MUSL_NEW, needs_musl("1.2.5")),
    "21 qsort_r on musl": Case({EXT_MUSL: write(musl("qsort_r"))}, MUSL_NEW, needs_musl("1.2.3")),
    "22 name that musl lacks": Case(
        {EXT_MUSL: write(musl("__cxa_thread_atexit_impl"))},
        None,
        {"MUSL_UNDEFINED": "__cxa_thread_atexit_impl"},
    ),
    "23 libc.so": Case({EXT_MUSL: write(musl("memcpy", needed="libc.so"))}, MUSL_OLD),
    "24 platlib": Case(
        {
            f"demo-1.0.data/platlib/{EXT}": write(module(needed=("liby.so",), rpath=NEAR)),
            LIB: write(module(soname="liby.so")),
        },
        OLDEST,
    ),
    "25 a package called purelib": Case({f"purelib/{EXT}": GOOD}, OLDEST),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_verdict(case: Case, tmp_path: Path) -> None:
    judge(case, tmp_path)


def test_weak_reference_is_explained(tmp_path: Path) -> None:
    (found,) = report_of(CASES["4 weak reference"], tmp_path).findings
    assert (found.evidence, found.symbols) == (Evidence.WEAK_REFERENCES, ("pidfd_open",))


@pytest.mark.parametrize(
    ("case", "minimum"),
    [
        ("20 RELR on musl", (1, 2, 4)),
        ("21 statx on musl", (1, 2, 5)),
        ("21 qsort_r on musl", (1, 2, 3)),
        ("23 libc.so", (1, 1, 16)),
    ],
)
def test_oldest_musl(case: str, minimum: Tuple[int, int, int], tmp_path: Path) -> None:
    assert report_of(CASES[case], tmp_path).musl_minimum == minimum
