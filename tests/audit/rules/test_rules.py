"""Each kind of finding from facts of the test: its subject, and the policy that it rules out."""

from __future__ import annotations

from typing import Dict

import pytest

from manyshim.audit.facts import ElfIdent, Unreadable
from manyshim.audit.request import Allowance, Request
from manyshim.audit.tags import MUSL
from manyshim.audit.verdict import audit
from rulefacts import (
    ARM64,
    EXT,
    LIB,
    NEAR,
    Y1,
    Case,
    elf,
    libc,
    musl,
    need,
    rows,
    says,
    version,
    wheel,
)

NAME = "demo-1.0-cp311-cp311-linux_x86_64.whl"
LAST = "2_41"
ASSUMED = ("LIBC_ASSUMED", "", NAME, "")
PRELOADED = elf("pkg/_y.abi3.so", "liby.so", rpath=NEAR)

CASES: Dict[str, Case] = {
    "clean": Case(wheel(libc()), "2_5"),
    "oldest policy of another architecture": Case(
        wheel(libc(arch=ARM64), platform="linux_aarch64"), "2_17"
    ),
    "node": Case(
        wheel(libc(EXT, need("GLIBC_2.34"))), "2_34", says(("TOO_NEW", EXT, "GLIBC_2.34", "2_31"))
    ),
    "node between two policies": Case(
        wheel(libc(EXT, need("GLIBC_2.29"))), "2_31", says(("TOO_NEW", EXT, "GLIBC_2.29", "2_28"))
    ),
    "weak node": Case(wheel(libc(EXT, need("GLIBC_2.34", weak=True))), "2_5"),
    "node that no policy has": Case(
        wheel(libc(EXT, need("GLIBC_PRIVATE"))), None, says(("TOO_NEW", EXT, "GLIBC_PRIVATE", LAST))
    ),
    "node of the loader": Case(
        wheel(libc(EXT, need("GLIBC_2.35", "ld-linux-x86-64.so.2"))),
        "2_35",
        says(("TOO_NEW", EXT, "GLIBC_2.35", "2_34")),
    ),
    "node of the oldest policy": Case(
        wheel(libc(EXT, need("GLIBC_2.31"), arch="riscv64"), platform="linux_riscv64"), "2_31"
    ),
    "node of a library that is no root": Case(
        wheel(libc(rpath=NEAR)._replace(needed=("liby.so",)), libc(LIB, need("GLIBC_2.34"))),
        "2_34",
        says(("TOO_NEW", LIB, "GLIBC_2.34", "2_31")),
    ),
    "relr": Case(
        wheel(libc(relr=True)), "2_36", says(("TOO_NEW", EXT, "GLIBC_ABI_DT_RELR", "2_35"))
    ),
    "relr on riscv64": Case(
        wheel(libc(arch="riscv64", relr=True), platform="linux_riscv64"),
        "2_38",
        says(("TOO_NEW", EXT, "GLIBC_ABI_DT_RELR", "2_37")),
    ),
    "relr and its node": Case(
        wheel(libc(EXT, need("GLIBC_ABI_DT_RELR"), relr=True)),
        "2_36",
        says(("TOO_NEW", EXT, "GLIBC_ABI_DT_RELR", "2_35")),
    ),
    "external": Case(wheel(libc(EXT, Y1)), None, says(("EXTERNAL_LIBRARY", EXT, "liby.so", LAST))),
    "external for a while": Case(
        wheel(libc(EXT, need("X_1", "libexpat.so.1", weak=True))),
        "2_12",
        says(
            ("EXTERNAL_LIBRARY", EXT, "libexpat.so.1", "2_5"),
            ("COMMONLY_ABSENT", EXT, "libexpat.so.1", ""),
        ),
    ),
    "excluded": Case(
        wheel(libc(EXT, Y1)),
        "2_5",
        says(("EXCLUDED", EXT, "liby.so", "")),
        Request(exclude=("liby*",)),
    ),
    "excluded glibc": Case(
        wheel(libc(EXT, need("GLIBC_2.34", "libm.so.6"))),
        "2_34",
        says(("TOO_NEW", EXT, "GLIBC_2.34", "2_31")),
        Request(exclude=("lib*",)),
    ),
    "forbidden": Case(
        wheel(elf(EXT, "libc.so.6", "libz.so.1", undefined=("inflate_table", "inflate"))),
        None,
        says(("FORBIDDEN_SYMBOL", EXT, "inflate_table", LAST)),
    ),
    "forbidden for a while": Case(
        wheel(elf(EXT, "libc.so.6", "libz.so.1", undefined=("uncompress2",))),
        "2_34",
        says(("FORBIDDEN_SYMBOL", EXT, "uncompress2", "2_31")),
    ),
    "forbidden by version": Case(
        wheel(
            libc(
                EXT,
                need("GLIBC_2.18", symbols=("__issignaling",)),
                arch=ARM64,
                strong_versioned=frozenset({"__issignaling"}),
            ),
            platform="linux_aarch64",
        ),
        "2_24",
        says(("FORBIDDEN_SYMBOL", EXT, "__issignaling", "2_17")),
    ),
    "forbidden, and of a version that the same policies lack": Case(
        wheel(
            libc(
                EXT,
                need("GLIBC_2.18", symbols=("__cxa_thread_atexit_impl",)),
                strong_versioned=frozenset({"__cxa_thread_atexit_impl"}),
            )
        ),
        "2_24",
        says(("TOO_NEW", EXT, "GLIBC_2.18", "2_17")),
    ),
    "forbidden symbol of a libc that is not NEEDED": Case(
        wheel(
            elf(
                versions_needed=(need("GLIBC_2.18", symbols=("__issignaling",)),),
                strong_versioned=frozenset({"__issignaling"}),
                arch=ARM64,
            ),
            platform="linux_aarch64",
        ),
        "2_24",
        says(("FORBIDDEN_SYMBOL", EXT, "__issignaling", "2_17")),
    ),
    "unknown namespace": Case(
        wheel(libc(EXT, need("FOO_1.0", "libm.so.6"))),
        None,
        says(("UNKNOWN_NAMESPACE", EXT, "FOO_1.0", LAST)),
    ),
    "by name only": Case(
        wheel(elf(EXT, "libc.so.6", "liby.so"), elf(LIB)),
        None,
        says(("BY_NAME_ONLY", EXT, "liby.so", LAST)),
    ),
    "by name only, loaded first": Case(
        wheel(elf(EXT, "libc.so.6", "liby.so"), elf(LIB), PRELOADED),
        "2_5",
        says(("BY_NAME_ONLY", EXT, "liby.so", "")),
    ),
    **{
        f"by name only, {glob} declared": Case(
            wheel(elf(EXT, "libc.so.6", "liby.so"), elf(LIB)),
            "2_5",
            says(("BY_NAME_ONLY", EXT, "liby.so", "")),
            Request(allow=(Allowance("BY_NAME_ONLY", glob),)),
        )
        for glob in (LIB, EXT)
    },
    "isa": Case(wheel(libc(isa_level=0b101)), "2_5", says(("ISA", EXT, "x86-64-v3", ""))),
    "isa baseline": Case(wheel(libc(isa_level=1)), "2_5"),
    "isa variant": Case(wheel(libc("pkg/glibc-hwcaps/x86-64-v3/liby.so", isa_level=0b111)), "2_5"),
    "isa variant below another folder": Case(
        wheel(libc("glibc-hwcaps/x86-64-v1/glibc-hwcaps/x86-64-v3/liby.so", isa_level=0b111)), "2_5"
    ),
    "isa beyond the variant": Case(
        wheel(libc("pkg/glibc-hwcaps/x86-64-v3/liby.so", isa_level=0b1000)),
        "2_5",
        says(("ISA", "pkg/glibc-hwcaps/x86-64-v3/liby.so", "x86-64-v4", "")),
    ),
    "corrupt": Case(
        wheel(libc(), unreadable=(Unreadable("pkg/z.so", "too short"),)),
        "2_5",
        says(("ELF_CORRUPT", "pkg/z.so", "too short", "")),
    ),
    "damaged": Case(
        wheel(libc(damage=("its sections",))), "2_5", says(("ELF_DAMAGED", EXT, "its sections", ""))
    ),
    "system": Case(wheel(libc(os_abi=9)), "2_5", says(("WRONG_OS", EXT, "OSABI 9", ""))),
    "gnu system": Case(wheel(libc(os_abi=3)), "2_5"),
    "two architectures": Case(
        wheel(libc(), libc(LIB, arch=ARM64)), "2_5", says(("MIXED_ARCH", LIB, ARM64, ""))
    ),
    "the architecture of the name, with fewer files": Case(
        wheel(libc(), libc(LIB, arch=ARM64), libc("pkg/libz.so", arch=ARM64)),
        "2_5",
        says(("MIXED_ARCH", LIB, ARM64, ""), ("MIXED_ARCH", "pkg/libz.so", ARM64, "")),
    ),
    "another architecture than the name's": Case(
        wheel(libc(arch=ARM64)), "2_17", says(("MIXED_ARCH", EXT, ARM64, ""))
    ),
    "two families": Case(wheel(libc(), musl(path=LIB)), "2_5", says(("MIXED_LIBC", LIB, MUSL, ""))),
    "path": Case(
        wheel(elf(EXT, "libc.so.6", "/opt/liby.so")),
        "2_5",
        says(("NEEDED_PATH", EXT, "/opt/liby.so", "")),
    ),
    "version of a library inside": Case(
        wheel(libc(EXT, Y1, rpath=NEAR), elf(LIB, versions_defined=("Y_1",))), "2_5"
    ),
    "missing version": Case(
        wheel(libc(EXT, Y1, rpath=NEAR), elf(LIB, versions_defined=("Y_0",))),
        "2_5",
        says(("VERDEF_MISSING", EXT, "Y_1", "")),
    ),
    "version of a library inside that has none": Case(
        wheel(libc(EXT, Y1, rpath=NEAR), elf(LIB)),
        "2_5",
        says(("VERDEF_MISSING", EXT, "Y_1", "")),
    ),
    "libpython": Case(
        wheel(elf(EXT, "libc.so.6", "libpython3.13t.so.1.0")),
        "2_5",
        says(("LIBPYTHON", EXT, "libpython3.13t.so.1.0", "")),
    ),
    "member names": Case(
        wheel(libc(), paths=(EXT, EXT, "/a", "b/../c", "C:d", "e\n"), symlinks=("pkg/l",)),
        "2_5",
        says(
            ("DUP_MEMBER", EXT, EXT, ""),
            *(("BAD_PATH", path, path, "") for path in ("/a", "b/../c", "C:d", "e\n")),
            ("SYMLINK_MEMBER", "pkg/l", "pkg/l", ""),
        ),
    ),
    "no machine code": Case(wheel(), None, says(("NO_ELF", "", NAME, ""))),
    "tags that disagree": Case(
        wheel(libc(), tags=("py3-none-any",)), "2_5", says(("WHEEL_TAGS", "WHEEL", NAME, ""))
    ),
    "device": Case(
        wheel(libc(), elf("gpu.bin")._replace(ident=ElfIdent(64, True, 224, 3, 64, 0, 0))),
        "2_5",
        says(("DEVICE_CODE", "gpu.bin", "AMD GPUs (machine 224)", "")),
    ),
    "no evidence of the family": Case(wheel(elf("_x.abi3.so")), "2_5", says(ASSUMED)),
    "the suffix is evidence of the family": Case(
        wheel(elf("pkg/_x.cpython-311-x86_64-linux-gnu.so")), "2_5"
    ),
    "the build is evidence of the family": Case(
        wheel(elf("_x.abi3.so")), "1_1", request=Request(libc=MUSL)
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_findings_and_policy(case: Case) -> None:
    report = audit(case.facts, case.request)
    assert (rows(report), version(report.policy)) == (case.rows, case.policy or "")
    assert len(report.findings) == len(case.rows)
