"""The end of a build on macOS and Windows: the wheel stays as it is, and its faults are said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

import machowriter as m
import pewriter
from manyshim import build
from manyshim.audit.request import Allowance
from manyshim.config import Config
from manyshim.errors import NotCompliantError
from manyshim.workspace import private_folder
from paths import BACKEND
from wheelwriter import save, wheel, wheel_name

MAC, WINDOWS = "cp311-cp311-macosx_11_0_arm64", "cp311-cp311-win_amd64"
SO, PYD = "demo/_x.cpython-311-darwin.so", "demo/_x.cp311-win_amd64.pyd"
GOOD = m.module()
OTHER = m.module("x86_64", 10, 9)
FAR = m.thin(m.build(1, 11), m.dylib("/opt/l.dylib"), m.extent(m.SIGNATURE, 0, 16), kind=m.BUNDLE)


@pytest.fixture(autouse=True)
def _no_other_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CIBUILDWHEEL", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


def finish(folder: Path, files: Dict[str, bytes], tag: str = MAC, **options: Any) -> List[str]:
    """Finish a wheel as the hook does; return the lines. It arrives byte by byte."""
    options.setdefault("libc", None)
    data, dist = wheel(files, tag=tag), folder / "dist"
    with private_folder(str(dist)) as private:
        built = Path(private, wheel_name(tag=tag))
        built.write_bytes(data)
        result = build.finish(str(built), str(dist), Config(**options))
    assert (dist / result.filename).read_bytes() == data
    assert result.filename == wheel_name(tag=tag)
    return result.lines


@pytest.mark.parametrize("strict", [False, True])
def test_nothing_is_said_of_a_true_wheel(strict: bool, tmp_path: Path) -> None:  # noqa: FBT001
    assert finish(tmp_path, {SO: GOOD}, strict=strict) == []
    module = pewriter.write({"python311.dll": ("PyLong_AsLong",)})
    assert finish(tmp_path, {PYD: module}, WINDOWS, strict=strict) == []


def test_a_false_tag_is_a_warning_and_an_error_with_strict(tmp_path: Path) -> None:
    line, fix = finish(tmp_path, {SO: OTHER})
    assert line == (
        f"warning: {SO} has code for x86_64, but none for arm64, which the tag "
        "macosx_11_0_arm64 promises [MISSING_SLICE]"
    )
    assert fix.startswith("  build the file for each architecture")
    with pytest.raises(NotCompliantError) as caught:
        finish(tmp_path / "strict", {SO: OTHER}, strict=True)
    assert "audited, with errors: MISSING_SLICE (strict " in str(caught.value.lines[0])
    assert caught.value.lines[1].startswith(f"error: {SO} has code for x86_64")


def test_what_is_allowed_fails_no_build(tmp_path: Path) -> None:
    allow = (Allowance("MISSING_SLICE", "*"),)
    (line, _) = finish(tmp_path, {SO: OTHER}, strict=True, allow=allow)
    assert line.endswith("(allowed) [MISSING_SLICE]")


@pytest.mark.parametrize("strict", [False, True])
def test_libraries_are_warnings_only(strict: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Delocate and delvewheel run later."""
    line, _ = finish(tmp_path, {SO: FAR}, strict=strict)
    assert line.startswith(f"warning: {SO} needs /opt/l.dylib")
    module = pewriter.write({"foo.dll": (), "msvcp140.dll": (), "ucrtbased.dll": ()})
    lines = finish(tmp_path, {PYD: module}, WINDOWS, strict=strict)
    kinds = [line.rpartition("[")[2] for line in lines if not line.startswith(" ")]
    assert sorted(kinds) == ["DEBUG_RUNTIME]", "VC_RUNTIME]", "WINDOWS_LIBRARY]"]
    assert {line.partition(":")[0] for line in lines if not line.startswith(" ")} == {"warning"}


def test_nothing_is_said_under_cibuildwheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIBUILDWHEEL", "1")
    assert finish(tmp_path, {SO: OTHER}, strict=True) == []


def test_nothing_is_said_with_mode_off_or_on_linux(tmp_path: Path) -> None:
    assert finish(tmp_path, {SO: OTHER}, strict=True, mode="off") == []
    assert finish(tmp_path, {SO: OTHER}, libc="glibc") == []


def test_other_rules_say_nothing(tmp_path: Path) -> None:
    """A build says nothing about RECORD; `check` does."""
    assert finish(tmp_path, {SO: GOOD, "demo-1.0.data/purelib/x.py": b""}) == []


def test_the_report_is_written(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    finish(tmp_path, {SO: OTHER}, report=str(report))
    data = json.loads(report.read_text())
    (found,) = data["wheels"][0]["findings"] if "wheels" in data else data["findings"]
    assert (found["kind"], found["severity"]) == ("MISSING_SLICE", "warning")


POSIX_ONLY = ("fcntl", "pwd", "grp", "resource", "termios", "pty", "syslog", "posix")
CODE = f"""if 1:
    import sys
    for name in {POSIX_ONLY[:-1]!r}:
        sys.modules[name] = None
    import os
    for name in ("fork", "getuid", "geteuid", "chown", "mkfifo", "O_NOFOLLOW", "O_NONBLOCK",
                 "sched_getaffinity", "uname"):
        if hasattr(os, name):
            delattr(os, name)
    from manyshim.cli.main import main
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", ["show", "check"])
@pytest.mark.parametrize("tag", [MAC, WINDOWS, "cp311-cp311-ios_13_0_arm64_iphoneos"])
def test_no_posix_module_is_on_the_way(command: str, tag: str, tmp_path: Path) -> None:
    """So both commands run on Windows."""
    files = {SO: GOOD, "demo/x.dll": pewriter.write({"KERNEL32.dll": ("Sleep",)})}
    path = save(tmp_path, wheel(files, tag=tag), wheel_name(tag=tag))
    done = subprocess.run(
        [sys.executable, "-c", CODE, command, str(path)],
        env={**os.environ, "PYTHONPATH": str(BACKEND)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode in (0, 1)
    assert wheel_name(tag=tag) in done.stdout
