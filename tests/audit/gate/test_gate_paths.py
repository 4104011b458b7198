"""The gate on install paths: tables over hand-made facts."""

from __future__ import annotations

from typing import Dict, List, Tuple

import pytest

from manyshim.audit.facts import WheelFacts
from manyshim.audit.findings import WARNING
from manyshim.audit.gate.paths import PathProblem, install_paths
from manyshim.audit.tags import parse_wheel_name

DATA = "demo-1.0.data"
Found = List[Tuple[object, str]]


def judged(paths: Tuple[str, ...], platform: str = "any", folders: Tuple[str, ...] = ()) -> Found:
    name = parse_wheel_name(f"demo-1.0-py3-none-{platform}.whl")
    assert name
    facts = WheelFacts(name, distribution="demo-1.0", paths=paths)
    return [(one.problem, one.path) for one in install_paths(facts, folders)]


# What lies beside `a/b`, and the problem of it.
TABLE: Dict[str, Tuple[str, object]] = {
    "another file": ("a/c", None),
    "a name that begins alike": ("a/b.c", None),
    "two slashes": ("a//b", PathProblem.SAME_PATH),
    "a dot": ("a/./b", PathProblem.SAME_PATH),
    "purelib": (f"{DATA}/purelib/a/b", PathProblem.SAME_PATH),
    "platlib": (f"{DATA}/platlib/a/b", PathProblem.SAME_PATH),
    "another scheme": (f"{DATA}/data/a/b", None),
    "an unknown scheme": (f"{DATA}/include/b", PathProblem.UNKNOWN_SCHEME),
    "an unknown scheme behind a dot": (f"./{DATA}/include/b", PathProblem.UNKNOWN_SCHEME),
    "a scheme in upper case": (f"{DATA}/Purelib/b", PathProblem.UNKNOWN_SCHEME),
    "no scheme": (f"{DATA}/b", PathProblem.UNKNOWN_SCHEME),
    "data of another name": ("lib.data/b", PathProblem.OTHER_DATA),
    "a folder in data of another name": ("lib.data/c/b", PathProblem.OTHER_DATA),
    "a file with that name": ("lib.data", PathProblem.OTHER_DATA),
    "a scheme in data of another name": ("lib.data/scripts/b", PathProblem.MOVED_BY_PIP),
    "data below a package": ("a/lib.data/b", None),
    "a script": (f"{DATA}/scripts/b", None),
    "a script in a folder": (f"{DATA}/scripts/c/b", PathProblem.SCRIPT_FOLDER),
    "a script named python": (f"{DATA}/scripts/Python3", PathProblem.INTERPRETER),
    "a script named python.exe": (f"{DATA}/scripts/python.exe", PathProblem.INTERPRETER),
    "a script named python2": (f"{DATA}/scripts/python2", None),
    "a file that is named like .dist-info": ("b.dist-info", PathProblem.SECOND_DIST_INFO),
    "such a file below a package": ("a/b.dist-info", None),
    "such a file in purelib": (f"{DATA}/purelib/b.dist-info", None),
    "a byte order mark": ("\ufeffb", PathProblem.INVISIBLE),
    "a direction mark": ("a/\u202eb", PathProblem.INVISIBLE),
    "a control character": ("a/\x85b", PathProblem.INVISIBLE),
    "a private character": ("a/\ue000b", PathProblem.INVISIBLE),
    "a control character that the audit knows": ("a/\x1fb", None),
    "a line separator": ("a/\u2028b", None),
    "a variation selector": ("a/b\ufe0f", None),
    "an emoji": ("a/\U0001f600", None),
    "a backslash": ("a\\b", PathProblem.BACKSLASH),
    "case": ("a/B", PathProblem.CASE),
    "the same name twice": ("a/b", None),
}


@pytest.mark.parametrize("case", TABLE)
def test_paths(case: str) -> None:
    path, problem = TABLE[case]
    assert judged(("a/b", path)) == ([(problem, path)] if problem else [])


@pytest.mark.parametrize("paths", [("a", "a/b", "a-c"), ("a/b/c", "a")])
def test_a_file_where_another_member_needs_a_folder(paths: Tuple[str, ...]) -> None:
    assert judged(paths) == [(PathProblem.FILE_AND_FOLDER, "a")]


@pytest.mark.parametrize(
    ("platform", "fires"),
    [
        ("any", True),
        ("win_amd64", True),
        ("macosx_11_0_arm64", True),
        ("manylinux_2_17_x86_64", False),
        ("musllinux_1_2_x86_64.linux_x86_64", False),
        ("android_24_arm64_v8a", False),
    ],
)
def test_names_that_differ_by_unicode_form(platform: str, fires: bool) -> None:  # noqa: FBT001
    paths = ("a/\u00e4", "a/a\u0308")
    assert judged(paths, platform) == ([(PathProblem.CASE, paths[1])] if fires else [])
    assert PathProblem.CASE.value.severity == WARNING


def test_directory_entries() -> None:
    assert judged((), folders=("a/", f"{DATA}/", f"{DATA}/scripts/", "lib.data/")) == []
    folder = f"{DATA}/include/"
    assert judged((), folders=(folder,)) == [(PathProblem.UNKNOWN_SCHEME, folder)]
    folder = f"{DATA}/scripts/c/"
    assert judged((), folders=(folder,)) == [(PathProblem.SCRIPT_FOLDER, folder)]
    assert judged((), folders=("a\u200b/",)) == [(PathProblem.INVISIBLE, "a\u200b/")]


def test_findings_are_bounded_and_deep_paths_take_no_time() -> None:
    deep = tuple(f"{number}" + "/a" * 2000 for number in range(200))
    assert judged(deep) == []
    assert len(judged(tuple("a" + "/a" * number for number in range(1500)))) == 1000
