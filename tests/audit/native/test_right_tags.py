"""The platform tags that the files of a wheel prove."""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

import pytest

from manyshim.audit.native import native
from manyshim.audit.nativefacts import IOS, IOS_SIMULATOR
from manyshim.audit.request import Request
from nativerules import DLL, LIBRARY, MODULE, PYD, File, facts_of, macho, part, pe

INTEL = part("x86_64", (10, 13))
# By name: the platform in the name, the files, and the right tags.
CASES: Dict[str, Tuple[str, Sequence[File], List[str]]] = {
    "true": ("macosx_11_0_arm64", [macho(MODULE)], ["macosx_11_0_arm64"]),
    "older than the tag": ("macosx_14_0_arm64", [macho(MODULE)], ["macosx_11_0_arm64"]),
    "newer": (
        *("macosx_11_0_arm64", [macho(MODULE), macho(LIBRARY, part(version=(13, 3)))]),
        ["macosx_13_0_arm64"],
    ),
    "both": (
        *("macosx_10_9_universal2", [macho(MODULE, INTEL, part(version=(12, 0)))]),
        ["macosx_10_13_x86_64", "macosx_12_0_arm64"],
    ),
    "one slice": ("macosx_10_9_universal2", [macho(MODULE, INTEL)], ["macosx_10_13_x86_64"]),
    "another slice": ("macosx_11_0_arm64", [macho(MODULE, INTEL)], []),
    "no files of macOS": ("macosx_11_0_arm64", [], []),
    "iOS": (
        *("ios_13_0_arm64_iphoneos", [macho(MODULE, part(version=(14, 2), system=IOS))]),
        ["ios_14_2_arm64_iphoneos"],
    ),
    "the simulator": (
        "ios_13_0_arm64_iphonesimulator",
        [macho(MODULE, part(version=(13, 0), system=IOS_SIMULATOR))],
        ["ios_13_0_arm64_iphonesimulator"],
    ),
    "Windows": ("win_amd64", [pe(PYD)], ["win_amd64"]),
    "another machine": ("win_amd64", [pe(PYD, machine="arm64")], ["win_arm64"]),
    "a payload of another machine": ("win_amd64", [pe(DLL, machine="arm64")], ["win_amd64"]),
    "two machines": ("win_amd64", [pe(PYD), pe("pkg/_y.pyd", machine="x86")], []),
    "a machine without a tag": ("win_amd64", [pe(PYD, machine="0x1c4")], []),
    "no files of Windows": ("win_amd64", [], []),
}


@pytest.mark.parametrize("name", CASES)
def test_right_tags(name: str) -> None:
    platform, files, expected = CASES[name]
    assert list(native(facts_of(platform, files), Request()).right_tags) == expected
