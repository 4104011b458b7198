"""`manyshim check` over the files of a release: folders, patterns, the set and the summary."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any, Dict, List

import pytest

from commandline import run
from elfwriter import Elf, Symbol, write
from wheelwriter import save, wheel, wheel_name

INIT = Symbol("PyInit__x", defined=True)
OLD = write(Elf(needed=("libc.so.6",), symbols=(INIT,)))
NEW = write(
    Elf(needed=("libc.so.6",), symbols=(INIT, Symbol("pidfd_open", "libc.so.6", "GLIBC_2.36")))
)


def put(folder: Path, python: str = "cp311", *, elf: bytes = OLD, **names: str) -> Path:
    """Write a wheel of one CPython for x86_64."""
    folder.mkdir(exist_ok=True)
    project = names.get("name", "demo")
    tag = f"{python}-{python}-manylinux_2_17_x86_64"
    member = f"{project}/_x.cpython-{python[2:]}-x86_64-linux-gnu.so"
    version = names.get("version", "1.0")
    data = wheel({member: elf}, name=project, version=version, tag=tag)
    return save(folder, data, wheel_name(project, version, tag))


def put_sdist(folder: Path, name: str = "demo", version: str = "1.0") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    texts = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n',
    }
    with tarfile.open(path, "w:gz") as archive:
        for member, text in texts.items():
            info = tarfile.TarInfo(f"{name}-{version}/{member}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Return a folder with a release that may be uploaded, and other files."""
    folder = tmp_path / "dist"
    for python in ("cp311", "cp312"):
        put(folder, python)
    put_sdist(folder)
    (folder / ".gitignore").write_text("*")
    (folder / "demo-1.0.tar.gz.publish.attestation").write_text("{}")
    (folder / "old.whl").mkdir()
    return folder


def test_a_folder_is_checked_as_a_release(dist: Path) -> None:
    done = run("check", dist)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    *files, last = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in files] == sorted(
        one.name for one in dist.iterdir() if one.suffix in (".whl", ".gz") and one.is_file()
    )
    assert last == "2 wheels, 1 sdist: all can be uploaded"


def test_a_release_with_three_mistakes_is_told_of_each(tmp_path: Path, dist: Path) -> None:
    previous = tmp_path / "previous"
    for python in ("cp310", "cp311", "cp312"):
        put(previous, python, version="0.9")
    put_sdist(previous, version="0.9")
    put(dist, "cp312", elf=NEW)
    (dist / "demo-1.0.tar.gz").unlink()
    put_sdist(dist, version="1.1")
    done = run("check", dist, "--like", previous)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    wheels = "demo-1.0-{0}-{0}-manylinux_2_17_x86_64.whl"
    assert lines[:2] == [
        f"{wheels.format('cp311')}: ok",
        f"{wheels.format('cp312')}: not compliant",
    ]
    assert "[FALSE_TAG]" in done.stdout
    old = "demo-0.9-cp310-cp310-manylinux_2_17_x86_64.whl"
    lost = "demo-1.0-cp310-cp310-manylinux_*_x86_64.whl"
    first = wheels.format("cp311")
    assert lines[-5:] == [
        f"error: {lost} is missing; the set of --like has '{old}' [INCOMPLETE_SET]",
        (
            "  build it, or accept that it is missing: --allow 'INCOMPLETE_SET:*', "
            "or a pattern for its name"
        ),
        f"error: demo-1.1.tar.gz has version 1.1, but '{first}' has '1.0' [INCOMPLETE_SET]",
        "  build all files from one version, and move the others out of the folder",
        "2 wheels, 1 sdist: 1 cannot be uploaded; 1 is missing, 1 has another version",
    ]


def test_allow_accepts_what_is_missing(tmp_path: Path, dist: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text(
        "# what 0.9 had\ndemo-0.9.tar.gz\n\n"
        "demo-0.9-cp310-cp310-manylinux1_x86_64.whl  # the oldest\n"
    )
    done = run("check", dist, "--like", names)
    assert done.returncode == 1
    assert done.stdout.endswith("2 wheels, 1 sdist: 1 is missing\n")
    done = run("check", dist, "--like", names, "--allow", "INCOMPLETE_SET:*-cp310-*")
    assert done.returncode == 0
    assert "is missing" in done.stdout
    assert "(allowed)" in done.stdout
    assert done.stdout.endswith("2 wheels, 1 sdist: all can be uploaded\n")


def test_projects_of_one_folder_are_judged_apart(dist: Path) -> None:
    put(dist, name="other", version="2.0")
    done = run("check", dist)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-4:] == [
        "other:",
        "  warning: there is no sdist; it cannot be added after 14 days [INCOMPLETE_SET]",
        "    build the sdist too (uv build --sdist, or python -m build --sdist)",
        "3 wheels, 1 sdist: all can be uploaded",
    ]


def test_one_wheel_is_no_set(tmp_path: Path) -> None:
    path = put(tmp_path / "one")
    line = f"{path.name}: ok\n"
    assert run("check", path).stdout == line
    # The same file in another spelling.
    again = path.parent / ".." / "one" / path.name
    assert run("check", path, again).stdout == line
    assert "no sdist" in run("check", path.parent).stdout
    assert "no sdist" in run("check", path, put(tmp_path / "one", "cp312")).stdout


def test_a_pattern_that_no_shell_expanded_is_expanded(dist: Path) -> None:
    done = run("check", dist / "*.whl", dist)
    assert done.returncode == 0
    assert done.stdout.count(": ok") == 3
    assert done.stdout.endswith("2 wheels, 1 sdist: all can be uploaded\n")
    done = run("check", dist / "*.egg")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"manyshim: error: {dist}/*.egg: no wheel and no sdist matches\n"


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    path = put(tmp_path / "[dist]")
    assert run("check", path).stdout == f"{path.name}: ok\n"
    assert f"{path.name}: ok\n" in run("check", path.parent).stdout


def test_a_folder_without_wheels_is_an_error(tmp_path: Path) -> None:
    done = run("check", tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"manyshim: error: {tmp_path}: no wheel and no sdist in this folder\n"


def test_an_empty_folder_costs_the_other_files_nothing(tmp_path: Path, dist: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run("check", empty, dist, dist / "*.egg")
    assert done.returncode == 3
    assert done.stdout.count(": ok") == 3
    assert done.stderr == (
        f"manyshim: error: {empty}: no wheel and no sdist in this folder\n"
        f"manyshim: error: {dist}/*.egg: no wheel and no sdist matches\n"
    )
    data = json.loads(run("check", "--json", f"{empty}/", dist).stdout)
    assert [one["sdist"] for one in data["sdists"]] == ["demo-1.0.tar.gz"]
    assert [bool(one["error"]) for one in data["wheels"]] == [True, False, False]
    assert data["wheels"][0]["file"] == f"{empty}/"


def test_a_file_that_cannot_be_read_is_counted(dist: Path) -> None:
    (dist / "demo-1.0-py3-none-any.whl").write_bytes(b"no archive")
    done = run("check", dist)
    assert done.returncode == 3
    assert done.stdout.endswith("3 wheels, 1 sdist: 1 cannot be read\n")
    assert "demo-1.0-py3-none-any.whl" in done.stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no file name of a wheel or an sdist"),
        ("demo-1.0.tar.gz\ndemo-1.0.exe\n", "line 2: demo-1.0.exe is no file name of a wheel"),
        ("\x1b[2J", "line 1: \\x1b[2J is no file name"),
        (None, "no such file"),
    ],
)
def test_a_wrong_list_is_an_error(tmp_path: Path, dist: Path, text: Any, problem: str) -> None:
    names = tmp_path / "names.txt"
    if text is not None:
        names.write_text(text)
    done = run("check", dist, "--like", names)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"manyshim: error: --like {names}: {problem}")


def test_json_has_the_files_the_sets_and_the_summary(dist: Path) -> None:
    put_sdist(dist, version="1.1")
    put(dist, "cp313", elf=NEW)
    (dist / "demo-0.tar.gz").write_bytes(b"no archive")
    done = run("check", dist, "--json")
    assert done.returncode == 3
    data: Dict[str, Any] = json.loads(done.stdout)
    assert list(data) == ["version", "wheels", "sdists", "sets", "summary"]
    assert data["version"] == 2
    assert [one["wheel"].split("-")[2] for one in data["wheels"]] == ["cp311", "cp312", "cp313"]
    sdists: List[Dict[str, Any]] = data["sdists"]
    assert [one["sdist"] for one in sdists] == [f"demo-{v}.tar.gz" for v in ("0", "1.0", "1.1")]
    assert [bool(one["error"]) for one in sdists] == [True, False, False]
    (report,) = data["sets"]
    assert (report["project"], report["versions"]) == ("demo", ["0", "1.0", "1.1"])
    assert [(one["kind"], one["severity"], one["path"]) for one in report["findings"]] == [
        ("INCOMPLETE_SET", "error", "demo-0.tar.gz"),
        ("INCOMPLETE_SET", "error", "demo-1.1.tar.gz"),
    ]
    assert data["summary"] == {
        "wheels": 3,
        "sdists": 3,
        "refused": 1,
        "unreadable": 1,
        "unchecked": 0,
        "missing": 0,
        "of_other_version": 2,
        "duplicates": 0,
    }


def test_files_that_take_the_place_of_another(tmp_path: Path) -> None:
    """As the jobs of a CI that each build the sdist, or the pure wheel."""
    first, second = tmp_path / "first", tmp_path / "second"
    wheel = put(first)
    put(second)
    put_sdist(first)
    assert run("check", first, second).returncode == 0, "the bytes are equal"
    put(second, elf=OLD + b"\n")
    put_sdist(second, version="1.0.0")
    done = run("check", first, second)
    second_sdist = "is a second sdist, beside 'demo-1.0.tar.gz'; the index takes one for a release"
    assert done.returncode == 1
    paths = f"'{first / wheel.name}' and '{second / wheel.name}'"
    assert done.stdout.splitlines()[-5:] == [
        f"error: {wheel.name} is there twice, with different contents: {paths} [INCOMPLETE_SET]",
        "  keep one of them; the index takes a file name only once",
        f"error: demo-1.0.0.tar.gz {second_sdist} [INCOMPLETE_SET]",
        "  move one of them out of the folder",
        "2 wheels, 2 sdists: 2 are duplicates",
    ]
    data = json.loads(run("check", first, second, "--json").stdout)
    assert data["summary"]["duplicates"] == 2


def test_a_list_may_have_folders(tmp_path: Path, dist: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("".join(f"./dist/{one.name}\n" for one in dist.glob("demo-*.whl")))
    done = run("check", dist, "--like", names)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["empty", "empty/*.whl"])
def test_a_folder_without_files_is_a_document_for_programs(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    path = str(tmp_path / name)
    done = run("check", path, "--json")
    assert (done.returncode, done.stderr.startswith("manyshim: error: ")) == (3, True)
    data = json.loads(done.stdout)
    assert [(one["file"], bool(one["error"])) for one in data["wheels"]] == [(path, True)]
    assert data["summary"]["unreadable"] == 1
    assert '"executionSuccessful": false' in run("check", path, "--format", "sarif").stdout
    assert run("check", path, "--format", "github").stdout.startswith("::error title=UNREADABLE::")
    assert "<error" in run("check", path, "--format", "junit").stdout


def test_json_of_other_commands_has_wheels_only(dist: Path) -> None:
    wheels = sorted(dist.glob("demo*.whl"))
    assert list(json.loads(run("show", *wheels, "--json").stdout)) == ["version", "wheels"]
