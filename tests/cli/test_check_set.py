"""`manyshim check` over a folder of files, and what it says of them together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

import strict_index_samples as samples
from commandline import run
from elfwriter import Elf, Symbol, write
from wheelwriter import save, wheel, wheel_name

PURE = "py3-none-any"
NEW = write(
    Elf(
        needed=("libc.so.6",),
        symbols=(
            Symbol("PyInit__x", defined=True),
            Symbol("pidfd_open", "libc.so.6", "GLIBC_2.36"),
        ),
    )
)


def add_wheel(folder: Path, tag: str, name: str = "demo", version: str = "1.0") -> Path:
    code: Dict[str, bytes] = {f"{name}.py": b""}
    if "linux" in tag:
        code = {f"{name}/_x.cpython-311-x86_64-linux-gnu.so": NEW}
    data = wheel(code, name=name, version=version, tag=tag)
    return save(folder, data, wheel_name(name, version, tag))


def add_sdist(folder: Path, name: str = "demo", version: str = "1.0") -> Path:
    fields = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n"
    top = f"{name}-{version}"
    members = {f"{top}/PKG-INFO": fields.encode(), f"{top}/setup.py": b""}
    return save(folder, samples.sdist(members), f"{top}.tar.gz")


def kinds_of(one: Dict[str, Any]) -> List[str]:
    return [found["kind"] for found in one["findings"] if found["severity"] == "error"]


def test_a_release_with_three_faults(tmp_path: Path) -> None:
    """One wheel is missing, one tag is false, and the sdist has another version."""
    old, dist = tmp_path / "old", tmp_path / "dist"
    old.mkdir()
    dist.mkdir()
    for tag in ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"):
        add_wheel(old, tag)
    add_sdist(old)
    add_wheel(dist, "cp311-cp311-manylinux_2_17_x86_64")
    add_sdist(dist, version="1.1")
    done = run("check", dist, "--like", old)
    assert done.returncode == 1
    assert "[FALSE_TAG]" in done.stdout
    assert "the files of demo have 2 versions (1.0, 1.1)" in done.stdout
    assert "the project demo has no wheel for cp311-cp311 on win_amd64" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 wheel, 1 sdist: 1 cannot be uploaded"


def test_two_projects_are_judged_apart(tmp_path: Path) -> None:
    for name, version in (("demo", "1.0"), ("other", "2.0")):
        add_wheel(tmp_path, PURE, name, version)
        add_sdist(tmp_path, name, version)
    done = run("check", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "2 wheels, 2 sdists: each of them can be uploaded"
    (tmp_path / "other-2.0.tar.gz").unlink()
    text = run("check", tmp_path).stdout
    assert "the project other has no sdist here" in text
    assert "demo, all files" not in text


def test_json_has_all_files_the_sets_and_a_summary(tmp_path: Path) -> None:
    add_wheel(tmp_path, PURE)
    add_sdist(tmp_path)
    (tmp_path / "bad-1.0.tar.gz").write_bytes(b"no archive")
    (tmp_path / "README.txt").write_text("ignored")
    done = run("check", "--json", tmp_path)
    data = json.loads(done.stdout)
    assert done.returncode == 3
    assert data["summary"] == {"wheels": 1, "sdists": 2, "refused": 0, "unreadable": 1}
    assert [one["sdist"] for one in data["sdists"]] == ["bad-1.0.tar.gz", "demo-1.0.tar.gz"]
    assert [bool(one["error"]) for one in data["sdists"]] == [True, False]
    assert [one["project"] for one in data["sets"]] == ["bad", "demo"]


def test_one_file_is_judged_alone(tmp_path: Path) -> None:
    path = add_wheel(tmp_path, PURE)
    assert run("check", path).stdout == f"{path.name}: ok\n"


def test_a_glob_that_no_shell_expanded(tmp_path: Path) -> None:
    add_wheel(tmp_path, PURE)
    add_sdist(tmp_path)
    done = run("check", f"{tmp_path}/*")
    assert done.stdout.splitlines()[-1] == "1 wheel, 1 sdist: each of them can be uploaded"


def test_a_folder_without_files_cannot_be_read(tmp_path: Path) -> None:
    done = run("check", tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "has no .whl and no .tar.gz file" in done.stderr


def test_a_list_of_names_is_a_set(tmp_path: Path) -> None:
    add_wheel(tmp_path, PURE)
    names = tmp_path / "names.txt"
    names.write_text("# of the last release\ndemo-0.9-py3-none-any.whl\ndemo-0.9.tar.gz\n")
    done = run("check", tmp_path / wheel_name(tag=PURE), "--like", names)
    assert done.returncode == 1
    assert "the project demo has no sdist, which the other set has" in done.stdout
    accepted = run(
        "check", tmp_path / wheel_name(tag=PURE), "--like", names, "--allow", "INCOMPLETE_SET:*"
    )
    assert accepted.returncode == 0


@pytest.mark.parametrize("ending", ["macosx_11_0_arm64", "win_amd64", "ios_13_0_arm64_iphoneos"])
def test_a_module_in_elf_format_is_for_no_other_system(ending: str, tmp_path: Path) -> None:
    members = {"demo/_x.abi3.so": NEW, "demo/data.bin": NEW}
    tag = f"cp311-abi3-{ending}"
    path = save(tmp_path, wheel(members, tag=tag), wheel_name(tag=tag))
    (found,) = json.loads(run("check", "--json", path).stdout)["wheels"]
    assert kinds_of(found) == ["WRONG_PLATFORM"]
    assert [one["path"] for one in found["findings"]] == ["demo/_x.abi3.so"]


def test_android_has_elf_files(tmp_path: Path) -> None:
    tag = "cp313-cp313-android_24_arm64_v8a"
    members = {"demo/_x.cpython-313-aarch64-linux-android.so": NEW}
    path = save(tmp_path, wheel(members, tag=tag), wheel_name(tag=tag))
    assert run("check", path).stdout == f"{path.name}: ok\n"
    assert "for Android: not audited" in run("show", path).stdout
