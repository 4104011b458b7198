"""What interpreters ask of modules: tags, init functions and the stable ABI."""

from __future__ import annotations

from typing import Any, List, Optional

import pytest

from manyshim.audit import findings as f
from manyshim.audit.decision import choose
from manyshim.audit.facts import ElfFile
from manyshim.audit.policy import abi3_version
from manyshim.audit.request import Request
from manyshim.audit.tags import parse_platform
from manyshim.audit.verdict import audit, questions
from manyshim.formatters.text import show_lines
from rulefacts import NEAR, elf, found, libc, tagged, wheel

STRICT, THOROUGH = Request(strict=True), Request(thorough=True)
GNU, MUSL = "-x86_64-linux-gnu", "-x86_64-linux-musl"


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


def test_modules_without_init_among_others_are_one_warning() -> None:
    report = audit(tagged("cp37-abi3", *opened(5), libc("pkg/_y.abi3.so")), Request())
    assert [severity for severity, _ in found(report, "NO_INIT")] == [f.WARNING] * 5
    lines = [line.text for line in show_lines(report, choose(report, Request()))]
    (line,) = [line for line in lines if "NO_INIT" in line]
    assert "2 more" in line


def test_a_module_of_the_c_api_without_init_is_a_warning() -> None:
    report = audit(tagged("cp37-abi3", *opened(1, undefined=("PyLong_FromLong",))), Request())
    assert [severity for severity, _ in found(report, "NO_INIT")] == [f.WARNING]


def test_a_file_for_one_python_may_use_all_of_it() -> None:
    names = ("PyType_FromMetaclass", "_PyLong_Sign")
    own = libc(f"pkg/_x.cpython-312{GNU}.so", undefined=names)
    facts = tagged("cp39-abi3", libc("pkg/_x.abi3.so"), own)
    assert found(audit(facts, THOROUGH), "ABI3") == []
    bare = own._replace(path="pkg/_y.so")
    report = audit(tagged("CP39-ABI3", bare, own), THOROUGH)
    assert found(report, "ABI3") == [(f.ERROR, bare.path), (f.WARNING, bare.path)]


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
    unusable = ("cp312-cp312t", "cp315t-abi3t", "cp3-none", "cp3-abi3", "cp2-abi3", "pp3-none")
    for facts in (tagged(tags, libc("pkg/_x.so")) for tags in unusable):
        assert found(audit(facts, request_), "UNUSABLE_TAG") == [(severity, "")]
    usable = ("py2.py3-none", "cp3.cp39-abi3", "cp39-none", "CP39-CP39")
    for facts in (tagged(tags, libc("x.so")) for tags in usable):
        assert found(audit(facts, request_), "UNUSABLE_TAG") == []
    for facts in (tagged(tags, platform="any") for tags in ("cp3-none", "pp3-none")):
        assert found(audit(facts, request_), "UNUSABLE_TAG") == []


@pytest.mark.parametrize(
    ("platform", "tag", "reason"),
    [
        ("linux_armv6l", None, "armv6l"),
        ("linux_armv6l.linux_armv7l", None, "armv6l"),
        ("manylinux_2_31_armv6l", None, "armv6l"),
        ("manylinux2014_armv6l", None, "armv6l"),
        ("Linux_ARMV6L", None, "armv6l"),
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


@pytest.mark.parametrize(
    ("platform", "arch", "wheel_is_for"),
    [
        ("linux_armv6l", "x86_64", "armv6l"),
        ("linux_armv6l", "aarch64", "armv6l"),
        ("linux_armv6l", "armv7l", None),
        ("linux_armv7l", "aarch64", "armv7l"),
        ("linux_armv8l", "aarch64", "armv7l"),
        ("linux_armv8l", "armv7l", None),
        ("linux_i386", "x86_64", "i386"),
        ("linux_i586", "i686", None),
        ("manylinux1_i386", "i686", None),
        ("linux_mips64", "x86_64", "mips64"),
        ("linux_fourty2", "x86_64", None),
    ],
)
def test_files_of_another_architecture_than_the_name(
    platform: str, arch: str, wheel_is_for: Optional[str]
) -> None:
    report = audit(wheel(libc(arch=arch), platform=platform), THOROUGH)
    mixed = [(one.subject, one.details) for one in report.findings if one.kind == "MIXED_ARCH"]
    assert mixed == ([(arch, (wheel_is_for,))] if wheel_is_for else [])


def test_a_wheel_without_errors_is_not_said_to_have_some() -> None:
    report = audit(wheel(libc(arch="armv7l"), platform="linux_armv6l"), Request())
    assert report.policy
    said = "\n".join(line.text for line in show_lines(report, choose(report, Request())))
    assert "apart from the errors" not in said
    report = audit(wheel(libc(), libc("pkg/_y.so", arch="aarch64")), Request())
    said = "\n".join(line.text for line in show_lines(report, choose(report, Request())))
    assert "apart from the errors, the wheel meets manylinux_2_5_x86_64" in said
