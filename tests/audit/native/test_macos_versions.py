"""The releases of macOS and iOS that files need, and the tags that promise them."""

from __future__ import annotations

from typing import List, NamedTuple, Tuple

import pytest

from manyshim.audit.macos.context import context, right_tags
from manyshim.audit.macos.promises import promises
from manyshim.audit.nativefacts import IOS, IOS_SIMULATOR, MACOS, MachoFile
from manyshim.audit.tags import parse_wheel_name
from nativerules import LIBRARY, MODULE, facts_of, findings, macho, part, rows, said


class Case(NamedTuple):
    """A platform tag, slices of one file, and the severity and architecture of each finding."""

    platform: str
    slices: Tuple[object, ...]
    found: List[Tuple[str, str]]
    tags: str = "cp311-cp311"


INTEL = "macosx_10_9_x86_64"
CASES = {
    "equal": Case("macosx_11_0_arm64", (part(),), []),
    "newer": Case("macosx_11_0_arm64", (part(version=(12, 0)),), [("error", "arm64")]),
    "a minor version": Case("macosx_13_0_arm64", (part(version=(13, 3)),), [("warning", "arm64")]),
    "a minor of the next": Case(
        "macosx_13_0_arm64", (part(version=(14, 1)),), [("error", "arm64")]
    ),
    "a patch": Case("macosx_13_0_arm64", (part(version=(13, 0, 1)),), []),
    "a minor in the tag": Case(
        "macosx_13_3_arm64", (part(version=(13, 3)),), [("warning", "arm64")]
    ),
    "older": Case("macosx_13_0_arm64", (part(version=(11, 0)),), []),
    "arm64 begins with 11": Case("macosx_10_9_universal2", (part("x86_64", (10, 9)), part()), []),
    "the old number of 11": Case("macosx_10_16_x86_64", (part("x86_64", (11, 0)),), []),
    "10.13 before 10.13": Case(INTEL, (part("x86_64", (10, 13)),), [("error", "x86_64")]),
    "any Python needs 10.9": Case("macosx_10_6_x86_64", (part("x86_64", (10, 9)),), []),
    "CPython 3.12 needs 10.13": Case(INTEL, (part("x86_64", (10, 13)),), [], "cp312-cp312"),
    "3.12 and later": Case(INTEL, (part("x86_64", (10, 13)),), [], "cp312-abi3"),
    "not 10.14": Case(INTEL, (part("x86_64", (10, 14)),), [("error", "x86_64")], "cp312-cp312"),
    "CPython 3.14 needs 10.15": Case(INTEL, (part("x86_64", (10, 15)),), [], "cp314-cp314"),
    "the oldest counts": Case(
        INTEL, (part("x86_64", (10, 13)),), [("error", "x86_64")], "cp311.cp312-none"
    ),
    "py3 says nothing": Case(INTEL, (part("x86_64", (10, 13)),), [("error", "x86_64")], "py3-none"),
    "the oldest tag": Case(
        "macosx_12_0_arm64.macosx_11_0_arm64", (part(version=(12, 0)),), [("error", "arm64")]
    ),
    "not for this tag": Case("macosx_11_0_arm64", (part(), part("x86_64", (14, 0))), []),
    "i386": Case("macosx_10_6_intel", (part("i386", (10, 15)), part("x86_64", (10, 6))), []),
    "ppc": Case("macosx_10_3_fat", (part("ppc", (10, 5)), part("i386", (10, 5))), []),
    "no version": Case("macosx_11_0_arm64", (part(builds=()),), []),
    "chained fixups": Case(
        INTEL, (part("x86_64", (10, 9), oldest_dyld=(10, 15, 0)),), [("error", "x86_64")]
    ),
    "chained fixups, known": Case(
        "macosx_10_15_x86_64", (part("x86_64", (10, 9), oldest_dyld=(10, 15, 0)),), []
    ),
    "iOS": Case("ios_13_0_arm64_iphoneos", (part(version=(13, 0), system=IOS),), []),
    "newer iOS": Case(
        "ios_13_0_arm64_iphoneos", (part(version=(14, 0), system=IOS),), [("error", "arm64")]
    ),
    "the first simulator on arm64": Case(
        "ios_13_0_arm64_iphonesimulator", (part(version=(14, 0), system=IOS_SIMULATOR),), []
    ),
    "a newer simulator": Case(
        "ios_13_0_arm64_iphonesimulator",
        (part(version=(15, 0), system=IOS_SIMULATOR),),
        [("error", "arm64")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_version_beyond_the_tag(name: str) -> None:
    case = CASES[name]
    found = findings(case.platform, MachoFile(MODULE, case.slices), tags=case.tags)  # type: ignore[arg-type]
    of_kind = [one for one in found if one.kind == "MACOS_VERSION"]
    assert [(one.severity, one.subject) for one in of_kind] == case.found
    assert all(one.path == MODULE and one.required for one in of_kind)


# The newest releases of two files by architecture, and the tags that these prove.
RIGHT = {
    "macosx_12_0_universal2": [part("x86_64", (12, 0)), part(version=(12, 0))],
    "macosx_10_13_universal2": [part("x86_64", (10, 13)), part(version=(11, 0))],
    "macosx_10_13_x86_64.macosx_12_0_arm64": [part("x86_64", (10, 13)), part(version=(12, 0))],
    "macosx_11_0_arm64.macosx_12_0_x86_64": [part("x86_64", (12, 0)), part(version=(11, 0))],
    "macosx_13_0_x86_64": [part("x86_64", (13, 3))],
    "macosx_13_0_arm64": [part(version=(13, 3))],
}


@pytest.mark.parametrize("expected", RIGHT)
def test_the_right_tag_is_named(expected: str) -> None:
    files = (
        macho(MODULE, *RIGHT[expected]),
        macho(
            LIBRARY,
            *(
                one._replace(builds=(one.builds[0]._replace(minimum=(10, 9, 0)),))
                for one in RIGHT[expected]
            ),
        ),
    )
    found = context(facts_of("macosx_10_9_universal2", files), files)
    assert ".".join(right_tags(found)) == expected


def test_an_architecture_that_a_file_lacks_is_in_no_right_tag() -> None:
    both = macho(MODULE, part("x86_64", (10, 9)), part())
    found = findings("macosx_10_9_universal2", both, macho(LIBRARY, part("x86_64", (12, 0))))
    assert rows(found) == [
        ("error", "MACOS_VERSION", LIBRARY, "x86_64"),
        ("error", "MISSING_SLICE", LIBRARY, "arm64"),
    ]
    assert "use macosx_12_0_x86_64, or build" in said(found)
    assert "or use the tag macosx_12_0_x86_64" in said(found)


def test_the_sentence_has_both_versions_and_the_tag() -> None:
    (found,) = findings("macosx_10_9_x86_64", macho(MODULE, part("x86_64", (13, 0))))
    assert said([found]).split("\n")[0] == (
        "needs macOS 13.0 on x86_64, but with the tag macosx_10_9_x86_64 installers put it on "
        "macOS 10.9, too"
    )


PROMISES = {
    "macosx_10_9_universal2": [("x86_64", (10, 9)), ("arm64", (11, 0))],
    "macosx_10_6_intel": [("i386", (10, 6)), ("x86_64", (10, 6))],
    "macosx_12_3_arm64": [("arm64", (12, 0))],
    "MACOSX_14_0_ARM64": [("arm64", (14, 0))],
    "macosx_10_9_intel.macosx_10_9_x86_64.macosx_10_10_intel": [
        ("i386", (10, 9)),
        ("x86_64", (10, 9)),
    ],
    "macosx_11_arm64": [],
    "macosx_99999_0_arm64": [],
    "win_amd64": [],
    "any": [],
}


@pytest.mark.parametrize("platform", PROMISES)
def test_what_tags_promise(platform: str) -> None:
    name = parse_wheel_name(f"demo-1.0-cp311-cp311-{platform}.whl")
    assert name is not None
    found = [(one.arch, one.oldest) for one in promises(name)]
    assert found == PROMISES[platform]
    assert {one.system for one in promises(name)} <= {MACOS}
