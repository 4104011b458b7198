"""Platform tags and variant labels that the index refuses, with the spelling that it takes."""

from __future__ import annotations

from typing import Iterator

import pytest

from manyshim.audit.findings import ERROR, Finding
from manyshim.audit.gate.facts import NameFacts
from manyshim.audit.gate.indextags import IndexTagProblem as Problem
from manyshim.audit.gate.indextags import index_takes, platform_tags, unusable_platforms
from manyshim.audit.gate.names import wheel_name
from manyshim.audit.messages import sentence
from manyshim.audit.names import system_name
from manyshim.audit.request import Allowance, Request
from manyshim.audit.tags import WheelName, parse_wheel_name
from manyshim.audit.verdict import resolved


def name(platform: str, variant: str = "") -> WheelName:
    made = parse_wheel_name(f"demo-1.0-cp311-cp311-{platform}{variant}.whl")
    assert made is not None
    return made


TAKEN = [
    *("any", "win_amd64", "WIN_AMD64", "linux_armv6l", "manylinux2014_aarch64"),
    *(
        "manylinux_2_28_X86_64",
        "macosx_10_16_x86_64",
        "macosx_12_0_arm64",
        "macosx_26_0_universal2",
    ),
    *("android_24_arm64_v8a", "ios_13_0_arm64_iphoneos", "pyemscripten_2026_0_wasm32"),
]


@pytest.mark.parametrize("platform", TAKEN)
def test_what_the_index_takes_is_no_finding(platform: str) -> None:
    assert list(platform_tags(name(platform))) == []


# By the platform tags of a name: those that pip does not know, and the tag to use instead.
UNUSABLE = {
    "macosx_10_9_arm64": [("OLD_MACOS_ON_ARM", "macosx_11_0_arm64")],
    "macosx_10_16_ARM64": [("OLD_MACOS_ON_ARM", "macosx_11_0_arm64")],
    "macosx_10_9_x86_64.macosx_10_9_arm64": [],
    "macosx_10_9_universal2": [],
    "macosx_11_0_arm64": [],
    "manylinux_02_017_x86_64": [("LEADING_ZERO", "manylinux_2_17_x86_64")],
    "manylinux_2_17_x86_64.manylinux_02_17_x86_64": [],
    "musllinux_1_02_x86_64": [("LEADING_ZERO", "musllinux_1_2_x86_64")],
    "android_024_x86_64": [("LEADING_ZERO", "android_24_x86_64")],
    # The index refuses these, which is said already.
    "macosx_10_9_arm64.linux_x86_64": [],
}


@pytest.mark.parametrize("platforms", UNUSABLE)
def test_a_tag_that_pip_does_not_know(platforms: str) -> None:
    found = list(unusable_platforms(name(platforms)))
    problems = [(one.problem.name, one.details[0]) for one in found if one.problem]
    assert problems == UNUSABLE[platforms]
    assert {(one.kind, one.severity) for one in found} <= {("UNUSABLE_TAG", ERROR)}
    assert all(problems[0][1] in str(sentence(one).fix) for one in found)


@pytest.mark.parametrize("platforms", UNUSABLE)
def test_packaging_knows_the_same_tags(platforms: str) -> None:
    """The judge is the library that pip asks."""
    from packaging.tags import mac_platforms

    arm = {
        tag for version in ((11, 0), (14, 0), (26, 0)) for tag in mac_platforms(version, "arm64")
    }
    for platform in platforms.split("."):
        if platform.startswith("macosx_") and platform.lower().endswith("_arm64"):
            alone = list(unusable_platforms(name(platform)))
            assert (platform.lower() in arm) is not bool(alone)


# By platform tag: the problem, and what its fix must say.
REFUSED = {
    "linux_x86_64": (Problem.LINUX, "manyshim retag"),
    "manylinux_2_17": (Problem.LINUX, "manyshim retag"),
    "linux_loongarch64": (Problem.ARCHITECTURE, "manylinux wheels may be for x86_64, i686"),
    "manylinux_2_36_loongarch64": (Problem.ARCHITECTURE, "your own index"),
    "musllinux_1_2_ppc64": (Problem.ARCHITECTURE, "musllinux wheels may be for"),
    "manylinux1_aarch64": (
        Problem.OLD_NAME,
        "use manylinux2014_aarch64 or manylinux_2_17_aarch64, or",
    ),
    "manylinux2010_s390x": (
        Problem.OLD_NAME,
        "use manylinux2014_s390x or manylinux_2_17_s390x, or",
    ),
    "manylinux2014_riscv64": (Problem.OLD_NAME, "use manylinux_2_31_riscv64, or"),
    "macosx_12_3_arm64": (Problem.MACOS_MINOR, "use macosx_12_0_arm64;"),
    "MACOSX_11_1_X86_64": (Problem.MACOS_MINOR, "use macosx_11_0_x86_64;"),
    "macosx_14_arm64": (Problem.MACOS_MINOR, "use macosx_14_0_arm64;"),
    "macosx_16_0_arm64": (Problem.MACOS_VERSION, "use macosx_15_0_arm64;"),
    "macosx_27_0_arm64": (Problem.MACOS_VERSION, "use macosx_26_0_arm64;"),
    "macosx_9_0_ppc": (Problem.FORM, "macosx_10_N_ARCH"),
    "macosx_12_0_riscv64": (Problem.FORM, "macosx_10_N_ARCH"),
    "macosx": (Problem.FORM, "macosx_10_N_ARCH"),
    "pyodide_2024_0_wasm32": (Problem.PYODIDE, "use pyemscripten_YEAR_PATCH_wasm32 (PEP 783)"),
    "emscripten_4_0_9_wasm32": (Problem.PYODIDE, "use pyemscripten_YEAR_PATCH_wasm32 (PEP 783)"),
    "pyemscripten_wasm32": (Problem.PYODIDE, "use pyemscripten_YEAR_PATCH_wasm32 (PEP 783)"),
    "android_24_aarch64": (Problem.SPELLING, "use android_24_arm64_v8a,"),
    "android_21_armv7l": (Problem.SPELLING, "use android_21_armeabi_v7a,"),
    "android_24_amd64": (Problem.SPELLING, "use android_24_x86_64,"),
    "android_arm64_v8a": (Problem.FORM, "android_N_ARCH (ARCH: armeabi_v7a, arm64_v8a"),
    "android_24_riscv64": (Problem.FORM, "android_N_ARCH"),
    "ios_13_0_iphoneos_arm64": (Problem.FORM, "ios_N_N_ARCH_iphoneos, ios_N_N_ARCH_iphonesim"),
    "ios_13_arm64_iphoneos": (Problem.FORM, "(ARCH: arm64, x86_64)"),
    "win64": (Problem.SPELLING, "use win_amd64,"),
    "win_arm32": (Problem.FORM, "win32, win_arm64, win_amd64"),
    "freebsd_14_2_release_amd64": (Problem.SYSTEM, "leave the wheel out"),
    "cygwin_3_5_0_x86_64": (Problem.SYSTEM, "leave the wheel out"),
    "wasi_0_0_0_wasm32": (Problem.SYSTEM, "leave the wheel out"),
    "mingw_x86_64_ucrt": (Problem.SYSTEM, "leave the wheel out"),
    "strange_9": (Problem.SYSTEM, "leave the wheel out"),
}


@pytest.mark.parametrize("platform", REFUSED)
def test_the_fix_names_the_family_of_the_tag(platform: str) -> None:
    problem, words = REFUSED[platform]
    (found,) = platform_tags(name(platform))
    assert (found.kind, found.severity, found.subject) == ("INDEX_TAG", ERROR, platform)
    assert found.problem is problem
    text = sentence(found)
    assert text.message.startswith(f"the package index does not accept the platform tag {platform}")
    assert words in text.fix


@pytest.mark.parametrize("platform", REFUSED)
def test_the_index_takes_each_tag_that_a_fix_says(platform: str) -> None:
    (found,) = platform_tags(name(platform))
    fix = sentence(found).fix
    if found.problem in (Problem.OLD_NAME, Problem.SPELLING, Problem.MACOS_MINOR):
        said = fix.replace(";", ",").partition(",")[0].replace("use ", "").split(" or ")
        assert [one for one in said if not index_takes(one)] == []


def test_each_tag_of_a_compressed_set_is_judged_once() -> None:
    found = platform_tags(name("linux_x86_64.manylinux_2_17_x86_64.linux_x86_64"))
    assert [one.subject for one in found] == ["linux_x86_64"]


def test_the_findings_are_bounded() -> None:
    platforms = ".".join(f"linux_a{number}" for number in range(3000))
    assert len(list(platform_tags(name(platforms)))) == 1000


def test_the_versions_of_macos_come_from_the_data() -> None:
    (found,) = platform_tags(name("macosx_27_0_arm64"))
    assert "it accepts 10.N, 11.0, 12.0, 13.0, 14.0, 15.0, 26.0" in sentence(found).message


@pytest.mark.parametrize(
    ("platform", "system"),
    [
        ("android_24_arm64_v8a", "Android"),
        ("ios_13_0_arm64_iphoneos", "iOS"),
        ("pyodide_2024_0_wasm32", "Emscripten"),
        ("pyemscripten_2026_0_wasm32", "Emscripten"),
        ("emscripten_4_0_9_wasm32", "Emscripten"),
        ("wasi_0_0_0_wasm32", "WASI"),
        ("macosx_11_0_arm64", "macOS"),
        ("Win_AMD64", "Windows"),
        ("win32", "Windows"),
        ("freebsd_14_2_release_amd64", "FreeBSD"),
        ("cygwin_3_5_0_x86_64", "Cygwin"),
        ("strange_9", "strange_9"),
    ],
)
def test_the_system_of_a_tag_has_a_name(platform: str, system: str) -> None:
    assert system_name(platform) == system


def of_name(found: WheelName) -> Iterator[Finding]:
    return wheel_name(found, NameFacts("demo", "1.0"), str(found))


@pytest.mark.parametrize("label", ["x86_64_v3", "null", "cu12.8", "a_label_of_30_characters_00000"])
def test_a_variant_label_is_refused_by_the_index_and_can_be_accepted(label: str) -> None:
    found = list(of_name(name("manylinux_2_17_x86_64", f"-{label}")))
    assert [(one.kind, one.severity, one.details) for one in found] == [
        ("FILE_NAME", ERROR, (label,))
    ]
    assert "PEP 825" in sentence(found[0]).message
    (accepted,) = resolved(found, Request(allow=(Allowance("FILE_NAME", "*"),)))
    assert accepted.allowed


def test_a_name_without_a_label_is_no_finding() -> None:
    assert list(of_name(name("manylinux_2_17_x86_64"))) == []


@pytest.mark.parametrize(
    "text",
    [
        # A build tag that does not begin with a digit, so that no part is a variant.
        "demo-1.0-x1-cp311-cp311-manylinux_2_17_x86_64.whl",
        "demo-1.0-x1-cp311-abi3-manylinux_2_17_x86_64.whl",
        "demo-1.0-x1-py3-none-any.whl",
        "demo-1.0-x1-cp311-abi3.abi3t-linux_x86_64.whl",
        # Labels have no other characters (PEP 825).
        "demo-1.0-cp311-cp311-linux_x86_64-V3.whl",
        "demo-1.0-cp311-cp311-linux_x86_64-a+b.whl",
        "demo-1.0-cp311-cp311-linux_x86_64-a-b.whl",
        "demo-1.0-cp311-cp311-linux_x86_64-.whl",
    ],
)
def test_names_that_are_no_variants(text: str) -> None:
    assert parse_wheel_name(text) is None


def test_a_variant_may_have_a_build_tag() -> None:
    made = parse_wheel_name("demo-1.0-1-cp311-abi3-linux_x86_64-x86_64_v3.whl")
    assert made is not None
    assert (made.build, made.platforms, made.variant) == ("1", ("linux_x86_64",), "x86_64_v3")
