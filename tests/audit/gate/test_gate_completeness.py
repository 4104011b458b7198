"""Which sets of file names are complete: tables of file names."""

from __future__ import annotations

import time
from typing import Dict, List, Sequence, Tuple

import pytest

from manyshim.audit.findings import ERROR, WARNING
from manyshim.audit.gate.completeness import SetReport, judge
from manyshim.audit.messages import sentence
from manyshim.audit.releases import names_a_project

LINUX, ARM = "manylinux_2_17_x86_64", "manylinux_2_28_aarch64"
MUSL, MAC, WINDOWS = "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64"
PLATFORMS = (LINUX, ARM, MUSL, MAC, WINDOWS)
PYTHONS = ("cp310", "cp311", "cp312", "cp313")
SDIST = "demo-1.0.tar.gz"

Cell = Tuple[str, str]


def name(python: str, platform: str, abi: str = "", version: str = "1.0") -> str:
    return f"demo-{version}-{python}-{abi or python}-{platform}.whl"


def matrix(
    pythons: Sequence[str] = PYTHONS,
    platforms: Sequence[str] = PLATFORMS,
    without: Sequence[Cell] = (),
) -> List[str]:
    """Return a wheel for each Python and platform, and an sdist."""
    cells = [(python, platform) for python in pythons for platform in platforms]
    return [SDIST, *(name(*cell) for cell in cells if cell not in without)]


def found(reports: List[SetReport]) -> List[Tuple[str, str]]:
    return [(one.problem.name, one.path) for it in reports for one in it.findings if one.problem]


def hole(python: str, platform: str, abi: str = "") -> List[Tuple[str, str]]:
    return [("HOLE", name(python, platform, abi))]


ARM_HOLE, WINDOWS_HOLE = "manylinux_*_aarch64", "win_amd64"
BETWEEN: Cell = ("cp311", ARM)
NONE = (name("py3", WINDOWS, "none"), name("py3", ARM, "none"))
ABI3 = (name("cp312", ARM, "abi3"), name("cp312", WINDOWS, "abi3"))
INTEL = "macosx_10_9_x86_64"
TWO_MACS = (LINUX, MAC, INTEL, WINDOWS)
NO_MAC: List[Cell] = [("cp311", MAC), ("cp311", INTEL)]
PYPY = [f"demo-1.0-pp3{n}-pypy3{n}_pp73-{p}.whl" for n in (9, 10, 11) for p in PLATFORMS]
FREE = [name(f"cp31{n}", p, f"cp31{n}t") for n in (3, 4, 5) for p in PLATFORMS]

HOLES: Dict[str, Tuple[List[str], List[Tuple[str, str]]]] = {
    "all there": (matrix(), []),
    "between two Pythons": (matrix(without=[BETWEEN]), hole("cp311", ARM_HOLE)),
    "the newest Python": (matrix(without=[("cp313", WINDOWS)]), hole("cp313", WINDOWS_HOLE)),
    "two that are apart": (
        matrix(without=[BETWEEN, ("cp313", WINDOWS)]),
        hole("cp311", ARM_HOLE) + hole("cp313", WINDOWS_HOLE),
    ),
    "an old Python on a new platform": (matrix(without=[("cp310", "win_amd64")]), []),
    "a platform that ends": (
        matrix(platforms=(*PLATFORMS, "win32"), without=[("cp313", "win32")]),
        [],
    ),
    "win32 between two Pythons": (
        matrix(platforms=(*PLATFORMS, "win32"), without=[("cp311", "win32")]),
        hole("cp311", "win32"),
    ),
    "two of one Python": (matrix(without=[BETWEEN, ("cp311", MAC)]), []),
    "two of one platform": (matrix(without=[BETWEEN, ("cp312", ARM)]), []),
    "one platform": (matrix(platforms=(LINUX,), without=[("cp311", LINUX)]), []),
    "one Python on a second platform": (
        [*matrix(platforms=(LINUX,)), name("cp311", WINDOWS)],
        [],
    ),
    "a wheel for more platforms": (
        [*matrix(without=[BETWEEN, ("cp313", WINDOWS)]), *NONE],
        [],
    ),
    "a wheel for every platform": (
        [*matrix(without=[BETWEEN]), name("py3", "any", "none")],
        [],
    ),
    "abi3 for later Pythons": (
        [*matrix(without=[("cp313", ARM), ("cp312", WINDOWS)]), *ABI3],
        [],
    ),
    "abi3 for later Pythons only": (
        [*matrix(without=[BETWEEN]), name("cp312", ARM, "abi3")],
        hole("cp311", ARM_HOLE),
    ),
    "only abi3": ([SDIST, *(name("cp39", one, "abi3") for one in PLATFORMS)], []),
    "universal2": (
        [*matrix(platforms=TWO_MACS, without=NO_MAC), name("cp311", "macosx_11_0_universal2")],
        [],
    ),
    "compressed tags": (
        [SDIST]
        + [
            name(p, f"manylinux1_{a}.manylinux_2_5_{a}")
            for p in PYTHONS
            for a in ("i686", "x86_64")
        ],
        [],
    ),
    "other policies": (
        [*matrix(without=[("cp311", LINUX)]), name("cp311", "manylinux2014_x86_64")],
        [],
    ),
    "PyPy on fewer platforms": ([*matrix(), PYPY[0], PYPY[3], PYPY[5]], []),
    "free-threaded from one Python on": ([*matrix(), *FREE[5:]], []),
    "PyPy, newest": ([SDIST, *PYPY[:-1]], []),
    "PyPy, between": ([SDIST, *PYPY[:6], *PYPY[7:]], [("HOLE", PYPY[6].replace("2_28", "*"))]),
    "free-threaded, between": ([SDIST, *FREE[:6], *FREE[7:]], hole("cp314", ARM_HOLE, "cp314t")),
    "Pyodide has one Python": ([*matrix(), name("cp312", "pyemscripten_2026_0_wasm32")], []),
    "a build tag": (
        [*matrix(without=[BETWEEN]), name("cp311", ARM, version="1.0-1")],
        [],
    ),
    "pure": ([SDIST, name("py3", "any", "none")], []),
}


@pytest.mark.parametrize("case", HOLES)
def test_a_single_hole_in_the_matrix_is_a_warning(case: str) -> None:
    names, expected = HOLES[case]
    reports = judge(names)
    assert found(reports) == expected
    assert {one.severity for it in reports for one in it.findings} <= {WARNING}
    assert [found(judge(list(reversed(names))))] == [expected]


def test_a_hole_is_told_with_what_is_beside_it() -> None:
    (report,) = judge(matrix(without=[BETWEEN]))
    (one,) = report.findings
    assert sentence(one).message == (
        "is missing: cp311 has wheels for 4 other platforms, this platform for 3 other Pythons"
    )


OTHER = [*matrix(("cp310", "cp311")), name("cp39", LINUX, "abi3")]
OTHER_VERSION = [one.replace("1.0", "0.9") for one in OTHER]

LIKE: Dict[str, Tuple[List[str], List[str], List[Tuple[str, str]]]] = {
    "the same": (OTHER, OTHER_VERSION, []),
    "more": ([*OTHER, name("cp315", LINUX)], OTHER_VERSION, []),
    "another policy and a build tag": (
        [one.replace("2_17", "2_28").replace("1.0-cp310", "1.0-1-cp310") for one in OTHER],
        OTHER_VERSION,
        [],
    ),
    "a label of a variant": (
        [one.replace(".whl", "-x86v3.whl") for one in OTHER],
        OTHER_VERSION,
        [],
    ),
    "no sdist": (OTHER[1:], OTHER_VERSION, [("MISSING_SDIST", SDIST)]),
    "neither has an sdist": (OTHER[1:], OTHER_VERSION[1:], []),
    "no wheel": (
        [one for one in OTHER if one != name("cp310", WINDOWS)],
        OTHER_VERSION,
        [("MISSING_WHEEL", name("cp310", WINDOWS))],
    ),
    "the same hole": (
        [one for one in matrix() if one != name(*BETWEEN)],
        [one for one in matrix() if one != name(*BETWEEN)],
        [],
    ),
    "a hole of a new Python": (
        matrix(without=[("cp313", WINDOWS)]),
        matrix(PYTHONS[:3]),
        hole("cp313", WINDOWS_HOLE),
    ),
    "now pure": ([SDIST, name("py3", "any", "none")], OTHER_VERSION, []),
    "the pure one was there before": (
        [SDIST, name("py3", "any", "none")],
        [SDIST, name("py3", "any", "none"), name("cp311", MAC)],
        [("MISSING_WHEEL", name("cp311", "macosx_*_arm64"))],
    ),
    "now abi3": (
        [SDIST, *(name("cp38", one, "abi3") for one in PLATFORMS)],
        OTHER_VERSION,
        [],
    ),
    "abi3 of a later Python": (
        [
            SDIST,
            *(name("cp311", one, "abi3") for one in PLATFORMS[1:]),
            name("cp39", LINUX, "abi3"),
        ],
        [one for one in OTHER_VERSION if "abi3" in one or "cp311" in one],
        [("MISSING_WHEEL", name("cp311", "manylinux_*_x86_64"))],
    ),
    "universal2": (
        [SDIST, name("cp311", "macosx_10_9_universal2")],
        [SDIST, name("cp311", "macosx_10_9_x86_64"), name("cp311", MAC)],
        [],
    ),
    "half of universal2": (
        [SDIST, name("cp311", MAC)],
        [SDIST, name("cp311", "macosx_10_9_universal2")],
        [("MISSING_WHEEL", name("cp311", "macosx_*_x86_64"))],
    ),
    "an older system's wheel is lost": (
        [SDIST, name("cp311", "manylinux_2_28_x86_64")],
        [SDIST, name("cp311", LINUX), name("cp311", "manylinux_2_28_x86_64")],
        [("FEWER_WHEELS", name("cp311", "manylinux_*_x86_64"))],
    ),
    "both systems are newer": (
        [SDIST, name("cp311", INTEL), name("cp311", "macosx_14_0_x86_64")],
        [SDIST, name("cp311", "macosx_10_13_x86_64"), name("cp311", "macosx_15_0_x86_64")],
        [],
    ),
    "one beside universal2": (
        [SDIST, name("cp311", "macosx_10_9_universal2")],
        [SDIST, name("cp311", "macosx_10_9_universal2"), name("cp311", MAC)],
        [("FEWER_WHEELS", name("cp311", "macosx_*_arm64"))],
    ),
    "compressed": (
        [SDIST, name("py3", "any", "none")],
        ["demo-0.9.tar.gz", "demo-0.9-py2.py3-none-any.whl"],
        [("MISSING_WHEEL", name("py2", "any", "none"))],
    ),
    "another project": (
        OTHER,
        [*OTHER_VERSION, "Other_Name-2.tar.gz", "other_name-2-py3-none-any.whl"],
        [("MISSING_PROJECT", "")],
    ),
    "a new project": ([*OTHER, "new-1.tar.gz"], OTHER_VERSION, []),
}


@pytest.mark.parametrize("case", LIKE)
def test_what_another_release_had_must_be_there(case: str) -> None:
    names, like, expected = LIKE[case]
    reports = judge(names, like)
    assert found(reports) == expected
    errors = [one for one in expected if one[0] != "HOLE"]
    assert sum(it.missing for it in reports) == len(errors)
    assert {one.severity for it in reports for one in it.errors} <= {ERROR}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([SDIST, name("cp311", LINUX)], []),
        # One version, in several spellings (PEP 440).
        (["demo-1.0.0.tar.gz", name("cp311", LINUX), name("cp311", ARM, version="v1")], []),
        (["demo-1.0rc1.tar.gz", name("cp311", LINUX, version="1.0.c1")], []),
        (["demo-1.0a0.tar.gz", name("cp311", LINUX, version="1.0a")], []),
        (["demo-1.0a0.dev0.tar.gz", name("cp311", LINUX, version="1.alpha.dev")], []),
        (["demo-1.0.post0.tar.gz", name("cp311", LINUX, version="0!1.0.post")], []),
        ([SDIST, name("cp311", LINUX, version="1!1.0")], [SDIST]),
        ([SDIST, name("cp311", LINUX, version="1.0a")], [SDIST]),
        ([SDIST, name("cp311", LINUX, version="1.0.1")], [SDIST]),
        ([SDIST, name("cp311", LINUX, version="1.0.post1")], [SDIST]),
        ([SDIST, name("cp311", LINUX, version="10")], [SDIST]),
        (["demo-1.1.tar.gz", SDIST, name("cp311", LINUX)], ["demo-1.1.tar.gz"]),
        (
            [SDIST, name("cp311", LINUX), name("cp311", ARM, version="1.0+local")],
            [name("cp311", ARM, version="1.0+local")],
        ),
    ],
)
def test_files_of_another_version_are_errors(names: List[str], expected: List[str]) -> None:
    (report,) = judge(names)
    assert found([report]) == [("OTHER_VERSION", one) for one in expected]
    assert report.of_other_version == len(expected)
    assert all(one.severity == ERROR for one in report.findings)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([SDIST, "demo-1.0.0.tar.gz"], ["demo-1.0.0.tar.gz"]),
        (["demo-1.0.zip", SDIST, "Demo-1.0.tar.gz"], [SDIST, "Demo-1.0.tar.gz"]),
        ([SDIST, SDIST, "other-1.0.tar.gz"], []),
    ],
)
def test_a_second_sdist(names: List[str], expected: List[str]) -> None:
    assert found(judge(names)) == [("SECOND_SDIST", one) for one in expected]


def test_a_name_with_different_contents() -> None:
    wheel = name("cp311", LINUX)
    conflicts = [(wheel, f"a/{wheel}", f"b/{wheel}"), ("no-name.whl", "a", "b")]
    reports = judge([SDIST, wheel, wheel], None, conflicts)
    assert found(reports) == [("SAME_NAME", wheel)]
    assert sentence(reports[0].findings[0]).message == (
        f"is there twice, with different contents: 'a/{wheel}' and 'b/{wheel}'"
    )


def test_a_lost_wheel_is_named() -> None:
    names, like, _ = LIKE["an older system's wheel is lost"]
    (finding,) = judge(names, like)[0].findings
    assert sentence(finding).message == (
        f"matches 1 wheel here, and 2 in the set of --like, which has '{name('cp311', LINUX)}'"
    )


def test_projects_are_judged_apart() -> None:
    names = [SDIST, name("cp311", LINUX), "My.Other-2.0.tar.gz", "my_other-2.0-py3-none-any.whl"]
    assert [(one.project, one.versions) for one in judge(names)] == [
        ("demo", ("1.0",)),
        ("my-other", ("2.0",)),
    ]
    names.remove(SDIST)
    assert found(judge(names)) == [("NO_SDIST", "")]


def test_other_names_belong_to_no_project() -> None:
    names = ["demo.whl", "demo-1.0-py3-none.whl", "docs.zip", "README", ".tar.gz", "-1.tar.gz"]
    assert not any(map(names_a_project, names))
    assert judge(names, names) == []


def test_compressed_tags_without_end_are_bounded() -> None:
    pythons = ".".join(f"cp3{n}" for n in range(100))
    platforms = ".".join(f"p{n}" for n in range(1000))
    names = [f"demo-{n}-{pythons}-{pythons}-{platforms}.whl" for n in range(20)]
    before = time.process_time()
    (report,) = judge(names, [SDIST, *names])
    assert time.process_time() - before < 20
    assert len(report.findings) <= 3001
