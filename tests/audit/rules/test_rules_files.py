"""The kinds of findings about single files, the archive and musl, from facts of the test."""

from __future__ import annotations

from typing import Dict, Tuple

import pytest
from test_rules import CASES

from manyshim.audit.facts import RecordFacts, WheelFacts
from manyshim.audit.messages import SENTENCES
from manyshim.audit.tags import parse_wheel_name
from manyshim.audit.verdict import audit
from rulefacts import (
    ABI3,
    ARM64,
    EXT,
    LIB,
    NEAR,
    PROGRAM,
    Case,
    abi3,
    elf,
    libc,
    musl,
    need,
    rows,
    says,
    version,
    wheel,
)

LEAKS = ("/opt/lib", "", "libs", ".", "$LIB", "$ORIGIN/../..", "$ORIGIN/$LIB", "$ORIGINAL")
KEPT = ("$ORIGIN", "${ORIGIN}/libs", "$ORIGIN/..", "$ORIGIN/../demo.libs/", "$ORIGIN/a/../../b")
ARM_WHEEL = "linux_armv7l"
ARM64_WHEEL = "linux_aarch64"


def built(abi: str, path: str, arch: str = "x86_64") -> WheelFacts:
    """Return the facts of a wheel with an ABI tag and one extension module."""
    name = parse_wheel_name(f"demo-1.0-{abi}-linux_{arch}.whl")
    assert name is not None
    return wheel(libc(path, arch=arch), name=name, tags=name.tags)


def suffix(abi: str, wrong: str, tail: str = "", arch: str = "x86_64") -> Case:
    path = f"pkg/_x.{wrong}{tail}.so"
    oldest = "2_17" if arch == ARM64 else "2_5"
    return Case(built(abi, path, arch), oldest, says(("SUFFIX", path, wrong, "")))


FILES: Dict[str, Case] = {
    "stack": Case(
        wheel(libc(executable_stack=True)),
        "2_5",
        says(("EXECSTACK", EXT, "PT_GNU_STACK is RWE", "")),
    ),
    "stack by default": Case(
        wheel(libc(executable_stack=None)), "2_5", says(("EXECSTACK", EXT, "no PT_GNU_STACK", ""))
    ),
    "no stack by default": Case(
        wheel(libc(executable_stack=None, arch=ARM64), platform=ARM64_WHEEL), "2_17"
    ),
    "promised library, with a copy that no search path finds": Case(
        wheel(libc(EXT, need("ZLIB_1.2.9", "libz.so.1")), elf("other/libz.so.1")),
        "2_27",
        says(("TOO_NEW", EXT, "ZLIB_1.2.9", "2_26")),
    ),
    "promised library, with a copy on the search path": Case(
        wheel(libc(EXT, need("ZLIB_1.2.9", "libz.so.1"), rpath=NEAR), elf("pkg/libz.so.1")),
        "2_5",
        says(("VERDEF_MISSING", EXT, "ZLIB_1.2.9", "")),
    ),
    "library that newer policies promise, with a copy": Case(
        wheel(elf(EXT, "libc.so.6", "libexpat.so.1"), elf("other/libexpat.so.1")),
        "2_12",
        says(
            ("COMMONLY_ABSENT", EXT, "libexpat.so.1", ""),
            ("EXTERNAL_LIBRARY", EXT, "libexpat.so.1", "2_5"),
        ),
    ),
    "stack of a library that can be run": Case(
        wheel(libc(LIB, executable_stack=True, soname="liby.so", **PROGRAM)),
        "2_5",
        says(("EXECSTACK", LIB, "PT_GNU_STACK is RWE", "")),
    ),
    "stack of a program": Case(wheel(libc("tool", executable_stack=True, **PROGRAM)), "2_5"),
    "text relocations": Case(
        wheel(libc(textrel=True)), "2_5", says(("TEXTREL", EXT, "DT_TEXTREL", ""))
    ),
    "writable code": Case(
        wheel(libc(writable_code=True)), "2_5", says(("WX_SEGMENT", EXT, "a PT_LOAD is RWX", ""))
    ),
    "static tls": Case(
        wheel(libc(static_tls=True, tls_size=16)),
        "2_5",
        says(("STATIC_TLS", EXT, "16 bytes", "")),
    ),
    "dynamic tls": Case(wheel(libc(tls_size=4096)), "2_5"),
    "small pages": Case(
        wheel(libc(arch=ARM64, page_size=0x1000), platform=ARM64_WHEEL),
        "2_17",
        says(("PAGE_ALIGN", EXT, "0x1000", "")),
    ),
    "small pages, and no large ones on the architecture": Case(
        wheel(libc(page_size=0x1000)), "2_5"
    ),
    "float abi": Case(
        wheel(libc(arch="armv7l", flags=0x05000000), platform=ARM_WHEEL),
        "2_17",
        says(("FLOAT_ABI_UNKNOWN", EXT, "e_flags 0x5000000", "")),
    ),
    "hard float": Case(wheel(libc(arch="armv7l"), platform=ARM_WHEEL), "2_17"),
    "static objects": Case(
        wheel(libc(), elf("y.o", type=1), static_objects=("liby.a",)),
        "2_5",
        says(
            ("STATIC_OBJECT", "y.o", "an object file", ""),
            ("STATIC_OBJECT", "liby.a", "an archive of object files", ""),
        ),
    ),
    "search path": Case(
        wheel(libc(rpath=(*LEAKS, *KEPT))),
        "2_5",
        says(*(("RPATH_LEAK", EXT, entry, "") for entry in LEAKS)),
    ),
    "soname of the system's": Case(
        wheel(
            elf(EXT, "libz.so.1", "libc.so.6", rpath=NEAR), elf("pkg/libz.so.1", soname="libz.so.1")
        ),
        "2_5",
        says(("VENDORED_SONAME_CLASH", "pkg/libz.so.1", "libz.so.1", "")),
    ),
    "soname of its own": Case(
        wheel(elf(EXT, "libz-1a2b.so.1", "libc.so.6", rpath=NEAR), elf("pkg/libz-1a2b.so.1")), "2_5"
    ),
    "record": Case(
        wheel(libc(), record=RecordFacts(("a",), ("b",), ("c",), ("d",), ("e",))),
        "2_5",
        says(
            ("RECORD", "a", "unlisted", ""),
            ("RECORD", "b", "absent", ""),
            ("RECORD", "c", "wrong size", ""),
            ("RECORD", "d", "wrong hash", ""),
            ("RECORD", "e", "wrong CRC", ""),
        ),
    ),
    "no init": Case(
        wheel(libc(module_init=False), libc("pkg/_y.abi3.so")),
        "2_5",
        says(("NO_INIT", EXT, "", "")),
    ),
    "no init anywhere": Case(wheel(libc(module_init=False)), "2_5", says(("NO_INIT", EXT, "", ""))),
    "no module": Case(wheel(libc("pkg/libx.so", module_init=None)), "2_5"),
    "name that nothing defines": Case(
        wheel(libc(undefined=("nobody",))), "2_5", says(("UNDEFINED", EXT, "nobody", ""))
    ),
    "names of libc and of the interpreter": Case(
        wheel(libc(undefined=("PyList_New", "_Py_Dealloc", "dlopen", "sin", "__memcpy_chk"))), "2_5"
    ),
    "name of a library inside": Case(
        wheel(
            elf(EXT, "liby.so", "libc.so.6", undefined=("y",), rpath=NEAR),
            libc(LIB),
            exports={LIB: frozenset("y")},
        ),
        "2_5",
    ),
    "name of a library that is not loaded": Case(
        wheel(libc(undefined=("y",)), libc(LIB), exports={LIB: frozenset("y")}),
        "2_5",
        says(("UNDEFINED", EXT, "y", "")),
    ),
    "name that a library without versions may define": Case(
        wheel(elf(EXT, "libz.so.1", "libc.so.6", undefined=("y",))), "2_5"
    ),
    "abi3": Case(abi3("cp311", "PyType_GetName", "PyList_New"), "2_5"),
    "abi3 too new": Case(
        abi3("cp310", "PyType_GetName", "PyList_New"),
        "2_5",
        says(("ABI3", ABI3, "PyType_GetName", "")),
    ),
    "not in abi3": Case(
        abi3("cp38", "_PyType_Lookup"),
        "2_5",
        says(("ABI3", ABI3, "_PyType_Lookup", "")),
    ),
    "no check of other wheels": Case(wheel(libc(undefined=("_PyType_Lookup",))), "2_5"),
    "suffix of another python": suffix("cp311-cp311", "cpython-312"),
    "suffix without threads": suffix("cp313-cp313t", "cpython-313", "-x86_64-linux-gnu"),
    "suffix with threads": suffix("cp313-cp313", "cpython-313t", "-x86_64-linux-gnu"),
    "suffix of one python in an abi3 wheel": suffix("cp38-abi3", "cpython-38"),
    "abi3 for free threads": suffix("cp313-cp313t", "abi3"),
    "tag that nothing accepts": Case(
        built("cp315t-abi3t", "_x.abi3t.so"), "2_5", says(("UNUSABLE_TAG", "", "cp315t-abi3t", ""))
    ),
    "suffix of another machine": suffix("cp311-cp311", "cpython-311", "-x86_64-linux-gnu", ARM64),
    "suffix of another libc": suffix("cp311-cp311", "cpython-311", "-x86_64-linux-musl"),
    **{
        f"suffix {path} in {abi}": Case(built(abi, path), "2_5")
        for abi, path in (
            ("cp311-cp311", "_x.cpython-311-x86_64-linux-gnu.so"),
            ("cp311-cp311", "_x.abi3.so"),
            ("cp313-cp313t", "_x.cpython-313t.so"),
            ("py3-none", "_x.cpython-311.so"),
            ("pp310-pypy310_pp73", "_x.pypy310-pp73-x86_64-linux-gnu.so"),
        )
    },
}


def patch_level(subject: str) -> Tuple[str, str, str, str]:
    return ("MUSL_PATCH_LEVEL", EXT, subject, "")


MUSL_FILES: Dict[str, Case] = {
    "oldest": Case(wheel(musl("memcpy", "open64")), "1_1"),
    "versioned imports count as names": Case(
        wheel(musl(strong_versioned=frozenset({"__memcpy_chk"}))),
        "1_1",
        says(("MUSL_UNDEFINED", EXT, "__memcpy_chk", "")),
    ),
    "time64": Case(
        wheel(musl("__clock_gettime64", arch="armv7l"), platform=ARM_WHEEL),
        "1_2",
        says(("TOO_NEW", EXT, "musl 1.2.0", "1_1")),
    ),
    "time64 on 64 bits": Case(
        wheel(musl("__clock_gettime64")),
        "1_1",
        says(("MUSL_UNDEFINED", EXT, "__clock_gettime64", "")),
    ),
    "two releases": Case(
        wheel(musl("qsort_r", "statx", "gettid")),
        "1_2",
        says(
            *(("TOO_NEW", EXT, f"musl 1.2.{patch}", "1_1") for patch in (2, 3, 5)),
            *(patch_level(f"musl 1.2.{patch}") for patch in (2, 3, 5)),
        ),
    ),
    "relr": Case(
        wheel(musl(relr=True)),
        "1_2",
        says(("TOO_NEW", EXT, "musl 1.2.4", "1_1"), patch_level("musl 1.2.4")),
    ),
    "the port's first release": Case(
        wheel(musl("statx", arch="loongarch64"), platform="linux_loongarch64"), "1_2"
    ),
    "defined inside": Case(
        wheel(
            musl("statx", "__memcpy_chk", needed=("liby.so",), rpath=NEAR),
            musl(path=LIB),
            exports={LIB: frozenset({"statx", "__memcpy_chk"})},
        ),
        "1_1",
    ),
    "of glibc, beside a library that is promised": Case(
        wheel(musl("__memcpy_chk", needed=("libz.so.1",))),
        "1_1",
        says(("MUSL_UNDEFINED", EXT, "__memcpy_chk", "")),
    ),
    "forbidden": Case(
        wheel(musl("inflate_table", needed=("libz.so.1",))),
        None,
        says(("FORBIDDEN_SYMBOL", EXT, "inflate_table", "1_2")),
    ),
    "search path that musl ignores": Case(wheel(musl(rpath=("/opt/x", "$LIB"))), "1_1"),
    "promised library, with a copy that no search path finds": Case(
        wheel(musl(needed=("libz.so.1",)), elf("other/libz.so.1")), "1_1"
    ),
    "external": Case(
        wheel(musl(needed=("libstdc++.so.6",))),
        None,
        says(("EXTERNAL_LIBRARY", EXT, "libstdc++.so.6", "1_2")),
    ),
    "GLIBC_2.0 of libgcc_s is no sign of glibc": Case(
        wheel(
            musl(needed=("libgcc_s.so.1",), versions_needed=(need("GLIBC_2.0", "libgcc_s.so.1"),))
        ),
        None,
        says(("EXTERNAL_LIBRARY", EXT, "libgcc_s.so.1", "1_2")),
    ),
    "versions are no evidence": Case(
        wheel(
            musl(versions_needed=(need("CXXABI_9", "liby.so"),), needed=("liby.so",), rpath=NEAR),
            elf(LIB, versions_defined=("Y_0",)),
        ),
        "1_1",
    ),
}


@pytest.mark.parametrize("case", [*FILES.values(), *MUSL_FILES.values()], ids=[*FILES, *MUSL_FILES])
def test_findings_and_policy(case: Case) -> None:
    report = audit(case.facts, case.request)
    assert (rows(report), version(report.policy)) == (case.rows, case.policy or "")


def test_every_kind_has_a_row() -> None:
    cases = [*CASES.values(), *FILES.values(), *MUSL_FILES.values()]
    said = {kind for case in cases for kind, *_ in case.rows}
    assert said | {
        "WRONG_ABI",
        "ELF_IN_PURE_WHEEL",
        "WHEEL_FILE",
        "DUPLICATE_LIBRARY",
        "FALSE_TAG",
        "TOO_LARGE",
        "NO_MODULE",
    } == set(SENTENCES)
