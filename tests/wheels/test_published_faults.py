"""Published wheels that were once judged wrong: their tag, and the findings of `check`.

The causes are also written small, in the tests of the rules and readers. These downloads have the
marker `full`; run it with `-m full -n 0`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple

import pytest

import needs
from commandline import run

pytestmark = [
    pytest.mark.full,
    pytest.mark.network,
    needs.mark(needs.module, "auditwheel", "auditwheel", (3, 10)),
]
X86, ARM = "x86_64", "aarch64"
PURE_ROOT = {"ELF_IN_PURE_WHEEL": "warning"}


class Case(NamedTuple):
    """A wheel of the survey, the tag that is proved, and its errors and warnings by kind.

    A kind with an empty severity must not be found at all, not even as `info`.
    """

    wheel: str
    tag: Optional[str]
    kinds: Dict[str, str]


CASES: Tuple[Case, ...] = (
    # Tables that lie far apart.
    Case("torch-2.2.0-*aarch64*", "manylinux_2_17_aarch64", {"ELF_CORRUPT": ""}),
    Case("duckdb-1.3.2-*musllinux*", "musllinux_1_2_x86_64", {"ELF_CORRUPT": ""}),
    # Machine code in .data, and at the root, of wheels with Root-Is-Purelib: true.
    Case("libclang-18*2010_x86_64*", "manylinux_2_12_x86_64", {"ELF_IN_PURE_WHEEL": ""}),
    Case("deno-2.9.8-*x86_64*", "manylinux_2_27_x86_64", {"ELF_IN_PURE_WHEEL": ""}),
    Case("soundfile-0.14.0-*x86_64*", "manylinux_2_27_x86_64", PURE_ROOT),
    Case("capstone-5*", "manylinux_2_17_x86_64", PURE_ROOT),
    # Names of zlib, which lies outside of the wheel.
    Case("pillow-13*musllinux*x86_64*", "musllinux_1_2_x86_64", {"UNDEFINED": ""}),
    # PyPy.
    Case("pydantic_core-2*pp311*", "manylinux_2_17_x86_64", {"UNDEFINED": "", "NO_INIT": ""}),
    Case("pycryptodome-3*pp39*", "manylinux_2_17_x86_64", {"NO_INIT": "info"}),
    # A package that is a module.
    Case("pydantic-1.10.2-*", "manylinux_2_17_x86_64", {"NO_INIT": ""}),
    # dlvsym without a version.
    Case("cuda_bindings-*", "manylinux_2_24_x86_64", {"UNDEFINED": ""}),
    # Files that ctypes opens.
    Case("pycryptodomex-3.24.2-cp37-abi3-manylinux*", "manylinux_2_17_x86_64", {"NO_INIT": "info"}),
    # A compressed tag set in WHEEL.
    Case("rpds_py-0.27.1-*", "manylinux_2_17_x86_64", {"WHEEL_TAGS": "warning"}),
    # Without policies, and for another system.
    Case("ruff-*armv6l*", None, {"FALSE_TAG": "", "INDEX_TAG": ""}),
    Case("xxhash-*android*", None, {"LIBPYTHON": "", "PAGE_ALIGN": "", "LIBC_ASSUMED": ""}),
    # A dynamic section behind its segment's bytes in the file.
    Case("casadi-*", None, {"ELF_CORRUPT": ""}),
    # Its search path ends with an empty entry, which is the current folder for glibc.
    Case("clang_format-*x86_64*", "manylinux_2_27_x86_64", {"RPATH_LEAK": "warning"}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.wheel)
def test_published_wheel(case: Case) -> None:
    assert sys.version_info >= (3, 10), "the mark skips it"
    from survey_fetch import fetch
    from survey_rows import default_cache, rows

    (row,) = rows(case.wheel)
    path = fetch(row, Path(default_cache(), "published"))
    (audited,) = json.loads(run("show", "--json", path).stdout)["wheels"]
    (checked,) = json.loads(run("check", "--json", path).stdout)["wheels"]
    assert audited["tag"] == case.tag
    found: Dict[str, str] = {}
    for one in (*audited["findings"], *checked["findings"]):
        found[one["kind"]] = one["severity"]
    assert {kind: found.get(kind, "") for kind in case.kinds} == case.kinds
