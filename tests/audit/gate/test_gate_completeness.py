"""The gate on a whole release: tables over file names."""

from __future__ import annotations

from typing import List, Optional, Tuple

import pytest

from manyshim.audit.findings import ERROR, WARNING
from manyshim.audit.gate.completeness import SetFile, judge_set, platform_groups
from manyshim.audit.tags import parse_wheel_name

PYTHONS = ("cp310", "cp311", "cp312", "cp313")
PLATFORMS = ("manylinux_2_17_x86_64", "manylinux_2_28_aarch64", "macosx_11_0_arm64", "win_amd64")


def wheel(tags: str, version: str = "1.0") -> SetFile:
    name = parse_wheel_name(f"demo-{version}-{tags}.whl")
    assert name is not None
    return SetFile("demo", version, name)


def matrix(*left_out: Tuple[str, str]) -> List[SetFile]:
    """Return a wheel for each Python and platform, but for some, and an sdist."""
    cells = [(python, platform) for python in PYTHONS for platform in PLATFORMS]
    wheels = [wheel(f"{one}-{one}-{other}") for one, other in cells if (one, other) not in left_out]
    return [*wheels, SetFile("demo", "1.0")]


def said(files: List[SetFile], like: Optional[List[SetFile]] = None) -> List[Tuple[str, ...]]:
    found = list(judge_set("demo", files, like))
    assert {one.severity for one in found} <= {ERROR, WARNING}
    return [(one.problem.name if one.problem else "", *one.details[1:]) for one in found]


def test_a_whole_matrix_is_complete() -> None:
    assert said(matrix()) == []


def test_an_isolated_hole_is_said() -> None:
    left_out = ("cp312", "win_amd64")
    assert said(matrix(left_out)) == [("HOLE", "cp312-cp312 on win_amd64")]


@pytest.mark.parametrize(
    "left_out",
    [
        # The project does not support one combination in several versions.
        [("cp310", "win_amd64"), ("cp311", "win_amd64")],
        [("cp313", "win_amd64"), ("cp313", "macosx_11_0_arm64")],
        [(python, "win_amd64") for python in PYTHONS],
    ],
)
def test_what_is_left_out_on_purpose_is_no_hole(left_out: List[Tuple[str, str]]) -> None:
    assert said(matrix(*left_out)) == []


def test_a_release_without_sdist_and_with_two_versions() -> None:
    assert said([wheel("py3-none-any")]) == [("NO_SDIST",)]
    files = [wheel("py3-none-any"), SetFile("demo", "2.0")]
    assert said(files) == [("VERSIONS", "2", "1.0, 2.0")]


@pytest.mark.parametrize(
    ("files", "like", "expected"),
    [
        (matrix(), matrix(), []),
        (
            matrix(("cp310", "win_amd64"), ("cp311", "win_amd64")),
            matrix(),
            [
                ("MISSING", "wheel for cp310-cp310 on win_amd64"),
                ("MISSING", "wheel for cp311-cp311 on win_amd64"),
            ],
        ),
        # A newer glibc, and the next version of the project.
        (
            [wheel("cp311-cp311-manylinux_2_28_x86_64", "2.0")],
            [wheel("cp311-cp311-manylinux2014_x86_64")],
            [],
        ),
        ([wheel("py3-none-any")], [wheel("py3-none-any"), SetFile("demo", "0.9")], None),
        ([wheel("cp310-abi3-win_amd64")], [wheel("cp311-cp311-win_amd64")], []),
        (
            [wheel("cp312-abi3-win_amd64")],
            [wheel("cp311-cp311-win_amd64")],
            [("MISSING", "wheel for cp311-cp311 on win_amd64")],
        ),
        (
            [wheel("cp310-abi3-win_amd64")],
            [wheel("cp313-cp313t-win_amd64")],
            [("MISSING", "wheel for cp313-cp313t on win_amd64")],
        ),
        (
            [wheel("cp311-cp311-macosx_11_0_universal2")],
            [wheel("cp311-cp311-macosx_10_9_x86_64"), wheel("cp311-cp311-macosx_11_0_arm64")],
            [],
        ),
        ([wheel("py3-none-any")], [wheel("cp311-cp311-win_amd64")], []),
    ],
)
def test_a_set_like_another_one(
    files: List[SetFile], like: List[SetFile], expected: Optional[List[Tuple[str, ...]]]
) -> None:
    assert said(files, like) == ([("MISSING", "sdist")] if expected is None else expected)


@pytest.mark.parametrize(
    ("platform", "groups"),
    [
        ("manylinux_2_17_x86_64", ("manylinux x86_64",)),
        ("manylinux2014_x86_64", ("manylinux x86_64",)),
        ("musllinux_1_2_aarch64", ("musllinux aarch64",)),
        ("linux_armv7l", ("linux armv7l",)),
        ("macosx_10_9_x86_64", ("macOS x86_64",)),
        ("macosx_11_0_universal2", ("macOS x86_64", "macOS arm64")),
        ("ios_13_0_arm64_iphoneos", ("ios arm64_iphoneos",)),
        ("android_24_arm64_v8a", ("android arm64_v8a",)),
        ("win_amd64", ("win_amd64",)),
        ("any", ("any",)),
    ],
)
def test_platforms_without_the_version(platform: str, groups: Tuple[str, ...]) -> None:
    assert platform_groups(platform) == groups
