"""scripts/survey_systems.py: what it keeps of a wheel, and the page."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

import machowriter as m
import needs
from datascripts import SCRIPTS
from nativejudges import differences
from wheelwriter import save, wheel, wheel_name

if sys.version_info < (3, 10):
    pytest.skip("the script needs Python 3.10", allow_module_level=True)

pytest.importorskip("auditwheel", reason="the other survey uses it")

from manyshim.audit.nativefacts import MachoFile, Slice
from survey_page import Firing
from survey_systems import judge
from systems_page import page, system_of

MAC, WINDOWS = "demo-1.0-cp311-abi3-macosx_11_0_arm64.whl", "demo-1.0-cp311-abi3-win_amd64.whl"


def result(name: str, differences: List[str], **counts: int) -> Dict[str, Any]:
    numbers = {"machos": 0, "slices": 0, "pes": 0, **counts}
    check = {"findings": [], "right_tags": ["macosx_13_0_arm64"] if name == MAC else []}
    return {"wheel": name, "check": check, "differences": differences, **numbers}


def test_a_wheel_is_judged_and_its_files_are_compared(tmp_path: Path) -> None:
    needs.llvm("llvm-objdump")
    needs.module("lief", since=(3, 10))
    tag = "cp311-abi3-macosx_11_0_arm64"
    commands = (m.build(1, 13), m.dylib("/usr/lib/libSystem.B.dylib"))
    files = {"demo/_x.abi3.so": m.thin(*commands, kind=m.BUNDLE)}
    found = judge(save(tmp_path, wheel(files, tag=tag), wheel_name(tag=tag)))
    kinds = [one["kind"] for one in found["check"]["findings"]]
    assert sorted(kinds) == ["MACOS_VERSION", "UNSIGNED"]
    assert (found["machos"], found["slices"], found["pes"]) == (1, 1, 0)
    assert found["differences"] == []


def test_a_difference_is_a_line(tmp_path: Path) -> None:
    needs.llvm("llvm-objdump")
    needs.module("lief", since=(3, 10))
    file = tmp_path / "x.so"
    file.write_bytes(m.thin(m.build(1, 13), kind=m.BUNDLE))
    lines = differences(MachoFile("x.so", (Slice("arm64", signed=True),)), file)
    assert [line.partition(":")[0] for line in lines] == ["llvm", "LIEF"]


def test_the_page() -> None:
    fired = [
        Firing("VC_RUNTIME", "warning", WINDOWS, "demo/_x.pyd", "needs a|b", "right", "why"),
        Firing("MACOS_VERSION", "error", MAC, "demo/_x.abi3.so", "needs macOS 13", "right", "why"),
    ]
    results = [result(MAC, [], machos=1, slices=2), result(WINDOWS, [], pes=3)]
    text = page(results, fired, {MAC: 1 << 20, WINDOWS: 3 << 19})
    assert "| macOS | 1 | 0 | 0 | 1 |\n" in text
    assert "| Windows | 1 | 0 | 1 | 0 |\n" in text
    assert "1 Mach-O files with 2 slices, and 3 PE files." in text
    verdict = "error; the right tag: macosx_13_0_arm64"
    why = "MACOS_VERSION (1): _x.abi3.so: needs macOS 13"
    assert f"| {MAC} | 1.0 | 1 | {verdict} | {why} |\n" in text
    assert f"| {WINDOWS} | 1.5 | 3 | warning | VC_RUNTIME (1): _x.pyd: needs a\\|b |\n" in text


def test_the_list_has_wheels_of_each_system() -> None:
    rows = json.loads((SCRIPTS / "data" / "systems.json").read_text(encoding="utf-8"))
    systems = [system_of(row["filename"]) for row in rows]
    assert systems.count("macOS") >= 120
    assert systems.count("Windows") >= 120
    assert systems.count("iOS") >= 5
