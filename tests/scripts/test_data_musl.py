"""update_musl.py with builds of the test."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Iterable, List, Set

import pytest

from datascripts import DATA, head_of, run_script, written
from elfwriter import TARGETS, Symbol, write

SCRIPT = "update_musl.py"
TABLE = "musl-symbols.txt"
HIDDEN = 2
SMALL = """\
# Few. Source: musl 1.1.16 1.2.0 1.2.3 (MIT), taken on 2026-01-02. Written by scripts/update_musl.py
__time64 1.2.0
arch_prctl
memcpy
open64 lfs64
qsort_r 1.2.3
"""
PORTS = "P 1.1 x86_64\nA x86_64 arch_prctl\nA armv7l __aeabi_memcpy\n"


def libc(path: Path, version: str, names: Iterable[str], arch: str = "x86_64") -> Path:
    """Write a library that exports these names and contains the text of a version."""
    imports = [Symbol("imported"), Symbol("hidden", defined=True, visibility=HIDDEN)]
    defined = [Symbol(name, defined=True, weak=len(name) % 2 == 0) for name in names]
    elf = TARGETS[arch]
    code = f"Version {version}\n\0".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        write(type(elf)(**{**vars(elf), "symbols": [*imports, *defined], "code": code}))
    )
    return path


def small(folder: Path) -> Path:
    """Write a small table and its A records."""
    (folder / "musllinux.txt").write_text(PORTS)
    (folder / TABLE).write_text(SMALL)
    return folder / TABLE


def known_names(bits: int) -> List[str]:
    """Return the exports of the newest musl in the table, except names of some ports only."""
    ports: Set[str] = set()
    for line in (DATA / "musllinux.txt").read_text(encoding="utf-8").splitlines():
        ports.update(line.split()[2:] if line.startswith("A ") else ())
    rows = [line.split() for line in (DATA / TABLE).read_text(encoding="utf-8").splitlines()]
    absent = {"lfs64", *(["1.2.0"] if bits == 64 else [])}
    return [row[0] for row in rows if row[0] not in {"#", *ports} and row[-1] not in absent]


def test_known_release_changes_no_byte(tmp_path: Path) -> None:
    for name in (TABLE, "musllinux.txt"):
        shutil.copy(str(DATA / name), str(tmp_path))
    newest = head_of((DATA / TABLE).read_text(encoding="utf-8"))["source"].split()[-2]
    wide = libc(tmp_path / "wide.so", newest, known_names(64))
    narrow = libc(tmp_path / "narrow.so", newest, known_names(32), "armv7l")
    done = run_script(SCRIPT, tmp_path, f"{newest}={wide}", f"{newest}={narrow}")
    assert written(done, tmp_path / TABLE) == (DATA / TABLE).read_bytes()
    assert done.stdout.startswith(f"{TABLE}: no change, musl 1.1.16 ")


def test_builds_merge_into_the_table(tmp_path: Path) -> None:
    table = small(tmp_path)
    wide = libc(tmp_path / "wide.so", "1.2.9", ["memcpy", "new", "wide_only", "arch_prctl"])
    names = ["memcpy", "new", "__time64", "__aeabi_memcpy", "qsort_r"]
    narrow = libc(tmp_path / "narrow.so", "1.2.9", names, "armv7l")
    older = libc(tmp_path / "older.so", "1.1.20", ["memcpy", "qsort_r", "open64", "__own"])
    builds = [f"1.2.9={wide}", f"1.1.20={older}", f"1.2.9={narrow}"]
    done = run_script(SCRIPT, tmp_path, "--date", "2031-02-03", *builds)
    head, note, *rows = written(done, table).decode().splitlines()
    assert head_of(head)["source"] == "musl 1.1.16 1.1.20 1.2.0 1.2.3 1.2.9 (MIT)"
    assert head_of(head)["date"] == "2031-02-03"
    assert note.startswith("# ")
    assert rows == [
        "__time64 1.2.0",
        "arch_prctl",
        "memcpy",
        "new 1.2.9",
        "open64 lfs64",
        "qsort_r 1.1.20",
    ]
    assert done.stdout.splitlines()[:4] == [
        "1.1.20: earlier than 1.2.3: qsort_r",
        "1.2.9: new: new",
        "1.2.9: not added, because one build lacks it: wide_only",
        f"1.2.9: {wide} lacks qsort_r",
    ]


def test_names_of_the_first_release_have_no_version(tmp_path: Path) -> None:
    table = small(tmp_path)
    first = libc(tmp_path / "first.so", "1.1.16", ["memcpy", "qsort_r"])
    text = written(run_script(SCRIPT, tmp_path, f"1.1.16={first}"), table).decode()
    assert "\nqsort_r\n" in text
    assert head_of(text)["date"] == "2026-01-02", "the releases are the same as before"


def test_source_tree_is_built(tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    table = small(tmp_path)
    library = libc(tmp_path / "made.so", "1.2.4", ["memcpy", "qsort_r", "fresh"])
    source = tmp_path / "musl-1.2.4"
    source.mkdir()
    (source / "configure").write_text(
        f"#!/bin/sh\nmkdir lib\nprintf 'lib/libc.so:\\n\\tcp {library} lib/libc.so\\n' > Makefile\n"
    )
    (source / "configure").chmod(0o755)
    text = written(run_script(SCRIPT, tmp_path, f"1.2.4={source}"), table).decode()
    assert "\nfresh 1.2.4\n" in text
    assert sorted(path.name for path in source.iterdir()) == ["configure"]
    (source / "configure").write_text("#!/bin/sh\necho no compiler\nexit 1\n")
    done = run_script(SCRIPT, tmp_path, f"1.2.4={source}")
    assert done.returncode == 1
    assert "no compiler\n" in done.stderr


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("1.2.5={}", "is not musl 1.2.5"),
        ("1.2={}", "is not VERSION=PATH"),
        ("1.1.9={}", "the table begins with musl 1.1.16"),
        ("{}", "is not VERSION=PATH"),
    ],
)
def test_invalid_builds_are_refused(tmp_path: Path, argument: str, error: str) -> None:
    table = small(tmp_path)
    library = libc(tmp_path / "libc.so", "1.1.9", ["memcpy"])
    done = run_script(SCRIPT, tmp_path, argument.format(library))
    assert done.returncode == 1
    assert error in done.stderr
    assert table.read_text() == SMALL
