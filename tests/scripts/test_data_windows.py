"""update_windows_dlls.py with lists of the test, and the data as the rules read them."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest

from datascripts import DATA, only_head, run_script, written
from manyshim.audit.windows.systemdlls import is_there, some_windows_has

SCRIPT, FILE = "update_windows_dlls.py", "windows-dlls.txt"
LISTS: Dict[str, str] = {
    "10/System32.txt": "Kernel32.dll\nwinspool.drv\nboth.dll\nold.dll\nreadme.txt\n",
    "11/System32.txt": "KERNEL32.dll\nwinspool.drv\nboth.dll\nnew.dll\n",
    "10-arm64/System32-arm64.txt": "kernel32.dll\nboth.dll\n",
    "11-arm64/System32-arm64.txt": "kernel32.dll\nboth.dll\n",
    "10/SysWOW64.txt": "kernel32.dll\n",
    "11/SysWOW64.txt": "kernel32.dll\nname with spaces.dll\n",
    "7 SP1/System32.txt": "seven.dll\n",
}


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "dll_lists"
    for name, text in LISTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_names_are_grouped_by_architecture(lists: Path, tmp_path: Path) -> None:
    path = only_head(FILE, tmp_path)
    done = run_script(SCRIPT, tmp_path, str(lists), "--commit", "0123456789ab of 2026-01-01")
    lines = written(done, path).decode().splitlines()
    assert "dll_lists of delvewheel 0123456789ab of 2026-01-01 (MIT)" in lines[0]
    assert lines[2:] == [
        "amd64 winspool.drv",
        "amd64,arm64 both.dll",
        "amd64,arm64,x86 kernel32.dll",
        "some new.dll old.dll seven.dll",
    ]


def test_a_list_that_is_empty_is_an_error(lists: Path, tmp_path: Path) -> None:
    (lists / "11" / "SysWOW64.txt").write_text("other.dll\n")
    done = run_script(SCRIPT, tmp_path, str(lists), "--commit", "0")
    assert done.returncode
    assert "no DLL is in both" in done.stderr


def test_the_data_name_each_dll_once() -> None:
    lines = (DATA / FILE).read_text("utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    names = [name for _, *listed in rows for name in listed]
    assert len(names) == len(set(names))
    assert {arches for arches, *_ in rows} == {
        *("amd64", "arm64", "x86", "amd64,arm64", "amd64,x86", "amd64,arm64,x86", "some"),
    }
    assert all(len(line) <= 100 for line in lines[1:])


@pytest.mark.parametrize("machine", ["amd64", "x86", "arm64"])
def test_what_every_windows_has(machine: str) -> None:
    for name in ("kernel32.dll", "USER32.dll", "ws2_32.dll", "winspool.drv", "opengl32.dll"):
        assert is_there(name, machine, (3, 11))


def test_what_only_some_windows_has() -> None:
    assert not is_there("acwow64.dll", "amd64", None)
    assert some_windows_has("acwow64.dll")
    assert some_windows_has("aaclient.dll")
    assert not some_windows_has("libcrypto.dll")
    assert not some_windows_has("foo.dll")
