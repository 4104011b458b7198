"""`manyshim release` over real projects: what is built, kept, covered, and what is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, Mapping

import pytest

import needs
from manyshim.release.frontend import find_python
from releaseprojects import (
    ARM,
    MUSL,
    X86,
    environment,
    hashes,
    project,
    release,
    statuses,
)

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="zig compiles for Linux on Linux only"
    ),
]
OWN = f"3.{sys.version_info[1]}"
TAG = OWN.replace("3.", "cp3")


@pytest.fixture(name="environ")
def environment_of_builds(build_environment: Mapping[str, str]) -> Dict[str, str]:
    needs.tool("uv", "uv", needs.PYPI)
    return environment(build_environment)


def other_python() -> str:
    """Return another version of CPython that this machine has."""
    for minor in range(9, 15):
        version = f"3.{minor}"
        if version != OWN and find_python(version):
            return version
    return needs.unmet("a second CPython")


def test_a_release_is_built_and_its_second_run_builds_nothing(
    tmp_path: Path, environ: Dict[str, str]
) -> None:
    other = other_python()
    folder = project(tmp_path / "p", [X86, MUSL], [OWN, other])
    first = release(folder, environ)
    assert set(statuses(first).values()) == {"built"}
    assert len(first["builds"]) == 4
    assert all(one["seconds"] > 0 and one["cpu_seconds"] > 0 for one in first["builds"])
    assert first["check"]["summary"]["refused"] == 0
    before = hashes(folder / "dist")
    assert len(before) == 5
    times = {one.name: one.stat().st_mtime_ns for one in (folder / "dist").iterdir()}
    assert set(statuses(release(folder, environ)).values()) == {"kept"}
    for one in (folder / "dist").iterdir():
        assert one.name.startswith(".") or one.stat().st_mtime_ns == times[one.name]
    # One is lost, and one is damaged: both come back with the same bytes.
    lost = folder / "dist" / str(first["builds"][0]["file"])
    lost.unlink()
    (folder / "dist" / str(first["builds"][1]["file"])).write_bytes(b"damaged")
    again = release(folder, environ)
    assert list(statuses(again).values()) == ["built", "built", "kept", "kept"]
    assert hashes(folder / "dist") == before


def test_a_change_of_the_sources_builds_all_anew(tmp_path: Path, environ: Dict[str, str]) -> None:
    folder = project(tmp_path / "p", [X86], [OWN])
    release(folder, environ)
    before = hashes(folder / "dist")
    with (folder / "_c.c").open("a", encoding="utf-8") as file:
        file.write("int more;\n")
    assert statuses(release(folder, environ)) == {f"{TAG}-{X86}": "built"}
    after = hashes(folder / "dist")
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())


def test_an_abi3_wheel_is_built_once_and_the_same_in_each_part(
    tmp_path: Path, environ: Dict[str, str]
) -> None:
    other = other_python()
    folder = project(tmp_path / "p", [X86, ARM], [OWN, other], limited=True)
    whole = release(folder, environ)
    said = sorted(statuses(whole).values())
    assert said == ["built", "built", "covered", "covered"]
    whole_hashes = hashes(folder / "dist")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    union: Dict[str, str] = {}
    for number in (1, 2, 3):
        out = tmp_path / f"part{number}"
        release(folder, environ, f"--shard={number}/3", f"--sdist={sdist}", "-o", str(out))
        for name, digest in hashes(out).items():
            assert union.setdefault(name, digest) == digest
    assert union == whole_hashes


def test_what_cannot_be_built_costs_nothing_else(tmp_path: Path, environ: Dict[str, str]) -> None:
    """One platform is older than zig's glibc, and one Python is not there."""
    old = "manylinux_2_5_aarch64"
    folder = project(tmp_path / "p", [X86, old], [OWN, "3.99"])
    offline = {**environ, "UV_PYTHON_DOWNLOADS": "never"}
    found = release(folder, offline, code=1)
    assert statuses(found) == {
        f"{TAG}-{X86}": "built",
        f"cp399-{X86}": "failed",
        f"{TAG}-{old}": "failed",
        f"cp399-{old}": "failed",
    }
    reasons = {one["cell"]: " ".join(one["reason"]) for one in found["builds"]}
    assert reasons[f"{TAG}-{old}"].startswith(f"zig cannot compile for {old}: it has glibc 2.17")
    assert "3.99" in reasons[f"cp399-{X86}"]
    assert len(hashes(folder / "dist")) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_in_the_middle(tmp_path: Path, environ: Dict[str, str], number: int) -> None:
    """What is finished stays, no child goes on, and the next run builds the rest."""
    folder = project(tmp_path / "p", [X86, MUSL, ARM], [OWN])
    command = [sys.executable, "-m", "manyshim", "release", "--jobs=1"]
    with subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("built")
        time.sleep(1)
        process.send_signal(number)
        assert process.wait(20) == 130
    names = [one.name for one in (folder / "dist").iterdir()]
    assert [one for one in names if one.startswith(".manyshim-")] == [".manyshim-release.json"]
    assert not running_in(folder)
    said = list(statuses(release(folder, environ)).values())
    assert said.count("kept") >= 1
    assert set(said) == {"kept", "built"}


def running_in(folder: Path) -> List[str]:
    """Return the command lines of processes that work below a folder."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            where = os.readlink(one / "cwd")
            words = (one / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if where.startswith(str(folder)) or str(folder) in words:
            found.append(words)
    return found
