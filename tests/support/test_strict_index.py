"""The strict index refuses and accepts the same files as the public one and its clients."""

from __future__ import annotations

import tarfile

import pytest

import strict_index_samples as samples
from strict_index import problems
from strict_index_cases import check
from strict_index_samples import DIST_INFO, GOOD


def test_good_wheel_has_no_problems() -> None:
    assert problems(GOOD, samples.good()) == []


def test_file_of_more_than_100_mebibytes_is_refused() -> None:
    check(GOOD, bytes(100 * 1024 * 1024 + 1), "File too large. Limit for project 'probe'")


GOOD_PLATFORMS = """
any win32 win_amd64 win_arm64 win_ia64 linux_armv6l linux_armv7l
manylinux1_x86_64 manylinux1_i686 manylinux2010_x86_64 manylinux2014_ppc64 manylinux2014_s390x
manylinux_2_17_riscv64 manylinux_2_5_aarch64 manylinux_9_99_x86_64 manylinux_2_28_ppc64
manylinux1_x86_64.manylinux_2_5_x86_64 MANYLINUX_2_17_X86_64 musllinux_1_2_riscv64
musllinux_1_1_armv7l macosx_10_9_universal2 macosx_11_0_arm64 macosx_15_0_x86_64 macosx_26_0_arm64
ios_13_0_arm64_iphoneos ios_13_0_x86_64_iphonesimulator ios_13_0_arm64_iphoneosjunk
android_21_arm64_v8a pyemscripten_2026_0_wasm32 pyemscripten_2026_0_wasm32junk
"""
BAD_PLATFORMS = """
linux_x86_64 linux_aarch64 linux_i686 manylinux1_aarch64 manylinux2010_ppc64 manylinux2014_riscv64
manylinux_2_17_armv6l manylinux_2_36_loongarch64 manylinux_2_17_x86_64junk musllinux_1_2_ppc64
musllinux_1_1_mips64 macosx_11_1_arm64 macosx_16_0_arm64 macosx_27_0_arm64 macosx_10_9_armv7
android_21_riscv64 pyodide_2024_0_wasm32 emscripten_3_1_wasm32 wasi_0_wasm32
freebsd_14_x86_64 cygwin_3_x86_64 win_armv7
"""


@pytest.mark.parametrize("platform", GOOD_PLATFORMS.split())
def test_platform_is_accepted(platform: str) -> None:
    filename = f"probe-1.0-py3-none-{platform}.whl"
    assert problems(filename, samples.good(filename)) == []


@pytest.mark.parametrize("platform", BAD_PLATFORMS.split())
def test_platform_is_refused(platform: str) -> None:
    filename = f"probe-1.0-py3-none-{platform}.whl"
    message = f"Binary wheel '{filename}' has an unsupported platform tag '{platform}'."
    assert problems(filename, samples.good(filename)) == [message]


def test_one_bad_platform_spoils_the_set() -> None:
    filename = "probe-1.0-py3-none-linux_x86_64.manylinux_2_17_x86_64.whl"
    message = f"Binary wheel '{filename}' has an unsupported platform tag 'linux_x86_64'."
    assert problems(filename, samples.good(filename)) == [message]


@pytest.mark.parametrize(
    ("filename", "gist"),
    [
        ("probe-1.0-1a-py3-none-any.whl", ""),
        ("probe-1.0-a1-py3-none-any.whl", "Invalid build number: a1"),
        ("probe-1.0-py3-any.whl", "wrong number of parts"),
        ("probe-1.0-1-2-py3-none-any.whl", "wrong number of parts"),
        ("probe-one-py3-none-any.whl", "invalid version"),
        ("pr__obe-1.0-py3-none-any.whl", "invalid project name"),
        ("Probe-1.0-py3-none-any.whl", "should contain the normalized project name 'probe'"),
        ("prober-1.0-py3-none-any.whl", "Start filename for 'probe'"),
        ("probe-1.1-py3-none-any.whl", "Version in filename should be '1.0' not '1.1'"),
        ("dir/probe-1.0-py3-none-any.whl", "with '/' or"),
        ("probe\n-1.0-py3-none-any.whl", "control characters"),
        ("probe-1.0-py3-none-any.zip", "Invalid file extension"),
    ],
)
def test_names(filename: str, gist: str) -> None:
    dist_info = "-".join(filename.split("-")[:2]) + ".dist-info"
    plain = samples.members_for("probe-1.0-py3-none-any.whl")
    moved = {path.replace(DIST_INFO, dist_info): content for path, content in plain.items()}
    check(filename, samples.pack(samples.with_record(moved, dist_info)), gist)


def make_sparse(info: tarfile.TarInfo) -> None:
    """Make an entry a sparse file in the old GNU format."""
    info.type = tarfile.GNUTYPE_SPARSE


@pytest.mark.parametrize(
    ("filename", "data", "gist"),
    [
        ("foo_bar-1.0.tar.gz", samples.sdist(samples.sdist_members()), ""),
        ("foo_bar-1.0.tar.gz", samples.sdist(samples.sdist_members("Foo.Bar")), ""),
        ("foo-bar-1.0.tar.gz", samples.sdist(samples.sdist_members()), "be 'foo_bar-1.0.tar.gz'"),
        ("Foo_Bar-1.0.tar.gz", samples.sdist(samples.sdist_members()), "is invalid, should be"),
        ("foo_bar-1.0.0.tar.gz", samples.sdist(samples.sdist_members()), "is invalid, should be"),
        ("foo_bar-1.0.zip", samples.pack(samples.sdist_members()), "Invalid file extension"),
        ("foo_bar-1.0.tar.gz", samples.pack(samples.sdist_members()), "also a zipfile"),
        ("foo_bar-1.0.tar.gz", b"text", "not a tar.gz archive"),
        ("foo_bar-1.0.tar.gz", samples.sdist({"top/a": b""}), "PKG-INFO not found"),
        (
            "foo_bar-1.0.tar.gz",
            samples.sdist({**samples.sdist_members(), "more/a": b""}),
            "one top-level directory",
        ),
        (
            "foo_bar-1.0.tar.gz",
            samples.sdist({"top/PKG-INFO": samples.sdist_members()["top/PKG-INFO"]}),
            "License-File MIT does not exist",
        ),
        ("foo_bar-1.0.tar.gz", samples.sdist(samples.sdist_members(), make_sparse), "sparse"),
        (
            "foo_bar-one.tar.gz",
            samples.sdist(samples.sdist_members(version="one")),
            "Invalid version",
        ),
    ],
)
def test_sdists(filename: str, data: bytes, gist: str) -> None:
    check(filename, data, gist)
