"""Rules about the archive: pure wheels, the tags of WHEEL, other machines and other systems."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Optional, Set, Tuple

import pytest

from manyshim.audit import findings as f
from manyshim.audit.decision import choose
from manyshim.audit.facts import Copies, ElfFile, ElfIdent, WheelFacts
from manyshim.audit.gate import index
from manyshim.audit.messages import sentence
from manyshim.audit.reasons import describe
from manyshim.audit.request import Request
from manyshim.audit.tags import PlatformTag, parse_wheel_name
from manyshim.audit.verdict import Report, audit
from manyshim.formatters.text import check_lines, show_lines
from rulefacts import EXT, elf, libc, need, wheel

THOROUGH = Request(thorough=True)
DATA = "demo-1.0.data"
TAGS = ("cp311-cp311-linux_x86_64",)


def severities(report: Report, kind: str) -> Dict[str, str]:
    return {one.path: one.severity for one in report.findings if one.kind == kind}


def pure(path: str, platform: str = "linux_x86_64", *, purelib: bool = True) -> Report:
    return audit(wheel(libc(path), platform=platform, purelib=purelib), Request())


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        (EXT, f.WARNING),
        ("liby.so", f.WARNING),
        (f"{DATA}/purelib/pkg/liby.so", f.WARNING),
        (f"{DATA}/platlib/pkg/liby.so", None),
        (f"{DATA}/scripts/tool", None),
        (f"{DATA}/data/lib/liby.so", None),
        ("other-1.0.data/platlib/liby.so", f.WARNING),
    ],
)
def test_root_is_purelib_is_about_the_root_only(path: str, severity: Optional[str]) -> None:
    report = pure(path)
    assert severities(report, "ELF_IN_PURE_WHEEL").get(path) == severity
    assert choose(report, Request()).tag is not None, "both folders are searched"


def test_a_file_in_purelib_is_a_warning_under_any_root() -> None:
    path = f"{DATA}/purelib/liby.so"
    assert severities(pure(path, purelib=False), "ELF_IN_PURE_WHEEL") == {path: f.WARNING}


@pytest.mark.parametrize("path", [EXT, f"{DATA}/platlib/liby.so", f"{DATA}/scripts/tool"])
@pytest.mark.parametrize("purelib", [True, False])
def test_machine_code_under_the_tag_any_is_an_error(path: str, *, purelib: bool) -> None:
    report = pure(path, "any", purelib=purelib)
    assert severities(report, "ELF_IN_PURE_WHEEL") == {path: f.ERROR}
    assert choose(report, Request()).tag is None


@pytest.mark.parametrize(
    ("path", "root"),
    [(EXT, True), (f"{DATA}/platlib/liby.so", False), (f"{DATA}/scripts/tool", False)],
)
def test_code_at_the_root_is_told(path: str, *, root: bool) -> None:
    assert pure(path).code_at_root is root


def many(python: str, platform: str, *written: str) -> WheelFacts:
    name = parse_wheel_name(f"demo-1.0-{python}-none-{platform}.whl")
    assert name is not None
    return wheel(libc("pkg/liby.so"), name=name, tags=written)


Severity = Optional[str]


@pytest.mark.parametrize(
    ("facts", "building", "checking"),
    [
        (wheel(libc(), tags=TAGS), None, None),
        (wheel(libc(), tags=()), f.INFO, f.ERROR),
        (wheel(libc(), tags=("py3-none-any",)), f.INFO, f.ERROR),
        (wheel(libc(), tags=(*TAGS, "py3-none-any")), f.INFO, f.ERROR),
        (many("py2.py3", "linux_x86_64", "py2.py3-none-linux_x86_64"), None, f.WARNING),
        (
            many("py2.py3", "linux_x86_64", "py2-none-linux_x86_64", "py3-none-linux_x86_64"),
            None,
            None,
        ),
        (many("py2.py3", "linux_x86_64", "py3-none-linux_x86_64"), f.INFO, f.ERROR),
        (many("py3", "linux_x86_64", "py2.py3-none-linux_x86_64"), f.INFO, f.ERROR),
        (many("py3", "linux_x86_64", "py3"), f.INFO, f.ERROR),
        # Not expanded: it stands for more tags than the name has.
        (many("py3", "linux_x86_64", "-".join(["." * 9000] * 3)), f.INFO, f.ERROR),
    ],
)
def test_tags_of_wheel(facts: WheelFacts, building: Severity, checking: Severity) -> None:
    for request, severity in ((Request(), building), (THOROUGH, checking)):
        found = severities(audit(facts, request), "WHEEL_TAGS")
        assert found.get("WHEEL") == severity
    assert choose(audit(facts, Request()), Request()).tag is not None, "a retag writes them anew"


def on_machine(machine: int, **facts: Any) -> ElfFile:
    return elf("pkg/liby.so", **facts)._replace(ident=ElfIdent(64, False, machine, 3, 0, 0, 0))


@pytest.mark.parametrize(
    ("machine", "reason", "kinds"),
    [
        (8, "the machine code is for MIPS (machine 8), which no tag names", {"DEVICE_CODE"}),
        (43, "the machine code is for 64-bit SPARC (machine 43)", {"DEVICE_CODE"}),
        (9999, "the machine code is for machine 9999, which no tag names", {"DEVICE_CODE"}),
        # A driver loads this one, so the wheel has no code for a processor.
        (190, "the wheel contains nothing to audit", {"DEVICE_CODE", "NO_ELF"}),
    ],
)
def test_a_machine_that_no_tag_names_is_named(
    machine: int, reason: str, kinds: FrozenSet[str]
) -> None:
    report = audit(wheel(on_machine(machine), platform="linux_mips64"), Request())
    decision = choose(report, Request())
    assert {one.kind for one in report.findings} == kinds
    assert describe(decision.reason, decision.details).startswith(reason)


def test_a_tag_on_code_for_another_machine_is_false() -> None:
    facts = wheel(on_machine(8), platform="manylinux_2_17_x86_64")
    (tag,) = index.tags_to_prove(facts.name, THOROUGH)
    (found,) = index.false_tags(tag, audit(facts, THOROUGH), THOROUGH)
    assert "MIPS" in found.details[0]


def test_each_tag_is_true_for_a_wheel_without_code() -> None:
    facts = wheel(platform="manylinux_2_17_x86_64")
    report = audit(facts, THOROUGH)
    (tag,) = index.tags_to_prove(facts.name, THOROUGH)
    assert list(index.false_tags(tag, report, THOROUGH)) == []
    assert [one.kind for one in report.findings] == ["NO_ELF"], "one line for one cause"


OTHERS = {
    "macosx_11_0_arm64": "for macOS: not audited",
    "win_amd64": "for Windows: not audited",
    "win32": "for Windows: not audited",
    "android_24_arm64_v8a": "for Android: not audited",
    "ios_13_0_arm64_iphoneos": "for iOS: not audited",
    "pyodide_2024_0_wasm32": "for Emscripten: not audited",
    "pyemscripten_2026_0_wasm32": "for Emscripten: not audited",
    "solaris_2_11_sparc": "for Solaris: not audited",
    "plan9_4_amd64": "for plan9_4_amd64: not audited",
    "macosx_11_0_arm64.win_amd64": "for Windows, macOS: not audited",
}


@pytest.mark.parametrize("platform", OTHERS)
def test_the_policies_of_linux_say_nothing_of_other_systems(platform: str) -> None:
    strange = elf(EXT, "libpython3.13.so", "libc.so", arch="aarch64", page_size=4096, android=True)
    facts = wheel(strange, platform=platform, purelib=True, paths=(EXT, "../evil"))
    report = audit(facts, THOROUGH)
    assert [one.kind for one in report.findings] == ["BAD_PATH"]
    assert report.arch is None
    decision = choose(report, Request())
    assert describe(decision.reason, decision.details) == OTHERS[platform]
    (_, line, *_) = show_lines(report, decision)
    assert (line.text, line.role) == (f"  {OTHERS[platform]}", "dim")


def test_a_pure_wheel_is_no_failure() -> None:
    report = audit(wheel(platform="any"), Request())
    lines: Tuple[str, ...] = tuple(
        line.text for line in show_lines(report, choose(report, Request()))
    )
    assert lines == (
        "demo-1.0-cp311-cp311-any.whl",
        "  a pure wheel: there is no machine code to audit",
    )
    assert check_lines(report)[0].text.endswith(": ok")


def test_copies_of_a_library_are_told_with_what_they_cost() -> None:
    same = ("pkg/liby.so", "pkg/liby.so.1", "pkg/liby.so.1.2")
    facts = wheel(*map(libc, same), copies=(Copies(same, 1000),))
    (found,) = audit(facts, Request()).findings
    assert (found.kind, found.severity, found.path) == ("DUPLICATE_LIBRARY", f.INFO, same[0])
    assert "3 times, also as pkg/liby.so.1, pkg/liby.so.1.2; the copies take 2000" in str(
        sentence(found).message
    )


def test_tags_that_are_false_for_one_reason_are_one_finding() -> None:
    facts = wheel(elf(EXT, "libfoo.so"), platform="manylinux_2_17_x86_64.manylinux2014_x86_64")
    newer = wheel(elf(EXT, "libfoo.so"), platform="manylinux_2_27_x86_64.manylinux_2_28_x86_64")
    old = audit(wheel(libc(EXT, need("GLIBC_2.34"))), THOROUGH)
    expected = (
        (facts, audit(facts, THOROUGH), "does not meet manylinux_2_17_x86_64 or any"),
        (newer, audit(newer, THOROUGH), "manylinux_2_27_x86_64, manylinux_2_28_x86_64 or any"),
        (newer, old, "manylinux_2_28_x86_64; the oldest policy that it meets is manylinux_2_34"),
    )
    for named, report, words in expected:
        tags = index.tags_to_prove(named.name, THOROUGH)
        found = [one for tag in tags for one in index.false_tags(tag, report, THOROUGH)]
        (one,) = index.by_cause(found)
        assert words in sentence(one).message


def test_tags_that_are_false_for_two_reasons_are_two_findings() -> None:
    facts = wheel(libc(), platform="manylinux_2_17_x86_64.musllinux_1_2_x86_64")
    report = audit(facts, THOROUGH)
    tags = (*index.tags_to_prove(facts.name, THOROUGH), PlatformTag("glibc", 2, 17, "aarch64"))
    found = [one for tag in tags for one in index.false_tags(tag, report, THOROUGH)]
    assert [one.subject for one in index.by_cause(found)] == [
        "musllinux_1_2_x86_64",
        "manylinux_2_17_aarch64",
    ]


@pytest.mark.parametrize("version", ["", "2.0", "0.9", "one", "10.0"])
def test_a_wheel_version_that_installers_refuse(version: str) -> None:
    report = audit(wheel(libc(), wheel_version=version), Request())
    assert severities(report, "WHEEL_FILE") == {"WHEEL": f.ERROR}
    assert choose(report, Request()).tag is None


@pytest.mark.parametrize("version", ["1.0", "1.9"])
def test_a_wheel_version_that_installers_accept(version: str) -> None:
    assert audit(wheel(libc(), wheel_version=version), Request()).findings == ()


def module_for(machine: int) -> ElfFile:
    return elf("pkg/_y.cpython-311.so")._replace(ident=ElfIdent(32, False, machine, 3, 0, 0, 0))


def test_a_module_for_another_processor_is_loaded_by_nobody() -> None:
    report = audit(wheel(libc(), module_for(8)), Request())
    assert {(one.kind, one.path) for one in report.errors} == {("MIXED_ARCH", module_for(8).path)}
    assert choose(report, Request()).tag is None


@pytest.mark.parametrize(("machine", "kinds"), [(8, {"ELF_IN_PURE_WHEEL"}), (190, set())])
def test_a_module_for_another_processor_in_a_pure_wheel(machine: int, kinds: Set[str]) -> None:
    report = audit(wheel(module_for(machine), platform="any"), Request())
    assert {one.kind for one in report.errors} == kinds


def test_two_libraries_with_copies_are_two_lines() -> None:
    pairs = (("a.so", "a2.so"), ("b.so", "b2.so"))
    files = [libc(f"pkg/{name}") for pair in pairs for name in pair]
    copies = tuple(Copies(tuple(f"pkg/{name}" for name in pair), 564) for pair in pairs)
    report = audit(wheel(*files, copies=copies), Request())
    lines = [one.text for one in show_lines(report, choose(report, Request()), verbose=True)]
    assert sum("DUPLICATE_LIBRARY" in line for line in lines) == 2
