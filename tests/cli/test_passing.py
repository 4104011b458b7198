"""Wheels that no tag is for pass `retag` and `repair` unchanged, beside those that get a tag."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from commandline import run
from elfwriter import TARGETS, Elf, Symbol, write
from mounting import mounted
from wheelwriter import record_text, save, wheel, wheel_name

EXTENSION = "demo/_x.cpython-311-x86_64-linux-gnu.so"
INIT = Symbol("PyInit__x", defined=True)
LINUX = write(Elf(needed=("libc.so.6",), symbols=(INIT,)))
ARM = write(replace(TARGETS["armv7l"], needed=("libc.so.6",), symbols=(INIT,)))
TAG = "py3-none-any"
COMMANDS = pytest.mark.parametrize("command", ["retag", "repair"])
PURE = "a pure wheel: there is no machine code to audit"

# By name: the platform of the wheel, an extension, and why it keeps its tag.
PASSING: Dict[str, Tuple[str, bytes, str]] = {
    "pure": ("any", b"", PURE),
    "macos": ("macosx_11_0_arm64", b"", "for macOS: audited, no errors"),
    "windows": ("win_amd64", b"", "for Windows: audited, no errors"),
    "android": ("android_21_arm64_v8a", LINUX, "for Android: not audited"),
    "ios": ("ios_13_0_arm64_iphoneos", b"", "for iOS: audited, no errors"),
    "pyodide": ("pyodide_2024_0_wasm32", b"", "for Emscripten: not audited"),
    "armv6l": ("linux_armv6l", ARM, "no policy is defined for the architecture armv6l"),
}
EVERY = pytest.mark.parametrize("name", PASSING)


def make(folder: Path, name: str) -> Path:
    """Write a wheel that keeps its tag, with a time and a mode of its own."""
    platform, elf, _ = PASSING[name]
    tag = f"py3-none-{platform}" if platform == "any" else f"cp311-abi3-{platform}"
    files = {"demo/__init__.py": name.encode(), **({"demo/_x.abi3.so": elf} if elf else {})}
    folder.mkdir(exist_ok=True)
    path = save(folder, wheel(files, name=name, tag=tag), wheel_name(name, tag=tag))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def compiled(folder: Path, **fields: object) -> Path:
    folder.mkdir(exist_ok=True)
    elf = write(Elf(**{"needed": ("libc.so.6",), "symbols": (INIT,), **fields}))  # type: ignore[arg-type]
    return save(folder, wheel({EXTENSION: elf}), wheel_name())


def files(folder: Path) -> List[str]:
    """List all that a folder holds; empty if it does not exist."""
    return sorted(os.listdir(folder)) if folder.exists() else []


@EVERY
@COMMANDS
def test_it_is_copied_byte_by_byte_with_one_line(command: str, name: str, tmp_path: Path) -> None:
    path, out = make(tmp_path / "dist", name), tmp_path / "out"
    done = run(command, path, "-w", out)
    assert (done.returncode, done.stderr) == (0, "")
    line = f"{path.name} is copied to {out} unchanged; {PASSING[name][2]}\n"
    assert done.stdout == line
    assert files(out) == [path.name]
    assert (out / path.name).read_bytes() == path.read_bytes()


@EVERY
@COMMANDS
def test_in_its_own_folder_nothing_happens(command: str, name: str, tmp_path: Path) -> None:
    path = make(tmp_path / "dist", name)
    (tmp_path / "link").symlink_to("dist")
    before = path.stat()
    for folder in (path.parent, tmp_path / "link"):
        done = run(command, path, "-w", folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{path.name} stays as it is; {PASSING[name][2]}\n"
    assert files(path.parent) == [path.name]
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@EVERY
def test_a_platform_does_not_apply(name: str, tmp_path: Path) -> None:
    path, out = make(tmp_path / "dist", name), tmp_path / "out"
    done = run("repair", path, "-w", out, "--platform", "manylinux_2_28")
    assert done.returncode == 0
    end = f"{PASSING[name][2]}; --platform manylinux_2_28 does not apply\n"
    assert done.stdout == f"{path.name} is copied to {out} unchanged; {end}"
    assert (out / path.name).read_bytes() == path.read_bytes()


@EVERY
@COMMANDS
def test_strict_lets_it_pass(command: str, name: str, tmp_path: Path) -> None:
    path = make(tmp_path / "dist", name)
    done = run(command, path, "-w", tmp_path / "out", "--strict")
    assert (done.returncode, files(tmp_path / "out")) == (0, [path.name])


@EVERY
def test_there_is_nothing_to_strip_or_to_fix(name: str, tmp_path: Path) -> None:
    path, out = make(tmp_path / "dist", name), tmp_path / "out"
    done = run("repair", path, "-w", out, "--strip", "all", "--fix", "execstack")
    assert done.returncode == 0
    assert (out / path.name).read_bytes() == path.read_bytes()
    end = "" if name == "pure" else "; --fix and --strip do not apply"
    assert done.stdout.endswith(f"{PASSING[name][2]}{end}\n")


@EVERY
def test_a_dry_run_says_the_same_and_writes_nothing(name: str, tmp_path: Path) -> None:
    path, out = make(tmp_path / "dist", name), tmp_path / "out"
    why = PASSING[name][2]
    for folder, words in (
        ([], "would be copied unchanged"),
        (["-w", out], f"would be copied to {out} unchanged"),
        (["-w", path.parent], "stays as it is"),
    ):
        done = run("repair", "--dry-run", path, *folder)
        assert (done.returncode, done.stdout) == (0, f"{path.name} {words}; {why}\n")
    assert files(tmp_path) == ["dist"]
    assert files(path.parent) == [path.name]


@EVERY
@pytest.mark.parametrize("variable", ["AUDITWHEEL_PLAT", "MANYSHIM_PLATFORM"])
def test_the_platform_of_an_image_changes_no_line(variable: str, name: str, tmp_path: Path) -> None:
    path, out = make(tmp_path / "dist", name), tmp_path / "out"
    done = run("repair", path, "-w", out, **{variable: "manylinux_2_28_x86_64"})
    assert done.returncode == 0
    assert done.stdout == f"{path.name} is copied to {out} unchanged; {PASSING[name][2]}\n"


@COMMANDS
def test_a_whole_folder_of_wheels_arrives(command: str, tmp_path: Path) -> None:
    paths = [make(tmp_path / "dist", name) for name in PASSING]
    linux = compiled(tmp_path / "dist")
    done = run(command, *paths, linux, "-w", tmp_path / "out")
    assert done.returncode == 0
    (retagged,) = {*files(tmp_path / "out")} - {path.name for path in paths}
    assert "manylinux_2_5_x86_64" in retagged
    assert len(files(tmp_path / "out")) == len(paths) + 1


@COMMANDS
def test_a_linux_wheel_without_a_tag_does_not_pass(command: str, tmp_path: Path) -> None:
    pure = make(tmp_path / "dist", "pure")
    bad = compiled(tmp_path / "dist", needed=("libno-such.so.1", "libc.so.6"))
    empty = save(tmp_path, wheel({"demo/x.py": b""}, name="empty"), wheel_name("empty"))
    done = run(command, pure, bad, empty, "-w", tmp_path / "out")
    assert (done.returncode, files(tmp_path / "out")) == (1, [pure.name])


@pytest.mark.parametrize(
    ("tag", "member", "kind"),
    [
        ("py3-none-any", (EXTENSION, LINUX), "ELF_IN_PURE_WHEEL"),
        ("py3-none-any", (EXTENSION, LINUX[:90]), "ELF_CORRUPT"),
        ("py3-none-any", ("../evil.py", b""), "BAD_PATH"),
        ("py3-none-win_amd64", ("/evil.py", b""), "BAD_PATH"),
    ],
)
def test_a_wheel_with_an_error_does_not_pass(
    tag: str, member: Tuple[str, bytes], kind: str, tmp_path: Path
) -> None:
    path = save(tmp_path, wheel(dict([member]), tag=tag), wheel_name(tag=tag))
    done = run("retag", path, "-w", tmp_path / "out")
    assert (done.returncode, files(tmp_path / "out")) == (1, [])
    assert f"[{kind}]" in done.stdout


def test_what_cannot_be_read_stays_an_error(tmp_path: Path) -> None:
    odd, damaged = tmp_path / "odd.whl", make(tmp_path / "dist", "pure")
    odd.write_bytes(damaged.read_bytes())
    damaged.write_bytes(damaged.read_bytes()[:-40])
    done = run("repair", odd, damaged, "-w", tmp_path / "out")
    assert (done.returncode, files(tmp_path / "out")) == (3, [])
    assert done.stderr.count("manyshim: error:") == 2


def test_a_member_that_is_damaged_stays_an_error(tmp_path: Path) -> None:
    tag = "py3-none-any"
    data = wheel({"demo/data.txt": b"the contents"}, tag=tag, compress=False)
    path = save(tmp_path, data.replace(b"the contents", b"no contents!"), wheel_name(tag=tag))
    for command in (["retag"], ["repair"], ["repair", "--dry-run"], ["retag", "--rebuild-record"]):
        done = run(*command, path, "-w", tmp_path / "out")
        assert (done.returncode, files(tmp_path / "out")) == (3, [])
        assert "demo/data.txt: its CRC does not match" in done.stderr


def test_the_target_is_replaced_by_one_rename(tmp_path: Path) -> None:
    path, out = make(tmp_path / "dist", "pure"), tmp_path / "out"
    out.mkdir()
    (out / "other").write_bytes(b"other")
    (out / path.name).symlink_to("other")
    assert run("retag", path, "-w", out).returncode == 0
    assert (out / path.name).read_bytes() == path.read_bytes()
    assert not (out / path.name).is_symlink()
    assert (out / "other").read_bytes() == b"other"
    assert files(out) == sorted(["other", path.name])


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of Unix")
def test_a_folder_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    path = make(tmp_path / "dist", "pure")
    (tmp_path / "out").write_bytes(b"a file")
    done = run("retag", path, "-w", tmp_path / "out")
    assert done.returncode == 4
    assert re.fullmatch(r"manyshim: error: .*out: cannot be written: .*\n", done.stderr)


@pytest.mark.skipif(os.name != "posix", reason="mounts a file system")
def test_a_full_disk_is_reported_without_the_private_folder(tmp_path: Path) -> None:
    path = save(tmp_path, wheel({"demo/data": os.urandom(20_000)}, tag=TAG), wheel_name(tag=TAG))
    out = tmp_path / "out"
    out.mkdir()
    with mounted(out, "size=8k"):
        done = run("retag", path, "-w", out)
        assert (done.returncode, done.stdout, files(out)) == (4, "", [])
    expected = f"manyshim: error: {path.name}: cannot be written: No space left on device\n"
    assert done.stderr == expected


def test_json_has_the_report(tmp_path: Path) -> None:
    path = make(tmp_path / "dist", "pure")
    done = run("retag", "--json", path, "-w", tmp_path / "out")
    (report,) = json.loads(done.stdout)["wheels"]
    assert (done.returncode, report["tag"], report["error"]) == (0, None, None)
    assert files(tmp_path / "out") == [path.name]


def test_a_wheel_that_passes_is_verified(tmp_path: Path) -> None:
    pairs = [("demo/a.py", b"old")]
    listing = "demo-1.0.dist-info/RECORD"
    tag = "py3-none-any"
    stale = record_text(pairs, listing)
    data = wheel({"demo/a.py": b"new"}, tag=tag, edit_record=lambda text: _with(text, stale))
    path, out = save(tmp_path, data, wheel_name(tag=tag)), tmp_path / "out"
    done = run("retag", path, "-w", out)
    assert (done.returncode, files(out)) == (1, [])
    assert "not written: RECORD states another hash" in done.stdout
    done = run("retag", "--rebuild-record", path, "-w", out)
    assert (done.returncode, files(out)) == (0, [path.name])
    assert f"{path.name} is copied to {out} with a new RECORD: 1 hash corrected; {PURE}" in (
        done.stdout
    )
    assert run("check", out / path.name).returncode == 0
    again = run("retag", "--rebuild-record", path, "-w", tmp_path)
    assert again.stdout == f"{path.name} gets a new RECORD: 1 hash corrected; {PURE}\n"
    assert path.read_bytes() == (out / path.name).read_bytes()


def _with(text: str, stale: str) -> str:
    """Return RECORD with its first row from another one."""
    return stale.splitlines(keepends=True)[0] + text.partition("\n")[2]
