"""Names without a version: who defines them, and since when."""

from __future__ import annotations

from typing import Dict, Tuple

import pytest

from manyshim.audit.facts import Unreadable, WheelFacts
from manyshim.audit.findings import Evidence, dotted
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_wheel_name
from manyshim.audit.verdict import audit
from rulefacts import EXT, LIB, NEAR, Case, elf, libc, musl, need, rows, says, version, wheel

EXTERNAL = ("EXTERNAL_LIBRARY", EXT, "libfoo.so", "2_41")
CXX = ("libc.so.6", "libstdc++.so.6")
INIT = "_ZNSt8ios_base4InitC1Ev"
# std::__throw_bad_array_new_length(), of GCC 11.
NEW = "_ZSt28__throw_bad_array_new_lengthv"

CASES: Dict[str, Case] = {
    "old in glibc": Case(wheel(libc(undefined=("dlvsym", "__memcpy_chk", "_IO_putc"))), "2_5"),
    "newer in glibc": Case(
        wheel(libc(undefined=("preadv2", "copy_file_range", "dlvsym"))),
        "2_27",
        says(
            ("TOO_NEW", EXT, "GLIBC_2.26", "2_24"),
            ("TOO_NEW", EXT, "GLIBC_2.27", "2_26"),
        ),
    ),
    "newer on one architecture": Case(
        wheel(libc(undefined=("preadv64",), arch="aarch64"), platform="linux_aarch64"), "2_17"
    ),
    "newer than every policy": Case(
        wheel(libc(undefined=("cosh", "acospif"))),
        "2_41",
        says(("TOO_NEW", EXT, "GLIBC_2.41", "2_40")),
    ),
    "in libm": Case(
        wheel(libc(undefined=("roundeven",))), "2_26", says(("TOO_NEW", EXT, "GLIBC_2.25", "2_24"))
    ),
    "only for files that ask for its version": Case(
        wheel(libc(undefined=("__exp_finite",))),
        "2_5",
        says(("UNDEFINED", EXT, "__exp_finite", "")),
    ),
    "of one build of glibc": Case(
        wheel(libc(undefined=("__libc_early_init",))),
        "2_5",
        says(("UNDEFINED", EXT, "__libc_early_init", "")),
    ),
    "in librt, which is loaded": Case(
        wheel(elf(EXT, "libc.so.6", "librt.so.1", undefined=("aio_read",))), "2_5"
    ),
    "in librt, which is not loaded": Case(
        wheel(libc(undefined=("aio_read",))), "2_34", says(("TOO_NEW", EXT, "GLIBC_2.34", "2_31"))
    ),
    "the wheel defines it": Case(
        wheel(
            elf(EXT, "liby.so", "libc.so.6", undefined=("preadv2", INIT), rpath=NEAR),
            libc(LIB),
            exports={LIB: frozenset(("preadv2", INIT))},
        ),
        "2_5",
    ),
    "in libstdc++": Case(wheel(elf(EXT, *CXX, undefined=(INIT, "_Unwind_Resume"))), "2_5"),
    "newer in libstdc++": Case(
        wheel(elf(EXT, *CXX, undefined=(INIT, NEW))),
        "2_34",
        says(("TOO_NEW", EXT, "GLIBCXX_3.4.29", "2_31")),
    ),
    "in libstdc++, which is not loaded": Case(
        wheel(libc(undefined=(INIT,))), "2_5", says(("UNDEFINED", EXT, INIT, ""))
    ),
    "nobody's, beside libstdc++": Case(
        wheel(elf(EXT, *CXX, undefined=("_ZN4mine3runEv",))),
        "2_5",
        says(("UNDEFINED", EXT, "_ZN4mine3runEv", "")),
    ),
    "a library that is missing may define it": Case(
        wheel(elf(EXT, "libc.so.6", "libfoo.so", undefined=("foo", INIT))), None, says(EXTERNAL)
    ),
    "beside a library that is missing, newer in glibc": Case(
        wheel(elf(EXT, "libc.so.6", "libfoo.so", undefined=("foo", "preadv2"))),
        None,
        says(EXTERNAL, ("TOO_NEW", EXT, "GLIBC_2.26", "2_24")),
    ),
    "a library that is excluded may define it": Case(
        wheel(elf(EXT, "libc.so.6", "libfoo.so", undefined=("foo",))),
        "2_5",
        says(("EXCLUDED", EXT, "libfoo.so", "")),
        Request(exclude=("libfoo.so",)),
    ),
    "a file that cannot be read may define it": Case(
        wheel(libc(undefined=("foo",)), unreadable=(Unreadable("pkg/libfoo.so", "cut"),)),
        "2_5",
        says(("ELF_CORRUPT", "pkg/libfoo.so", "cut", "")),
    ),
    "GLIBC_PRIVATE": Case(
        wheel(libc(EXT, need("GLIBC_PRIVATE", symbols=("__res_maybe_init",)))),
        None,
        says(("TOO_NEW", EXT, "GLIBC_PRIVATE", "2_41")),
    ),
}
THREAD = "__cxa_thread_atexit_impl"
MUSL_CASES: Dict[str, Case] = {
    "names of zlib": Case(
        wheel(musl("inflate", "statx", needed=("libz.so.1",))),
        "1_2",
        says(("TOO_NEW", EXT, "musl 1.2.5", "1_1"), ("MUSL_PATCH_LEVEL", EXT, "musl 1.2.5", "")),
    ),
    "a name of glibc, beside zlib": Case(
        wheel(musl("inflate", THREAD, needed=("libz.so.1",))),
        "1_1",
        says(("MUSL_UNDEFINED", EXT, THREAD, "")),
    ),
    "a name of glibc, beside a library that is missing": Case(
        wheel(musl("backtrace", needed=("libexecinfo.so.1",))),
        None,
        says(("EXTERNAL_LIBRARY", EXT, "libexecinfo.so.1", "1_2")),
    ),
    "a name of glibc, beside a library that is excluded": Case(
        wheel(musl("backtrace", needed=("libexecinfo.so.1",))),
        "1_1",
        says(("EXCLUDED", EXT, "libexecinfo.so.1", "")),
        Request(exclude=("libexecinfo.so.1",)),
    ),
    "several names of one file": Case(
        wheel(musl("foo", THREAD, "bar")), "1_1", says(("MUSL_UNDEFINED", EXT, THREAD, ""))
    ),
}


@pytest.mark.parametrize("case", [*CASES.values(), *MUSL_CASES.values()], ids=[*CASES, *MUSL_CASES])
def test_findings_and_policy(case: Case) -> None:
    report = audit(case.facts, case.request)
    assert (rows(report), version(report.policy)) == (case.rows, case.policy or "")


def test_a_need_without_a_version_says_so() -> None:
    facts = wheel(libc(undefined=("preadv64v2", "preadv2")))
    (found,) = audit(facts, Request()).findings
    assert (found.evidence, found.library) == (Evidence.UNVERSIONED, "libc.so.6")
    assert found.symbols == ("preadv2", "preadv64v2")
    assert dotted(found.required or ()) == "2.26"


def tagged(tag: str, suffix: str, *undefined: str) -> WheelFacts:
    name = parse_wheel_name(f"demo-1.0-{tag}-linux_x86_64.whl")
    assert name is not None
    return wheel(libc(f"pkg/_x.{suffix}.so", undefined=undefined), name=name, tags=name.tags)


GIL, ACCESSOR = "pypy_carefully_make_gil", "GraalPyCFunction_GetModule"


@pytest.mark.parametrize(
    ("tag", "suffix", "found"),
    [
        ("pp310-pypy310_pp73", "pypy310-pp73-x86_64-linux-gnu", (ACCESSOR,)),
        ("py3-none", "pypy310-pp73-x86_64-linux-gnu", (ACCESSOR,)),
        ("PP310-PyPy310_PP73", "abi3", (ACCESSOR,)),
        ("graalpy311-graalpy242_311_native", "graalpy242-311-native-x86_64-linux-gnu", (GIL,)),
        ("cp311-cp311", "cpython-311-x86_64-linux-gnu", (ACCESSOR, GIL)),
        ("py3-none", "abi3", (ACCESSOR, GIL)),
    ],
)
def test_an_interpreter_defines_its_own_names(
    tag: str, suffix: str, found: Tuple[str, ...]
) -> None:
    facts = tagged(tag, suffix, GIL, ACCESSOR, "PyPyList_New", "_PyPy_Free", "PyList_New")
    undefined = [one for one in audit(facts, Request()).findings if one.kind == "UNDEFINED"]
    assert [one.symbols for one in undefined] == [found]


RUNTIMES = (
    # auditwheel copied a library that another tool had copied before.
    "libgcc_s-0cd532bd-c8f934f9.so.1",
    "libgcc_s-0cd532bd.so.1",
    "libstdc++-66f1d8e7.so.6.0.33",
    "libgfortran-5a7f2d1e.so.5",
)


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_copy_of_a_runtime_is_named_as_the_cause(name: str) -> None:
    copy, own = musl(path=f"demo.libs/{name}", relr=True), musl(relr=True)
    found = [one for one in audit(wheel(copy, own), Request()).findings if "PATCH" in one.kind]
    assert [(one.path, one.evidence) for one in found] == [
        (f"demo.libs/{name}", Evidence.RUNTIME_COPY),
        (EXT, None),
    ]
