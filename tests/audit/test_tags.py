"""Platform tags and wheel names: parsing, printing, aliases and order."""

from __future__ import annotations

from typing import Optional

import pytest

from manyshim.audit.tags import (
    ARCHES,
    GLIBC,
    LEGACY_NAMES,
    MUSL,
    PlatformTag,
    WheelName,
    is_linux,
    parse_platform,
    parse_wheel_name,
    platform_arch,
)

OLD_ARCHES = {"x86_64", "i686", "aarch64", "armv7l", "ppc64le", "ppc64", "s390x"}


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("manylinux_2_28_x86_64", PlatformTag(GLIBC, 2, 28, "x86_64")),
        ("manylinux_2_28", PlatformTag(GLIBC, 2, 28)),
        ("manylinux_2_5_i686", PlatformTag(GLIBC, 2, 5, "i686")),
        ("musllinux_1_2_armv7l", PlatformTag(MUSL, 1, 2, "armv7l")),
        ("musllinux_1_1", PlatformTag(MUSL, 1, 1)),
        ("manylinux1_x86_64", PlatformTag(GLIBC, 2, 5, "x86_64")),
        ("manylinux1", PlatformTag(GLIBC, 2, 5)),
        # Installers ignore case.
        ("Manylinux_2_17_X86_64", PlatformTag(GLIBC, 2, 17, "x86_64")),
        ("manylinux2010_i686", PlatformTag(GLIBC, 2, 12, "i686")),
        ("manylinux2014_ppc64", PlatformTag(GLIBC, 2, 17, "ppc64")),
        ("manylinux2014_s390x", PlatformTag(GLIBC, 2, 17, "s390x")),
        ("manylinux_2_31_riscv64", PlatformTag(GLIBC, 2, 31, "riscv64")),
        # Legacy names that installers do not accept for the architecture.
        ("manylinux1_aarch64", None),
        ("manylinux2010_s390x", None),
        ("manylinux2014_riscv64", None),
        ("manylinux2014_loongarch64", None),
        # Tags that do not exist.
        ("linux_x86_64", None),
        ("any", None),
        ("", None),
        ("manylinux", None),
        ("manylinux_2", None),
        ("manylinux_2_x", None),
        ("manylinux2013_x86_64", None),
        ("musllinux1_x86_64", None),
        ("musllinux_1_2_", None),
        ("manylinux_2_17-x86_64", None),
        ("manylinux_2_17_x86_64\n", None),
        (" manylinux_2_17", None),
        ("manylinux_02_17_x86_64", None),
        ("manylinux_2_017_x86_64", None),
        ("manylinux_\u0662_\u0661\u0667", None),
    ],
)
def test_platform_is_parsed(text: str, tag: Optional[PlatformTag]) -> None:
    assert parse_platform(text) == tag


@pytest.mark.parametrize("arch", ["", *ARCHES])
@pytest.mark.parametrize("text", ["manylinux_2_5", "manylinux_2_17", "musllinux_1_2"])
def test_platform_is_printed_as_it_was_parsed(text: str, arch: str) -> None:
    spelled = f"{text}_{arch}" if arch else text
    tag = parse_platform(spelled)
    assert tag is not None
    assert str(tag) == spelled
    assert tag.without_arch == text
    assert str(PlatformTag(*tag[:3]).on(arch)) == spelled
    assert tag.on("other").arch == (arch or "other")


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("legacy", LEGACY_NAMES)
def test_alias_is_used_only_if_installers_know_it(legacy: str, arch: str) -> None:
    tag = PlatformTag(GLIBC, *LEGACY_NAMES[legacy], arch)
    known = arch in (OLD_ARCHES if legacy == "manylinux2014" else {"x86_64", "i686"})
    assert tag.aliases == ((f"{legacy}_{arch}",) if known else ())
    assert tag.spellings == tuple(sorted([str(tag), *tag.aliases]))
    assert all(parse_platform(spelling) == tag for spelling in tag.spellings)


@pytest.mark.parametrize(
    "tag", [PlatformTag(MUSL, 2, 5, "x86_64"), PlatformTag(GLIBC, 2, 28, "x86_64")]
)
def test_other_tags_have_one_spelling(tag: PlatformTag) -> None:
    assert tag.spellings == (str(tag),)


def test_legacy_spelling_is_written_first() -> None:
    spellings = PlatformTag(GLIBC, 2, 17, "x86_64").spellings
    assert spellings == ("manylinux2014_x86_64", "manylinux_2_17_x86_64")


def test_tags_are_ordered_by_number_not_by_text() -> None:
    written = ["manylinux_2_17", "manylinux_2_5", "manylinux_2_100", "manylinux_3_0", "manylinux1"]
    versions = sorted(tag.version for tag in map(parse_platform, written) if tag)
    assert versions == [(2, 5), (2, 5), (2, 17), (2, 100), (3, 0)]


@pytest.mark.parametrize(
    ("platform", "linux", "arch"),
    [
        ("linux_x86_64", True, "x86_64"),
        ("linux_armv6l", True, "armv6l"),
        ("manylinux_2_17_aarch64", True, "aarch64"),
        ("manylinux2014_i686", True, "i686"),
        # Installers do not know these names, but what they mean is clear.
        ("manylinux2014_armv6l", True, "armv6l"),
        ("manylinux1_i386", True, "i386"),
        ("manylinux1_aarch64", True, "aarch64"),
        ("manylinux2014", True, None),
        # 32-bit programs on a 64-bit ARM kernel.
        ("linux_armv8l", True, "armv7l"),
        ("Linux_x86_64", True, "x86_64"),
        ("musllinux_1_1_s390x", True, "s390x"),
        ("manylinux_2_17", True, None),
        ("any", False, None),
        ("win_amd64", False, None),
        ("macosx_11_0_arm64", False, None),
        ("android_21_x86_64", False, None),
    ],
)
def test_platform_names_its_system_and_architecture(
    platform: str,
    linux: bool,  # noqa: FBT001
    arch: Optional[str],
) -> None:
    assert (is_linux(platform), platform_arch(platform)) == (linux, arch)


WHEELS = {
    "demo-1.0-py3-none-any.whl": WheelName("demo", "1.0", "", ("py3",), ("none",), ("any",)),
    "demo-1.0-1-py3-none-any.whl": WheelName("demo", "1.0", "1", ("py3",), ("none",), ("any",)),
    "demo-1.0-py3-none-linux_x86_64-x86_64_v3.whl": WheelName(
        "demo", "1.0", "", ("py3",), ("none",), ("linux_x86_64",), "x86_64_v3"
    ),
    "demo-1.0-1-py3-none-any-null.whl": WheelName(
        "demo", "1.0", "1", ("py3",), ("none",), ("any",), "null"
    ),
    "demo-1.0-2b_c-py3-none-any.whl": WheelName(
        "demo", "1.0", "2b_c", ("py3",), ("none",), ("any",)
    ),
    "A_b.c-1!2.0+local.1-cp311-abi3-linux_x86_64.whl": WheelName(
        "A_b.c", "1!2.0+local.1", "", ("cp311",), ("abi3",), ("linux_x86_64",)
    ),
    "demo-1.0-py2.py3-none-manylinux1_i686.manylinux_2_5_i686.whl": WheelName(
        "demo", "1.0", "", ("py2", "py3"), ("none",), ("manylinux1_i686", "manylinux_2_5_i686")
    ),
}


@pytest.mark.parametrize("filename", WHEELS)
def test_wheel_name_is_parsed_and_printed(filename: str) -> None:
    assert parse_wheel_name(filename) == WHEELS[filename]
    assert str(WHEELS[filename]) == filename


@pytest.mark.parametrize(
    "filename",
    [
        "",
        "demo-1.0.whl",
        "demo-1.0-py3-none-any",
        "demo-1.0-py3-none-any.zip",
        "demo-1.0-b1-py3-none-any.whl",
        "demo-1.0-1-2-py3-none-any.whl",
        "demo--py3-none-any.whl",
        "demo-1.0-py3..py2-none-any.whl",
        "demo-1.0-py3-none-any..whl",
        "de mo-1.0-py3-none-any.whl",
        "dir/demo-1.0-py3-none-any.whl",
        "demo-1.0-py3-none-any.whl\n",
        "demö-1.0-py3-none-any.whl",
    ],
)
def test_invalid_wheel_names_are_refused(filename: str) -> None:
    assert parse_wheel_name(filename) is None


@pytest.mark.parametrize(
    ("platforms", "arch"),
    [
        ("linux_x86_64", "x86_64"),
        ("linux_armv6l", "armv7l"),
        ("linux_armv6l.linux_armv7l", "armv7l"),
        ("linux_i586", "i686"),
        ("linux_mips64", "mips64"),
        # It may be another name of an architecture that is known.
        ("linux_fourty2", None),
        ("linux_x86_64.linux_i686", None),
        ("any", None),
        ("win32", None),
    ],
)
def test_the_headers_that_a_name_asks_for(platforms: str, arch: Optional[str]) -> None:
    name = parse_wheel_name(f"demo-1.0-cp311-cp311-{platforms}.whl")
    assert name is not None
    assert name.header_arch == arch


def test_a_name_is_printed_as_it_was_written() -> None:
    written = "demo-1.0-CP311-Cp311-Linux_x86_64.whl"
    assert str(parse_wheel_name(written)) == written


def test_compressed_tags_are_expanded_in_order() -> None:
    name = WheelName("demo", "1.0", "", ("cp310", "cp311"), ("abi3",), ("p_1", "p_2"))
    assert name.tags == ("cp310-abi3-p_1", "cp310-abi3-p_2", "cp311-abi3-p_1", "cp311-abi3-p_2")


@pytest.mark.parametrize(
    ("platforms", "linux", "pure", "arch", "libc"),
    [
        ("linux_x86_64", True, False, "x86_64", None),
        ("manylinux2014_x86_64.manylinux_2_17_x86_64", True, False, "x86_64", GLIBC),
        ("musllinux_1_1_x86_64.manylinux_2_17_x86_64", True, False, "x86_64", None),
        ("musllinux_1_1_aarch64.linux_aarch64", True, False, "aarch64", MUSL),
        ("manylinux_2_17_x86_64.manylinux_2_17_i686", True, False, None, GLIBC),
        ("linux_armv6l", True, False, "armv7l", None),
        ("linux_armv8l", True, False, "armv7l", None),
        ("Linux_x86_64", True, False, "x86_64", None),
        ("MUSLLINUX_1_2_X86_64", True, False, "x86_64", MUSL),
        ("macosx_11_0_arm64.linux_x86_64", True, False, None, None),
        ("win_amd64", False, False, None, None),
        ("any", False, True, None, None),
        ("Any", False, True, None, None),
    ],
)
def test_properties_of_a_wheel_name(
    platforms: str,
    linux: bool,  # noqa: FBT001
    pure: bool,  # noqa: FBT001
    arch: Optional[str],
    libc: Optional[str],
) -> None:
    name = parse_wheel_name(f"demo-1.0-cp311-cp311-{platforms}.whl")
    assert name is not None
    assert (name.linux, name.pure, name.header_arch, name.libc) == (linux, pure, arch, libc)
