"""Verdicts that other tools get wrong, from bytes to tag, cases 26 to 43."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Dict

import pytest

from casewheels import (
    EXT,
    EXT_MUSL,
    GOOD,
    INIT,
    LIB,
    MUSL_OLD,
    NEAR,
    NEW,
    OLDEST,
    PIDFD,
    PLAIN,
    Case,
    judge,
    module,
    musl,
    on,
    report_of,
)
from elfwriter import Elf, Symbol, write
from manyshim.audit.decision import choose
from manyshim.audit.request import Request
from manyshim.audit.tags import MUSL
from manyshim.formatters.json import to_dict
from wheelwriter import wheel

if TYPE_CHECKING:
    from pathlib import Path

ABI3 = "demo/_x.abi3.so"
NO_LIBC = {ABI3: write(Elf(symbols=(INIT, Symbol("PyLong_FromLong"))))}
ABI3_NAME = "cp38-abi3-linux_x86_64"
FREE, FREE_EXT = "cp313-cp313t-linux_x86_64", "demo/_x.cpython-313t-x86_64-linux-gnu.so"
PYTHONS = ("libpython3.13t.so.1.0", "libpython3.so")
V3 = 0b101
ODD = "lib\u00e4 b,c.so"
LONE = b"lib\xff.so.1"

GNU = "-x86_64-linux-gnu.so"
PACKAGE = f"__init__.cpython-311{GNU}"
PYPY, ON_PYPY = f"_x.pypy310-pp73{GNU}", "pp310-pypy310_pp73-linux_x86_64"
ON_311, ON_315 = "cp311-cp311-linux_x86_64", "cp315-abi3.abi3t-linux_x86_64"
# Folder, file, the function that it exports, the tags, and whether an interpreter finds it.
INITS = (
    ("demo", PACKAGE, "PyInit_demo", ON_311, True),
    ("demo/inner", PACKAGE, "PyInit_inner", ON_311, True),
    ("demo/inner", PACKAGE, "PyInit_demo", ON_311, False),
    ("demo", PACKAGE, "PyInit___init__", ON_311, False),
    ("demo/\u00e4", PACKAGE, "PyInitU_4ca", ON_311, True),
    ("demo-1.0.data/platlib/demo", PACKAGE, "PyInit_demo", ON_311, True),
    ("demo-1.0.data/platlib", PACKAGE, "PyInit___init__", ON_311, True),
    ("demo", PYPY, "_cffi_pypyinit__x", ON_PYPY, True),
    ("demo", f"_x.cpython-311{GNU}", "_cffi_pypyinit__x", ON_311, False),
    ("demo", "_x.abi3t.so", "PyModExport__x", ON_315, True),
    ("demo", "_x.abi3t.so", "PyInit__x", ON_315, True),
    ("demo", f"_x.cpython-315{GNU}", "PyModExport__x", "cp315-cp315-linux_x86_64", True),
    ("demo", f"_x.cpython-311{GNU}", "PyModExport__x", ON_311, False),
)


def module_with(function: str) -> Elf:
    """Describe a module that exports one function."""
    return replace(module(), symbols=(Symbol(function, defined=True), Symbol("PyLong_FromLong")))


CASES: Dict[str, Case] = {
    "26 Root-Is-Purelib": Case(
        {EXT: GOOD}, OLDEST, {"ELF_IN_PURE_WHEEL": EXT}, wheel={"purelib": True}
    ),
    "27 absolute NEEDED": Case(
        {EXT: write(module(needed=("/opt/lib/liby.so",)))},
        None,
        {"NEEDED_PATH": "/opt/lib/liby.so"},
    ),
    "28 absolute RPATH": Case(
        {
            EXT: write(module(needed=("liby.so",), rpath=f"/opt/lib:{NEAR}")),
            LIB: write(module(soname="liby.so")),
        },
        OLDEST,
        {"RPATH_LEAK": "/opt/lib"},
    ),
    "29 library of the host": Case(
        {EXT: write(module(needed=("liby.so",), rpath="/opt/lib"))},
        None,
        {"EXTERNAL_LIBRARY": "liby.so", "RPATH_LEAK": "/opt/lib"},
    ),
    "30 no RPATH": Case(
        {EXT: write(module(needed=("liby.so",))), LIB: GOOD}, None, {"BY_NAME_ONLY": "liby.so"}
    ),
    "30 no RPATH, loaded first": Case(
        {
            EXT: write(module(needed=("liby.so",))),
            "demo/liba.so": write(module(needed=("liby.so",), runpath=NEAR)),
            LIB: write(module(soname="liby.so")),
        },
        OLDEST,
        {"BY_NAME_ONLY": LIB},
    ),
    **{
        f"31 {name}": Case(
            {FREE_EXT: write(module(needed=(name,)))}, None, {"LIBPYTHON": name}, FREE
        )
        for name in PYTHONS
    },
    "32 libmvec on aarch64": Case(
        {PLAIN: write(on("aarch64", "libmvec.so.1"))},
        "manylinux_2_38_aarch64",
        {"EXTERNAL_LIBRARY": "libmvec.so.1"},
        "cp311-cp311-linux_aarch64",
    ),
    "32 libmvec on s390x": Case(
        {PLAIN: write(on("s390x", "libmvec.so.1"))},
        None,
        {"EXTERNAL_LIBRARY": "libmvec.so.1"},
        "cp311-cp311-linux_s390x",
    ),
    "33 no libc, built on musl": Case(NO_LIBC, MUSL_OLD, {}, ABI3_NAME, Request(libc=MUSL)),
    "33 no libc, built on glibc": Case(NO_LIBC, OLDEST, {}, ABI3_NAME),
    "33 no libc, no evidence": Case(
        NO_LIBC, OLDEST, {"LIBC_ASSUMED": f"demo-1.0-{ABI3_NAME}.whl"}, ABI3_NAME, Request()
    ),
    "34 what the host may have": Case(
        {EXT: write(module(Symbol("omp", "libgomp.so.1", "GOMP_4.0"), needed=("libgomp.so.1",)))},
        None,
        {"EXTERNAL_LIBRARY": "libgomp.so.1"},
    ),
    "35 x86-64-v3": Case({EXT: write(module(isa=V3))}, None, {"ISA": "x86-64-v3"}),
    "35 x86-64-v3 without a note": Case({EXT: write(module(isa=1))}, OLDEST),
    "36 executable stack": Case({EXT: write(module(stack_flags=7))}, None, {"EXECSTACK": EXT}),
    "36 no PT_GNU_STACK": Case({EXT: write(module(stack_flags=None))}, None, {"EXECSTACK": EXT}),
    "36 no PT_GNU_STACK on aarch64": Case(
        {PLAIN: write(on("aarch64", stack_flags=None))},
        "manylinux_2_17_aarch64",
        name="cp311-cp311-linux_aarch64",
    ),
    "37 text relocations": Case(
        {PLAIN: write(on("i686", textrel=True))},
        "manylinux_2_5_i686",
        {"TEXTREL": PLAIN},
        "cp311-cp311-linux_i686",
    ),
    "37 text relocations by flag": Case({EXT: write(module(dt_flags=4))}, OLDEST, {"TEXTREL": EXT}),
    "37 text relocations on musl": Case(
        {EXT_MUSL: write(musl(textrel=True))}, None, {"TEXTREL": EXT_MUSL}
    ),
    "38 undefined name": Case(
        {EXT: write(module(Symbol("nobody")))}, OLDEST, {"UNDEFINED": "nobody"}
    ),
    "38 old name of glibc without a version": Case({EXT: write(module(Symbol("dlvsym")))}, OLDEST),
    "38 newer name of glibc without a version": Case(
        {EXT: write(module(Symbol("preadv2")))}, "manylinux_2_26_x86_64", {"TOO_NEW": "GLIBC_2.26"}
    ),
    "38 undefined name, but weak": Case({EXT: write(module(Symbol("nobody", weak=True)))}, OLDEST),
    "39 suffix of another python": Case(
        {EXT: GOOD}, OLDEST, {"SUFFIX": EXT}, "cp312-cp312-linux_x86_64"
    ),
    "39 suffix without threads": Case(
        {FREE_EXT.replace("t-", "-"): GOOD}, OLDEST, {"SUFFIX": "cpython-313"}, FREE
    ),
    "40 no init function": Case(
        {EXT: write(replace(module(), symbols=(Symbol("PyInit_x", defined=True),)))},
        OLDEST,
        {"NO_INIT": EXT},
    ),
    **{
        f"40 {name} exports {function}": Case(
            {f"{path}/{name}": write(module_with(function))},
            OLDEST,
            {} if good else {"NO_INIT": f"{path}/{name}"},
            tags,
        )
        for path, name, function, tags, good in INITS
    },
    "40 init function of a name beyond ASCII": Case(
        {
            "demo/\u00e4.abi3.so": write(
                Elf(needed=("libc.so.6",), symbols=(Symbol("PyInitU_4ca", defined=True),))
            )
        },
        OLDEST,
    ),
    "41 what nothing loads": Case(
        {
            EXT: GOOD,
            "demo/y.o": write(module(PIDFD, type=1)),
            "demo/liby.a": b"!<arch>\n" + NEW,
            "demo/inner.zip": wheel({"x.so": NEW}, compress=False),
        },
        OLDEST,
        {"STATIC_OBJECT": "demo/liby.a"},
    ),
    "42 odd names": Case(
        {
            "d\u00e4mo, x/_x.abi3.so": write(module(needed=(ODD,), runpath="$ORIGIN/l ibs")),
            f"d\u00e4mo, x/l ibs/{ODD}": write(module(soname=ODD)),
        },
        OLDEST,
    ),
    "42 name that is no UTF-8": Case(
        {EXT: write(module(needed=(LONE,)))}, None, {"EXTERNAL_LIBRARY": "lib\udcff.so.1"}
    ),
    "43 symbolic link": Case(
        {EXT: GOOD, LIB: b"liby.so.1"},
        None,
        {"SYMLINK_MEMBER": LIB},
        wheel={"modes": {LIB: 0o120777}},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_verdict(case: Case, tmp_path: Path) -> None:
    judge(case, tmp_path)


def test_34_external_libraries_are_named(tmp_path: Path) -> None:
    report = report_of(CASES["34 what the host may have"], tmp_path)
    assert report.external == ("libgomp.so.1",)


def test_42_report_of_odd_names_can_be_written(tmp_path: Path) -> None:
    case = CASES["42 name that is no UTF-8"]
    report = report_of(case, tmp_path)
    text = json.dumps(to_dict(report, choose(report, case.request)), ensure_ascii=False)
    assert b"lib\\\\udcff.so.1" in text.encode()
