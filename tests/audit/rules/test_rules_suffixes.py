"""Which suffixes of modules the interpreters of a wheel load, and what a suffix tells."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import pytest

from manyshim.audit import findings as f
from manyshim.audit.decision import choose
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_platform
from manyshim.audit.verdict import audit
from manyshim.formatters.text import show_lines
from rulefacts import elf, found, libc, musl, tagged, wheel

STRICT, THOROUGH = Request(strict=True), Request(thorough=True)
GNU, MUSL = "-x86_64-linux-gnu", "-x86_64-linux-musl"


class Case(NamedTuple):
    """Tags, the suffixes of a module's files, and those that SUFFIX is about by severity."""

    tags: str
    files: Tuple[str, ...]
    serious: Tuple[str, ...] = ()
    noted: Tuple[str, ...] = ()


CASES = {
    "own suffix": Case("cp311-cp311", (f".cpython-311{GNU}.so",)),
    "bare": Case("cp311-cp311", (".so",)),
    "another version": Case("cp312-cp312", (".cpython-311.so",), (".cpython-311.so",)),
    "another version and a bare one": Case(
        "cp312-cp312", (".cpython-311.so", ".so"), noted=(".cpython-311.so",)
    ),
    "two Pythons": Case("cp310.cp311-cp310.cp311", (".cpython-310.so", ".cpython-311.so")),
    "two Pythons, and a file for one": Case(
        "cp310.cp311-cp310.cp311", (".cpython-310.so",), (".cpython-310.so",)
    ),
    "debug build": Case("cp311-cp311d", (".cpython-311.so", ".cpython-311d.so")),
    "module of a debug build": Case("cp311-cp311", (".cpython-311d.so",), (".cpython-311d.so",)),
    "stable ABI": Case("cp38-abi3", (".abi3.so",)),
    "stable ABI, and a file for one Python": Case(
        "cp38-abi3", (".abi3.so", f".cpython-38{GNU}.so")
    ),
    "file for one of many Pythons": Case("cp38-abi3", (".cpython-38.so",), (".cpython-38.so",)),
    "stable ABI with a platform": Case("cp315-abi3", (f".abi3{GNU}.so",)),
    "stable ABI with a platform, which 3.14 does not look for": Case(
        "cp38-abi3", (f".abi3{GNU}.so",), (f".abi3{GNU}.so",)
    ),
    "stable ABI in a wheel for one Python": Case("cp311-cp311", (".abi3.so",)),
    "stable ABI before Python 3.2": Case("cp27-cp27mu", (".abi3.so",), (".abi3.so",)),
    "both stable ABIs": Case("cp315-abi3.abi3t", (".abi3t.so",)),
    "both stable ABIs, two files": Case("cp315-abi3.abi3t", (".abi3t.so", ".abi3.so")),
    "free threads do not see abi3": Case("cp315-abi3.abi3t", (".abi3.so",), (".abi3.so",)),
    "abi3t": Case("cp315-abi3t", (".abi3t.so",)),
    "abi3t for 3.14": Case("cp314-abi3t", (".abi3t.so",), (".abi3t.so",)),
    "3.11 does not see abi3t": Case("cp311-abi3", (".abi3t.so",), (".abi3t.so",)),
    "3.13 does not see abi3t": Case("cp313-cp313", (".abi3t.so",), (".abi3t.so",)),
    "3.15 sees abi3t": Case("cp315-cp315", (".abi3t.so",)),
    "3.15t does not see abi3": Case("cp315-cp315t", (".abi3.so",), (".abi3.so",)),
    "free threads": Case("cp314-cp314t", (f".cpython-314t{GNU}.so",)),
    "no free threads": Case("cp314-cp314t", (f".cpython-314{GNU}.so",), (f".cpython-314{GNU}.so",)),
    "CPython's in a wheel for PyPy": Case(
        "pp310-pypy310_pp73", (f".cpython-310{GNU}.so",), (f".cpython-310{GNU}.so",)
    ),
    "abi3 in a wheel for PyPy": Case("pp310-pypy310_pp73", (".abi3.so",), (".abi3.so",)),
    "another PyPy": Case(
        "pp310-pypy310_pp73", (f".pypy39-pp73{GNU}.so",), (f".pypy39-pp73{GNU}.so",)
    ),
    "PyPy": Case("pp310-pypy310_pp73", (f".pypy310-pp73{GNU}.so",)),
    "PyPy does not see a bare one": Case(
        "pp310-pypy310_pp73", (".so", ".pypy39-pp73.so"), (".pypy39-pp73.so",)
    ),
    "PyPy's in a wheel for CPython": Case(
        "cp311-cp311", (f".pypy39-pp73{GNU}.so",), (f".pypy39-pp73{GNU}.so",)
    ),
    "two implementations": Case(
        "cp311.pp310-cp311.pypy310_pp73", (f".cpython-311{GNU}.so", f".pypy310-pp73{GNU}.so")
    ),
    "GraalPy": Case(
        "graalpy311-graalpy242_311_native", (".graalpy242-311-native-x86_64-linux.so",)
    ),
    "another GraalPy": Case(
        "graalpy311-graalpy242_311_native",
        (".graalpy250-312-native-x86_64-linux.so",),
        (".graalpy250-312-native-x86_64-linux.so",),
    ),
    "no ABI": Case("cp311-none", (f".cpython-311{GNU}.so",)),
    "no ABI, another Python": Case(
        "cp311-none", (f".cpython-310{GNU}.so",), (f".cpython-310{GNU}.so",)
    ),
    "no ABI, bare": Case("cp311-none", (".so",)),
    "no ABI, an old Python": Case("cp37-none", (f".cpython-37m{GNU}.so",)),
    "upper case": Case("CP311-Cp311", (f".cpython-310{GNU}.so",), (f".cpython-310{GNU}.so",)),
    "macOS": Case("cp311-cp311", (".cpython-311-darwin.so",), (".cpython-311-darwin.so",)),
    "Android": Case(
        "cp313-cp313",
        (".cpython-313-x86_64-linux-android.so",),
        (".cpython-313-x86_64-linux-android.so",),
    ),
    "x32": Case(
        "cp311-cp311",
        (".cpython-311-x86_64-linux-gnux32.so",),
        (".cpython-311-x86_64-linux-gnux32.so",),
    ),
    "Pythons that the tags do not tell": Case("py3-none", (".cpython-311.so", ".abi3t.so")),
    "another libc": Case("cp311-cp311", (f".cpython-311{MUSL}.so",), (f".cpython-311{MUSL}.so",)),
    "another libc too": Case(
        "cp311-cp311",
        (f".cpython-311{MUSL}.so", f".cpython-311{GNU}.so"),
        noted=(f".cpython-311{MUSL}.so",),
    ),
    "another machine": Case(
        "py3-none", (".cpython-311-aarch64-linux-gnu.so",), (".cpython-311-aarch64-linux-gnu.so",)
    ),
}


@pytest.mark.parametrize("request_", [Request(), STRICT, THOROUGH], ids=["", "strict", "check"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_suffixes(case: Case, request_: Request) -> None:
    files = [libc(f"pkg/_x{suffix}") for suffix in case.files]
    report = audit(tagged(case.tags, *files, libc("pkg/_y.so")), request_)
    serious = f.WARNING if request_ == Request() else f.ERROR
    wanted = [
        *((serious, f"pkg/_x{suffix}") for suffix in case.serious),
        *((f.INFO, f"pkg/_x{suffix}") for suffix in case.noted),
    ]
    assert found(report, "SUFFIX") == sorted(wanted)


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("pkg/_x", "demo-1.0.data/platlib/pkg/_x", True),
        ("pkg/_x", "demo-1.0.data/purelib/pkg/_x", True),
        ("pkg/_x", "pkg/sub/_x", False),
        ("pkg/_x", "demo-1.0.data/data/pkg/_x", False),
    ],
)
def test_files_of_one_module_are_at_one_place(here: str, there: str, *, same: bool) -> None:
    wrong, good = f"{here}.cpython-310.so", f"{there}.cpython-311.so"
    report = audit(tagged("cp311-cp311", libc(wrong), libc(good)), THOROUGH)
    assert found(report, "SUFFIX") == [(f.INFO if same else f.ERROR, wrong)]


@pytest.mark.parametrize(
    ("platform", "suffix", "good"),
    [
        ("armv7l", "cpython-311-arm-linux-gnueabihf", True),
        ("armv7l", "cpython-311-arm-linux-gnueabi", False),
        ("armv6l", "cpython-311-arm-linux-gnueabihf", True),
        ("i686", "cpython-311-i386-linux-gnu", True),
        ("i686", "cpython-311-i686-linux-gnu", True),
        ("i686", "cpython-311-x86-linux-gnu", False),
        ("ppc64le", "cpython-311-powerpc64le-linux-gnu", True),
        ("ppc64", "cpython-311-powerpc64-linux-gnu", True),
        ("s390x", "cpython-311-s390x-linux-gnu", True),
        ("riscv64", "cpython-311-riscv64-linux-gnu", True),
        ("loongarch64", "cpython-311-loongarch64-linux-gnu", True),
        ("loongarch64", "cpython-311-loongarch64-linux-gnusf", False),
        # As PyPy names its modules.
        ("armv7l", "pypy310-pp73-arm-linux-gnu", True),
        ("i686", "pypy310-pp73-x86-linux-gnu", True),
        ("i686", "pypy37-pp73-i686-linux-gnu", True),
        ("i686", "pypy37-pp73-i386-linux-gnu", True),
        ("ppc64le", "pypy310-pp73-ppc_64-linux-gnu", True),
        ("x86_64", "pypy310-pp73-x86-linux-gnu", False),
    ],
)
def test_the_platform_of_a_suffix(platform: str, suffix: str, *, good: bool) -> None:
    path, arch = f"pkg/_x.{suffix}.so", "armv7l" if platform == "armv6l" else platform
    facts = tagged("py3-none", libc(path, arch=arch), platform=f"linux_{platform}")
    assert found(audit(facts, THOROUGH), "SUFFIX") == ([] if good else [(f.ERROR, path)])


def test_a_file_without_init_has_any_suffix_where_the_abi_is_none() -> None:
    facts = tagged("cp311-none", libc("pkg/_x.cpython-310.so", module_init=False))
    assert found(audit(facts, THOROUGH), "SUFFIX") == []


def test_a_file_of_another_architecture_is_one_finding() -> None:
    path = f"pkg/_x.cpython-311{GNU}.so"
    report = audit(wheel(libc(path, arch="aarch64")), THOROUGH)
    assert found(report, "MIXED_ARCH") == [(f.ERROR, path)]
    assert found(report, "SUFFIX") == []


@pytest.mark.parametrize(
    "source",
    [
        *("pkg/_x.py", "pkg/_x/__init__.py"),
        *("demo-1.0.data/purelib/pkg/_x.py", "demo-1.0.data/platlib/pkg/_x/__init__.py"),
    ],
)
@pytest.mark.parametrize("folder", ["pkg", "demo-1.0.data/platlib/pkg"])
def test_a_source_file_stands_in_for_a_module(folder: str, source: str) -> None:
    wrong = f"{folder}/_x.cpython-310.so"
    facts = tagged("cp311-cp311", libc(wrong), libc("pkg/_y.so"), paths=(wrong, source))
    assert found(audit(facts, THOROUGH), "SUFFIX") == [(f.WARNING, wrong)]


@pytest.mark.parametrize("source", ["_x.py", "pkg/a_x.py", "demo-1.0.data/data/pkg/_x.py"])
def test_a_source_file_elsewhere_does_not(source: str) -> None:
    wrong = "pkg/_x.cpython-310.so"
    facts = tagged("cp311-cp311", libc(wrong), libc("pkg/_y.so"), paths=(wrong, source))
    assert found(audit(facts, THOROUGH), "SUFFIX") == [(f.ERROR, wrong)]


def test_wrong_suffix_is_no_error_where_the_import_may_work() -> None:
    others = libc("pkg/_y.so")
    opened = tagged("cp311-cp311", libc("pkg/_x.cpython-310.so", module_init=False), others)
    misnamed = tagged("cp314-cp314t", libc("pkg/_x.abi3.so"), others)
    for facts in (opened, misnamed):
        ((severity, _),) = found(audit(facts, THOROUGH), "SUFFIX")
        assert severity == f.WARNING


def test_the_sentence_names_the_interpreter() -> None:
    facts = tagged("cp315-abi3.abi3t", libc("lim.abi3.so"))
    report = audit(facts, Request())
    (line,) = [
        line.text for line in show_lines(report, choose(report, Request())) if "SUFFIX" in line.text
    ]
    assert "CPython 3.15t" in line
    assert "CPython 3.15," not in line


NO_LIBC = f"pkg/_x.cpython-311{GNU}.so"
NO_LIBC_MUSL = f"pkg/_x.cpython-311{MUSL}.so"


@pytest.mark.parametrize(
    ("path", "tag", "platform", "proved"),
    [
        (NO_LIBC, "linux_x86_64", "musllinux_1_2", None),
        (NO_LIBC, "musllinux_1_2_x86_64", "", "manylinux_2_5_x86_64"),
        (NO_LIBC, "linux_x86_64", "manylinux_2_17", "manylinux_2_17_x86_64"),
        (NO_LIBC_MUSL, "linux_x86_64", "manylinux_2_17", None),
        (NO_LIBC_MUSL, "manylinux_2_17_x86_64", "", "musllinux_1_1_x86_64"),
        (NO_LIBC_MUSL, "linux_x86_64", "musllinux_1_2", "musllinux_1_2_x86_64"),
        # These names do not tell the families apart.
        (f"pkg/_x.cpython-310{GNU}.so", "linux_x86_64", "musllinux_1_2", "musllinux_1_2_x86_64"),
        ("pkg/_x.abi3.so", "linux_x86_64", "musllinux_1_2", "musllinux_1_2_x86_64"),
        (f"pkg/_x.pypy39-pp73{GNU}.so", "linux_x86_64", "musllinux_1_2", "musllinux_1_2_x86_64"),
    ],
)
@pytest.mark.parametrize("libc_", [None, "glibc", "musl"])
def test_a_suffix_tells_the_family(
    path: str, tag: str, platform: str, proved: str, libc_: str
) -> None:
    request = Request(parse_platform(platform) if platform else None, libc=libc_)
    decision = choose(audit(wheel(elf(path), platform=tag), request), request)
    assert (str(decision.tag) if decision.tag else None) == proved, decision.reason


def test_what_a_file_needs_tells_its_family_before_its_suffix() -> None:
    report = audit(wheel(libc(NO_LIBC_MUSL)), Request())
    assert (report.libc, found(report, "MIXED_LIBC")) == ("glibc", [])
    assert found(report, "SUFFIX") == [(f.WARNING, NO_LIBC_MUSL)]


def test_suffixes_of_both_families_are_mixed() -> None:
    report = audit(wheel(elf(NO_LIBC), elf("pkg/_y.so", "libc.so")), Request())
    assert len(found(report, "MIXED_LIBC")) == 1
    facts = wheel(elf(NO_LIBC), musl(path="pkg/_y.so"), platform="musllinux_1_2_x86_64")
    report = audit(facts, Request())
    assert found(report, "MIXED_LIBC") == [(f.ERROR, NO_LIBC)]
