"""Slices of macOS files that are missing, unsigned or for another system."""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

import pytest

from manyshim.audit.nativefacts import IOS, IOS_SIMULATOR, MACHO_BUNDLE, MACOS, Broken, Built, Dylib
from nativerules import LIBRARY, MODULE, PYD, SCRIPT, File, Row, findings, macho, part, rows, said

INTEL = part("x86_64", (10, 9))
CATALYST = 6
CASES: Dict[str, Tuple[str, Sequence[File], List[Row]]] = {
    "both": ("macosx_10_9_universal2", [macho(MODULE, INTEL, part())], []),
    "one of two": (
        *("macosx_10_9_universal2", [macho(MODULE, INTEL)]),
        [("error", "MISSING_SLICE", MODULE, "arm64")],
    ),
    "a library that nothing reaches": (
        *("macosx_11_0_arm64", [macho(MODULE), macho(LIBRARY, INTEL)]),
        [("error", "MISSING_SLICE", LIBRARY, "arm64")],
    ),
    "a library of its own for each": (
        "macosx_10_9_universal2",
        [
            macho(
                MODULE,
                INTEL._replace(needed=(Dylib("@loader_path/libold.dylib"),)),
                part(needed=("@loader_path/libnew.dylib",)),
            ),
            *(macho("pkg/libold.dylib", INTEL), macho("pkg/libnew.dylib", part())),
        ],
        [],
    ),
    "a library that both need": (
        "macosx_10_9_universal2",
        [
            macho(
                MODULE,
                INTEL._replace(needed=(Dylib("@loader_path/libold.dylib"),)),
                part(needed=("@loader_path/libold.dylib",)),
            ),
            macho("pkg/libold.dylib", INTEL),
        ],
        [("error", "MISSING_SLICE", "pkg/libold.dylib", "arm64")],
    ),
    "a bundle, by content": (
        *("macosx_11_0_arm64", [macho("pkg/data.bin", INTEL._replace(type=MACHO_BUNDLE))]),
        [("error", "MISSING_SLICE", "pkg/data.bin", "arm64")],
    ),
    "arm64e is not arm64": (
        *("macosx_11_0_arm64", [macho(MODULE, part("arm64e"))]),
        [("error", "MISSING_SLICE", MODULE, "arm64")],
    ),
    "x86_64h is not x86_64": (
        *("macosx_10_9_x86_64", [macho(MODULE, part("x86_64h", (10, 9)))]),
        [("error", "MISSING_SLICE", MODULE, "x86_64")],
    ),
    "without i386": (
        *("macosx_10_9_intel", [macho(MODULE, INTEL)]),
        [("info", "MISSING_SLICE", MODULE, "i386")],
    ),
    "more than the tag": ("macosx_11_0_arm64", [macho(MODULE, INTEL, part())], []),
    "unsigned": (
        *("macosx_11_0_arm64", [macho(MODULE, part(signed=False))]),
        [("error", "UNSIGNED", MODULE, "arm64")],
    ),
    "unsigned x86_64": ("macosx_10_9_x86_64", [macho(MODULE, INTEL._replace(signed=False))], []),
    "unsigned for iOS": (
        *("ios_13_0_arm64_iphoneos", [macho(MODULE, part(system=IOS, signed=False))]),
        [],
    ),
    "iOS in a wheel for macOS": (
        *("macosx_11_0_arm64", [macho(MODULE, part(system=IOS, signed=False))]),
        [("error", "WRONG_PLATFORM", MODULE, "iOS")],
    ),
    "a slice of two": (
        *("macosx_10_9_universal2", [macho(MODULE, INTEL, part(system=IOS_SIMULATOR))]),
        [("error", "WRONG_PLATFORM", MODULE, "the iOS simulator")],
    ),
    "macOS in a wheel for iOS": (
        *("ios_13_0_arm64_iphoneos", [macho(MODULE, part())]),
        [("error", "WRONG_PLATFORM", MODULE, "macOS")],
    ),
    "the simulator in a wheel for iPhones": (
        *("ios_13_0_arm64_iphoneos", [macho(MODULE, part(system=IOS_SIMULATOR))]),
        [("error", "WRONG_PLATFORM", MODULE, "the iOS simulator")],
    ),
    "the simulator": (
        *("ios_13_0_arm64_iphonesimulator", [macho(MODULE, part(system=IOS_SIMULATOR))]),
        [],
    ),
    "macOS and Catalyst": (
        "macosx_11_0_arm64",
        [macho(MODULE, part(builds=(Built(MACOS, (11, 0, 0)), Built(CATALYST, (14, 0, 0)))))],
        [],
    ),
    "no system": ("macosx_11_0_arm64", [macho(MODULE, part(builds=()))], []),
    "a program": (
        *("macosx_11_0_arm64", [macho(SCRIPT, INTEL)]),
        [("error", "MISSING_SLICE", SCRIPT, "arm64")],
    ),
    "a broken module": (
        *("macosx_11_0_arm64", [Broken(MODULE, "cut off")]),
        [("error", "CODE_CORRUPT", MODULE, "cut off")],
    ),
    "a broken pyd": (
        *("win_amd64", [Broken(PYD, "cut off")]),
        [("error", "CODE_CORRUPT", PYD, "cut off")],
    ),
    "a broken program": (
        *("macosx_11_0_arm64", [Broken(SCRIPT, "cut off")]),
        [("error", "CODE_CORRUPT", SCRIPT, "cut off")],
    ),
    "broken data": (
        *("macosx_11_0_arm64", [Broken("pkg/tests/data.bin", "cut off")]),
        [("warning", "CODE_CORRUPT", "pkg/tests/data.bin", "cut off")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_slices(name: str) -> None:
    platform, files, expected = CASES[name]
    found = [one for one in findings(platform, *files) if one.kind != "MACOS_VERSION"]
    assert rows(found) == expected


def test_an_architecture_that_a_file_has_twice_is_named_once() -> None:
    found = findings("macosx_10_9_universal2", macho(MODULE, INTEL, INTEL))
    assert "has code for x86_64, but none for arm64" in said(found)
