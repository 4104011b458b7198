"""Of a large wheel, `show` inflates what it needs only."""

from __future__ import annotations

from pathlib import Path

import pytest

import machowriter as m
import pewriter
from manyshim.audit.request import Request
from manyshim.operations import show
from wheelwriter import save, wheel, wheel_name
from zipwindows import noise, recorded

MEBIBYTE = 1 << 20


def test_of_a_wheel_for_macos_the_load_commands_are_inflated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = noise(10 * MEBIBYTE)
    files = {f"demo/_{number}.abi3.so": m.module() + body for number in range(5)}
    tag = "cp311-abi3-macosx_11_0_arm64"
    path = save(tmp_path, wheel(files, tag=tag), wheel_name(tag=tag))
    assert path.stat().st_size > 50 * MEBIBYTE
    windows = recorded(monkeypatch)
    outcome = show(str(path), Request())
    assert "for macOS: audited, no errors" in outcome.lines[1].text
    assert sum(window.inflated for window in windows) < 64 << 10


def test_of_a_wheel_for_windows_each_file_is_inflated_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Import tables are at the end of a file, and one pass reaches them."""
    start = pewriter.write({"KERNEL32.dll": ("Sleep",)}, filler=5 * MEBIBYTE)
    files = {f"demo/_{number}.pyd": start + noise(MEBIBYTE) for number in range(3)}
    tag = "cp311-abi3-win_amd64"
    path = save(tmp_path, wheel(files, tag=tag), wheel_name(tag=tag))
    windows = recorded(monkeypatch)
    outcome = show(str(path), Request())
    assert "for Windows: audited, no errors" in outcome.lines[1].text
    inflated = sum(window.inflated for window in windows)
    assert inflated < 3 * (5 * MEBIBYTE + MEBIBYTE // 2)
