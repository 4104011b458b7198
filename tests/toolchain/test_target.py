"""The target of a build, from the requested platform tag."""

from __future__ import annotations

from typing import Optional, Tuple

import pytest

from manyshim.audit.tags import GLIBC, MUSL, parse_platform
from manyshim.errors import ConfigError
from manyshim.toolchain.target import resolve

# The requested platform, the building interpreter's architecture and libc; the tag, zig's target.
RESOLVED = [
    ("", "x86_64", GLIBC, "manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17"),
    ("", "x86_64", MUSL, "musllinux_1_2_x86_64", "x86_64-linux-musl"),
    ("", "aarch64", GLIBC, "manylinux_2_17_aarch64", "aarch64-linux-gnu.2.17"),
    ("", "ppc64le", GLIBC, "manylinux_2_24_ppc64le", "powerpc64le-linux-gnu.2.24"),
    ("", "riscv64", GLIBC, "manylinux_2_31_riscv64", "riscv64-linux-gnu.2.31"),
    ("", "loongarch64", GLIBC, "manylinux_2_36_loongarch64", "loongarch64-linux-gnu.2.36"),
    ("2014", "x86_64", GLIBC, "manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17"),
    ("manylinux_2_28", "aarch64", GLIBC, "manylinux_2_28_aarch64", "aarch64-linux-gnu.2.28"),
    ("manylinux_2_5", "x86_64", GLIBC, "manylinux_2_5_x86_64", "x86_64-linux-gnu.2.5"),
    ("manylinux_2_17_i686", "x86_64", GLIBC, "manylinux_2_17_i686", "x86-linux-gnu.2.17"),
    ("manylinux_2_17_armv7l", "x86_64", MUSL, "manylinux_2_17_armv7l", "arm-linux-gnueabihf.2.17"),
    ("musllinux_1_2_armv7l", "x86_64", GLIBC, "musllinux_1_2_armv7l", "arm-linux-musleabihf"),
    ("manylinux_2_17_s390x", "x86_64", GLIBC, "manylinux_2_17_s390x", "s390x-linux-gnu.2.17"),
    ("musllinux_1_2", "aarch64", GLIBC, "musllinux_1_2_aarch64", "aarch64-linux-musl"),
]


@pytest.mark.parametrize(("requested", "arch", "libc", "tag", "triple"), RESOLVED)
def test_a_platform_is_resolved_to_a_target(
    requested: str, arch: str, libc: str, tag: str, triple: str
) -> None:
    name = f"manylinux{requested}" if requested == "2014" else requested
    platform = parse_platform(name) if name else None
    target = resolve(platform, arch, libc)
    assert (str(target.tag), target.triple) == (tag, triple)


@pytest.mark.parametrize(
    ("requested", "words"),
    [
        ("manylinux_2_16_aarch64", ("2.17", "manylinux_2_17_aarch64")),
        ("manylinux_2_17_ppc64le", ("2.19", "manylinux_2_24_ppc64le")),
        ("manylinux_2_17_riscv64", ("2.27", "manylinux_2_31_riscv64")),
        ("manylinux_2_17_ppc64", ("zig has no glibc for ppc64", "x86_64, i686, aarch64")),
        ("manylinux_2_99_x86_64", ("manylinux_2_99_x86_64", "2.5 to 2.44")),
        ("musllinux_1_1_x86_64", ("musllinux_1_2_x86_64", "container")),
        ("musllinux_1_3_x86_64", ("musllinux_1_2_x86_64",)),
    ],
)
def test_a_target_that_zig_does_not_support(requested: str, words: Tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(parse_platform(requested), "x86_64", GLIBC)
    assert all(word in str(caught.value) for word in words)


# The names are from files in wheels of the package index.
@pytest.mark.parametrize(
    ("tag", "python", "multiarch"),
    [
        ("manylinux_2_17_x86_64", (3, 8), "x86_64-linux-gnu"),
        ("manylinux_2_17_i686", (3, 11), "i386-linux-gnu"),
        ("manylinux_2_17_armv7l", (3, 11), "arm-linux-gnueabihf"),
        ("manylinux_2_24_ppc64le", (3, 11), "powerpc64le-linux-gnu"),
        ("musllinux_1_2_x86_64", (3, 10), "x86_64-linux-gnu"),
        ("musllinux_1_2_x86_64", (3, 11), "x86_64-linux-musl"),
        ("musllinux_1_2_i686", (3, 11), "i386-linux-musl"),
        ("musllinux_1_2_armv7l", (3, 10), "arm-linux-gnueabihf"),
        ("musllinux_1_2_armv7l", (3, 13), "arm-linux-musleabihf"),
    ],
)
def test_the_suffix_has_cpythons_name_of_the_target(
    tag: str, python: Tuple[int, int], multiarch: str
) -> None:
    assert resolve(parse_platform(tag), "x86_64", GLIBC).multiarch(python) == multiarch


def test_the_platform_name_of_sysconfig() -> None:
    tag: Optional[object] = parse_platform("musllinux_1_2_armv7l")
    assert tag is not None
    target = resolve(parse_platform("musllinux_1_2_armv7l"), "x86_64", GLIBC)
    assert (target.host_platform, target.triplet) == ("linux-armv7l", "arm-linux-musleabihf")
