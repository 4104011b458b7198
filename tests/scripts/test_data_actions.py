"""update_actions.py with repositories of the test; the pins of the project."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import needs
from datascripts import head_of, run_script, written
from manyshim.release import actions
from paths import REPOSITORY

SCRIPT = "update_actions.py"
DATA = REPOSITORY / "backend" / "manyshim" / "release" / "data"
HEAD = "# Few. Source: the tags a/one v1.0.0, taken on 2026-01-02. Written by scripts/{}\n"


def git(folder: Path, *words: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    command = [needs.tool("git", "git"), "-C", str(folder), *who, *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return done.stdout.strip()


@pytest.fixture(name="place")
def repositories(tmp_path: Path) -> Path:
    """Make a bare repository a/one with releases, an annotated one among them, and others."""
    work, bare = tmp_path / "work", tmp_path / "hub" / "a" / "one"
    work.mkdir()
    bare.mkdir(parents=True)
    git(work, "init", "-q")
    for tag in ("v1.0.0", "v1.9.0", "v1.10.0", "v1"):
        git(work, "commit", "-q", "--allow-empty", "-m", tag)
        git(work, "tag", *(["-a", "-m", "x"] if tag == "v1.10.0" else []), tag)
    for tag in ("v2.0.0-beta.1", "2.0.0", "release/v3.0.0"):
        git(work, "tag", tag)
    git(bare, "clone", "-q", "--bare", str(work), ".")
    return tmp_path / "hub"


def data(folder: Path, version: str, commit: str) -> Path:
    path = folder / "actions.txt"
    path.write_text(f"{HEAD.format(SCRIPT)}a/one {version} {commit}\n", encoding="utf-8")
    return path


def test_the_newest_release_is_written_with_its_commit(place: Path, tmp_path: Path) -> None:
    path = data(tmp_path, "v1.0.0", "0" * 40)
    right = git(place / "a" / "one", "rev-parse", "v1.10.0^{commit}")
    assert right != git(place / "a" / "one", "rev-parse", "v1.10.0"), "the tag is annotated"
    options = ["--at", str(place), "--date", "2031-02-03"]
    before = path.read_bytes()
    done = run_script(SCRIPT, tmp_path, *options, "--check")
    assert (done.returncode, done.stdout) == (1, "a/one: v1.0.0 -> v1.10.0\n"), done.stderr
    assert path.read_bytes() == before
    done = run_script(SCRIPT, tmp_path, *options)
    head, row = written(done, path).decode().splitlines()
    assert row == f"a/one v1.10.0 {right}"
    assert head_of(head)["source"] == "the tags a/one v1.10.0"
    assert head_of(head)["date"] == "2031-02-03"
    assert done.stdout.startswith("a/one: v1.0.0 -> v1.10.0\n")
    again = run_script(SCRIPT, tmp_path, "--at", str(place))
    assert "no change" in again.stdout
    assert run_script(SCRIPT, tmp_path, "--at", str(place), "--check").returncode == 0


def test_a_moved_tag_is_reported(place: Path, tmp_path: Path) -> None:
    data(tmp_path, "v1.10.0", "0" * 40)
    done = run_script(SCRIPT, tmp_path, "--at", str(place), "--check")
    assert done.returncode == 1
    assert done.stdout.startswith(f"a/one: v1.10.0 was moved from {'0' * 40} to ")


@pytest.mark.parametrize(
    ("version", "at", "error"),
    [
        ("v9.0.0", "hub", "a/one: its newest release is v1.10.0, and the file has v9.0.0"),
        ("v1.0.0", "nothing", "nothing/a/one: the tags cannot be read"),
    ],
)
def test_errors(place: Path, tmp_path: Path, version: str, at: str, error: str) -> None:
    path = data(tmp_path, version, "0" * 40)
    before = path.read_bytes()
    done = run_script(SCRIPT, tmp_path, "--at", str(place.parent / at))
    assert done.returncode == 1
    assert error in done.stderr
    assert path.read_bytes() == before


def test_the_pins_of_the_project() -> None:
    text = (DATA / "actions.txt").read_text(encoding="utf-8")
    head = head_of(text)
    found = actions.known()
    listed = ", ".join(f"{one.name} {one.version}" for one in found.values())
    assert head["source"] == f"the tags {listed}"
    for one in found.values():
        assert actions.PIN.fullmatch(one.pin)
        assert re.fullmatch(r"v\d+\.\d+\.\d+", one.version)
    used = re.findall(r"<<uses ([^>]+)>>", (DATA.parent / "templates" / "github.yml").read_text())
    assert set(used) == set(found)
