"""What interpreters ask of modules: tags, init functions, suffixes and the stable ABI."""

from __future__ import annotations

from typing import Any, List, NamedTuple, Tuple

import pytest

from manyshim.audit import findings as f
from manyshim.audit.decision import choose
from manyshim.audit.facts import ElfFile, WheelFacts
from manyshim.audit.policy import abi3_version
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_platform, parse_wheel_name
from manyshim.audit.verdict import Report, audit, questions
from manyshim.formatters.text import show_lines
from rulefacts import NEAR, elf, libc, musl, wheel

STRICT, THOROUGH = Request(strict=True), Request(thorough=True)
GNU, MUSL = "-x86_64-linux-gnu", "-x86_64-linux-musl"


def tagged(tags: str, *elfs: ElfFile, platform: str = "linux_x86_64", **facts: Any) -> WheelFacts:
    name = parse_wheel_name(f"demo-1.0-{tags}-{platform}.whl")
    assert name is not None
    return wheel(*elfs, name=name, tags=name.tags, **facts)


def found(report: Report, kind: str) -> List[Tuple[str, str]]:
    """Return the severity and the path of each finding of a kind."""
    return [(one.severity, one.path) for one in report.findings if one.kind == kind]


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


def test_wrong_suffix_is_no_error_where_the_import_may_work() -> None:
    wrong, others = "pkg/_x.cpython-310.so", libc("pkg/_y.so")
    source = tagged("cp311-cp311", libc(wrong), others, paths=(wrong, "pkg/_x.py"))
    opened = tagged("cp311-cp311", libc(wrong, module_init=False), others)
    misnamed = tagged("cp314-cp314t", libc("pkg/_x.abi3.so"), others)
    for facts in (source, opened, misnamed):
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


def opened(count: int, **facts: Any) -> List[ElfFile]:
    return [libc(f"pkg/_raw{index}.abi3.so", module_init=False, **facts) for index in range(count)]


def test_files_that_nothing_imports_are_one_line_at_most() -> None:
    report = audit(tagged("cp37-abi3", *opened(41)), THOROUGH)
    assert {severity for severity, _ in found(report, "NO_INIT")} == {f.INFO}
    decision = choose(report, Request())
    quiet = show_lines(report, decision)
    said = [line for line in show_lines(report, decision, verbose=True) if line not in quiet]
    assert len(said) == 1
    assert "38 more" in said[0].text


def test_a_module_without_init_among_others_is_a_warning() -> None:
    report = audit(tagged("cp37-abi3", *opened(2), libc("pkg/_y.abi3.so")), Request())
    assert [severity for severity, _ in found(report, "NO_INIT")] == [f.WARNING] * 2


def test_a_module_of_the_c_api_without_init_is_a_warning() -> None:
    report = audit(tagged("cp37-abi3", *opened(1, undefined=("PyLong_FromLong",))), Request())
    assert [severity for severity, _ in found(report, "NO_INIT")] == [f.WARNING]


def test_names_that_no_stable_abi_has_are_one_line() -> None:
    first = libc("pkg/_x.abi3.so", undefined=("PyUnicode_AsUTF8", "_PyType_Lookup", "PyList_New"))
    second = libc("pkg/_y.abi3.so", undefined=("PyUnicode_READ", "PyInit__x"))
    report = audit(tagged("cp38-abi3", first, second), Request())
    assert found(report, "ABI3") == [(f.WARNING, first.path), (f.WARNING, second.path)]
    lines = show_lines(report, choose(report, Request()))
    (line,) = [line.text for line in lines if "ABI3" in line.text]
    version = ".".join(map(str, abi3_version()))
    assert f"not in the stable ABI as of CPython {version}" in line
    assert all(name in line for name in ("PyUnicode_AsUTF8", "_PyType_Lookup", "PyUnicode_READ"))
    assert "PyInit" not in line


def test_names_of_a_library_of_the_wheel_are_its_own() -> None:
    module = elf("pkg/_x.abi3.so", "libpybase.so", "libc.so.6", undefined=("PyBase_New",))
    library = libc("pkg/libpybase.so")
    facts = tagged("cp38-abi3", module._replace(rpath=NEAR), library)
    assert questions(facts, Request()) == {library.path: frozenset(("PyBase_New",))}
    assert found(audit(facts, Request()), "ABI3") == [(f.WARNING, module.path)]
    answered = facts._replace(exports={library.path: frozenset(("PyBase_New",))})
    assert questions(answered, Request()) == {}
    assert found(audit(answered, Request()), "ABI3") == []


def test_newer_names_are_one_finding_for_each_version() -> None:
    names = ("PyType_GetName", "PyType_GetQualName", "PyObject_Vectorcall", "PyList_New")
    report = audit(tagged("cp38-abi3", libc("pkg/_x.abi3.so", undefined=names)), Request())
    newer = [(one.required, one.symbols) for one in report.findings if one.severity == f.ERROR]
    assert newer == [
        ((3, 12), ("PyObject_Vectorcall",)),
        ((3, 11), ("PyType_GetName", "PyType_GetQualName")),
    ]


@pytest.mark.parametrize(
    ("request_", "severity"), [(Request(), f.WARNING), (STRICT, f.ERROR), (THOROUGH, f.ERROR)]
)
def test_a_tag_that_no_interpreter_accepts(request_: Request, severity: str) -> None:
    for facts in (tagged("cp312-cp312t", libc("pkg/_x.so")), tagged("cp315t-abi3t")):
        assert found(audit(facts, request_), "UNUSABLE_TAG") == [(severity, "")]
    assert found(audit(tagged("py2.py3-none", libc("x.so")), request_), "UNUSABLE_TAG") == []


@pytest.mark.parametrize(
    ("platform", "tag", "reason"),
    [
        ("linux_armv6l", None, "armv6l"),
        ("linux_armv6l.linux_armv7l", None, "armv6l"),
        ("manylinux_2_31_armv6l", None, "armv6l"),
        ("linux_armv7l", "manylinux_2_17_armv7l", ""),
        ("linux_armv8l", "manylinux_2_17_armv7l", ""),
    ],
)
@pytest.mark.parametrize("wanted", [None, "manylinux_2_17_armv7l"])
def test_an_architecture_without_policies_keeps_its_tag(
    platform: str, tag: str, reason: str, wanted: str
) -> None:
    request = Request(parse_platform(wanted) if wanted else None)
    decision = choose(audit(wheel(libc(arch="armv7l"), platform=platform), request), request)
    assert (str(decision.tag) if decision.tag else None) == tag
    assert decision.details == ((reason,) if reason else ())
