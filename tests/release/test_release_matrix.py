"""The cells of a release, and the parts of several machines."""

from __future__ import annotations

from collections import Counter
from typing import List, Sequence

import pytest

from manyshim.audit.tags import parse_wheel_name
from manyshim.audit.targets import Target, targets
from manyshim.errors import ConfigError
from manyshim.release.matrix import Cell, cells, covered, is_for, jobs, only, shard
from manyshim.release.table import Table

GLIBC, ARM, MUSL = "manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "musllinux_1_2_x86_64"
PYTHONS = ("3.10", "3.13", "3.13t")
MATRIX = cells(Table((GLIBC, ARM, MUSL), PYTHONS, {}))


def of(tags: str) -> Sequence[Target]:
    name = parse_wheel_name(f"x-1-{tags}.whl")
    assert name is not None
    return targets(name)


def test_the_names_of_cells() -> None:
    assert [one.name for one in MATRIX[:4]] == [
        *(f"cp310-{GLIBC}", f"cp313-{GLIBC}", f"cp313t-{GLIBC}", f"cp310-{ARM}"),
    ]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [(None, 9), ("*", 9), ("cp313-*", 3), (f"*-{ARM}", 3), ("*musllinux*", 3), ("cp313t-*x86*", 2)],
)
def test_only(pattern: str, count: int) -> None:
    assert len(only(MATRIX, pattern)) == count


def test_only_what_is_not_there() -> None:
    with pytest.raises(ConfigError) as error:
        only(MATRIX, "cp312-manylinux_2_17_aarch64")
    (line,) = error.value.lines
    assert line.endswith(f"matches nothing of the release; 'cp313-{ARM}' is in it")


@pytest.mark.parametrize("count", range(1, 12))
def test_the_parts_make_up_the_whole(count: int) -> None:
    parts = [shard(MATRIX, number, count) for number in range(1, count + 1)]
    assert Counter(one for part in parts for one in part) == Counter(MATRIX)
    if count <= 9:
        sizes = [len(part) for part in parts]
        assert min(sizes) > 0
    if count <= 3:  # whole platforms
        owners: List[int] = [
            sum(any(one.platform == platform for one in part) for part in parts)
            for platform in (GLIBC, ARM, MUSL)
        ]
        assert owners == [1, 1, 1]


@pytest.mark.parametrize(
    ("tags", "python", "platform", "expected"),
    [
        (f"cp310-cp310-{GLIBC}", "3.10", GLIBC, True),
        (f"cp310-cp310-manylinux2014_x86_64.{GLIBC}", "3.10", GLIBC, True),
        (f"cp310-cp310-{GLIBC}", "3.13", GLIBC, False),
        (f"cp310-abi3-{GLIBC}", "3.13", GLIBC, True),
        (f"cp310-abi3-{GLIBC}", "3.13t", GLIBC, False),
        (f"cp313-cp313t-{GLIBC}", "3.13t", GLIBC, True),
        (f"cp313-cp313t-{GLIBC}", "3.13", GLIBC, False),
        (f"py3-none-{GLIBC}", "3.13t", GLIBC, True),
        (f"cp310-cp310-{ARM}", "3.10", GLIBC, False),
        ("cp310-cp310-linux_x86_64", "3.10", GLIBC, False),
        ("py3-none-any", "3.10", MUSL, True),
    ],
)
def test_what_a_wheel_is_for(tags: str, python: str, platform: str, expected: bool) -> None:  # noqa: FBT001
    assert is_for(of(tags), Cell(python, platform)) is expected


def test_only_a_wheel_without_a_platform_counts_for_another_one() -> None:
    built = Cell("3.10", GLIBC)
    other = Cell("3.10", "manylinux_2_28_x86_64")
    assert not covered(of(f"cp310-cp310-{GLIBC}"), other, built)
    assert covered(of("py3-none-any"), other, built)


def test_the_matrix_of_a_service() -> None:
    table = Table((ARM, MUSL, "macosx_11_0_arm64", "win_amd64", "win32"), ("3.13", "3.13t"), {})
    found = jobs(cells(table))
    facts = [(one["system"], one["arch"], one.get("libc")) for one in found]
    assert facts == [
        *(("linux", "aarch64", "glibc"), ("linux", "x86_64", "musl")),
        *(("macos", "arm64", None), ("windows", "amd64", None), ("windows", "x86", None)),
    ]
    assert found[0]["pythons"] == ["3.13", "3.13t"]
    assert len(only(cells(table), found[0]["only"])) == 2
