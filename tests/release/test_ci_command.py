"""`manyshim ci` as a command: what it writes, refuses and keeps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Tuple

import pytest

from ciprojects import HOSTILE, LINUX, OTHERS, project
from manyshim.release import blocks, ci
from manyshim.release.actions import known

PATHS = {"github": ".github/workflows/release.yml", "gitlab": ".gitlab-ci.yml"}


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "manyshim", "ci", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fill(text: str, name: str, line: str) -> str:
    """Write a line into a block."""
    end = next(one for one in text.split("\n") if one.strip() == blocks.end(name))
    return text.replace(end, f"{line}\n{end}")


@pytest.mark.parametrize("service", ci.SERVICES)
@pytest.mark.parametrize("name", ["demo", HOSTILE.replace("\x07", "").replace("\U0001f40d", "")])
def test_print_write_and_write_again(tmp_path: Path, service: str, name: str) -> None:
    folder = project(tmp_path, name)
    printed = run(service, folder)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert os.listdir(folder) == ["pyproject.toml"]
    done = run(service, folder, "--write")
    assert (done.returncode, done.stdout) == (0, f"wrote {PATHS[service]}\n"), done.stderr
    path = folder / PATHS[service]
    assert path.read_text(encoding="utf-8") == printed.stdout
    again = run(service, "--write", folder)
    assert (again.returncode, again.stdout) == (0, f"{PATHS[service]} is current\n")
    left = ["release.yml"] if service == "github" else [".gitlab-ci.yml", "pyproject.toml"]
    assert sorted(os.listdir(path.parent)) == left
    assert run(service, folder, "-q").stdout == printed.stdout
    data = json.loads(run(service, folder, "--json").stdout)
    keys = ("path", "text", "written", "notes")
    assert [data[key] for key in keys] == [PATHS[service], printed.stdout, False, []]


@pytest.mark.parametrize("service", ci.SERVICES)
def test_the_check_accepts_what_the_builds_accept(tmp_path: Path, service: str) -> None:
    folder = project(tmp_path)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('config-settings = { "manyshim.exclude" = "libcuda.so.1" }\n')
        file.write('[tool.manyshim]\nallow = ["NO_ELF:*"]\n')
    lines = [line for line in run(service, folder).stdout.split("\n") if " check dist" in line]
    assert lines
    for line in lines:
        assert "--exclude=libcuda.so.1" in line
        assert "'--allow=NO_ELF:*'" in line


@pytest.mark.parametrize("service", ci.SERVICES)
def test_what_is_between_the_comments_stays(tmp_path: Path, service: str) -> None:
    folder = project(tmp_path, platforms=LINUX[:1])
    run(service, folder, "--write")
    path = folder / PATHS[service]
    empty = blocks.read(path.read_text(encoding="utf-8"), "")
    text = path.read_text(encoding="utf-8")
    for name in empty:
        text = fill(text, name, f"    # own line of {name} \u00e4")
    path.write_text(text, encoding="utf-8")
    project(tmp_path, platforms=[*LINUX, *OTHERS] if service == "github" else LINUX)
    done = run(service, folder, "--write")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    new = path.read_text(encoding="utf-8")
    assert LINUX[2] in new
    found = blocks.read(new, "")
    assert {name: found[name] for name in empty} == {
        name: [f"    # own line of {name} \u00e4"] for name in empty
    }
    assert run(service, folder, "--write").stdout.endswith("is current\n")


def test_a_newer_pin_stays_and_an_older_one_does_not(tmp_path: Path) -> None:
    folder = project(tmp_path)
    run("github", folder, "--write")
    path = folder / PATHS["github"]
    text = path.read_text(encoding="utf-8")
    checkout, cache = known()["actions/checkout"], known()["actions/cache"]
    newer = f"actions/checkout@{'a' * 40} # v99.0"
    text = text.replace(checkout.pin, newer)
    path.write_text(text.replace(cache.pin, f"actions/cache@{'b' * 40} # v1.0.0"), "utf-8")
    done = run("github", folder, "--write")
    assert done.returncode == 0, done.stderr
    assert path.read_text(encoding="utf-8") == text


def test_a_file_with_the_line_ends_of_windows_is_the_same(tmp_path: Path) -> None:
    folder = project(tmp_path)
    run("gitlab", folder, "--write")
    path = folder / PATHS["gitlab"]
    data = path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(data)
    assert run("gitlab", folder, "--write").stdout.endswith("is current\n")
    assert path.read_bytes() == data


Change = Callable[[str], str]
REFUSED: Dict[str, Tuple[Change, str]] = {
    "foreign": (
        lambda _: "name: mine\n",
        "there is a file that manyshim has not written; rename it, or leave out --write and copy",
    ),
    "changed": (
        lambda text: text.replace("timeout-minutes: 30", "timeout-minutes: 31"),
        "was changed outside of your blocks, and this would be lost; move the changes between",
    ),
    "no place": (
        lambda text: blocks.sign(
            text.replace("yours: before-tests", "yours: gone").replace(
                f"      {blocks.end('gone')}", f"      - run: x\n      {blocks.end('gone')}"
            )
        ),
        "the new workflow has no place for your lines in 'gone'; move them into another block",
    ),
    "no end": (
        lambda text: blocks.sign(text.replace(f"  {blocks.end('jobs')}\n", "")),
        "the block 'jobs' has no end; write `# <<< yours: jobs`",
    ),
    "twice": (
        lambda text: blocks.sign(text.replace("yours: jobs", "yours: triggers")),
        "the block 'triggers' begins, but 'triggers' has begun before",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_of_the_user_is_lost(tmp_path: Path, name: str) -> None:
    change, sentence = REFUSED[name]
    folder = project(tmp_path)
    run("github", folder, "--write")
    path = folder / PATHS["github"]
    changed = change(path.read_text(encoding="utf-8"))
    path.write_text(changed, encoding="utf-8")
    done = run("github", folder, "--write")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"manyshim: error: {PATHS['github']}: " in done.stderr
    assert sentence in done.stderr
    assert path.read_text(encoding="utf-8") == changed


def test_a_block_that_has_lost_its_place_is_refused(tmp_path: Path) -> None:
    """Without tests there is no block before them."""
    folder = project(tmp_path)
    run("github", folder, "--write")
    path = folder / PATHS["github"]
    path.write_text(fill(path.read_text("utf-8"), "before-tests", "      - run: x"), "utf-8")
    project(tmp_path, test=None)
    done = run("github", folder, "--write")
    assert done.returncode == 2
    assert "no place for your lines in 'before-tests'" in done.stderr
    assert "- run: x" in path.read_text(encoding="utf-8")


def test_gitlab_names_the_platforms_without_a_job(tmp_path: Path) -> None:
    done = run("gitlab", project(tmp_path, platforms=[LINUX[0], "win_amd64"]))
    assert done.returncode == 0
    assert "win_amd64: manyshim writes no job for it on GitLab" in done.stderr
    assert done.stdout == run("gitlab", project(tmp_path, platforms=[LINUX[0]])).stdout


def test_a_part_of_a_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = project(tmp_path / "sub")
    done = run("github", folder, "--write")
    assert done.returncode == 2
    assert "services read workflows at its root only" in done.stderr
    assert os.listdir(folder) == ["pyproject.toml"]
    assert run("github", folder).returncode == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[tool.manyshim.release]\nplatforms = ["manylinux_2_17_x86_64"]\npythons = ["3.12"]\n',
            "switch it to manyshim first (manyshim init --write)",
        ),
        ("", "pyproject.toml has no [tool.manyshim.release]"),
        ("[tool.manyshim.release]\nplatforms = 1\n", "platforms must be a list of texts"),
        (
            '[tool.manyshim.release]\nplatforms = ["manylinux_2_17_x86_64"]\npythons = ["4.1"]\n',
            "'4.1' is no CPython",
        ),
    ],
)
def test_a_wrong_table(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    done = run("github", tmp_path, "--write")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert os.listdir(tmp_path) == ["pyproject.toml"]


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / ".gitlab-ci.yml").mkdir()
    done = run("gitlab", folder, "--write")
    assert done.returncode == 4
    assert ".gitlab-ci.yml: cannot be read: Is a directory" in done.stderr
