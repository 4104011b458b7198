"""Typical mistakes with `manyshim release`: what is said, and the exit code. Nothing is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable, List

import pytest

from frontends import run_command
from manyshim.release.ledger import Entry, Ledger, Made
from manyshim.release.sdist import digest
from releaseprojects import X86, project

TABLE = "[tool.manyshim.release]"


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "pyproject.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def foreign(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "dist").mkdir()
        (folder / "dist" / name).touch()

    return change


def no_project(folder: Path) -> None:
    (folder / "pyproject.toml").unlink()


def nothing(_: Path) -> None:
    pass


# What is wrong, the words of the command line, the exit code, and the sentence.
MISTAKES = [
    (edit(TABLE, "[tool.other]"), [], 2, f"pyproject.toml has no {TABLE}. Write for example:"),
    (no_project, [], 2, f"pyproject.toml has no {TABLE}. Write for example:"),
    (edit('"3.11"', '"311"'), [], 2, "pythons: '311' is no CPython from 3.8 on; write"),
    (edit("x86_64", "x86-64"), [], 2, f"is no platform; did you mean '{X86}'?"),
    (
        edit("manyshim.backend", "setuptools.build_meta"),
        [],
        2,
        "setuptools.build_meta, which makes no manylinux wheels: switch it to manyshim first (",
    ),
    (nothing, ["--only", "cp312-*"], 2, "--only cp312-* matches nothing of the release; "),
    (nothing, ["--shard", "4/3"], 2, "--shard = '4/3' is not valid; write the part and the number"),
    (nothing, ["--jobs", "0"], 2, "--jobs = '0' is not valid; write how many processes"),
    (nothing, ["--sdist", "none.tar.gz"], 4, "none.tar.gz: no such file"),
    (nothing, ["--sdist", "setup.py"], 3, "setup.py: cannot be read as an sdist: "),
    (nothing, ["nowhere"], 2, "nowhere: no such folder; name the folder of the project"),
    (nothing, ["-o", "setup.py"], 4, "setup.py: cannot be written: "),
    (nothing, ["--like", "nowhere"], 2, "--like nowhere: no such file"),
]


def run(folder: Path, words: List[str]) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "manyshim", "release", *words]
    done = run_command(command, cwd=folder, ok=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("change", "words", "code", "sentence"), MISTAKES)
def test_a_mistake_is_told(
    tmp_path: Path, change: Callable[[Path], None], words: List[str], code: int, sentence: str
) -> None:
    folder = project(tmp_path / "p", [X86], ["3.11"])
    change(folder)
    found = run(folder, words)
    assert (found[0], found[1]) == (code, ""), found
    assert sentence in found[2].splitlines()[0]
    assert found[2].startswith("manyshim: error: ")


def test_more_parts_than_wheels(tmp_path: Path) -> None:
    import tarfile

    folder = project(tmp_path / "p", [X86], ["3.11"])
    path = tmp_path / "released-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder / "setup.py", "released-1.0/setup.py")
        archive.add(folder / "setup.py", "released-1.0/PKG-INFO")
    code, output, errors = run(folder, ["--sdist", str(path), "--shard", "2/2"])
    assert "nothing to build in " in output, errors
    assert code in (0, 1)
    assert "Traceback" not in errors


@pytest.mark.network
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("other-1.0.tar.gz", "is not of released; remove what does not belong to the release"),
        ("released-0.9.tar.gz", "is of version 0.9, and the sdist of 1.0; remove what does not"),
        (f"released-1.0-cp311-cp311-{X86}.whl", "no release has built it; remove what does not"),
    ],
)
def test_a_folder_with_something_else_is_left_alone(
    tmp_path: Path, build_environment: dict[str, str], name: str, sentence: str
) -> None:
    folder = project(tmp_path / "p", [X86], ["3.11"])
    foreign(name)(folder)
    command = [sys.executable, "-m", "manyshim", "release"]
    done = run_command(command, cwd=folder, env=build_environment, ok=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert [one.name for one in (folder / "dist").iterdir()] == [name]


def test_the_sdist_of_another_project_is_refused(tmp_path: Path) -> None:
    import tarfile

    folder = project(tmp_path / "p", [X86], ["3.11"])
    with tarfile.open(tmp_path / "other-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder / "setup.py", "other-1.0/setup.py")
    code, _, errors = run(folder, ["--sdist", str(tmp_path / "other-1.0.tar.gz")])
    assert code == 2
    assert "other-1.0.tar.gz: is of other, and this project is released" in errors


def test_what_a_dry_run_and_the_matrix_print(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", [X86], ["3.11"])
    code, output, errors = run(folder, ["--dry-run"])
    assert (code, errors) == (0, "")
    assert output.splitlines()[1].split() == [f"cp311-{X86}", "-"]
    code, output, errors = run(folder, ["--matrix"])
    assert (code, errors) == (0, "")
    assert '"only": "*-manylinux_2_17_x86_64"' in output
    assert not (folder / "dist").exists()


def test_a_dry_run_names_no_wheel_that_is_lost(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", [X86], ["3.11"])
    dist, name = folder / "dist", f"released-1.0-cp311-cp311-{X86}.whl"
    dist.mkdir()
    (dist / name).write_bytes(b"data")
    entry = Entry(digest(str(dist / name)), "content")
    Ledger(str(dist)).add(f"cp311-{X86}", Made(name, "recipe"), entry)
    assert run(folder, ["--dry-run"])[1].splitlines()[1].split() == [f"cp311-{X86}", name]
    (dist / name).unlink()
    assert run(folder, ["--dry-run"])[1].splitlines()[1].split() == [f"cp311-{X86}", "-"]
