"""update_index_tags.py with a warehouse of the test, and what the gate accepts."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

from datascripts import DATA, head_of, only_head, run_script, written
from manyshim.audit.gate.indextags import index_takes
from manyshim.audit.policy import index_metadata_versions
from strict_index_rules import PLATFORM_PATTERNS, STATIC_PLATFORMS

SCRIPT = "update_index_tags.py"
FILE = "index-tags.txt"
VERSIONS_FILE = "index-metadata.txt"

# A module like warehouse's, with its names and an equivalent rule.
MODULE = """\
import re
try:
    import newer
except ImportError, SyntaxError:  # what a later Python reads
    pass
_allowed_platforms = {{{plain}}}
_macosx_platform_re = re.compile(r"macosx_(?P<major>\\d+)_(?P<minor>\\d+)_(?P<arch>.*)")
_macosx_arches = {{{mac}}}
_macosx_major_versions = {{"11", "12", "13", "14", "15", "26"}}
_ios_platform_re = re.compile(
    r"ios_(\\d+)_(\\d+)_(?P<arch>.*)_(iphoneos|iphonesimulator)"
)
_ios_arches = {{"arm64", "x86_64"}}
_android_platform_re = re.compile(r"android_(\\d+)_(?P<arch>.*)")
_android_arches = {{"armeabi_v7a", "arm64_v8a", "x86", "x86_64"}}
_linux_platform_re = re.compile(r"(?P<libc>(many|musl))linux_(\\d+)_(\\d+)_(?P<arch>.*)")
_both = {{{both}}}
_manylinux_arches = _both | {{"ppc64"}}
_musllinux_arches = _both
_pyemscripten_platform_re = re.compile(r"pyemscripten_(?P<major>\\d+)_(?P<minor>\\d+)_wasm32")

def _valid_platform_tag(tag):
    mac = _macosx_platform_re.match(tag)
    linux = _linux_platform_re.match(tag)
    ios = _ios_platform_re.match(tag)
    android = _android_platform_re.match(tag)
    arches = {{"many": _manylinux_arches, "musl": _musllinux_arches}}
    return (
        tag in _allowed_platforms
        or (mac and mac["arch"] in _macosx_arches and mac["major"] == "10")
        or (mac and mac["major"] in _macosx_major_versions and mac["minor"] == "0")
        or (linux and linux["arch"] in arches[linux["libc"]])
        or (ios and ios["arch"] in _ios_arches)
        or (android and android["arch"] in _android_arches)
        or _pyemscripten_platform_re.match(tag)
    )

def something_else():
    return _elsewhere
"""


VERSIONS = """\
import newer
SUPPORTED_METADATA_VERSIONS = {%s}
_LENGTH_LIMITS = {
    "summary": 512,
}
"""


def warehouse(folder: Path, tags: str = "", versions: str = "") -> Path:
    """Write both modules, with the project's own rules unless other texts are given."""
    listed = ", ".join(f'"{version}"' for version in reversed(index_metadata_versions()))
    (folder / "legacy.py").write_text(tags or module())
    (folder / "metadata.py").write_text(versions or VERSIONS % listed)
    return folder / "legacy.py"


def records() -> List[List[str]]:
    lines = (DATA / FILE).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def module() -> str:
    """Return a module from which the script would write the project's own file."""
    table: Dict[str, List[str]] = {row[0]: row[1:] for row in records()}
    quoted = {
        "plain": [name for name, arches in table.items() if not arches and "{" not in name],
        "mac": table["macosx_10_{n}_{arch}"],
        "both": table["musllinux_{n}_{n}_{arch}"],
    }
    return MODULE.format(
        **{key: ", ".join(f'"{name}"' for name in names) for key, names in quoted.items()}
    )


def test_file_is_the_same_after_a_round_trip(tmp_path: Path) -> None:
    legacy = warehouse(tmp_path)
    paths = [only_head(FILE, tmp_path), only_head(VERSIONS_FILE, tmp_path)]
    commit = head_of(paths[0].read_text())["source"][len("warehouse ") : -len(" (Apache-2.0)")]
    done = run_script(SCRIPT, tmp_path, legacy, "--commit", commit)
    for path in paths:
        assert written(done, path) == (DATA / path.name).read_bytes()


def test_head_names_the_commit_of_the_checkout(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    warehouse(checkout)
    git = ["git", "-C", str(checkout), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    day = "2030-05-06T07:08:09+00:00"
    environment = {"PATH": os.environ["PATH"], "GIT_COMMITTER_DATE": day}
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x", "--date", day]):
        subprocess.run([*git, *command], check=True, env=environment)
    commit = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout[:12]
    done = run_script(SCRIPT, tmp_path, checkout / "legacy.py")
    head = head_of(written(done, tmp_path / FILE).decode())
    assert head["source"] == f"warehouse {commit} of 2030-05-06 (Apache-2.0)"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("in _ios_arches", "in _tvos_arches", ": _ios_arches _tvos_arches\n"),
        ('== "0"', '== "1"', ": 0 1\n"),
        ("_android_arches = {", "_arches = {", ": _android_arches\n"),
        ("_valid_platform_tag", "_valid_tag", "there is no _allowed_platforms with"),
        ("android_(", "android(-[a-z])?_(", "the pattern android(-[a-z])?_("),
    ],
)
def test_a_rule_with_another_structure_is_refused(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    assert old in module()
    legacy = warehouse(tmp_path, tags=module().replace(old, new))
    path = only_head(FILE, tmp_path)
    before = path.read_bytes()
    done = run_script(SCRIPT, tmp_path, legacy, "--commit", "0")
    assert done.returncode == 1
    assert named in done.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("listed", ["", '"1.0", "two"', '*OLD, "2.1"'])
def test_another_form_of_the_versions_is_refused(tmp_path: Path, listed: str) -> None:
    legacy = warehouse(tmp_path, versions=(VERSIONS % listed).replace("{}", "set()"))
    path = only_head(FILE, tmp_path)
    before = path.read_bytes()
    done = run_script(SCRIPT, tmp_path, legacy, "--commit", "0")
    assert done.returncode == 1
    assert "SUPPORTED_METADATA_VERSIONS" in done.stderr
    assert path.read_bytes() == before


SYSTEMS = (
    *("any", "linux", "win", "win32", "manylinux", "manylinux1", "manylinux2010", "manylinux3"),
    *("manylinux2014", "musllinux", "musllinux1", "macosx", "ios", "android", "pyodide"),
    *("pyemscripten", "freebsd"),
)
NUMBERS = (
    *("", "_1", "_27", "_1_2", "_2_17", "_2_17_1", "_10_0", "_10_15", "_11_0", "_11_1", "_12_0"),
    *("_13_0", "_13_1", "_14_0", "_15_0", "_16_0", "_25_0", "_26_0", "_26_1", "_x_y"),
)
MACHINES = (
    *("", "_x86_64", "_i686", "_i386", "_aarch64", "_arm64", "_armv6l", "_armv7l", "_ppc"),
    *("_ppc64", "_ppc64le", "_s390x", "_riscv64", "_loongarch64", "_amd64", "_ia64", "_wasm32"),
    *("_intel", "_fat", "_fat3", "_fat64", "_universal", "_universal2", "_x86"),
    *("_armeabi_v7a", "_arm64_v8a", "_arm64_iphoneos", "_x86_64_iphonesimulator"),
    *("_i386_iphoneos", "_iphoneos"),
)


def test_audit_accepts_the_tags_of_the_strict_index() -> None:
    tags = ["".join(parts) for parts in itertools.product(SYSTEMS, NUMBERS, MACHINES)]
    taken = {
        tag
        for tag in tags
        if tag in STATIC_PLATFORMS or any(rule.match(tag) for rule in PLATFORM_PATTERNS)
    }
    assert {tag for tag in tags if index_takes(tag)} == taken
    assert len(taken) > 200


@pytest.mark.parametrize(
    "tag", ["", "any ", "anything", "xany", "win32\n", "ios_13_0_arm64", "{n}"]
)
def test_tag_must_match_completely(tag: str) -> None:
    assert not index_takes(tag)
